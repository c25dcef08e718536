"""What every FileSystem promises. A subclass gives a fixture `place` (see Place); everything else is here."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Protocol

import pytest

from torrent_mover.domain.errors import Collision, ConnectionLost, MoverError, NotWritable, SourceUnreadable
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.ports.filesystem import ByteSpan, FileKind, FileSystem

MIB = 1 << 20


def path(text: str) -> RelativePath:
    return RelativePath.parse(text)


class Place(Protocol):
    """A file system under test, and a way round it to see and plant things. `plant_link`: None points to nowhere."""

    fs: FileSystem

    def plant_file(self, path: RelativePath, content: bytes) -> None: ...
    def plant_folder(self, path: RelativePath) -> None: ...
    def plant_link(self, path: RelativePath, target: RelativePath | None) -> None: ...
    def content(self, path: RelativePath) -> bytes: ...


class DiskPlace:
    """A place on this machine's disk, seen directly."""

    def __init__(self, fs: FileSystem, root: Path) -> None:
        self.fs = fs
        self.root = root

    def full(self, path: RelativePath) -> bytes:
        return os.fsencode(self.root) + b"/" + bytes(path)

    def plant_file(self, path: RelativePath, content: bytes) -> None:
        self.plant_folder(path.parent)
        with open(self.full(path), "wb") as file:  # noqa: PTH123  a name in bytes
            file.write(content)

    def plant_folder(self, path: RelativePath) -> None:
        os.makedirs(self.full(path), exist_ok=True)  # noqa: PTH103

    def plant_link(self, path: RelativePath, target: RelativePath | None) -> None:
        self.plant_folder(path.parent)
        os.symlink(self.full(target) if target else b"nowhere-at-all", self.full(path))  # noqa: PTH211

    def content(self, path: RelativePath) -> bytes:
        with open(self.full(path), "rb") as file:  # noqa: PTH123
            return file.read()


ODD_NAMES = {
    "not utf-8": "latin-1 \udce9\udcff",
    "255 bytes": "é" * 127 + "x",
    "leading dash": "-rf",
    "newline": "two\nlines",
    "quotes": 'it\'s "quoted"',
    "glob": "*?[a-z]{b,c}",
    "shell": "$(touch x) `id` ; & | > <",
    "spaces": "  around  ",
    "backslash": "back\\slash",
    "dots": "...",
    "tilde": "~root",
    "control": "bell\a esc\x1b del\x7f",
}

_rng = random.Random(20)  # noqa: S311  content for files


def read_all(fs: FileSystem, spans) -> bytes:
    """The bytes of the spans, in order of delivery; asserts that they came in the order asked for, and complete."""
    out = bytearray()
    lane = fs.reader()
    asked = list(spans)
    expected = iter([(span, at) for span in asked for at in (span.offset,) if span.length])
    state = {"span": None, "at": 0, "end": 0}

    def deliver(span, offset, data):
        if state["at"] == state["end"]:
            wanted, at = next(expected)
            assert span is wanted
            state.update(span=span, at=at, end=span.offset + span.length)
        assert span is state["span"]
        assert offset == state["at"]
        assert 0 < len(data) <= state["end"] - offset
        out.extend(data)
        state["at"] += len(data)

    try:
        lane.read(asked, deliver)
    finally:
        lane.close()
    assert next(expected, None) is None
    assert state["at"] == state["end"]
    return bytes(out)


