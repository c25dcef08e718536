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

from torrent_mover.adapters.local_errors import in_the_way, no_root
from torrent_mover.domain.paths import RelativePath

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_RENAME_NOREPLACE: Final = 1
"""linux/fs.h."""

_NOT_THERE: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTTY, errno.EOPNOTSUPP)
_NO_HARD_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_libc = ctypes.CDLL(None, use_errno=True)


def raw(part: str) -> bytes:
    """A name as the kernel takes it."""
    return part.encode("utf-8", "surrogateescape")


@contextmanager
def open_root(root: Path) -> Iterator[int]:
    """A descriptor of the root, which itself may be a link. Raises NotWritable where it is missing."""
    try:
        descriptor = os.open(root, _FOLDER)
    except FileNotFoundError as error:
        raise no_root(root) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_folder(root: Path, path: RelativePath, *, make_mode: int | None = None) -> Iterator[int]:
    """A descriptor of the folder at `path` below `root`, for calls that take a dir_fd.

    With `make_mode`, missing folders are made. Raises Collision for a link or file on the way, NotWritable for a missing
    root, FileNotFoundError for a missing folder, and other OSErrors as they come.
    """
    with open_root(root) as top:
        at = os.dup(top)
        try:
            for depth, part in enumerate(path.parts):
                following = _step(at, part, root / Path(*path.parts[: depth + 1]), make_mode)
                os.close(at)
                at = following
            yield at
        finally:
            os.close(at)


def _step(at: int, part: str, shown: Path, make_mode: int | None) -> int:
    try:
        return _enter(at, part, shown)
    except FileNotFoundError:
        if make_mode is None:
            raise
    with suppress(FileExistsError):  # somebody was faster: what matters is what lies there now
        os.mkdir(raw(part), make_mode, dir_fd=at)
    return _enter(at, part, shown)


def _enter(at: int, part: str, shown: Path) -> int:
    try:
        return os.open(raw(part), _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    except NotADirectoryError as error:
        mode = os.stat(raw(part), dir_fd=at, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise in_the_way(shown, "a symbolic link, where a folder must be") from error
        raise NotAFolder(shown) from error


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
