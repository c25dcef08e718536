"""A destination whose folders lie on several file systems, as with datasets, subvolumes, mounts and pools of disks."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can mount"),
]

TREE = {"Season 1/a.mkv": 400_000, "Season 2/b.mkv": 40_000, "info.nfo": 0}


@contextlib.contextmanager
def mounted(other, below):
    """Another file system at a folder below the destination."""
    for folder in (other, below):
        folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", other, below], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", below], check=True)


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload"])
def test_what_goes_into_another_file_system_is_copied_and_said(house, tmp_path, mode):
    made = house.seed("Show", TREE)
    files = made.files()
    house.config["SETTINGS"] = {"transfer_mode": mode}

    with mounted(tmp_path / "disk 2", house.destination.data / "Show"):
        house.move().ended(0).says("a rename cannot reach it")

        house.assert_moved(made, files)
        house.assert_no_staging()
        assert list((tmp_path / "disk 2").rglob(".*")) == []
        house.destination.remove(made.info_hash)


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload"])
def test_a_half_copy_on_another_file_system_is_used(house, tmp_path, mode):
    made = house.seed("Show", TREE)
    files = made.files()
    house.config["SETTINGS"] = {"transfer_mode": mode}

    with mounted(tmp_path / "disk 2", house.destination.data / "Show"):
        half = house.destination.data / "Show/Season 1/a.mkv"
        half.parent.mkdir()
        half.write_bytes(files["Show/Season 1/a.mkv"][:300_000])

        house.move().ended(0).says("a rename cannot reach it")

        house.assert_moved(made, files)
        house.assert_no_staging()
        house.destination.remove(made.info_hash)
