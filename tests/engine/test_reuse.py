"""`link_existing`: what other torrents of the destination have already is proven and linked, cloned or copied, not sent."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import FILES, PIECE, TARGET, Story, path
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ExitCode, NotWritable
from torrent_mover.domain.report.events import Noticed
from torrent_mover.domain.settings.choices import LinkExisting
from torrent_mover.domain.torrent.torrent import InfoHash

BIG = "folder/second.bin"
CHANGES = {f"after there.{act}" for act in ("link", "copy", "rename", "unlink", "sync")}


@pytest.fixture
def story(tmp_path, local):
    made = Story(tmp_path, local=local)
    made.policy = replace(made.policy, link_existing=LinkExisting.AUTO)
    return made


def other_of(story: Story, torrent: InfoHash, files: dict[str, bytes] | None = None) -> dict[str, str]:
    """Have the destination seed another torrent, with these files of one (all by default) in a folder of its own.

    Returns where each of the moved torrent's files has its twin.
    """
    held = files if files is not None else story.contents[torrent]
    folder = story.folder / "other" / "Elsewhere"
    for name, data in held.items():
        made = folder / "x" / name.partition("/")[2]
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(data)
        story.there.plant_file(path(f"Elsewhere/x/{name.partition('/')[2]}"), data)
    story.destination.seed(make_torrent(folder, piece_length=PIECE * 2), TARGET)
    shutil.rmtree(folder.parent)
    return {name: f"Elsewhere/x/{name.partition('/')[2]}" for name in held}


def picture(story: Story, names) -> dict[str, bytes]:
    return {name: story.there.content(path(name)) for name in names}


def identity(story: Story, name: str) -> int:
    return story.there.nodes[path(name)].serial


def shared(story: Story, twins: dict[str, str]) -> set[str]:
    """The files that are one with their twins."""
    return {name for name, twin in twins.items() if identity(story, name) == identity(story, twin)}


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def with_bytes(story: Story, torrent: InfoHash) -> set[str]:
    return {name for name, data in story.contents[torrent].items() if data}


# -- taken -------------------------------------------------------------------------------------------------------------


def test_files_of_another_torrent_get_a_second_name_and_nothing_is_sent(story):
    torrent = story.seed()
    twins = other_of(story, torrent)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == 0
    assert shared(story, twins) == with_bytes(story, torrent)
    assert [entry.reused for entry in story.history()] == [story.size(torrent)]
    assert any("5 files linked" in event.text for event in story.events if isinstance(event, Noticed))


def test_where_blocks_can_be_shared_nothing_else_is(story):
    torrent = story.seed()
    twins = other_of(story, torrent)
    story.there.can_clone = True

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (0, set())


@pytest.mark.parametrize("why", ["setting", "no links", "another program's name", "cannot be told"])
def test_where_a_link_is_not_wanted_or_not_safe_a_copy_is_made(story, why):
    torrent = story.seed()
    twins = other_of(story, torrent)
    if why == "setting":
        story.policy = replace(story.policy, link_existing=LinkExisting.COPY)
    elif why == "no links":
        story.there.can_link = False
    elif why == "cannot be told":
        story.there.names_of = lambda paths: [None] * len(paths)
    else:
        for number, twin in enumerate(twins.values()):
            story.there.link(path(twin), path(f"in a library {number}"))

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (0, set())


def test_a_name_that_another_torrent_has_is_no_other_program(story):
    torrent, second = story.seed(), None
    twins = other_of(story, torrent)
    assert story.run() is ExitCode.DONE
    second = story.seed("Renamed", FILES, number=0)
    assert story.run() is ExitCode.DONE

    story.assert_moved(second)
    assert {story.there.nodes[path(twin)].links for name, twin in twins.items() if story.contents[torrent][name]} == {3}
    assert story.brought == 0


def test_a_file_whose_neighbours_are_missing_is_copied_and_its_ends_are_brought(story):
    torrent = story.seed()
    name = f"Show/{BIG}"
    twins = other_of(story, torrent, {name: story.contents[torrent][name]})
    before = picture(story, twins.values())

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert 0 < story.brought < story.size(torrent) - 2 * PIECE
    assert shared(story, twins) == set()
    assert picture(story, twins.values()) == before


def test_a_damaged_file_is_copied_and_mended_there(story):
    torrent = story.seed()
    name = f"Show/{BIG}"
    files = dict(story.contents[torrent])
    files[name] = flipped(files[name], 2 * PIECE)
    twins = other_of(story, torrent, files)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == PIECE
    assert shared(story, twins) == with_bytes(story, torrent) - {name}
    assert story.there.content(path(twins[name])) == files[name]


@pytest.mark.parametrize("version", ["v2", "hybrid"])
def test_other_versions_of_torrents_link_too(story, version):
    torrent = story.seed(version=version)
    twins = other_of(story, torrent)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (0, with_bytes(story, torrent))


# -- left alone --------------------------------------------------------------------------------------------------------


def test_off_sends_everything(story):
    torrent = story.seed()
    twins = other_of(story, torrent)
    story.policy = replace(story.policy, link_existing=LinkExisting.OFF)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (story.size(torrent), set())


def test_other_content_of_the_same_sizes_is_neither_used_nor_read_to_its_end(story):
    torrent = story.seed("Show", {"film": 60 * PIECE})
    (name,) = story.contents[torrent]
    twins = other_of(story, torrent, {name: bytes(60 * PIECE)})
    before = picture(story, twins.values())

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, picture(story, twins.values())) == (story.size(torrent), before)
    assert story.there.reads[path(twins[name])] <= 3 * PIECE + 1


def test_what_is_still_coming_is_not_linked(story):
    torrent = story.seed()
    twins = other_of(story, torrent)
    (other,) = story.destination._held.values()
    other.have[-1] = False
    story.destination._show()

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (story.size(torrent), set())


def test_a_file_that_cannot_be_looked_at_is_sent(story):
    torrent = story.seed("Show", {"film": 5 * PIECE})
    twins = other_of(story, torrent)
    story.there.can_link = story.there.can_copy = True
    story.there.fail("link", NotWritable("not ours to link"))

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (story.size(torrent), set())


# -- written to --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["clone", "copy", "through us"])
def test_repair_never_writes_into_another_torrents_bytes(story, way):
    torrent = story.seed()
    twins = other_of(story, torrent)
    name = f"Show/{BIG}"
    damaged = []

    def damage(method: str, _torrent) -> None:
        if method == "recheck" and not damaged:
            damaged.append(flipped(story.there.content(path(name)), 2 * PIECE))
            story.there.nodes[path(name)].data[:] = damaged[0]
            story.there.can_clone, story.there.can_copy = way == "clone", way == "copy"

    story.destination.before = damage

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == PIECE
    assert story.there.content(path(twins[name])) == damaged[0]
    assert name not in shared(story, twins)


def test_a_shared_file_that_turns_bad_before_it_is_settled_is_taken_apart(story):
    torrent = story.seed()
    twins = other_of(story, torrent)
    name = twins[f"Show/{BIG}"]
    damaged = flipped(story.there.content(path(name)), 2 * PIECE)

    def damage(_label: str) -> None:
        story.there.nodes[path(name)].data[:] = damaged

    fuse = Fuse(lambda label: label == "after there.link")
    fuse.arm(5, damage)

    assert story.run(fuse) is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == PIECE
    assert story.there.content(path(name)) == damaged


def test_a_certified_hand_over_reads_linked_files_too(story):
    story.policy = replace(story.policy, certified=True)
    torrent = story.seed()
    twins = other_of(story, torrent)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (0, with_bytes(story, torrent))
    assert not any(call[0] == "recheck" for call in story.destination.calls)


def test_many_files_take_few_questions(story):
    torrent = story.seed("Show", {f"{number:03}": 20 + number for number in range(60)} | {"big": 3 * PIECE})
    twins = other_of(story, torrent)
    asked = []
    plain = story.there.names_of
    story.there.names_of = lambda paths: asked.append(len(paths)) or plain(paths)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (0, with_bytes(story, torrent))
    assert asked == [61]


def test_killed_at_any_step_the_next_run_goes_on_and_the_other_torrent_keeps_every_byte(tmp_path):
    step = 0
    while True:
        step += 1
        story = Story(tmp_path / str(step))
        story.policy = replace(story.policy, link_existing=LinkExisting.AUTO)
        torrent = story.seed()
        files = dict(story.contents[torrent])
        files[f"Show/{BIG}"] = flipped(files[f"Show/{BIG}"], 2 * PIECE)
        twins = other_of(story, torrent, files)
        before = picture(story, twins.values())
        fuse = Fuse(lambda label: label in CHANGES)
        fuse.arm(step, fuse.kill)
        if story.run(fuse) is not None:
            break
        story.assert_whole_somewhere()
        assert picture(story, twins.values()) == before

        assert story.run() is ExitCode.DONE

        story.assert_moved(torrent)
        assert picture(story, twins.values()) == before
    assert {"after there.link", "after there.copy", "after there.rename"} <= set(fuse.labels)


@pytest.mark.parametrize("links", [True, False])
def test_a_server_that_we_do_not_read_back_is_read_for_this(tmp_path, links):
    story = Story(tmp_path, local=False)
    story.policy = replace(story.policy, link_existing=LinkExisting.AUTO)
    story.there.can_link = links
    torrent = story.seed()
    twins = other_of(story, torrent)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert (story.brought, shared(story, twins)) == (0, with_bytes(story, torrent) if links else set())
