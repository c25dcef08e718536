"""Torrents of the source that share files: one moves after the other, the bytes once, the data goes with the last."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace

from tests.engine.story import CATEGORY, FILES, PIECE, SAVE, path
from torrent_mover.demo.content import write_file
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.torrent import InfoHash
from torrent_mover.engine.kinship import kin_of


def cross_seed(story, torrent, *, category=CATEGORY, extra: tuple[str, ...] = ()) -> InfoHash:
    """Seed another torrent over the files of one; `extra` names files that only the new one has."""
    folder = story.folder / "again"
    files = dict(story.contents[torrent])
    for name in extra:
        files[name] = write_file(folder / "made", 1000, 99).read_bytes()
    for name, data in files.items():
        made = folder / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(data)
    metainfo = make_torrent(folder / "Show", piece_length=PIECE, source=f"tracker {len(story.contents)}")
    other = story.source.seed(metainfo, SAVE, category=category)
    for name in extra:
        story.here.plant_file(path(name), files[name])
    story.contents[other], story.metainfo[other] = files, metainfo
    shutil.rmtree(folder)
    return other


def kept_because(story) -> dict[InfoHash, str]:
    with contextlib.closing(story.journal()) as journal:
        return {entry.id: entry.detail for entry in journal.history()}


def test_two_torrents_over_the_same_files_move_with_the_bytes_sent_once(story):
    story.jobs = 4
    first = story.seed()
    second = cross_seed(story, first)

    assert story.run() is ExitCode.DONE

    story.assert_moved(first)
    story.assert_moved(second)
    assert story.brought == story.size(first)
    assert sorted(certificate.delete_data for certificate in story.source.removed) == [False, True]


def test_one_of_the_group_that_stays_keeps_the_data(story):
    story.jobs = 4
    first = story.seed()
    second = cross_seed(story, first)
    stays = cross_seed(story, first, category="keep-me")

    assert story.run() is ExitCode.DONE

    assert [story.source.get(each) is None for each in (first, second, stays)] == [True, True, False]
    assert story.at_source(stays) == story.contents[stays]
    assert [certificate.delete_data for certificate in story.source.removed] == [False, False]
    assert story.at_destination(first) == story.contents[first]
    assert story.brought == story.size(first)
    assert all("shared" in why for why in kept_because(story).values())


def test_a_file_that_only_the_second_one_has_is_all_that_is_sent_for_it(story):
    story.jobs = 4
    first = story.seed()
    second = cross_seed(story, first, extra=("Show/zz extra.nfo",))

    assert story.run() is ExitCode.DONE

    story.assert_moved(first)
    story.assert_moved(second)
    assert story.size(second) - story.size(first) == 1000
    assert story.brought < story.size(second) + 2 * PIECE


def test_only_torrents_whose_content_is_near_are_asked_for_their_files(story):
    first = story.seed("One", FILES)
    story.seed("Two", 100_000)
    asked = []
    story.source.before = lambda method, torrent: asked.append(torrent) if method == "files" else None

    assert kin_of(story.source, story.source.torrents()) == {}
    assert asked == []
    assert story.source.get(first) is not None


def test_neighbours_in_one_folder_without_a_common_file_are_no_kin(story):
    first = story.seed()
    second = cross_seed(story, first)
    story.seed("Other", FILES)

    assert kin_of(story.source, story.source.torrents()) == {
        first: frozenset({second}),
        second: frozenset({first}),
    }


def test_a_torrent_without_a_folder_of_its_own_makes_nobody_else_kin(story):
    rootless = story.seed(
        "Rootless", {"one": 50_000, "two": 60_000}, renames={f"Rootless/{n}": n for n in ("one", "two")}
    )
    alone = story.seed("Alone", FILES)
    sharing = story.seed("Sharing", {"a": 10, "b": 20})
    rows = [replace(row, content_path=SAVE) if row.id == rootless else row for row in story.source.torrents()]
    asked = []
    story.source.before = lambda method, torrent: asked.append(torrent) if method == "files" else None

    assert kin_of(story.source, rows) == {}
    assert asked == [rootless]
    assert {alone, sharing}.isdisjoint(asked)


def test_a_single_file_that_lies_within_another_torrents_folder_is_its_kin(story):
    folder = story.seed("Show", {"a": 50_000, "b": 60_000})
    single = story.seed("a", 50_000, renames={"a": "Show/a"})
    rows = [replace(row, content_path=SAVE / "Show/a") if row.id == single else row for row in story.source.torrents()]

    assert kin_of(story.source, rows) == {folder: frozenset({single}), single: frozenset({folder})}
