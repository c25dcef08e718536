"""Walks folders by descriptor, one step at a time, never through a symbolic link; and renames without ever replacing."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local.errors import disk_gone, in_the_way, no_root
from torrent_mover.domain.paths import RelativePath

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_RENAME_NOREPLACE: Final = 1
"""linux/fs.h."""

_NOTHING: Final = ctypes.c_int64(0)
_TO_THE_END: Final = ctypes.c_int64(0)
_ONLY_WAIT: Final = ctypes.c_uint(1)
"""SYNC_FILE_RANGE_WAIT_BEFORE, linux/fs.h: wait for what is being written, and say what could not be."""

_DEFAULT_ACL: Final = "system.posix_acl_default"

_NOT_THERE: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTTY, errno.EOPNOTSUPP)
_NO_HARD_LINKS: Final = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_libc = ctypes.CDLL(None, use_errno=True)


def raw(part: str) -> bytes:
    """A name as the kernel takes it."""
    return part.encode("utf-8", "surrogateescape")


class Root:
    """The folder that nothing may leave, which itself may be a link; the disk on which it was found first is remembered.

    Where a disk is unmounted, the folder on which it was mounted shows instead, empty: nothing may be read from that, nor
    written to it. Another disk that is mounted there is taken for a new one.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._device: int | None = None
        self._beneath: frozenset[int] = frozenset()

    def open(self) -> int:
        """A descriptor of it. Raises NotWritable where it is missing, or its disk is."""
        try:
            at = os.open(self.path, _FOLDER)
        except FileNotFoundError as error:
            raise no_root(self.path) from error
        device = os.fstat(at).st_dev
        if device != self._device:
            if device in self._beneath:
                os.close(at)
                raise disk_gone(self.path)
            self._device, self._beneath = device, frozenset(self._devices_above()) - {device}
        return at

    def _devices_above(self) -> Iterator[int]:
        """Of all folders above it, as it is called and as it really lies."""
        for folder in {*self.path.absolute().parents, *self.path.resolve().parents}:
            with suppress(OSError):
                yield folder.stat().st_dev


@contextmanager
def open_folder(root: Root, path: RelativePath, *, make_mode: int | None = None) -> Iterator[int]:
    """A descriptor of the folder at `path` below `root`, for calls that take a dir_fd.

    With `make_mode`, missing folders are made. Raises Collision for a link or file on the way, NotWritable for a missing
    root, FileNotFoundError for a missing folder, and other OSErrors as they come.
    """
    at = walk(root, path, make_mode)
    try:
        yield at
    finally:
        os.close(at)


def walk(root: Root, path: RelativePath, make_mode: int | None = None) -> int:
    """As open_folder, for a caller that closes the descriptor itself."""
    at = root.open()
    try:
        for depth, part in enumerate(path.parts):
            try:
                following = _step(at, raw(part), make_mode)
            except NotADirectoryError as error:
                raise _not_a_folder(at, raw(part), root.path.joinpath(*path.parts[: depth + 1])) from error
            os.close(at)
            at = following
    except BaseException:
        os.close(at)
        raise
    return at


def _step(at: int, part: bytes, make_mode: int | None) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    except FileNotFoundError:
        if make_mode is None:
            raise
    with suppress(FileExistsError):  # somebody was faster: what matters is what lies there now
        os.mkdir(part, make_mode, dir_fd=at)
    return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)


def _not_a_folder(at: int, part: bytes, shown: Path) -> Exception:
    if stat.S_ISLNK(os.stat(part, dir_fd=at, follow_symlinks=False).st_mode):
        return in_the_way(shown, "a symbolic link, where a folder must be")
    return NotAFolder(shown)


class NotAFolder(NotADirectoryError):
    """A file lies where the way goes on: nothing can lie below it."""

    def __init__(self, shown: Path) -> None:
        super().__init__(errno.ENOTDIR, "a file, where a folder must be", str(shown))


def rename_without_replacing(old_at: int, old: str, new_at: int, new: str) -> None:
    """Move an entry, atomically where kernel and file system can. Raises FileExistsError where `new` is taken."""
    if _renameat2(old_at, raw(old), new_at, raw(new)):
        return
    if not stat.S_ISDIR(os.stat(raw(old), dir_fd=old_at, follow_symlinks=False).st_mode) and _relink(
        old_at, raw(old), new_at, raw(new)
    ):
        return
    # Neither renameat2 nor hard links (FAT, some FUSE): what is left is to look first.
    try:
        os.stat(raw(new), dir_fd=new_at, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(raw(old), raw(new), src_dir_fd=old_at, dst_dir_fd=new_at)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)


def resemble(folder: int, example: int) -> bool:
    """See ports.filesystem.FileSystem.resemble; both as descriptors. Raises OSError where it cannot look."""
    path, ours, theirs = f"/proc/self/fd/{folder}", os.fstat(folder), os.fstat(example)
    inherits = theirs.st_mode & stat.S_ISGID
    try:
        if inherits and ours.st_gid != theirs.st_gid:
            os.chown(path, -1, theirs.st_gid)
        if inherits != ours.st_mode & stat.S_ISGID:
            Path(path).chmod(stat.S_IMODE(ours.st_mode) & ~stat.S_ISGID | inherits)
        wanted = _default_acl(example)
        if wanted is not None and wanted != _default_acl(folder):
            os.setxattr(path, _DEFAULT_ACL, wanted)
        elif wanted is None and _default_acl(folder) is not None:
            os.removexattr(path, _DEFAULT_ACL)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP):
            return False
        raise
    return os.fstat(folder).st_mode & stat.S_ISGID == inherits  # the kernel drops the bit of a group that is not ours


def _default_acl(folder: int) -> bytes | None:
    """What is made in the folder gets it (acl(5)), as the kernel keeps it; None where there is none."""
    try:
        return os.getxattr(f"/proc/self/fd/{folder}", _DEFAULT_ACL)
    except OSError:
        return None


def sync_device(folder: int) -> bool:
    """Bring all that the file system of this folder holds to stable storage (syncfs(2)). False where libc does not know it.

    What it could not write it tells the first who asks, before Linux 5.8 nobody: `was_written` tells it of each file.
    """
    if not (hasattr(_libc, "syncfs") and hasattr(_libc, "sync_file_range")):
        return False
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
    return True


def was_written(folder: int, name: bytes) -> None:
    """Raises OSError where something of a file could not be written since anybody was told of it.

    By sync_file_range(2), which only waits here: it costs no flush of the disk, as fsync does for each file.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if _libc.sync_file_range(descriptor, _NOTHING, _TO_THE_END, _ONLY_WAIT) != 0:
            number = ctypes.get_errno()
            if number not in _NOT_THERE and number != errno.ESPIPE:
                raise OSError(number, os.strerror(number))
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _renameat2(old_at: int, old: bytes, new_at: int, new: bytes) -> bool:
    """Whether it was done; False where kernel, libc or file system do not know it (rename(2))."""
    if not hasattr(_libc, "renameat2"):
        return False
    if _libc.renameat2(old_at, old, new_at, new, _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_THERE:
        return False
    raise OSError(number, os.strerror(number), os.fsdecode(new))


def _relink(old_at: int, old: bytes, new_at: int, new: bytes) -> bool:
    try:
        os.link(old, new, src_dir_fd=old_at, dst_dir_fd=new_at, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            return False
        raise
    os.unlink(old, dir_fd=old_at)
    return True
