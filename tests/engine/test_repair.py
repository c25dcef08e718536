"""After a bad recheck: the bad pieces alone, then the files that stay bad, then a person; the source is kept all the while."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import PIECE, Story, path
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import Mark, Stage
from torrent_mover.domain.report.events import MoveFailed, StageEntered
from torrent_mover.domain.torrent.torrent import TorrentState


class Damager:
    """Flips a byte of a file each time that the destination client is asked for a recheck, so many times."""

    def __init__(self, story: Story, name: str, offset: int, times: int) -> None:
        self._story = story
        self._place = path(name)
        self._offset = offset
        self.left = times
        story.destination.before = self

    def __call__(self, method: str, _torrent) -> None:
        if method == "recheck" and self.left:
            self.left -= 1
            self._story.there.nodes[self._place].data[self._offset] ^= 0xFF


class Rot:
    """A file reads wrong at one byte from the first recheck on, whoever reads it and whatever is written."""

    def __init__(self, story: Story, name: str, offset: int) -> None:
        self._story = story
        self._args = (path(name), offset)
        story.destination.before = self

    def __call__(self, method: str, _torrent) -> None:
        if method == "recheck":
            self._story.there.rot(*self._args)


BIG = "Show/folder/second.bin"


def stages(story) -> list[Stage]:
    return [event.stage for event in story.events if isinstance(event, StageEntered)]


def test_a_bad_piece_is_brought_again_alone(story):
    torrent = story.seed()
    Damager(story, BIG, 2 * PIECE, times=1)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == story.size(torrent) + PIECE
    assert stages(story).count(Stage.REPAIRING) == 1


def test_a_file_that_stays_bad_is_brought_anew_and_no_other_one(story):
    torrent = story.seed()
    Damager(story, BIG, 2 * PIECE, times=2)
    others = {name for name in story.contents[torrent] if name != BIG}
    serials = {}
    story.destination.before = _noting(story, story.destination.before, others, serials)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert stages(story).count(Stage.REPAIRING) == 2
    whole = len(story.contents[torrent][BIG]) + 2 * PIECE  # and the pieces that it shares with its neighbours
    assert PIECE < story.brought - story.size(torrent) - PIECE <= whole
    assert {name: story.there.nodes[path(name)].serial for name in others} == serials


def _noting(story, before, names, serials):
    def act(method, torrent) -> None:
        if method == "recheck" and not serials:
            serials.update({name: story.there.nodes[path(name)].serial for name in names})
        before(method, torrent)

    return act


def test_what_stays_bad_is_set_aside_for_a_person(story):
    torrent = story.seed()
    Rot(story, BIG, 2 * PIECE)

    assert story.run() is ExitCode.SOME_FAILED

    story.assert_kept(torrent)
    there = story.destination.get(torrent)
    assert there.category == "manual-review"
    assert there.state in (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE)
    with contextlib.closing(story.journal()) as journal:
        assert journal.move(torrent).mark is Mark.RECHECK_FAILED
    if not story.local:  # where we read the disk ourselves, it is seen before a client is troubled a third time
        assert stages(story).count(Stage.REPAIRING) == 2
    (failed,) = [event for event in story.events if isinstance(event, MoveFailed)]
    assert f"--clear-recheck-failure {torrent}" in failed.remedy


def test_a_marked_torrent_is_left_alone_until_the_mark_is_cleared(story):
    torrent = story.seed()
    Rot(story, BIG, 2 * PIECE)
    story.run()
    sent = story.brought
    assert story.run() is ExitCode.DONE
    assert story.brought == sent
    story.assert_kept(torrent)

    story.destination.before = lambda _method, _torrent: None
    story.there.heal()
    with contextlib.closing(story.journal()) as journal:
        record = journal.move(torrent)
        journal.save_move(replace(record, mark=None))
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_marked_torrent_that_is_gone_from_the_source_is_remembered_no_longer(story):
    torrent = story.seed()
    Rot(story, BIG, 2 * PIECE)
    story.run()
    story.source.forget(torrent)
    story.run()
    with contextlib.closing(story.journal()) as journal:
        assert not journal.moves()


def test_one_that_is_tried_again_by_hand_and_killed_behind_its_removal_is_told_as_moved(story):
    torrent = story.seed()
    story.here.rot(path(BIG), 5)
    fuse = Fuse(lambda label: label == "after source.remove")
    fuse.arm(1, fuse.kill)

    def mend(event) -> None:
        if isinstance(event, MoveFailed):
            story.here.heal()
            run.retry(torrent)

    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, fuse)
        run.subscribe(mend)
        with story._time_passes():
            run.execute()
        assert fuse.dead

    story.run()

    story.assert_moved(torrent)


def test_a_client_that_looks_elsewhere_does_not_make_us_send_everything_again(tmp_path):
    story = Story(tmp_path, local=True)
    torrent = story.seed()
    story.destination.disk.read = lambda _text: None  # its container mounts another folder

    assert story.run() is ExitCode.SOME_FAILED

    assert story.brought == story.size(torrent)
    story.assert_kept(torrent)


@pytest.mark.parametrize("times", [1, 2])
def test_killed_in_the_middle_of_a_repair_the_next_run_ends_it(story, times):
    torrent = story.seed()
    Damager(story, BIG, 2 * PIECE, times=times)
    story.run_until("after journal.save_move repairing")
    story.assert_whole_somewhere()
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
