"""The requests of one token in the last minute, of all processes of a user together: a small file that each of them locks."""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from torrent_mover.adapters.lockfile import open_lock
from torrent_mover.domain.debrid.limiter import LONGEST_PAUSE
from torrent_mover.domain.errors import NotWritable
from torrent_mover.ports.clock import Clock

_MOST: Final = 1024
_FORMAT: Final = f"<{1 + _MOST}d"
"""Until when the service is left alone, then when each request went out (Unix seconds); 0: none."""

_SHORTEST: Final = 0.02


def window_path(folder: Path, service: str, token: str, lane: str = "") -> Path:
    """Where the window of a token lies. The name tells nothing of the token."""
    digest = hashlib.sha256(f"{service}\0{token}\0{lane}".encode("utf-8", "surrogateescape")).hexdigest()
    return folder / f"debrid-window-{digest[:16]}.lock"


class SharedWindow:
    """At most `most` requests in any `seconds`, whichever process sends them. Safe from any thread and process.

    `counts` False: others are heeded, and nothing is written. A clock that was set back empties it. Raises NotWritable.
    """

    def __init__(self, path: Path, most: int, seconds: float, clock: Clock, *, counts: bool = True) -> None:
        self._path = path
        self._most = min(most, _MOST)
        self._seconds = seconds
        self._clock = clock
        self._counts = counts

    def take(self, ask: Callable[[], float]) -> float:
        """What `ask` says where there is room, counted if that is 0; else the seconds until there is room."""
        with self._held() as file:
            closed, times = self._read(file)
            now = self._clock.now()
            times = sorted(each for each in times if now - self._seconds < each <= now)
            if len(times) >= self._most:
                return max(times[-self._most] + self._seconds - now, _SHORTEST)
            wait = ask()
            if wait <= 0:
                self._write(file, closed, [*times, now])
            return wait

    def closed_until(self) -> float:
        """Until when one of them was told to leave the service alone (Unix seconds); 0: nobody was."""
        with self._held() as file:
            closed, now = self._read(file)[0], self._clock.now()
        return closed if now < closed <= now + LONGEST_PAUSE else 0.0

    def close(self, until: float) -> None:
        """One was told to leave it alone until then (Unix seconds)."""
        with self._held() as file:
            self._write(file, until, self._read(file)[1])

    @contextmanager
    def _held(self) -> Iterator[int | None]:
        """The file, locked; None where there is none, and none may be made."""
        if self._counts:
            file = open_lock(self._path)
        else:
            try:
                file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:
                yield None
                return
        try:
            fcntl.flock(file, fcntl.LOCK_EX if self._counts else fcntl.LOCK_SH)
            yield file
        except OSError as error:
            raise NotWritable(
                f"The file {self._path} cannot be used: {error.strerror}.",
                kept="Nothing was asked.",
                remedy="Is its disk full? It counts the requests of all processes with one token.",
            ) from error
        finally:
            os.close(file)

    def _read(self, file: int | None) -> tuple[float, list[float]]:
        data = os.pread(file, struct.calcsize(_FORMAT), 0) if file is not None else b""
        if len(data) != struct.calcsize(_FORMAT):
            return 0.0, []
        closed, *times = struct.unpack(_FORMAT, data)
        return closed, times

    def _write(self, file: int | None, closed: float, times: list[float]) -> None:
        if file is not None and self._counts:
            kept = [each for each in times if each > 0][-_MOST:]
            os.pwrite(file, struct.pack(_FORMAT, closed, *kept, *[0.0] * (_MOST - len(kept))), 0)
