"""What is particular to this machine's file systems: hard links, missing kernel calls, full disks, closed folders."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.contracts.filesystem_contract import path
from torrent_mover.adapters.local import folders
from torrent_mover.adapters.local.errors import read_error, write_error
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import (
    Collision,
    DiskFull,
    FileTooLarge,
    NotWritable,
    SourceUnreadable,
    StorageAway,
    TooManyOpenFiles,
)
from torrent_mover.domain.paths import LocalPath
from torrent_mover.ports.filesystem import ByteSpan


@pytest.fixture
def fs(tmp_path):
    return LocalFileSystem(LocalPath(str(tmp_path)))


def test_a_file_with_a_second_name_is_not_taken_over(fs, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"keep me")
    (tmp_path / "staging").mkdir()
    os.link(victim, tmp_path / "staging" / "file")
    with pytest.raises(Collision, match="hard link"):
        fs.create(path("staging/file"), 3)
    assert victim.read_bytes() == b"keep me"


def test_stat_tells_links_and_identity(fs, tmp_path):
    (tmp_path / "one").write_bytes(b"")
    assert fs.link(path("one"), path("two"))
    assert fs.stat(path("one")).links == 2
    assert fs.stat(path("one")).identity == fs.stat(path("two")).identity


@pytest.fixture(params=["no renameat2", "no renameat2, no hard links"])
def poor_kernel(request, monkeypatch):
    """A kernel or file system that lacks what renaming likes best."""
    monkeypatch.setattr(folders, "_renameat2", lambda *_: False)
    if "hard links" in request.param:
        monkeypatch.setattr(folders, "_relink", lambda *_: False)


@pytest.mark.usefixtures("poor_kernel")
def test_renaming_without_the_best_kernel_call_still_never_replaces(fs, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "taken").write_bytes(b"theirs")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    for taken in ("taken", "folder", "dangling"):
        with pytest.raises(Collision):
            fs.rename(path("mine"), path(taken))
    with pytest.raises(Collision):
        fs.rename(path("folder"), path("taken"))
    fs.rename(path("mine"), path("new"))
    fs.rename(path("folder"), path("moved"))
    assert (tmp_path / "new").read_bytes() == b"mine"
    assert (tmp_path / "moved").is_dir()
    assert (tmp_path / "taken").read_bytes() == b"theirs"
    assert sorted(fs.listdir(path("moved").parent)) == ["dangling", "moved", "new", "taken"]


def test_a_planted_pipe_blocks_nobody(fs, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Collision):
        fs.create(path("pipe"), 1)
    reader, writer = fs.reader(), fs.writer()
    with pytest.raises(SourceUnreadable):
        reader.read([ByteSpan(path("pipe"), 0, 1)], lambda _s, _o, _d: None)
    with pytest.raises((Collision, NotWritable)):
        writer.write(path("pipe"), 0, memoryview(b"x"))


def test_a_link_is_read_only_where_asked(tmp_path):
    (tmp_path / "film").write_bytes(b"content")
    (tmp_path / "link").symlink_to("film")
    reader = LocalFileSystem(LocalPath(str(tmp_path))).reader()
    with pytest.raises(SourceUnreadable, match="link"):
        reader.read([ByteSpan(path("link"), 0, 7)], lambda _s, _o, _d: None)


def test_no_descriptor_is_left_open(fs, tmp_path):
    (tmp_path / "to").symlink_to("nowhere")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(50):
        fs.create(path(f"a/b/{number}"), 10)
        fs.stat(path(f"a/b/{number}"))
        fs.chmod(path(f"a/b/{number}"), 0o600)
        for act in (lambda: fs.make_folders(path("to/x")), lambda: fs.chmod(path("to"), 0o600)):
            with pytest.raises(Collision):
                act()
    lane = fs.reader()
    lane.read([ByteSpan(path(f"a/b/{number}"), 0, 10) for number in range(50)], lambda _s, _o, _d: None)
    lane.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


# Errors


@pytest.mark.parametrize(
    ("number", "kind", "words", "remedy"),
    [
        (errno.ENOSPC, DiskFull, "bytes and", "df -h"),
        (errno.EDQUOT, DiskFull, "quota", "quota -s"),
        (errno.EACCES, NotWritable, f"uid {os.geteuid()}", "setfacl -m"),
        (errno.EPERM, NotWritable, "mode 0", "setfacl -m"),
        (errno.EROFS, NotWritable, "read-only", "findmnt -T"),
        (errno.ENOENT, NotWritable, "does not exist", "mkdir -p"),
        (errno.ENAMETOOLONG, NotWritable, "longer than", "Rename"),
        (errno.EFBIG, FileTooLarge, "too large", "4 GiB"),
        (errno.EMFILE, TooManyOpenFiles, "no more files", "ulimit -n"),
        (errno.ESTALE, StorageAway, "stale", "tried again"),
        (errno.ENOTCONN, StorageAway, "FUSE", "fusermount"),
        (errno.EHOSTDOWN, StorageAway, "is down", "tried again"),
        (errno.ETXTBSY, NotWritable, "running from", "fuser"),
        (errno.EIO, NotWritable, "Input/output", "dmesg"),
        (errno.EEXIST, Collision, "exists", "ls -ld"),
    ],
)
def test_every_refusal_names_the_file_and_the_remedy(tmp_path, number, kind, words, remedy):
    file = tmp_path / "it's here" / "file"
    error = write_error(OSError(number, os.strerror(number)), file, "write")
    assert type(error) is kind
    assert str(file) in error.what
    assert words in error.what
    assert remedy in error.remedy
    assert error.kept


def test_a_file_that_may_not_be_read_says_what_to_type(tmp_path):
    error = read_error(PermissionError(errno.EACCES, "Permission denied"), tmp_path / "file")
    assert f"setfacl -m u:{os.geteuid()}" in error.remedy


_AS_NOBODY = """
import os, sys
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath, RelativePath
fs = LocalFileSystem(LocalPath(sys.argv[1]))
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for act in (
    lambda: fs.create(RelativePath(("new",)), 1),
    lambda: fs.make_folders(RelativePath(("new",))),
    lambda: fs.stat(RelativePath(("locked", "inside"))),
    lambda: fs.rename(RelativePath(("file",)), RelativePath(("new",))),
):
    try:
        act()
    except NotWritable as error:
        print(error)
