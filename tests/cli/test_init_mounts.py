"""init tells of a destination folder that would still be there, empty, while its disk is away."""

from __future__ import annotations

import pytest

from torrent_mover.commands.init import doubt_of_mount


def test_a_mount_point_is_told_with_a_folder_that_is_safer():
    doubt = doubt_of_mount("/proc")

    assert doubt is not None
    assert doubt.what.startswith("/proc is where a disk is mounted.")
    assert "mkdir /proc/torrents" in doubt.remedy


@pytest.mark.parametrize("folder", ["/", "/proc/self"])
def test_a_folder_below_one_and_the_root_itself_are_no_matter(folder):
    assert doubt_of_mount(folder) is None
