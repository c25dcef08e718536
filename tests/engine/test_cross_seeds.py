"""Torrents of the source that share files: one moves after the other, the bytes once, the data goes with the last."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace

import pytest

from tests.engine.story import CATEGORY, FILES, PIECE, SAVE, StoryLook, path
from torrent_mover.demo.content import write_file
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ConnectionLost, ExitCode, Unreachable
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.report.events import Noticed
from torrent_mover.domain.report.rate import Meter
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.settings.choices import LinkExisting
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.cross_seeds import find_cross_seeds
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.engine.progress.board import Flow, Legs, Track
from torrent_mover.engine.run.queue import Roster, Row
from torrent_mover.engine.run.slots import Slots
from torrent_mover.engine.run.work import Plan

BY_LINK = ClientPath("/by another name")


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


def kin_of(client, torrents):
    return find_cross_seeds(client, torrents, []).moving


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


# -- links -------------------------------------------------------------------------------------------------------------


def hard_linked(story, torrent, name: str, *, category=CATEGORY) -> InfoHash:
    """Seed a torrent in a folder of its own whose files are second names of one's files."""
    number = list(story.contents).index(torrent)
    other = story.seed(name, number=number, category=category)
    for file in story.contents[torrent]:
        twin = path(file.replace("Show", name, 1))
        story.here.unlink(twin)
        story.here.link(path(file), twin)
    return other


def planned(story) -> Plan:
    return Planner(story.source, None, SelectionPolicy(CATEGORY), lambda: story.rules, StoryLook(story)).plan()


def told(story, text: str) -> list[str]:
    return [event.text for event in story.events if isinstance(event, Noticed) and text in event.text]


def test_hard_linked_copies_are_kin_and_their_bytes_travel_once(story):
    story.jobs, story.policy = 4, replace(story.policy, link_existing=LinkExisting.AUTO)
    first = story.seed()
    second = hard_linked(story, first, "Again")
    moves = {move.torrent.id: move for move in planned(story).moves}
    assert (moves[first].cross_seeds, moves[second].cross_seeds) == ({second}, {first})
    assert (moves[first].linked, moves[second].linked) == ({second}, {first})

    assert story.run() is ExitCode.DONE

    story.assert_moved(first)
    story.assert_moved(second)
    assert story.brought == story.size(first)
    assert [certificate.delete_data for certificate in story.source.removed] == [True, True]
    assert {story.there.nodes[path(name)].links for name, data in story.contents[first].items() if data} == {2}


def test_a_hard_linked_copy_that_stays_keeps_its_bytes_and_the_log_says_so(story):
    first = story.seed()
    stays = hard_linked(story, first, "Again", category="keep-me")
    plan = planned(story)
    assert [(move.cross_seeds, move.staying, move.linked) for move in plan.moves] == [(frozenset(), {stays}, {stays})]
    assert plan.names == {stays: "Again"}

    assert story.run() is ExitCode.DONE

    story.assert_moved(first)
    assert story.at_source(stays) == story.contents[stays]
    assert told(story, f"other names (hard links), of {stays.short}")


def test_without_a_shell_hard_links_are_not_seen_and_that_is_said(story):
    story.blind = True
    first = story.seed()
    second = hard_linked(story, first, "Again")
    assert [move.cross_seeds for move in planned(story).moves] == [frozenset(), frozenset()]

    assert story.run() is ExitCode.DONE

    story.assert_moved(first)
    story.assert_moved(second)
    assert story.brought == 2 * story.size(first)
    assert told(story, "links between torrents were not checked: No shell there.")


def test_a_save_path_that_is_a_link_leads_to_the_same_files(story):
    first = story.seed()
    second, stays = cross_seed(story, first), cross_seed(story, first, category="keep-me")
    story.links["/by another name"] = str(SAVE)
    rows = [
        row if row.id == first else replace(row, save_path=BY_LINK, content_path=BY_LINK / "Show")
        for row in story.source.torrents()
    ]
    ours, others = [row for row in rows if row.id != stays], [row for row in rows if row.id == stays]

    cross_seeds = find_cross_seeds(story.source, ours, others, StoryLook(story))

    assert cross_seeds.moving == {first: {second}, second: {first}}
    assert cross_seeds.staying == {first: {stays}, second: {stays}}
    assert (cross_seeds.linked, cross_seeds.doubt) == ({}, "")
    assert find_cross_seeds(story.source, ours, others).moving == {}


def test_a_folder_that_is_a_link_leads_to_the_same_files(story):
    first = story.seed()
    second = cross_seed(story, first)
    story.links["/elsewhere/Show"] = f"{SAVE}/Show"
    elsewhere = ClientPath("/elsewhere")
    rows = [
        row if row.id == first else replace(row, save_path=elsewhere, content_path=elsewhere / "Show")
        for row in story.source.torrents()
    ]

    assert find_cross_seeds(story.source, rows, [], StoryLook(story)).moving == {first: {second}, second: {first}}


def symlinked(story, torrent, name: str, *, category=CATEGORY, extra: int = 0, folder: str = "") -> InfoHash:
    """Seed a torrent in a folder of its own of which each file is a symbolic link to one's, or lies in a folder that is one."""
    number = list(story.contents).index(torrent)
    sizes = dict(FILES) | ({"zz extra": extra} if extra else {})
    other = story.seed(name, sizes, number=number, category=category)
    for file, data in story.contents[torrent].items():
        twin = path(file.replace("Show", name, 1))
        story.here.unlink(twin)
        if not folder or folder not in file:
            story.here.plant_link(twin, path(file))
        elif data:
            story.here.nodes[twin] = story.here.nodes[path(file)]  # what the folder's link leads to
    if folder:
        story.here.nodes.pop(path(f"{name}/{folder}"))
        story.here.plant_link(path(f"{name}/{folder}"), path(f"Show/{folder}"))
    return other


