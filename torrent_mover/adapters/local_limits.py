"""What this machine allows: the largest file of a folder's file system, and how many files this process may have open."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from torrent_mover.domain.file_trouble import FAT_LARGEST

_MOUNTS: Final = Path("/proc/self/mountinfo")
_MANY_FILES: Final = 65_536
"""Some programs close every number up to the limit when they start: millions of them take seconds."""

_FAT: Final = ("vfat", "msdos", "umsdos")
_NOT_SPARSE: Final = ("exfat", "hfs", "hfsplus")
"""Types that take any size and write every byte of an empty file: there trying would take minutes."""


def largest_file(folder: int) -> int | None:
    """Bytes of the largest file that this process can make in the folder of this descriptor; None where it is not told.

    Raises OSError.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    ours = sys.maxsize if limit == resource.RLIM_INFINITY else limit
    kind = _kind(os.fstat(folder).st_dev)
    if kind in _FAT:
        return min(FAT_LARGEST, ours)
    return ours if kind in _NOT_SPARSE or ours < sys.maxsize else None


def raise_open_files() -> None:
    """Raise this process's soft limit of open files to what it is allowed, up to a number that harms no program it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_files() -> int:
    """How many files this process may have open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _kind(device: int) -> str:
    """The type of the file system with this device number (proc(5), mountinfo); empty where none is mounted under it."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        mount, _, source = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) > 2 and fields[2] == wanted:  # noqa: PLR2004  the third field is the device
            return source.partition(" ")[0]
    return ""