"""


def test_a_closed_folder_is_told_with_its_owner_and_the_command_that_helps(open_folder):
    folder = open_folder / "closed-local"
    (folder / "locked").mkdir(parents=True)
    (folder / "file").touch()
    (folder / "locked").chmod(0o000)
    folder.chmod(0o555)
    said = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, folder], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folder.chmod(0o755)
    (folder / "locked").chmod(0o755)
    assert len(said) == 4
    assert all("permission denied" in line and "setfacl -m u:" in line for line in said)
    assert all("mode 0555" in line for line in (said[0], said[1], said[3]))


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=8", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk of one MiB takes the right to mount (root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_says_how_full(small_disk):
    fs = LocalFileSystem(LocalPath(str(small_disk)))
    fs.create(path("file"), 3 << 20)
    lane = fs.writer()
    with pytest.raises(DiskFull, match=r"small/file: 0 bytes and \d inodes"):
        for at in range(3):
            lane.write(path("file"), at << 20, memoryview(bytes(1 << 20)))
    assert lane.accepted() <= 1 << 20
    lane.close()
    with pytest.raises(DiskFull, match="0 inodes"):
        for number in range(9):
            fs.create(path(str(number)), 0)


# -- a disk that goes --------------------------------------------------------------------------------------------------


@pytest.fixture
def other_disk():
    """A folder on another file system than the usual temporary folders."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.parametrize("follow", [False, True])
def test_what_shows_where_a_disk_was_mounted_is_neither_read_nor_written(tmp_path, other_disk, follow):
    """A link stands for the mount: without it, the folder beneath shows, on the disk of the folders above."""
    mount = tmp_path / "disk"
    mount.symlink_to(other_disk)
    files = LocalFileSystem(LocalPath(str(mount)), follow_symlinks=follow)
    files.create(path("Show/a"), 10)
    assert (other_disk / "Show" / "a").stat().st_dev != tmp_path.stat().st_dev
    mount.unlink()
    mount.mkdir()

    for ask in (
        lambda: files.stat(path("Show/a")),
        lambda: files.stats([path("Show/a")]),
        lambda: files.create(path("Show/b"), 10),
        lambda: files.make_folders(path("Other")),
        lambda: files.sync([path("Show/a")]),
        lambda: files.unlink(path("Show/a")),
    ):
        with pytest.raises(NotWritable, match="not mounted any more"):
            ask()
    assert list(mount.iterdir()) == []

    mount.rmdir()
    mount.symlink_to(other_disk)
    assert files.stat(path("Show/a")).size == 10


@pytest.mark.parametrize("follow", [False, True])
def test_below_a_root_that_is_missing_nothing_is_known(tmp_path, follow):
    files = LocalFileSystem(LocalPath(str(tmp_path / "away")), follow_symlinks=follow)
    for name in ("a", "Show/a"):
        with pytest.raises(NotWritable):
            files.stat(path(name))


def test_another_disk_that_is_mounted_there_is_taken_as_it_is(tmp_path, other_disk):
    mount = tmp_path / "disk"
    mount.mkdir()
    files = LocalFileSystem(LocalPath(str(mount)))
    assert files.stat(path("a")) is None
    mount.rmdir()
    mount.symlink_to(other_disk)
    files.create(path("a"), 10)
    assert (other_disk / "a").stat().st_size == 10


# -- many files at once ------------------------------------------------------------------------------------------------

SYNC_MANY = """
import sys
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath, RelativePath
fs = LocalFileSystem(LocalPath(sys.argv[1]))
paths = [RelativePath((f"{number // 50}", f"{number}")) for number in range(200)]
for path in paths:
    fs.create(path, 10)
try:
    fs.sync(paths)
except NotWritable as error:
    sys.stdout.write(f"told: {error.what}")
"""


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ((), ""),
        (("syncfs:error=EIO:when=1",), "told: "),
        # Another process, or another move of ours, was told of it before: the file system has no more to say of that.
        (("sync_file_range:error=EIO:when=77",), "told: "),
        (("sync_file_range:error=ENOSYS",), ""),
        (("sync_file_range:error=ENOSYS", "fsync:error=EIO:when=99"), "told: "),
    ],
)
def test_what_could_not_be_written_of_many_files_is_told_of_each(tmp_path, faults, told):
    injected = [word for fault in faults for word in ("-e", f"inject={fault}")]
    strace = [
        "strace",
        "-f",
        "-q",
        "-e",
        "trace=syncfs,sync_file_range,fsync",
        "-o",
        str(tmp_path / "trace"),
        *injected,
    ]
    done = subprocess.run(
        [*strace, sys.executable, "-c", SYNC_MANY, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(told)
    assert bool(done.stdout) == bool(told)
    assert (tmp_path / "trace").read_text().count("sync_file_range(") in (0, 77, 99, 200)
