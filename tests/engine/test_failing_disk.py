"""A disk that could not write says so once. What it lost still reads well, until its page is needed for something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.story import PIECE, TARGET, DurableFiles, FsDisk, path
from tests.engine.test_repair import BIG
from tests.engine.test_reuse import other_of
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import DiskFull, ExitCode, NotWritable
from torrent_mover.domain.settings.choices import LinkExisting


class FailingDisk(DurableFiles):
    """As Linux since 4.13: a sync that fails is told once, its pages count as clean, and a later sync of them succeeds."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._error: Exception | None = None
        self._left = 0
        self._lost: set[int] = set()

    def error_at(self, at: int, error: Exception) -> None:
        """Fail at the `at`-th sync from now."""
        self._left, self._error = at, error

    def sync(self, paths):
        listed = list(paths)
        self._left -= 1
        if self._left == 0 and self._error is not None:
            self._lost |= {self.nodes[each].serial for each in listed if each in self.nodes}
            raise self._error
        safe = dict(self._safe)
        super().sync(listed)
        self._safe |= {serial: safe.get(serial, b"") for serial in self._lost if serial in self._safe}


def on(story) -> FailingDisk:
    story.there = FailingDisk(story.there.name)
    story.destination.disk = FsDisk(story.there, TARGET)
    return story.there


def run_until_done(story) -> None:
    for _ in range(4):
        if story.run() is ExitCode.DONE:
            return
    raise AssertionError("it does not end")


@pytest.mark.parametrize("error", [NotWritable("Input/output error."), DiskFull("No space left.")])
@pytest.mark.parametrize("at", [1, 2])
def test_what_could_not_be_synced_is_brought_anew(story, error, at):
    """Once while it is brought, once before it gets its final name."""
    torrent = story.seed()
    on(story).error_at(at, error)
    run_until_done(story)
    assert story.brought == 2 * story.size(torrent)
    story.there.cut_power()
    story.assert_moved(torrent)


def test_what_a_killed_run_left_unsynced_is_brought_anew_where_it_cannot_be_synced(story):
    torrent = story.seed()
    disk = on(story)
    story.run_until("before there.sync")
    assert any(each.parts[:1] == (".torrent-mover",) for each in disk.nodes)
    disk.error_at(1, NotWritable("Input/output error."))
    run_until_done(story)
    story.there.cut_power()
    story.assert_moved(torrent)


def test_files_that_nobody_brought_stay_where_they_cannot_be_synced(story):
    torrent = story.seed()
    story.plant(torrent)
    disk = on(story)
    story.plant(torrent)
    disk.error_at(1, NotWritable("Input/output error."))
    story.run()
    story.assert_kept(torrent)
    assert story.at_destination(torrent) == story.contents[torrent]
    assert path("Show/last.bin") in disk.nodes


def test_a_copy_of_another_torrents_file_that_could_not_be_synced_is_made_anew(story):
    story.policy = replace(story.policy, link_existing=LinkExisting.COPY)
    torrent = story.seed()
    disk = on(story)
    other_of(story, torrent)
    disk.error_at(1, NotWritable("Input/output error."))
    run_until_done(story)
    assert story.brought == 0
    story.there.cut_power()
    assert story.at_destination(torrent) == story.contents[torrent]


def test_a_copy_of_a_file_with_a_second_name_that_could_not_be_synced_is_made_anew(story):
    torrent = story.seed()
    disk = on(story)
    whole = story.contents[torrent][BIG]
    story.plant(torrent, **{"second.bin": whole[: 2 * PIECE] + bytes(len(whole) - 2 * PIECE)})
    story.there.link(path(BIG), path("the other name"))
    disk.error_at(1, NotWritable("Input/output error."))
    run_until_done(story)
    story.there.cut_power()
    assert story.at_destination(torrent)[BIG] == whole


def test_a_copy_of_a_cross_seeds_file_that_could_not_be_synced_is_made_anew(story):
    """Another torrent's file that lacks its neighbours is copied, and only its last piece is brought."""
    torrent = story.seed("Show", {"a": 4 * PIECE + 5, "zz": 50})
    disk = on(story)
    name = "Show/a"
    files = {name: story.contents[torrent][name]}
    made = story.folder / "other" / "Show" / "a"
    made.parent.mkdir(parents=True)
    made.write_bytes(files[name])
    story.there.plant_file(path(name), files[name])
    story.destination.seed(make_torrent(made.parent, piece_length=PIECE * 2), TARGET)
    disk.error_at(1, NotWritable("Input/output error."))

    story.run()

    assert path(f".torrent-mover/{torrent.hex}/{name}") not in disk.nodes
