"""Who has a journal open to write: a lock on its folder, shared by all of them, and held alone by whoever replaces the file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Final

_WAIT: Final = 10.0
"""Seconds for which a process that replaces the file is waited for: that takes an instant."""

_WAIT_ALONE: Final = 1.0
"""Seconds in which those let go that have met the same damage; whoever works with the file does not."""

_POLL: Final = 0.02


class Presence:
    """A shared flock(2) on the folder, from `enter` to `leave`; the kernel ends it with the process.

    On a file system that has no such locks it says nothing, and nobody is kept from anything.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def enter(self) -> None:
        """Be one of those who have it open. Raises BlockingIOError where somebody replaces it for too long."""
        try:
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return  # a folder that may be entered, and not read
        if not self._take(fcntl.LOCK_SH, _WAIT):
            self.leave()
            raise BlockingIOError(errno.EAGAIN, "another process is replacing it")

    def be_alone(self) -> bool:
        """Become the only one, if everybody else lets go at once; else nobody is kept out any more by this one."""
        return self._take(fcntl.LOCK_UN, 0.0) and self._take(fcntl.LOCK_EX, _WAIT_ALONE)

    def share(self) -> None:
        """Let others in again."""
        self._take(fcntl.LOCK_SH, 0.0)

    def leave(self) -> None:
        """It is closed here. Never raises."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _take(self, kind: int, seconds: float) -> bool:
        """Whether the lock was had in that time."""
        if self._descriptor is None:
            return True
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while True:
            try:
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                pause.wait(_POLL)
            except OSError:
                return True  # no such locks there
            else:
                return True
