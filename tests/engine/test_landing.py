"""What lies at the destination already: believed, hashed, adopted, mended, or left alone as somebody else's."""

from __future__ import annotations

import contextlib

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import PIECE, TARGET, path
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.report.events import MoveFailed
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.filesystem import FileKind

SEED = "Show"


def failure(story) -> MoveFailed:
    (failed,) = [event for event in story.events if isinstance(event, MoveFailed)]
    return failed


def assert_collision(story, torrent, *parts: str) -> None:
    """Assert that the run failed for a collision, said where, and that both sides are as they were."""
    before = picture(story)
    assert story.run() is ExitCode.SOME_FAILED
    failed = failure(story)
    assert failed.code == "TM-E304", failed
    for part in parts:
        assert part in failed.what
    story.assert_kept(torrent)
    assert {name: after for name, after in picture(story).items() if name in before} == before


def picture(story) -> dict[str, tuple]:
    return {
        str(where): (node.kind, bytes(node.data), node.mode, node.serial)
        for where, node in story.there.nodes.items()
        if where.parts[:1] != (".torrent-mover",) and where.parts
    }


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def content(story, torrent, name: str) -> bytes:
    return story.contents[torrent][f"{SEED}/{name}"]


# -- adopted -----------------------------------------------------------------------------------------------------------


def test_a_whole_copy_is_used_where_it_lies_and_nothing_is_sent(story):
    torrent = story.seed()
    story.plant(torrent)
    before = picture(story)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == 0
    assert picture(story) == before


def test_an_unfinished_copy_is_adopted_and_only_its_missing_pieces_are_sent(story):
    torrent = story.seed()
    name = "folder/second.bin"
    story.plant(torrent, **{"second.bin": content(story, torrent, name)[: 2 * PIECE]})

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert 0 < story.brought <= 4 * PIECE


def test_a_copy_with_a_flipped_byte_is_mended_in_one_piece(story):
    torrent = story.seed()
    whole = content(story, torrent, "folder/second.bin")
    story.plant(torrent, **{"second.bin": flipped(whole, 2 * PIECE)})

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == PIECE


def test_a_copy_full_of_holes_is_not_believed(story):
    torrent = story.seed()
    whole = content(story, torrent, "last.bin")
    story.plant(torrent, **{"last.bin": whole[:PIECE] + bytes(len(whole) - PIECE)})
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


@pytest.mark.parametrize("journal", ["lost", "damaged"])
def test_without_a_journal_what_lies_in_staging_is_hashed_and_used(story, journal):
    torrent = story.seed()
    story.run_until("after journal.save_move settled")
    sent = story.brought
    (state,) = story.folder.glob("state")
    if journal == "lost":
        for file in state.iterdir():
            file.unlink()
    else:
        for file in state.iterdir():
            file.write_bytes(b"no database at all" * 500)

    assert story.run() is ExitCode.DONE

    assert story.brought == sent
    story.assert_moved(torrent)


def test_a_staged_file_that_is_too_long_is_cut(story):
    torrent = story.seed()
    whole = content(story, torrent, "last.bin")
    story.plant(torrent, staged=True, **{"last.bin": whole + b"more"})
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_file_that_lies_in_staging_and_under_its_final_name_is_settled_once(story):
    torrent = story.seed()
    story.plant(torrent)
    story.plant(torrent, staged=True)
    before = picture(story)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert picture(story) == before


def test_two_half_finished_renames_by_link_are_finished(story):
    torrent = story.seed()
    story.plant(torrent)
    staged = path(f".torrent-mover/{torrent.hex}/{SEED}/last.bin")
    story.there.plant_folder(staged.parent)
    story.there.link(path(f"{SEED}/last.bin"), staged)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_staged_file_with_a_second_name_is_not_written_through(story):
    torrent = story.seed()
    elsewhere = path("mine/other name")
    story.there.plant_file(elsewhere, b"x" * len(content(story, torrent, "last.bin")))
    staged = path(f".torrent-mover/{torrent.hex}/{SEED}/last.bin")
    story.there.plant_folder(staged.parent)
    story.there.link(elsewhere, staged)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert set(story.there.content(elsewhere)) == {ord("x")}


# -- tiny files --------------------------------------------------------------------------------------------------------


def test_a_tiny_file_that_cannot_be_judged_alone_is_kept_when_it_is_the_same(story):
    torrent = story.seed()
    where = path(f"{SEED}/tiny")
    story.there.plant_file(where, content(story, torrent, "tiny"))
    serial = story.there.nodes[where].serial
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert story.there.nodes[where].serial == serial


