"""Links and mounts on this machine: real tmpfs mounts, a FUSE mount that hangs, and one that is dead."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import pytest

from torrent_mover.adapters.links.library import LocalLinkLibrary, is_mounted
from torrent_mover.adapters.links.torrents import TorrentFolder
from torrent_mover.domain.debrid.links import TargetState
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash

_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH = 2


@contextmanager
def mounted(path, kind, options=""):
    path.mkdir(exist_ok=True)
    if _LIBC.mount(b"debrid", os.fsencode(path), kind.encode(), 0, options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {kind}")
    try:
        yield
    finally:
        _LIBC.umount2(os.fsencode(path), _DETACH)


@contextmanager
def fuse(path):
    """A FUSE mount that nobody answers for as long as the descriptor is open."""
    descriptor = os.open("/dev/fuse", os.O_RDWR)
    try:
        with mounted(path, "fuse", f"fd={descriptor},rootmode={stat.S_IFDIR:o},user_id=0,group_id=0"):
            yield descriptor
    finally:
        os.close(descriptor)


def local(path):
    return LocalPath(str(path))


@pytest.fixture
def mount(tmp_path):
    """A mount with a zurg-like tree."""
    path = tmp_path / "zurg"
    with mounted(path, "tmpfs"):
        (path / "version.txt").write_text("zurg")
        (path / "__all__" / "Show").mkdir(parents=True)
        (path / "__all__" / "Show" / "e1.mkv").write_text("x")
        yield path


def test_links_are_found_and_not_followed(tmp_path, mount):
    media = tmp_path / "media"
    (media / "tv").mkdir(parents=True)
    (media / "tv" / "e1.mkv").symlink_to(mount / "__all__" / "Show" / "e1.mkv")
    (media / "loop").symlink_to(media)
    (media / "plain.txt").write_text("a file")
    (media / "up").symlink_to("../zurg/../zurg/x")

    found = {str(link.path): link for link in LocalLinkLibrary().walk(local(media), lambda: False)}

    assert set(found) == {f"{media}/tv/e1.mkv", f"{media}/loop", f"{media}/up"}
    assert found[f"{media}/up"].leads_to == local(mount / "x")


def test_a_folder_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(NotWritable, match="no such folder"):
        list(LocalLinkLibrary().walk(local(tmp_path / "none"), lambda: False))


def test_a_mount_is_seen_with_its_sentinel_and_its_entries_until_it_is_gone(tmp_path, mount):
    library = LocalLinkLibrary()
    (tmp_path / "e1").symlink_to(mount / "__all__" / "Show" / "e1.mkv")
    (tmp_path / "e2").symlink_to(mount / "__all__" / "Show" / "e2.mkv")

    there = library.mount(local(mount), ("__all__",), "version.txt", ("Show", "Gone"))

    assert (there.mounted, there.entries, there.sentinel, there.sample_seen) == (True, 1, True, 1)
    assert library.target(local(tmp_path / "e1")).state is TargetState.THERE
    assert library.target(local(tmp_path / "e2")).state is TargetState.MISSING
    (mount / "version.txt").unlink()
    assert library.mount(local(mount), ("__all__",), "version.txt", ()).sentinel is False
    _LIBC.umount2(os.fsencode(mount), _DETACH)
    assert not library.mount(local(mount), ("__all__",), "version.txt", ()).mounted


def test_a_dead_mount_is_trouble_and_no_missing_file(tmp_path):
    path = tmp_path / "dead"
    (tmp_path / "link").symlink_to(path / "x")
    with fuse(path) as descriptor:
        os.dup2(os.open("/dev/null", os.O_RDWR), descriptor)  # the program that answered is gone
        look = LocalLinkLibrary().target(local(tmp_path / "link"))
        mount = LocalLinkLibrary().mount(local(path), (), "", ())

    assert look.state is TargetState.TROUBLE
    assert "not connected" in look.trouble
    assert (mount.entries, "not connected" in mount.trouble) == (None, True)


_HANG = """
    import sys, threading
    from torrent_mover.adapters.links.library import LocalLinkLibrary
    from torrent_mover.domain.paths import LocalPath
    library = LocalLinkLibrary(patience=0.2)
    for _ in range(2):
        print(library.target(LocalPath(sys.argv[1])).trouble)
    print(library.mount(LocalPath(sys.argv[2]), ("__all__",), "version.txt", ()).trouble)
    print(list(library.walk(LocalPath(sys.argv[3]), lambda: False))[0].target)
"""


def test_a_hung_mount_blocks_nothing_and_the_process_ends(tmp_path):
    path, media = tmp_path / "hung", tmp_path / "media"
    media.mkdir()
    (media / "link").symlink_to(path / "x")
    with fuse(path):
        command = [sys.executable, "-c", textwrap.dedent(_HANG), str(media / "link"), str(path), str(media)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["it did not answer within 0.2 s"] * 3 + [str(path / "x")]


def test_a_link_is_made_changed_and_removed_only_as_it_was_seen(tmp_path):
    library, link = LocalLinkLibrary(), tmp_path / "a" / "b" / "link"

    library.place(local(link), "/mnt/zurg/one")
    assert not library.turn(local(link), "/mnt/zurg/other", "/mnt/zurg/two")
    assert library.turn(local(link), "/mnt/zurg/one", "/mnt/zurg/two")
    assert library.read(local(link)) == "/mnt/zurg/two"
    assert [each.name for each in link.parent.iterdir()] == ["link"]
    assert not library.unlink(local(link), "/mnt/zurg/one")
    assert library.unlink(local(link), "/mnt/zurg/two")
    assert not library.unlink(local(link), "/mnt/zurg/two")


def test_nothing_is_ever_overwritten_or_removed_that_is_no_link(tmp_path):
    file = tmp_path / "film.mkv"
    file.write_text("mine")

    with pytest.raises(NotWritable, match="something has that name"):
        LocalLinkLibrary().place(local(file), "/mnt/zurg/one")
    assert not LocalLinkLibrary().unlink(local(file), "/mnt/zurg/one")
    assert not LocalLinkLibrary().turn(local(file), "/mnt/zurg/one", "/mnt/zurg/two")
    assert file.read_text() == "mine"


def test_mounts_are_told_by_the_kernels_list(tmp_path):
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:5 / /mnt/my\\040zurg rw shared:1 - fuse.rclone zurg: rw\n"
        "3 1 0:6 / /data rw - ext4 /dev/sdb1 rw\n"
    )

    assert is_mounted("/mnt/my zurg", table)
    assert is_mounted("/mnt/my zurg/realdebrid", table)
    assert is_mounted("/data", table)
    assert not is_mounted("/data/zurg", table)
    assert not is_mounted("/mnt", table)


def test_a_kept_torrent_is_found_by_its_name_and_nothing_else_is_read(tmp_path):
    folder, torrent = TorrentFolder(tmp_path), InfoHash("3f2a" * 10)
    assert folder(torrent) is None
    (tmp_path / f"{torrent.hex.upper()}.torrent").write_bytes(b"upper")
    assert folder(torrent) == b"upper"
    os.mkfifo(tmp_path / f"{torrent.hex}.torrent")
    assert folder(torrent) == b"upper", "a pipe is passed by, and is not waited for"
    with (tmp_path / f"{torrent.hex.upper()}.torrent").open("wb") as file:
        file.truncate(33 << 20)
    assert folder(torrent) is None
    assert TorrentFolder(tmp_path / "away")(torrent) is None
