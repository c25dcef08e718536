"""File systems that take no large files: found before the first byte, on this machine and behind a real SFTP server."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.contracts.filesystem_contract import path
from tests.servers import target_of
from torrent_mover.adapters.local import limits
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.errors import FileTooLarge, NotWritable, Retry
from torrent_mover.domain.file_trouble import FAT_LARGEST
from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.progress.outages import is_full

STAGING = path(".torrent-mover/cafe")
MIB, GIB = 1 << 20, 1 << 30


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An ext2 of small blocks, which takes files up to 16 GiB. Mounting takes root, as every test of disks here does."""
    image, place = tmp_path_factory.mktemp("images") / "ext2.img", tmp_path_factory.mktemp("ext2")
    with image.open("wb") as stream:
        stream.truncate(64 * MIB)
    subprocess.run(["mkfs.ext2", "-q", "-b", "1024", image], check=True, capture_output=True)
    subprocess.run(["mount", "-t", "ext2", "-o", "loop", image, place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with SshServer(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@contextmanager
def files_of(way, folder, server):
    if way == "local":
        yield LocalFileSystem(LocalPath(str(folder)))
        return
    pool = SessionPool(connect(target_of(server)), limit=2, wait_timeout=60)
    try:
        yield SftpFileSystem(pool, HostPath(str(folder)), holder="a test")
    finally:
        pool.close()


def ours(folder):
    return [str(each) for each in folder.rglob("*") if "cafe" in str(each.relative_to(folder))]


@pytest.mark.servers
@pytest.mark.parametrize("way", ["local", "sftp"])
def test_a_file_that_the_file_system_does_not_take_is_refused_before_its_first_byte(small, server, way):
    with files_of(way, small, server) as files:
        space = ReservedSpace(files, None, dict)
        space.require_large(path("Show/film.mkv"), 8 * GIB, STAGING)
        with pytest.raises(FileTooLarge, match=r"film.mkv has 20.0 GiB .* takes no file of that size") as refused:
            space.require_large(path("Show/film.mkv"), 20 * GIB, STAGING)

    assert "ext4" in refused.value.remedy
    assert not is_full(refused.value)
    assert refused.value.retry is Retry.NEVER
    assert ours(small) == []


@pytest.mark.servers
@pytest.mark.parametrize("way", ["local", "sftp"])
def test_a_file_system_that_takes_it_has_nothing_of_the_question_left(tmp_path, server, way):
    with files_of(way, tmp_path, server) as files:
        ReservedSpace(files, None, dict).require_large(path("film.mkv"), 50 * GIB, STAGING)

    assert ours(tmp_path) == []


@pytest.mark.servers
@pytest.mark.parametrize(
    ("way", "error", "words"), [("local", FileTooLarge, "too large"), ("sftp", NotWritable, "FAT: 4 GiB")]
)
def test_what_is_tried_all_the_same_is_told_in_its_own_words(small, server, way, error, words):
    with files_of(way, small, server) as files:
        with pytest.raises(error, match=words) as refused:
            files.create(path("film"), 20 * GIB)
        files.unlink(path("film"))

    assert not is_full(refused.value)


def test_a_fat_disk_is_known_by_its_type_and_nothing_is_tried_on_it(tmp_path, monkeypatch):
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"36 35 0:0 / /proc rw - proc proc rw\n"
        f"98 36 {os.major(device)}:{os.minor(device)} / /mnt/usb\\040disk rw,nosuid shared:1 - vfat /dev/sdb1 rw,iocharset=utf8\n"
    )
    monkeypatch.setattr(limits, "_MOUNTS", mounts)
    files = LocalFileSystem(LocalPath(str(tmp_path)))
    space = ReservedSpace(files, None, dict)
    space.require_large(path("film.mkv"), FAT_LARGEST, STAGING)
    with pytest.raises(FileTooLarge, match="takes files of at most 4,294,967,295 bytes"):
        space.require_large(path("film.mkv"), FAT_LARGEST + 1, STAGING)

    assert files.largest_file() == FAT_LARGEST
    assert ours(tmp_path) == []


_SMALL_LIMIT = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, resource.RLIM_INFINITY))
from torrent_mover.adapters.local import limits
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.paths import LocalPath
print(LocalFileSystem(LocalPath(sys.argv[1])).largest_file())
"""


def test_a_limit_of_this_process_counts(tmp_path, small):
    for folder in (tmp_path, small):
        told = subprocess.run([sys.executable, "-c", _SMALL_LIMIT, folder], check=True, capture_output=True, text=True)
        assert int(told.stdout) == 5_000_000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