@pytest.mark.parametrize("extra", [0, 1000])
def test_a_torrent_whose_files_are_links_to_ones_that_moves_keeps_its_bytes(story, extra):
    torrent = story.seed()
    stays = symlinked(story, torrent, "Again", category="keep-me", extra=extra)

    assert story.run() is ExitCode.DONE

    assert (story.source.get(torrent), story.source.get(stays) is None) == (None, False)
    assert story.at_source(torrent) == story.contents[torrent]
    assert stays.short in kept_because(story)[torrent]


def test_without_a_shell_a_torrent_of_links_of_the_same_size_is_found_all_the_same(story):
    story.blind = True
    torrent = story.seed()
    stays = symlinked(story, torrent, "Again", category="keep-me")

    assert story.run() is ExitCode.DONE

    assert story.at_source(torrent) == story.contents[torrent]
    assert stays.short in kept_because(story)[torrent]


def test_a_torrent_of_links_that_moves_takes_its_links_along_and_leaves_the_files(story):
    stays = story.seed(category="keep-me")
    torrent = symlinked(story, stays, "Again")

    assert story.run() is ExitCode.DONE

    assert story.source.get(torrent) is None
    assert story.at_source(stays) == story.contents[stays]
    assert set(story.at_source(torrent).values()) == {None}


@pytest.mark.parametrize("extra", [0, 1000])
def test_links_move_before_the_files_to_which_they_lead_and_nothing_stays_behind(story, extra):
    torrent = story.seed(added_on=1)
    other = symlinked(story, torrent, "Again", extra=extra)
    story.jobs = 4

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    story.assert_moved(other)
    assert [certificate.torrent for certificate in story.source.removed] == [other, torrent]
    assert [certificate.delete_data for certificate in story.source.removed] == [True, True]


def test_a_folder_that_is_a_link_ties_both_to_the_same_files(story):
    torrent = story.seed()
    stays = symlinked(story, torrent, "Again", category="keep-me", folder="folder")
    moves = symlinked(story, torrent, "Thrice", folder="folder")

    plan = {move.torrent.id: move for move in planned(story).moves}

    assert plan[torrent].symlinked == {stays, moves}
    assert plan[moves].symlinked == {stays, torrent}


def test_a_shorter_file_of_another_torrent_at_the_same_place_is_shared_too(story):
    torrent = story.seed("Show", {"a": 3 * PIECE + 5, "b": 100})
    made = story.folder / "other" / "Show"
    write_file(made / "b", 50, 7)
    (made / "a").write_bytes(story.contents[torrent]["Show/a"][: 2 * PIECE])
    story.source.seed(make_torrent(made, piece_length=PIECE), SAVE, category="keep-me")

    assert story.run() is ExitCode.DONE

    assert story.source.get(torrent) is None
    assert story.at_source(torrent) == story.contents[torrent]


def test_those_outside_of_the_category_are_asked_for_their_files_only_where_they_are_near(story):
    first = story.seed()
    stays = cross_seed(story, first, category="keep-me")
    far = [story.seed(name, 50_000, category="keep-me") for name in ("Far", "Away")]
    asked = []
    story.source.before = lambda method, torrent: asked.append(torrent) if method == "files" else None

    plan = planned(story)

    assert [move.staying for move in plan.moves] == [{stays}]
    assert set(asked).isdisjoint(far)


def test_a_row_that_waits_for_its_kin_says_so(story):
    first = story.seed("First", 50_000)
    story.seed("Second", 50_000)
    free = story.seed("Third", 50_000)
    moves = {move.torrent.name: move for move in planned(story).moves}
    moves["Second"] = replace(moves["Second"], cross_seeds=frozenset({first}))
    legs = Legs((frozenset({Flow.IN}),))
    rows = {
        name: Row(move, Track(move.torrent.id, 1, legs, story.clock.monotonic), Meter(0.0))
        for name, move in moves.items()
    }
    roster = Roster(story.clock.monotonic, Slots(4))
    roster.add(rows[name] for name in ("First", "Second", "Third"))

    assert [roster.take().id, roster.take().id] == [first, free]
    assert rows["Second"].why == "shares files with First, which moves first"
    roster.change(rows["First"], MoveStatus.DONE)
    assert (roster.take(), rows["Second"].why) == (rows["Second"], "")


@pytest.mark.parametrize("broken", ["links", "real"])
def test_a_server_that_does_not_tell_of_links_right_now_moves_nothing(story, broken):
    torrent = story.seed()
    stays = symlinked(story, torrent, "Again", category="keep-me", extra=1000)
    rows = story.source.torrents()
    look = StoryLook(story)

    def silent(*_):
        raise ConnectionLost("seedbox went away")

    setattr(look, broken, silent)

    with pytest.raises(ConnectionLost):
        find_cross_seeds(
            story.source, [row for row in rows if row.id == torrent], [row for row in rows if row.id == stays], look
        )


def test_a_client_that_does_not_tell_the_files_of_a_torrent_of_links_moves_nothing(story):
    torrent = story.seed()
    stays = symlinked(story, torrent, "Again", category="keep-me", folder="folder")

    def silent(method, of) -> None:
        if method == "files" and of == stays:
            raise Unreachable("seedbox does not answer")

    story.source.before = silent

    assert story.run() is not ExitCode.DONE
    assert story.at_source(torrent) == story.contents[torrent]
    assert story.source.get(torrent) is not None
