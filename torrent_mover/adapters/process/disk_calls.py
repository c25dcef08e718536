"""System calls about disks that Python lacks: a thread that reads and writes only when nobody else does, and syncfs(2)."""

from __future__ import annotations

import ctypes
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Final

_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30, "armv7l": 314, "i686": 289}
"""System call numbers of ioprio_set(2) by machine."""

_THIS_THREAD: Final = (1, 0)  # IOPRIO_WHO_PROCESS, the calling thread
_IDLE: Final = 3 << 13  # IOPRIO_CLASS_IDLE


def yield_disks() -> None:
    """Put the calling thread into the idle I/O class. Where the system has none, nothing changes; never raises."""
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).syscall(number, *_THIS_THREAD, _IDLE)


def sync_file_system(folder: Path) -> None:
    """Bring all changes of the file system that holds `folder` to its disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
