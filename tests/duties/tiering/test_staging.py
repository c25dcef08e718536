"""Giving a staged copy its place: all of its names or none, nothing replaced, and what a kill between the renames leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.duties.tiering.disks import RealDisk
from torrent_mover.domain.paths import ROOT, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.placing import place, take_back
from torrent_mover.duties.tiering.staging import StagedCopy, _ours

HASH = InfoHash("ab" * 20)
PATHS = [RelativePath(("one",)), RelativePath(("two",)), RelativePath(("folder", "three"))]
TV = RelativePath(("tv",))


@pytest.fixture
def case(tmp_path):
    disk = RealDisk(tmp_path)
    staged = StagedCopy(disk, HASH, PATHS)
    for path in staged.paths:
        file = tmp_path / str(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path.name)
    return disk, staged, tmp_path


def content(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_all_names_get_their_place(case):
    disk, staged, folder = case

    assert place(disk, staged, TV, PATHS)
    staged.fold()

    assert content(folder) == {"tv/one": "one", "tv/two": "two", "tv/folder/three": "three"}
    assert not (folder / ".torrent-mover" / HASH.hex.upper()).exists()


@pytest.mark.parametrize("taken", ["one", "two", "folder"])
def test_where_one_name_is_taken_all_stay_in_staging(case, taken):
    disk, staged, folder = case
    before = content(folder)
    (folder / "tv").mkdir()
    (folder / "tv" / taken).write_text("somebody's")

    assert not place(disk, staged, TV, PATHS)

    assert content(folder) == before | {f"tv/{taken}": "somebody's"}


@pytest.mark.parametrize("moved", [[], ["one"], ["one", "two"], ["one", "two", "folder"]])
def test_what_got_its_place_before_a_kill_is_brought_back(case, moved):
    disk, staged, folder = case
    before = content(folder)
    (folder / "tv").mkdir()
    for name in moved:
        (folder / str(staged.folder) / name).rename(folder / "tv" / name)

    take_back(disk, staged, TV, PATHS)

    assert content(folder) == before


def test_a_name_that_is_in_both_places_is_not_ours(case):
    disk, staged, folder = case
    before = content(folder)
    (folder / "tv").mkdir()
    (folder / "tv/one").write_text("somebody's")

    take_back(disk, staged, TV, PATHS)

    assert content(folder) == before | {"tv/one": "somebody's"}


def test_clearing_removes_the_copys_files_and_nothing_else(case):
    disk, staged, folder = case
    (folder / str(staged.folder) / "folder/stranger").write_text("not ours")
    (folder / "one").write_text("mine")

    staged.clear()

    assert set(content(folder)) == {"one", f"{staged.folder}/folder/stranger"}
    assert disk.files.stat(staged.folder) is not None


@pytest.mark.parametrize("path", [RelativePath(("tv", "one")), RelativePath((".Torrent-mover", "x"))])
def test_nothing_outside_of_our_folder_is_ever_removed_here(path):
    with pytest.raises(ValueError, match="is not in"):
        _ours(path)
    assert ROOT.parts == ()


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=9), min_size=1
    )
)
def test_joining_good_paths_says_what_reading_the_whole_text_says(parts):
    parts = [part for part in parts if part not in (".", "..")] or ["a"]
    below = RelativePath(tuple(parts))
    for root in ("/", "/ssd", "/ssd/a b"):
        assert LocalPath(root) / below == LocalPath(f"{root}/{below}")
    assert LocalPath("/ssd") / RelativePath(()) == LocalPath("/ssd")
