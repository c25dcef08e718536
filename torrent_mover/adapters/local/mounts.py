"""On which mounted disk a folder of this machine lies: proc(5), mountinfo."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_TABLE: Final = Path("/proc/self/mountinfo")
_MOUNT_POINT: Final = 4
"""The fifth field of a line."""
_ESCAPED: Final = re.compile(rb"\\([0-7]{3})")


def mount_point(folder: Path, table: Path = _TABLE) -> Path | None:
    """The folder on which the file system of `folder` is mounted, links followed; None where this machine does not tell."""
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        return None
    mounted = {_unescaped(fields[_MOUNT_POINT]) for line in lines if len(fields := line.split(b" ")) > _MOUNT_POINT}
    real = Path(os.path.realpath(folder))
    return next((each for each in (real, *real.parents) if os.fsencode(each) in mounted), None)


def _unescaped(path: bytes) -> bytes:
    """Blanks, line breaks and backslashes stand there in octal."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), path)
