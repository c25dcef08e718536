import pytest

from torrent_mover.domain.errors import PreflightRefused
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.transfer.rsync_layout import common_layout


def paths(*texts: str) -> list[RelativePath]:
    return [RelativePath.parse(text) for text in texts]


def test_a_staging_folder_is_the_target():
    layout = common_layout(paths("T/a", "T/s/b"), paths("stage/1/T/a", "stage/1/T/s/b"))

    assert (str(layout.source), str(layout.target)) == ("", "stage/1")
    assert [str(name) for name in layout.names] == ["T/a", "T/s/b"]


def test_both_sides_may_have_a_folder_of_their_own():
    layout = common_layout(paths("tv/T/a", "tv/b"), paths("stage/T/a", "stage/b"))

    assert (str(layout.source), str(layout.target)) == ("tv", "stage")


def test_a_renamed_top_folder_is_a_folder_of_its_own():
    layout = common_layout(paths("old/a", "old/s/b"), paths("stage/new/a", "stage/new/s/b"))

    assert (str(layout.source), str(layout.target)) == ("old", "stage/new")


def test_equal_layouts_begin_at_the_roots():
    layout = common_layout(paths("a"), paths("a"))

    assert (layout.source, layout.target, layout.names) == (ROOT, ROOT, (RelativePath(("a",)),))


def test_repeated_names_do_not_confuse():
    layout = common_layout(paths("x/x/a", "x/b"), paths("s/x/x/a", "s/x/b"))

    assert [str(layout.target / name) for name in layout.names] == ["s/x/x/a", "s/x/b"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (["T/a", "T/b"], ["s/T/a", "s/T/c"]),
        (["T/a", "U/b"], ["s/T/a", "s/V/b"]),
        (["T/a", "T/b"], ["s/T/a", "r/T/b"]),
    ],
)
def test_what_rsync_cannot_rename_is_refused(source, target):
    with pytest.raises(PreflightRefused, match="cannot rename"):
        common_layout(paths(*source), paths(*target))


def test_nothing_to_bring_has_no_folders():
    assert common_layout([], []).names == ()
