"""Where a folder's file system is mounted, as the kernel tells it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from torrent_mover.adapters.local.mounts import mount_point

TABLE = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
23 22 8:17 / /mnt/nas rw,relatime shared:5 - ext4 /dev/sdb1 rw
24 22 8:17 /part /srv/with\\040blank rw - ext4 /dev/sdb1 rw
25 22 0:44 / /mnt/nas\\134odd rw - tmpfs none rw
"""


@pytest.fixture
def table(tmp_path):
    (tmp_path / "mountinfo").write_text(TABLE)
    return tmp_path / "mountinfo"


@pytest.mark.parametrize(
    ("folder", "at"),
    [
        ("/mnt/nas", "/mnt/nas"),
        ("/mnt/nas/films/2021", "/mnt/nas"),
        ("/mnt/nas2", "/"),
        ("/mnt", "/"),
        ("/srv/with blank/x", "/srv/with blank"),
        ("/mnt/nas\\odd/x", "/mnt/nas\\odd"),
    ],
)
def test_the_nearest_mount_above_counts(table, folder, at):
    assert mount_point(Path(folder), table) == Path(at)


def test_links_are_followed(tmp_path, table):
    link = tmp_path / "link"
    link.symlink_to("/mnt/nas/films")
    assert mount_point(link, table) == Path("/mnt/nas")


def test_without_a_table_nothing_is_known(tmp_path):
    assert mount_point(Path("/mnt/nas"), tmp_path / "none") is None


def test_this_machine_tells_it():
    found = mount_point(Path("/proc/self"))
    assert found == Path("/proc")
    assert os.path.ismount(found)