class FileSystemContract:
    """Subclass it with a fixture `place`."""

    # What is there

    def test_nothing_is_none(self, place):
        assert place.fs.stat(path("nothing")) is None
        assert place.fs.stat(path("no/such/folder")) is None

    def test_nothing_lies_below_a_file(self, place):
        place.plant_file(path("file"), b"x")
        assert place.fs.stat(path("file/below")) is None

    def test_a_file_a_folder_and_a_link_are_told_apart(self, place):
        place.plant_file(path("file"), b"12345")
        place.plant_folder(path("folder"))
        place.plant_link(path("to-file"), path("file"))
        place.plant_link(path("to-folder"), path("folder"))
        place.plant_link(path("to-nothing"), None)
        assert place.fs.stat(path("file")).kind is FileKind.FILE
        assert place.fs.stat(path("file")).size == 5
        assert place.fs.stat(path("folder")).kind is FileKind.FOLDER
        assert {place.fs.stat(path(name)).kind for name in ("to-file", "to-folder", "to-nothing")} == {FileKind.SYMLINK}

    def test_the_root_is_a_folder(self, place):
        assert place.fs.stat(ROOT).kind is FileKind.FOLDER

    def test_listing_names_everything_and_nothing_else(self, place):
        for name in ("b", "a", ".hidden"):
            place.plant_file(path(f"folder/{name}"), b"")
        place.plant_folder(path("folder/sub"))
        assert sorted(place.fs.listdir(path("folder"))) == [".hidden", "a", "b", "sub"]
        assert list(place.fs.listdir(ROOT)) == ["folder"]

    def test_a_long_listing_is_complete(self, place):
        names = {f"file {number:04}" for number in range(450)}
        for name in names:
            place.plant_file(path(f"many/{name}"), b"")
        assert set(place.fs.listdir(path("many"))) == names

    def test_listing_what_is_no_folder_is_an_error(self, place):
        place.plant_file(path("file"), b"")
        for name in ("nothing", "file"):
            with pytest.raises(SourceUnreadable):
                place.fs.listdir(path(name))

    @pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
    def test_odd_names_go_all_the_way(self, place, name):
        folder, moved = RelativePath((name, "sub")), RelativePath(("new", name))
        place.fs.create(folder / name, 3)
        lane = place.fs.writer()
        lane.write(folder / name, 0, memoryview(b"abc"))
        lane.flush()
        lane.close()
        assert place.fs.listdir(folder) == [name]
        assert read_all(place.fs, [ByteSpan(folder / name, 0, 3)]) == b"abc"
        place.fs.sync([folder / name])
        place.fs.make_folders(moved.parent)
        place.fs.rename(folder / name, moved)
        assert place.content(moved) == b"abc"
        place.fs.chmod(moved, 0o600)
        place.fs.unlink(moved)
        assert place.fs.stat(moved) is None
        assert place.fs.remove_folder(folder)
        assert place.fs.remove_folder(folder.parent)

    # Folders

    def test_folders_are_made_with_their_parents_and_kept(self, place):
        place.fs.make_folders(path("a/b/c"))
        place.plant_file(path("a/b/file"), b"x")
        place.fs.make_folders(path("a/b/c"))
        place.fs.make_folders(path("a/b/d"), 0o750)
        assert sorted(place.fs.listdir(path("a/b"))) == ["c", "d", "file"]
        assert place.fs.stat(path("a/b/d")).mode == 0o750

    def test_a_link_on_the_way_is_refused(self, place):
        place.plant_folder(path("elsewhere"))
        place.plant_link(path("a/link"), path("elsewhere"))
        for act in (
            lambda: place.fs.make_folders(path("a/link/new")),
            lambda: place.fs.make_folders(path("a/link")),
            lambda: place.fs.create(path("a/link/file"), 1),
        ):
            with pytest.raises(Collision, match="link"):
                act()
        assert place.fs.listdir(path("elsewhere")) == []

    def test_a_file_in_the_place_of_a_folder_is_refused(self, place):
        place.plant_file(path("a/file"), b"keep")
        with pytest.raises(Collision):
            place.fs.make_folders(path("a/file/new"))
        assert place.content(path("a/file")) == b"keep"

    def test_only_empty_folders_are_removed(self, place):
        place.plant_file(path("full/file"), b"")
        place.plant_folder(path("empty"))
        place.plant_file(path("file"), b"")
        assert place.fs.remove_folder(path("empty"))
        assert not place.fs.remove_folder(path("empty"))
        assert not place.fs.remove_folder(path("full"))
        assert not place.fs.remove_folder(path("file"))
        assert not place.fs.remove_folder(path("no/such"))
        assert sorted(place.fs.listdir(ROOT)) == ["file", "full"]

    # Files

    def test_a_new_file_has_its_size_and_its_parents(self, place):
        place.fs.create(path("a/b/file"), 100_000)
        place.fs.create(path("a/b/empty"), 0)
        assert place.content(path("a/b/file")) == bytes(100_000)
        assert place.content(path("a/b/empty")) == b""

    def test_an_existing_file_is_kept_and_resized(self, place):
        place.plant_file(path("file"), b"0123456789")
        place.fs.create(path("file"), 10)
        assert place.content(path("file")) == b"0123456789"
        place.fs.create(path("file"), 12)
        assert place.content(path("file")) == b"0123456789\0\0"
        place.fs.create(path("file"), 4)
        assert place.content(path("file")) == b"0123"

    def test_a_file_is_never_made_through_a_link(self, place):
        place.plant_file(path("victim"), b"keep me")
        place.plant_link(path("a/file"), path("victim"))
        place.plant_link(path("a/dangling"), None)
        for name in ("a/file", "a/dangling"):
            with pytest.raises(Collision):
                place.fs.create(path(name), 1)
        assert place.content(path("victim")) == b"keep me"

    def test_a_folder_in_the_place_of_a_file_is_refused(self, place):
        place.plant_folder(path("a/file"))
        with pytest.raises(Collision):
            place.fs.create(path("a/file"), 1)

    def test_unlink_removes_one_file_and_a_missing_one_is_fine(self, place):
        place.plant_file(path("a/file"), b"")
        place.plant_file(path("a/other"), b"")
        place.fs.unlink(path("a/file"))
        place.fs.unlink(path("a/file"))
        place.fs.unlink(path("no/such/folder"))
        assert place.fs.listdir(path("a")) == ["other"]

    def test_unlink_removes_a_link_and_not_what_it_points_to(self, place):
        place.plant_file(path("victim"), b"keep me")
        place.plant_link(path("link"), path("victim"))
        place.fs.unlink(path("link"))
        assert place.content(path("victim")) == b"keep me"

    def test_nothing_is_changed_below_a_planted_link(self, place):
        place.plant_file(path("elsewhere/victim"), b"keep me")
        place.plant_folder(path("elsewhere/empty"))
        place.plant_file(path("mine"), b"mine")
        place.plant_link(path("link"), path("elsewhere"))
        below = path("link/victim")
        for act in (
            lambda: place.fs.unlink(below),
            lambda: place.fs.remove_folder(path("link/empty")),
            lambda: place.fs.rename(below, path("stolen")),
            lambda: place.fs.rename(path("mine"), path("link/mine")),
            lambda: place.fs.link(path("mine"), path("link/mine")),
            lambda: place.fs.chmod(below, 0o777),
            lambda: place.fs.chown(below, "0", "0"),
        ):
            with pytest.raises(Collision):
                act()
        assert place.content(path("elsewhere/victim")) == b"keep me"
        assert sorted(place.fs.listdir(path("elsewhere"))) == ["empty", "victim"]

    # Renaming

    def test_files_and_folders_are_moved(self, place):
        place.plant_file(path("staging/hash/Show/ep 1"), b"1")
        place.plant_folder(path("library"))
        place.fs.rename(path("staging/hash/Show"), path("library/Show"))
        assert place.content(path("library/Show/ep 1")) == b"1"
        place.fs.rename(path("library/Show/ep 1"), path("library/ep 1"))
        assert place.content(path("library/ep 1")) == b"1"
        assert place.fs.listdir(path("staging/hash")) == []

    def test_renaming_never_replaces(self, place):
        place.plant_file(path("mine"), b"mine")
        place.plant_file(path("folder/in"), b"")
        place.plant_file(path("file"), b"theirs")
        place.plant_folder(path("empty"))
        place.plant_link(path("dangling"), None)
        for taken in ("file", "empty", "dangling"):
            for old in ("mine", "folder"):
                with pytest.raises(Collision):
                    place.fs.rename(path(old), path(taken))
        assert place.content(path("mine")) == b"mine"
        assert place.content(path("file")) == b"theirs"
        assert sorted(place.fs.listdir(ROOT)) == ["dangling", "empty", "file", "folder", "mine"]

    def test_renaming_into_a_missing_folder_or_from_nothing_is_an_error(self, place):
        place.plant_file(path("mine"), b"mine")
        with pytest.raises(NotWritable):
            place.fs.rename(path("mine"), path("no/such/folder"))
        with pytest.raises(NotWritable):
            place.fs.rename(path("nothing"), path("new"))
        assert place.content(path("mine")) == b"mine"

    def test_a_folder_that_became_a_link_is_noticed_after_a_rename(self, place):
        place.plant_folder(path("elsewhere"))
        place.fs.create(path("work/file"), 1)
        place.fs.rename(path("work"), path("done"))
        place.plant_link(path("work"), path("elsewhere"))
        with pytest.raises(Collision):
            place.fs.create(path("work/file"), 1)
        assert place.fs.listdir(path("elsewhere")) == []

    # Modes, owners, links, durability, space

    def test_modes_are_set_but_not_through_links(self, place):
        place.plant_file(path("file"), b"")
        place.plant_link(path("link"), path("file"))
        place.fs.chmod(path("file"), 0o640)
        assert place.fs.stat(path("file")).mode == 0o640
        with pytest.raises(Collision):
            place.fs.chmod(path("link"), 0o777)
        assert place.fs.stat(path("file")).mode == 0o640
        with pytest.raises(NotWritable):
            place.fs.chmod(path("nothing"), 0o777)

    def test_owners_are_set_by_number_or_left(self, place):
        place.plant_file(path("file"), b"")
        before = place.fs.stat(path("file"))
        place.fs.chown(path("file"), str(before.uid), "")
        place.fs.chown(path("file"), "", str(before.gid))
        after = place.fs.stat(path("file"))
        assert (after.uid, after.gid) == (before.uid, before.gid)
        place.plant_link(path("link"), path("file"))
        with pytest.raises(Collision):
            place.fs.chown(path("link"), str(before.uid), "")

    def test_a_name_that_nobody_has_is_an_error(self, place):
        place.plant_file(path("file"), b"")
        with pytest.raises(NotWritable, match="nobody-has-this-name"):
            place.fs.chown(path("file"), "nobody-has-this-name", "")

    def test_a_hard_link_is_the_same_file(self, place):
        place.plant_file(path("file"), b"content")
        place.plant_file(path("taken"), b"theirs")
        assert place.fs.link(path("file"), path("second"))
        assert place.content(path("second")) == b"content"
        with pytest.raises(Collision):
            place.fs.link(path("file"), path("taken"))
        assert place.content(path("taken")) == b"theirs"

    def test_it_tells_how_many_names_files_have(self, place):
        place.plant_file(path("a/file"), b"content")
        place.plant_file(path("a/alone"), b"content")
        assert place.fs.link(path("a/file"), path("a/second name"))
        asked = ["a/file", "a/second name", "a/alone", "a", "a/nothing", "b/nothing"]
        assert list(place.fs.names_of([path(each) for each in asked])) == [2, 2, 1, None, None, None]

    @pytest.mark.parametrize("way", ["copy", "clone"])
    def test_a_copy_within_is_a_file_of_its_own(self, place, way):
        content, told = _rng.randbytes(300_001), []
        place.plant_file(path("a/file"), content)
        place.plant_folder(path("b"))
        arguments = (told.append,) if way == "copy" else ()
        made = getattr(place.fs, way)(path("a/file"), path("b/own"), *arguments)
        if not made:
            assert place.fs.stat(path("b/own")) is None
            return
        assert place.content(path("b/own")) == content
        assert list(place.fs.names_of([path("b/own"), path("a/file")])) == [1, 1]
        assert sum(told) == (len(content) if way == "copy" else 0)
        lane = place.fs.writer()
        lane.write(path("b/own"), 5, memoryview(b"changed"))
        lane.flush()
        lane.close()
        assert place.content(path("a/file")) == content

    def test_a_copy_replaces_nothing_and_needs_a_file(self, place):
        place.plant_file(path("file"), b"content")
        place.plant_file(path("taken"), b"theirs")
        place.plant_file(path("empty"), b"")
        place.plant_link(path("link"), path("file"))
        if not place.fs.copy(path("empty"), path("empty too"), lambda _count: None):
            return
        assert place.content(path("empty too")) == b""
        with pytest.raises(Collision):
            place.fs.copy(path("file"), path("taken"), lambda _count: None)
        assert place.content(path("taken")) == b"theirs"
        for what in ("nothing", "link"):
            with pytest.raises(MoverError):
                place.fs.copy(path(what), path("new"), lambda _count: None)
            assert place.fs.stat(path("new")) is None

    def test_syncing_takes_what_exists_only(self, place):
        for number in range(70):
            place.plant_file(path(f"a/{number}"), b"x")
        place.fs.sync(path(f"a/{number}") for number in range(70))
        place.fs.sync([])
        with pytest.raises(MoverError):
            place.fs.sync([path("a/0"), path("a/nothing")])

    def test_space_is_told(self, place):
        space = place.fs.space()
        assert 0 < space.free <= space.total

    def test_it_says_where_it_is(self, place):
        assert "/" in place.fs.name

    # Reading

    def test_spans_are_delivered_in_the_order_asked_for(self, place):
        one, two = _rng.randbytes(700_001), _rng.randbytes(300_000)
        place.plant_file(path("one"), one)
        place.plant_file(path("two"), two)
        spans = [
            ByteSpan(path("one"), 500_000, 200_001),
            ByteSpan(path("two"), 0, 300_000),
            ByteSpan(path("two"), 10, 0),
            ByteSpan(path("one"), 0, 1),
            ByteSpan(path("one"), 1, 499_999),
            ByteSpan(path("two"), 299_999, 1),
        ]
        assert read_all(place.fs, spans) == one[500_000:] + two + one[:500_000] + two[-1:]

    def test_nothing_asked_for_is_nothing_delivered(self, place):
        assert read_all(place.fs, []) == b""

    def test_many_small_files_are_read(self, place):
        contents = {path(f"small/{number}"): _rng.randbytes(number * 37) for number in range(300)}
        for name, content in contents.items():
            place.plant_file(name, content)
        got = read_all(place.fs, [ByteSpan(name, 0, len(content)) for name, content in contents.items()])
        assert got == b"".join(contents.values())

    def test_a_large_file_is_read_with_a_bounded_look_ahead(self, place):
        content = _rng.randbytes(MIB) * 64
        place.plant_file(path("large"), content)
        pulled = delivered = furthest = 0

        def spans():
            nonlocal pulled, furthest
            for offset in range(0, len(content), MIB):
                pulled += MIB
                furthest = max(furthest, pulled - delivered)
                yield ByteSpan(path("large"), offset, MIB)

        def deliver(_span, offset, data):
            nonlocal delivered
            assert data == content[offset : offset + len(data)]
            delivered += len(data)

        lane = place.fs.reader()
        lane.read(spans(), deliver)
        lane.close()
        assert delivered == len(content)
        assert furthest <= 20 * MIB

    @pytest.mark.parametrize("name", ["nothing", "no/such/folder"])
    def test_a_missing_file_is_named(self, place, name):
        place.plant_file(path("file"), b"content")
        lane = place.fs.reader()
        got = bytearray()
        with pytest.raises(SourceUnreadable, match=name):
            lane.read([ByteSpan(path("file"), 0, 7), ByteSpan(path(name), 0, 5)], lambda _s, _o, data: got.extend(data))
        assert got == b"content"
        lane.read([ByteSpan(path("file"), 0, 7)], lambda _s, _o, data: got.extend(data))
        assert got == b"contentcontent"
        lane.close()

    def test_a_short_file_is_named_with_both_sizes(self, place):
        place.plant_file(path("short"), b"x" * 300_007)
        lane = place.fs.reader()
        with pytest.raises(SourceUnreadable, match=r"short.*600123.*300007"):
            lane.read([ByteSpan(path("short"), 0, 600_123)], lambda _s, _o, _d: None)
        with pytest.raises(SourceUnreadable, match="short"):
            lane.read([ByteSpan(path("short"), 400_000, 1)], lambda _s, _o, _d: None)
        lane.close()

    def test_a_lane_survives_what_deliver_or_the_spans_raise(self, place):
        content = _rng.randbytes(3 * MIB)
        place.plant_file(path("file"), content)
        lane = place.fs.reader()

        def deliver_and_stop(_span, offset, _data):
            if offset >= MIB:
                raise KeyError("enough")

        def spans_and_stop():
            yield ByteSpan(path("file"), 0, 1)
            raise LookupError("no more")

        for _ in range(3):
            with pytest.raises(KeyError, match="enough"):
                lane.read([ByteSpan(path("file"), 0, 3 * MIB)], deliver_and_stop)
            with pytest.raises(LookupError, match="no more"):
                lane.read(spans_and_stop(), lambda _s, _o, _d: None)
        got = bytearray()
        lane.read([ByteSpan(path("file"), 0, 3 * MIB)], lambda _s, _o, data: got.extend(data))
        lane.close()
        assert got == content

    def test_an_aborted_read_is_a_lost_connection(self, place):
        place.plant_file(path("file"), bytes(8 * MIB))
        lane = place.fs.reader()
        with pytest.raises(ConnectionLost):
            lane.read([ByteSpan(path("file"), at * MIB, MIB) for at in range(8)] * 20, lambda _s, _o, _d: lane.abort())
        lane.close()
        lane.abort()
        assert read_all(place.fs, [ByteSpan(path("file"), 0, 10)]) == bytes(10)

    # Writing

    def test_what_is_written_is_there(self, place):
        content = _rng.randbytes(5 * MIB + 12_345)
        place.fs.create(path("a/file"), len(content))
        lane = place.fs.writer()
        buffer = bytearray(MIB)
        last = 0
        for offset in reversed(range(0, len(content), MIB)):
            count = min(MIB, len(content) - offset)
            buffer[:count] = content[offset : offset + count]
            lane.write(path("a/file"), offset, memoryview(buffer)[:count])
            buffer[:] = bytes(MIB)  # the lane must be done with it
            assert last <= lane.accepted() <= len(content)
            last = lane.accepted()
        lane.flush()
        assert lane.accepted() == len(content)
        lane.close()
        assert place.content(path("a/file")) == content

    def test_many_files_are_written_by_one_lane(self, place):
        contents = {path(f"out/{number}"): _rng.randbytes(1000 + number) for number in range(120)}
        lane = place.fs.writer()
        for name, content in contents.items():
            place.fs.create(name, len(content))
            lane.write(name, 0, memoryview(content)[:500])
        for name, content in contents.items():
            lane.write(name, 500, memoryview(content)[500:])
        lane.flush()
        lane.close()
        assert {name: place.content(name) for name in contents} == contents

    def test_a_lane_makes_the_files_that_it_writes(self, place):
        contents = {path(f"out/{number % 7}/{number}"): _rng.randbytes(number * 11) for number in range(300)}
        lane = place.fs.writer()
        for name, content in contents.items():
            lane.create(name, len(content))
            lane.write(name, 0, memoryview(content))
        lane.flush()
        assert lane.accepted() == sum(map(len, contents.values()))
        lane.close()
        assert {name: place.content(name) for name in contents} == contents

    def test_what_a_lane_makes_has_its_size_whatever_is_written_to_it(self, place):
        place.plant_file(path("out/longer"), b"0123456789")
        place.plant_file(path("out/shorter"), b"01")
        lane = place.fs.writer()
        lane.create(path("out/nothing"), 7)
        lane.create(path("out/longer"), 5)
        lane.write(path("out/longer"), 0, memoryview(b"abcde"))
        lane.create(path("out/shorter"), 5)
        lane.write(path("out/shorter"), 0, memoryview(b"abcde"))
        lane.create(path("out/a part"), 6)
        lane.write(path("out/a part"), 0, memoryview(b"abc"))
        lane.create(path("out/another"), 4)
        lane.write(path("out/a part"), 4, memoryview(b"e"))
        lane.create(path("out/last"), 3)
        lane.flush()
        lane.close()
        assert {name: place.content(path(f"out/{name}")) for name in place.fs.listdir(path("out"))} == {
            "nothing": bytes(7),
            "longer": b"abcde",
            "shorter": b"abcde",
            "a part": b"abc\0e\0",
            "another": bytes(4),
            "last": bytes(3),
        }

    def test_small_files_of_many_folders_are_read_in_one_go(self, place):
        contents = {path(f"in/{number % 5}/{number}"): _rng.randbytes(number * 13 + 1) for number in range(60)}
        for name, content in contents.items():
            place.plant_file(name, content)
        spans = [ByteSpan(name, 0, len(content)) for name, content in contents.items()]
        assert read_all(place.fs, spans) == b"".join(contents.values())

    def test_a_lane_keeps_and_resizes_what_is_there(self, place):
        place.plant_file(path("a/file"), b"0123456789")
        place.plant_file(path("a/longer"), b"0123456789")
        lane = place.fs.writer()
        for name, size in (("a/file", 12), ("a/longer", 4), ("a/empty", 0)):
            lane.create(path(name), size)
        lane.write(path("a/file"), 2, memoryview(b"xx"))
        lane.create(path("a/file"), 12)
        lane.flush()
        lane.close()
        assert place.content(path("a/file")) == b"01xx456789\0\0"
        assert place.content(path("a/longer")) == b"0123"
        assert place.content(path("a/empty")) == b""

    def test_a_lane_makes_nothing_through_a_link_or_in_the_place_of_a_folder(self, place):
        place.plant_file(path("elsewhere/victim"), b"keep me")
        place.plant_link(path("a/file"), path("elsewhere/victim"))
        place.plant_link(path("b"), path("elsewhere"))
        place.plant_folder(path("a/folder"))
        for name in ("a/file", "b/victim", "b/new", "a/folder"):
            lane = place.fs.writer()
            with pytest.raises(Collision):
                lane.create(path(name), 1)
                lane.write(path(name), 0, memoryview(b"e"))
                lane.flush()
            lane.close()
        assert place.content(path("elsewhere/victim")) == b"keep me"
        assert place.fs.listdir(path("elsewhere")) == ["victim"]

    def test_two_lanes_may_make_the_same_file(self, place):
        one, two = place.fs.writer(), place.fs.writer()
        for lane, at in ((one, 0), (two, 500_000)):
            lane.create(path("shared"), 1_000_000)
            lane.write(path("shared"), at, memoryview(b"x" * 500_000))
        for lane in (one, two):
            lane.flush()
            lane.close()
        assert place.content(path("shared")) == b"x" * 1_000_000

    def test_writing_into_nothing_is_an_error(self, place):
        place.plant_folder(path("a"))
        for name in ("a/nothing", "no/such"):
            lane = place.fs.writer()
            with pytest.raises(NotWritable):
                lane.write(path(name), 0, memoryview(b"abc"))
                lane.flush()
            lane.close()
        assert place.fs.listdir(path("a")) == []

    def test_nothing_is_written_through_a_link(self, place):
        place.plant_file(path("elsewhere/victim"), b"keep me")
        place.plant_link(path("a/file"), path("elsewhere/victim"))
        place.plant_link(path("b"), path("elsewhere"))
        for name in ("a/file", "b/victim"):
            lane = place.fs.writer()
            with pytest.raises(Collision):
                lane.write(path(name), 0, memoryview(b"evil"))
                lane.flush()
            lane.close()
        assert place.content(path("elsewhere/victim")) == b"keep me"

    def test_an_aborted_write_is_a_lost_connection(self, place):
        place.fs.create(path("file"), MIB)
        lane = place.fs.writer()
        lane.write(path("file"), 0, memoryview(b"abc"))
        lane.abort()
        with pytest.raises(ConnectionLost):
            for _ in range(100):
                lane.write(path("file"), 0, memoryview(bytes(MIB)))
                lane.flush()
        lane.close()
        assert place.fs.stat(path("file")).size == MIB
