"""Commands that a person pastes: they act on what the message is about, whatever characters its name has, and on nothing else."""

from __future__ import annotations

import errno
import shlex

import pytest

from torrent_mover.adapters.local import errors
from torrent_mover.adapters.lockfile import open_lock
from torrent_mover.adapters.ssh import sftp_errors
from torrent_mover.adapters.ssh.sftp_protocol import Code, Status
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import HostPath

NASTY = "it's; touch $(pwned) & b"
FOLDER = f"/srv/{NASTY}"


def words(remedy: str) -> list[str]:
    """As a shell takes a command line to pieces; every `;` of ours stands at the end of a word."""
    return [word.rstrip(";") for word in shlex.split(remedy.partition(": ")[2])]


@pytest.mark.parametrize("code", [Code.NO_SUCH_FILE])
def test_a_folder_of_a_server_stays_one_word(code):
    error = sftp_errors.write_error(None, "box", HostPath(f"{FOLDER}/file"), "create", Status(code, ""))
    assert words(error.remedy) == ["mkdir", "-p", FOLDER]


def test_a_file_of_a_server_stays_one_word():
    unreadable = sftp_errors.read_error("box", f"{FOLDER}/file", Status(Code.PERMISSION_DENIED, ""))
    assert words(unreadable.remedy) == ["namei", "-l", f"{FOLDER}/file"]
    assert words(sftp_errors.collision("box", HostPath(FOLDER), "a file").remedy) == ["ls", "-ld", FOLDER]


def test_our_own_files_stay_one_word(tmp_path):
    (tmp_path / NASTY).write_text("no folder")
    with pytest.raises(NotWritable) as caught:
        open_lock(tmp_path / NASTY / "lock")
    assert shlex.quote(str(tmp_path / NASTY)) in caught.value.remedy


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_nobody_is_told_to_take_a_folder_from_others_or_to_write_on_a_disk_that_failed(tmp_path, number):
    error = errors.write_error(OSError(number, "no"), tmp_path / "file", "create")
    assert "chown" not in error.remedy
    assert "remount" not in error.remedy
