"""One file made from another one on this machine: its blocks shared where the file system can (reflink), else copied."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_FICLONE: Final = 0x40049409
"""ioctl_ficlone(2); linux/fs.h. Not in Python's fcntl."""

_NEW_FILE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE: Final = 0o666
_CHUNK: Final = 16 << 20
_CANNOT: Final = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ETXTBSY)
"""How a kernel or a file system says that it has no such call, or not for these two files."""


def clone(source: int, folder: int, name: bytes) -> bool:
    """Make `name` in `folder` (a descriptor) with the blocks of `source`. False where that cannot be: then nothing is made.

    Raises OSError, FileExistsError where something has the name.
    """
    with _new(folder, name) as target:
        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            os.unlink(name, dir_fd=folder)
            return False
    return True


def copy(source: int, folder: int, name: bytes, progress: Callable[[int], None]) -> None:
    """Make `name` in `folder` with the bytes of `source`; what is half made is removed. Raises OSError, as `clone`."""
    size, done = os.fstat(source).st_size, 0
    with _new(folder, name) as target:
        while done < size:
            count = _some(source, target, done, min(_CHUNK, size - done))
            if not count:
                raise OSError(errno.EIO, "the file became shorter while it was copied")
            done += count
            progress(count)


def _some(source: int, target: int, offset: int, count: int) -> int:
    """Copy some bytes within the kernel; where two file systems cannot do that together, through a pipe of its own."""
    try:
        return os.copy_file_range(source, target, count, offset, offset)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    os.lseek(target, offset, os.SEEK_SET)
    return os.sendfile(target, source, offset, count)


@contextmanager
def _new(folder: int, name: bytes) -> Iterator[int]:
    descriptor = os.open(name, _NEW_FILE, _FILE_MODE, dir_fd=folder)
    try:
        yield descriptor
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)
