"""Folders of a run in the temporary folder: for a secret on its way, a log, a list. What a killed run left is found and removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.process.this_user import home_folder

_PREFIX: Final = "torrent-mover-run-"
_OLD_ENOUGH: Final = 60.0
"""Seconds between the making of a folder and its lock, with room to spare."""


class Scratch:
    """A folder (0700) that is ours as long as this lives. The kernel lets go of its lock when we die, however we die."""

    def __init__(self, folder: str | None = None) -> None:
        self.path: Final = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):  # a file system without locks: then nobody clears up there, see `sweep`
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it with all that lies in it. Never raises."""
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def places() -> list[str]:
    """Where such folders may lie, the best first."""
    return [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), os.fspath(home_folder())]


def sweep(now: float | None = None) -> int:
    """Remove what killed runs of this user left, and say how many folders it were. Never raises.

    Only what is surely ours and surely nobody's any more: our name for it, our uid, closed to others, older than any that is
    just being made, and no living process holds its lock.
    """
    return sum(_cleared(path, time.time() if now is None else now) for path in _candidates())


def _candidates() -> Iterator[Path]:
    for place in dict.fromkeys(filter(None, places())):
        with suppress(OSError):
            yield from Path(place).glob(f"{_PREFIX}*")


def _cleared(path: Path, now: float) -> bool:
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
            return False
        if now - found.st_mtime < _OLD_ENOUGH:
            return False
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # somebody holds it, or it cannot be known
        return False
    finally:
        os.close(folder)
    return True
