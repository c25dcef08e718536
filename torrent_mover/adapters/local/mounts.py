"""On which disk a folder of this machine lies: where its file system begins."""

from __future__ import annotations

import os
from pathlib import Path


def mount_point(folder: Path) -> Path | None:
    """The highest folder above on the same file system, links followed; None where that cannot be seen.

    A folder that does not exist lies where the nearest one above it does. By device numbers (stat(2), st_dev) and not by the
    table of mounts: a service manager mounts each folder that a unit may write to onto itself, whatever lies there.
    """
    at = Path(os.path.realpath(folder))
    while not at.exists() and at != at.parent:
        at = at.parent
    try:
        device = at.stat().st_dev
        while at != at.parent and at.parent.stat().st_dev == device:
            at = at.parent
    except OSError:
        return None
    return at
