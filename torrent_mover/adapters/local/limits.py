"""What this machine allows: the largest file of a folder's file system."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Final

from torrent_mover.domain.file_trouble import FAT_LARGEST

_MOUNTS: Final = Path("/proc/self/mountinfo")
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
