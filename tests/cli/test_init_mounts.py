"""What init says of typed paths: a folder that would still be there, empty, without its disk; no key file; a line for cron."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrent_mover.commands.init import _is_file, doubt_of_mount, in_crontab


def test_a_mount_point_is_told_with_a_folder_that_is_safer():
    doubt = doubt_of_mount("/proc")

    assert doubt is not None
    assert doubt.what.startswith("/proc is where a disk is mounted.")
    assert "mkdir /proc/torrents" in doubt.remedy


@pytest.mark.parametrize("folder", ["/", "/proc/self"])
def test_a_folder_below_one_and_the_root_itself_are_no_matter(folder):
    assert doubt_of_mount(folder) is None


def test_a_mount_point_in_the_home_of_who_types_is_told(monkeypatch):
    monkeypatch.setattr("torrent_mover.adapters.process.this_user.home_folder", lambda: Path("/"))

    doubt = doubt_of_mount("~/proc")

    assert doubt is not None
    assert doubt.what.startswith("/proc is where a disk is mounted.")


def test_a_name_that_is_too_long_for_any_file_is_none(tmp_path):
    (tmp_path / "key").touch()

    assert _is_file(str(tmp_path / "key"))
    assert not _is_file(str(tmp_path / ("k" * 256)))


def test_a_percent_sign_ends_no_command_of_a_crontab():
    assert in_crontab("run --config '/a 100%/b%.ini'") == r"run --config '/a 100\%/b\%.ini'"
