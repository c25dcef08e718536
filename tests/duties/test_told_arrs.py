"""Which one path of a moved torrent an Arr is told."""

from __future__ import annotations

from torrent_mover.domain.arrs.path_pairs import DeliveredData
from torrent_mover.domain.paths import ROOT, ClientPath, LocalPath, RelativePath
from torrent_mover.duties.moving.told_arrs import delivered

NAS, CLIENT = LocalPath("/nas"), ClientPath("/data")


def of(*files):
    return delivered(NAS, CLIENT, [(RelativePath.parse(path), size) for path, size in files])


def test_a_single_file_is_the_path_itself():
    assert of(("Film.mkv", 7)) == DeliveredData(NAS / "Film.mkv", ROOT, 7, CLIENT / "Film.mkv")


def test_several_files_are_the_folder_that_holds_them_with_the_largest():
    data = of(("Show/a.mkv", 7), ("Show/Subs/b.mkv", 9), ("Show/c.nfo", 1))
    assert data == DeliveredData(NAS / "Show", RelativePath.parse("Subs/b.mkv"), 9, CLIENT / "Show")


def test_a_single_file_in_a_folder_is_that_folder():
    assert of(("Show/a.mkv", 7)) == DeliveredData(NAS / "Show", RelativePath.parse("a.mkv"), 7, CLIENT / "Show")


def test_files_that_lie_beside_those_of_others_are_no_path():
    assert of(("a.mkv", 7), ("b.mkv", 9)) is None
    assert of(("A/a.mkv", 7), ("B/b.mkv", 9)) is None
    assert of() is None