def test_a_tiny_file_of_the_same_name_and_other_content_stays_and_nothing_is_moved_in_beside_it(story):
    torrent = story.seed()
    where = path(f"{SEED}/tiny")
    story.there.plant_file(where, b"0123456789")

    assert_collision(story, torrent, f"{SEED}/tiny")

    assert [each for each in story.there.nodes if each.parent == where.parent] == [where]
    sent = story.brought
    story.there.unlink(where)
    assert story.run() is ExitCode.DONE
    assert story.brought == sent
    story.assert_moved(torrent)


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
@pytest.mark.parametrize(
    ("name", "length"), [("tiny", 4), ("tiny", 0), ("folder/tiny too", 1), ("last.bin", PIECE // 3)]
)
def test_a_copy_cut_short_before_its_first_piece_is_completed(story, version, name, length):
    torrent = story.seed(version=version)
    where = path(f"{SEED}/{name}")
    story.there.plant_file(where, content(story, torrent, name)[:length])
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    story.assert_no_staging()


def test_a_single_file_smaller_than_a_piece_and_cut_short_is_completed(story):
    torrent = story.seed("alone.bin", PIECE - 100)
    story.there.plant_file(path("alone.bin"), story.contents[torrent]["alone.bin"][:700])
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


@pytest.mark.parametrize("at", [0, 350, 699])
def test_a_short_file_of_which_one_byte_differs_stays(story, at):
    torrent = story.seed("alone.bin", PIECE - 100)
    story.there.plant_file(path("alone.bin"), flipped(story.contents[torrent]["alone.bin"][:700], at))
    assert_collision(story, torrent, "alone.bin")


def test_a_short_file_that_another_torrent_uses_stays(story):
    torrent = story.seed("alone.bin", PIECE - 100)
    beginning = story.contents[torrent]["alone.bin"][:700]
    made = story.folder / "other" / "alone.bin"
    made.parent.mkdir()
    made.write_bytes(beginning)
    owner = story.destination.seed(make_torrent(made, piece_length=PIECE), str(TARGET))
    story.there.plant_file(path("alone.bin"), beginning)
    assert_collision(story, torrent, owner.short, "uses it")


def test_a_short_file_that_somebody_writes_to_just_then_stays(story):
    torrent = story.seed("alone.bin", PIECE - 100)
    where = path("alone.bin")
    story.there.plant_file(where, story.contents[torrent]["alone.bin"][:700])

    def write(_label):
        story.there.nodes[where].data += b"a download of another tool"

    fuse = Fuse(lambda label: label == "before journal.save_adopted")
    fuse.arm(1, write)
    assert story.run(fuse) is ExitCode.SOME_FAILED
    assert story.there.content(where).endswith(b"a download of another tool")
    story.assert_kept(torrent)


@pytest.mark.parametrize("step", ["journal.save_adopted", "there.rename", "there.unlink", "there.sync"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_while_a_short_copy_makes_room_no_byte_of_it_is_lost(story, step, number):
    torrent = story.seed()
    where = path(f"{SEED}/last.bin")
    beginning = content(story, torrent, "last.bin")[:700]
    story.there.plant_file(where, beginning)
    fuse = Fuse(lambda label: label == f"after {step}")
    fuse.arm(number, fuse.kill)
    story.run(fuse)
    held = [bytes(node.data) for node in story.there.nodes.values() if node.kind is FileKind.FILE]
    assert any(data.startswith(beginning) for data in held)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    story.assert_no_staging()


def test_files_without_bytes_are_made_and_found(story):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/empty"), b"")
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


# -- in the way --------------------------------------------------------------------------------------------------------


def test_another_file_of_the_same_size_is_not_touched(story):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/folder/second.bin"), bytes(len(content(story, torrent, "folder/second.bin"))))
    assert_collision(story, torrent, "second.bin", "could be proven to be this torrent's content")


def test_a_longer_file_that_begins_the_same_is_not_cut(story):
    torrent = story.seed()
    story.plant(torrent, **{"last.bin": content(story, torrent, "last.bin") + b"and a user's own words"})
    assert_collision(story, torrent, "last.bin", "longer")


def test_a_file_where_one_without_bytes_should_be_is_not_touched(story):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/empty"), b"not empty")
    assert_collision(story, torrent, "empty")


def test_no_file_is_adopted_while_another_one_is_in_the_way(story):
    torrent = story.seed()
    part = content(story, torrent, "a first.bin")
    story.there.plant_file(path(f"{SEED}/a first.bin"), flipped(part, PIECE))
    story.there.plant_file(path(f"{SEED}/last.bin"), bytes(len(content(story, torrent, "last.bin"))))
    assert_collision(story, torrent, "last.bin")


@pytest.mark.parametrize("where", [SEED, f"{SEED}/folder", f"{SEED}/last.bin"])
def test_a_symbolic_link_in_the_way_is_not_followed(story, where):
    torrent = story.seed()
    story.there.plant_folder(path("elsewhere"))
    story.there.plant_link(path(where), path("elsewhere"))
    assert_collision(story, torrent, "symbolic link")
    assert not [each for each in story.there.nodes if each.parent == path("elsewhere")]


@pytest.mark.parametrize("where", [SEED, f"{SEED}/folder"])
def test_a_file_where_a_folder_should_be_is_not_touched(story, where):
    torrent = story.seed()
    story.there.plant_file(path(where), b"a user's own")
    assert_collision(story, torrent, "folder")


def test_a_folder_where_a_file_should_be_is_not_touched(story):
    torrent = story.seed()
    story.there.plant_folder(path(f"{SEED}/last.bin"))
    assert_collision(story, torrent, "last.bin")


def test_files_beside_ours_in_the_same_folder_stay_as_they_are(story):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/folder/a user's notes.txt"), b"notes")
    before = picture(story)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    after = picture(story)
    assert {name: after[name] for name in before} == before


def test_a_damaged_copy_that_another_torrent_of_the_destination_uses_is_not_mended(story):
    torrent = story.seed()
    whole = content(story, torrent, "folder/second.bin")
    story.plant(torrent, **{"second.bin": flipped(whole, 5)})
    made = story.folder / SEED
    for name, data in story.contents[torrent].items():
        target = made.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    other = make_torrent(made, piece_length=2 * PIECE)
    owner = story.destination.seed(other, str(TARGET))

    assert_collision(story, torrent, owner.short, "of the destination client uses it")


@pytest.mark.parametrize("top", [f"{SEED}/last.bin", SEED])
def test_what_another_torrent_of_the_destination_seeds_is_named_with_it_and_not_to_be_moved(story, tmp_path, top):
    """A file of it where a file of ours belongs, and a file of it where a folder of ours does."""
    torrent = story.seed()
    made = tmp_path / top
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(b"another film" * 3000)
    story.there.plant_file(path(top), made.read_bytes())
    folder = tmp_path / SEED
    owner = story.destination.seed(make_torrent(folder, piece_length=PIECE), str(TARGET))

    assert_collision(story, torrent, owner.short, repr(folder.name), "of the destination client uses it")

    remedy = failure(story).remedy
    assert remedy.startswith("Leave it there")
    assert "in the source client" in remedy


def test_what_nobody_seeds_may_be_moved(story):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/last.bin"), b"a user's own")
    assert_collision(story, torrent, "No torrent of the destination client uses it")
    assert "move or rename it" in failure(story).remedy


@pytest.mark.parametrize("way", ["clone", "copy", "through us"])
def test_a_damaged_copy_with_a_second_name_is_mended_apart_from_it(story, way):
    torrent = story.seed()
    whole = content(story, torrent, "folder/second.bin")
    story.plant(torrent, **{"second.bin": flipped(whole, 2 * PIECE)})
    story.there.link(path(f"{SEED}/folder/second.bin"), path("the other name"))
    story.there.can_clone, story.there.can_copy = way == "clone", way == "copy"

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == PIECE
    assert story.there.content(path("the other name")) == flipped(whole, 2 * PIECE)
    assert story.there.stat(path("the other name")).links == 1


@pytest.mark.parametrize("step", ["there.rename", "there.copy", "there.unlink"])
def test_killed_while_a_shared_file_is_taken_apart_the_other_name_keeps_its_bytes(story, step):
    torrent = story.seed()
    whole = content(story, torrent, "folder/second.bin")
    story.plant(torrent, **{"second.bin": flipped(whole, 2 * PIECE)})
    story.there.link(path(f"{SEED}/folder/second.bin"), path("the other name"))
    story.run_until(f"after {step}")

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.there.content(path("the other name")) == flipped(whole, 2 * PIECE)


# -- interrupted -------------------------------------------------------------------------------------------------------


def test_killed_in_the_middle_of_settling_file_by_file_the_rest_follows(story):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/a user's own.txt"), b"so that the folder cannot be renamed as a whole")
    for at in (2, 4):
        fuse = Fuse(lambda label: label == "after there.rename")
        fuse.arm(at, lambda label, fuse=fuse: fuse.kill(label))
        story.run(fuse)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert story.brought == story.size(torrent)


def test_pieces_of_a_staging_folder_that_somebody_removed_are_forgotten_before_new_bytes_come(story):
    torrent = story.seed()
    story.run_until("after journal.save_move settled")
    assert story.journaled(torrent).is_full()
    for where in [each for each in story.there.nodes if each.parts[:1] == (".torrent-mover",)]:
        del story.there.nodes[where]
    story.run_until("before there.writer.write")

    assert story.journaled(torrent).count() == 0

    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_what_was_only_hashed_is_on_stable_storage_before_the_journal_says_so(story):
    torrent = story.seed()
    story.plant(torrent, staged=True, **{"a first.bin": b""})
    story.run_until("after journal.save_move settled")
    story.there.cut_power()
    manifest = story.manifest(torrent)
    verified = story.journaled(torrent)
    assert verified.count()
    for piece in verified.ones():
        hasher = manifest.hasher(piece)
        for span in manifest.spans(piece, piece):
            staged = path(f".torrent-mover/{torrent.hex}") / RelativePath.parse(str(manifest.files[span.file].path))
            hasher.update(story.there.content(staged)[span.offset : span.offset + span.length])
        assert hasher.good()


def test_a_file_that_rots_after_it_was_settled_is_taken_back_into_staging_to_be_mended(story):
    torrent = story.seed()
    story.run_until("before destination.add_stopped")
    where = path(f"{SEED}/folder/second.bin")
    data = story.there.nodes[where].data
    data[3 * PIECE] ^= 0xFF
    sent = story.brought

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought - sent == PIECE
    written_final = [call for call in story.there.calls if call[0] == "create" and not call[1].startswith(".torrent")]
    assert not written_final


FOREIGN = b"another edition, which its owner wants to keep"


def swap(story, torrent, name: str) -> bytes:
    """Somebody puts another file of the same size under a final name."""
    size = len(story.contents[torrent][f"{SEED}/{name}"])
    foreign = (FOREIGN * (size // len(FOREIGN) + 1))[:size]
    story.there.plant_file(path(f"{SEED}/{name}"), foreign)
    return foreign


@pytest.mark.parametrize("name", ["folder/second.bin", "tiny"])
def test_a_file_that_somebody_put_in_place_of_a_settled_one_between_two_runs_is_not_touched(story, name):
    torrent = story.seed()
    story.run_until("before destination.add_stopped")
    foreign = swap(story, torrent, name)
    assert story.run() is ExitCode.SOME_FAILED
    assert story.there.content(path(f"{SEED}/{name}")) == foreign
    story.assert_kept(torrent)


@pytest.mark.parametrize("name", ["folder/second.bin", "tiny"])
def test_a_file_that_somebody_put_in_place_of_a_settled_one_meanwhile_is_not_touched(story, name):
    torrent = story.seed()
    foreign: list[bytes] = []

    def act(method, _torrent) -> None:
        if method == "recheck" and not foreign:
            foreign.append(swap(story, torrent, name))

    story.destination.before = act
    assert story.run() is ExitCode.SOME_FAILED
    assert story.there.content(path(f"{SEED}/{name}")) == foreign[0]
    story.assert_kept(torrent)


def test_a_tiny_settled_file_beside_one_that_rots_between_two_runs_is_kept_and_the_other_mended(story):
    torrent = story.seed()
    story.run_until("before destination.add_stopped")
    story.there.nodes[path(f"{SEED}/last.bin")].data[0] ^= 0xFF
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


@pytest.mark.parametrize("kept", ["the time", "the inode"])
def test_a_file_that_differs_from_the_settled_one_in_one_trait_alone_is_not_touched(story, kept):
    """Copied over it with its times (cp -p), or edited in place."""
    torrent = story.seed()
    foreign: list[bytes] = []

    def act(method, _torrent) -> None:
        if method == "recheck" and not foreign:
            before = story.there.nodes[path(f"{SEED}/folder/second.bin")]
            time, serial = before.mtime, before.serial
            foreign.append(swap(story, torrent, "folder/second.bin"))
            after = story.there.nodes[path(f"{SEED}/folder/second.bin")]
            after.mtime = time if kept == "the time" else after.mtime
            after.serial = serial if kept == "the inode" else after.serial

    story.destination.before = act
    assert story.run() is ExitCode.SOME_FAILED
    assert story.there.content(path(f"{SEED}/folder/second.bin")) == foreign[0]
    story.assert_kept(torrent)


def at_recheck(story, act) -> None:
    """Do something once, when the destination client is asked for its first check."""
    done: list[bool] = []

    def before(method, _torrent) -> None:
        if method == "recheck" and not done:
            done.append(True)
            act()

    story.destination.before = before


def test_a_settled_file_that_is_wholly_bad_is_mended_where_nobody_has_touched_it(story):
    torrent = story.seed(version="v2")

    def rot() -> None:
        story.there.nodes[path(f"{SEED}/tiny")].data[0] ^= 0xFF

    at_recheck(story, rot)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_settled_file_that_somebody_removes_is_brought_again(story):
    torrent = story.seed(version="v2")
    at_recheck(story, lambda: story.there.unlink(path(f"{SEED}/folder/second.bin")))
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


@pytest.mark.parametrize("more", [b"", b" and a user's own words"])
def test_a_file_that_appears_right_before_the_rename_is_neither_replaced_nor_taken_for_ours(story, more):
    torrent = story.seed()
    story.there.plant_file(path(f"{SEED}/folder/its owner's.txt"), b"so that each file is renamed alone")
    whole = content(story, torrent, "last.bin")
    foreign = whole + more if more else bytes(len(whole))
    fuse = Fuse(lambda label: label == "before there.rename")
    fuse.arm(2, lambda _label: story.there.plant_file(path(f"{SEED}/last.bin"), foreign))

    assert story.run(fuse) is ExitCode.SOME_FAILED

    assert fuse.fired
    assert failure(story).code == "TM-E304"
    assert story.there.content(path(f"{SEED}/last.bin")) == foreign
    story.assert_kept(torrent)


def test_final_names_are_on_stable_storage_before_the_client_hears_of_them(story):
    torrent = story.seed()
    story.run_until("before destination.add_stopped")
    assert {path(name) for name in story.contents[torrent]} <= story.there.synced


@pytest.mark.parametrize("longer", [-PIECE - 1, 100])
def test_journaled_pieces_are_not_believed_in_a_staged_file_of_another_size(story, longer):
    torrent = story.seed("Show", {"film": 9 * PIECE})
    story.run_until("after journal.save_move settled")
    assert story.journaled(torrent).is_full()
    staged = story.there.nodes[path(f".torrent-mover/{torrent.hex}/{SEED}/film")]
    staged.data[:] = b"x" * (9 * PIECE + longer)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert [entry.repaired for entry in story.history()] == [0]


def test_journaled_pieces_say_nothing_of_a_file_that_somebody_put_under_the_final_name(story):
    """What they spoke of lay in staging, and is gone."""
    torrent = story.seed("Show", {"film": 9 * PIECE})
    story.run_until("after journal.save_move settled")
    with contextlib.closing(story.journal()) as journal:
        known = story.journaled(torrent)
        known.clear(8)
        journal.save_pieces(torrent, known.to_bytes())
    story.there.unlink(path(f".torrent-mover/{torrent.hex}/{SEED}/film"))
    story.there.plant_file(path(f"{SEED}/film"), bytes(9 * PIECE))

    assert story.run() is ExitCode.SOME_FAILED

    assert story.there.content(path(f"{SEED}/film")) == bytes(9 * PIECE)
    assert path(f".torrent-mover/{torrent.hex}/{SEED}/film") not in story.there.nodes
    story.assert_kept(torrent)


def test_a_link_in_staging_is_neither_written_through_nor_settled(story):
    torrent = story.seed()
    victim = path("elsewhere")
    story.there.plant_file(victim, b"its owner's" * 3000)
    story.there.plant_link(path(f".torrent-mover/{torrent.hex}/{SEED}/last.bin"), victim)

    assert story.run() is ExitCode.SOME_FAILED

    assert failure(story).code == "TM-E304"
    assert story.there.content(victim) == b"its owner's" * 3000
    assert path(f"{SEED}/last.bin") not in story.there.nodes
    story.assert_kept(torrent)


# -- names that are ours -----------------------------------------------------------------------------------------------


def in_our_folder(story, other, name: str) -> InfoHash:
    """Seed a torrent whose files are called like those that another one has in staging."""
    sizes = {f"{other.hex}/{each}": len(data) for each, data in story.contents[other].items() if data}
    return story.seed(name, sizes, added_on=1)


@pytest.mark.parametrize("name", [".torrent-mover", ".Torrent-Mover"])
def test_a_torrent_in_our_own_folder_is_refused_and_neither_it_nor_another_one_is_lost(story, name):
    torrent = story.seed()
    twin = in_our_folder(story, torrent, name)

    assert story.run() is ExitCode.SOME_FAILED

    assert failure(story).code == "TM-E303"
    assert story.at_source(twin) == story.contents[twin]
    story.assert_moved(torrent)
