"""Where the file system of a folder begins."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.tier_house import tmpfs
from torrent_mover.adapters.local.mounts import mount_point

servers = pytest.mark.servers  # mounting takes root


def test_proc_is_a_file_system_of_its_own_and_links_are_followed(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/proc/self")
    assert mount_point(Path("/proc/self")) == mount_point(link) == Path("/proc")
    assert mount_point(tmp_path) == mount_point(tmp_path / "not" / "there") != Path("/proc")


@servers
def test_a_disk_begins_where_it_is_mounted_and_is_gone_with_it(tmp_path):
    disk = tmp_path / "disk"
    above = mount_point(tmp_path)
    with tmpfs(disk, "1m"):
        (disk / "a" / "b").mkdir(parents=True)
        assert mount_point(disk / "a" / "b") == mount_point(disk) == disk
    assert mount_point(disk / "a" / "b") == above


@servers
def test_a_folder_that_is_mounted_onto_itself_lies_where_it_lies(tmp_path):
    """As systemd does with each of ReadWritePaths: it says nothing of a disk."""
    disk, above = tmp_path / "disk", mount_point(tmp_path)
    with tmpfs(disk, "1m"):
        (disk / "torrents").mkdir()
        with onto_itself(disk / "torrents"):
            assert mount_point(disk / "torrents") == disk
    (disk / "torrents").mkdir(parents=True)
    with onto_itself(disk / "torrents"):
        assert mount_point(disk / "torrents") == above


@contextmanager
def onto_itself(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
