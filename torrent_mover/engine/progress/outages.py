"""What the ends of attempts say about servers and disks: when a server is left alone, when a full disk holds the queue."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import ConnectionLost, DiskFull, DoesNotFit, MoverError, ServerError, Stalled
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.text import clock as clock_text
from torrent_mover.engine.hub.breakers import Breakers
from torrent_mover.ports.clock import Clock

_FOR_EVER: Final = float("inf")
_FULL: Final = Backoff(base=30.0, cap=300.0, jitter=0.0, attempts=5)
"""Waits for room: 30 s, 1, 2, 4 minutes; then what waits is left for the next run."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing that waits may begin before `until` (monotonic seconds); inf: it is not begun in this run at all.

    `full`: a disk has no room; else a server is left alone.
    """

    until: float
    why: str
    full: bool = False


class Outages:
    """One for a run or a route. Safe from any thread.

    `servers`: those that its moves need, by the names that errors carry, what bytes come from first.
    """

    def __init__(self, breakers: Breakers, clock: Clock, servers: Sequence[str]) -> None:
        self._breakers = breakers
        self._clock = clock
        self._servers = tuple(dict.fromkeys(servers))
        self._lock = threading.Lock()
        self._full_since = float("-inf")
        self._full_in_a_row = 0
        self._full_hold: Hold | None = None

    def standing(self) -> Hold | None:
        """What an earlier run found out, or this one: the longest pause that a breaker asks for now."""
        now = self._clock.now()
        holds = []
        for server in self._servers:
            breaker = self._breakers.of(server)
            open_for = breaker.open_for(now)
            if open_for:
                why = f"{server} is left alone for {clock_text(open_for)} after {breaker.failures} failures in a row"
                holds.append(Hold(self._clock.monotonic() + open_for, why))
        return max(holds, key=lambda hold: hold.until, default=None)

    def failed(self, error: MoverError, began: float, *, progressed: bool) -> Hold | None:
        """An attempt that began at `began` (monotonic) ended so; `progressed`: bytes came through. Returns a new pause."""
        if is_full(error):
            return self._full(error, began)
        if progressed:
            self.worked()
            return None
        if not isinstance(error, ServerError | ConnectionLost | Stalled):
            return None
        # One that is about no server that it knows (nothing came for too long) is laid to where bytes come from.
        server = error.server or self._servers[0]
        with self._lock:
            if server not in self._servers:  # on the way to one of them: a tunnel leads through it
                self._servers = (*self._servers, server)
        return self.standing() if self._breakers.failed(server, began) else None

    def worked(self) -> None:
        """Bytes came through, or a move ended well: all its servers answer."""
        for server in self._servers:
            self._breakers.worked(server)

    def has_room(self) -> None:
        """A move ended well: what is written there fits again."""
        with self._lock:
            self._full_in_a_row = 0

    def waiting_for_room(self) -> Hold | None:
        """The pause in which the queue waits for room on a full disk, where there is one now."""
        with self._lock:
            hold = self._full_hold
        return hold if hold is not None and self._clock.monotonic() < hold.until < _FOR_EVER else None

    def _full(self, error: MoverError, began: float) -> Hold:
        now = self._clock.monotonic()
        with self._lock:
            if self._full_since <= began:
                self._full_since = now
                self._full_in_a_row += 1
            times = self._full_in_a_row
        if times >= _FULL.attempts:
            return Hold(_FOR_EVER, f"no space was freed in time: {error.what}", full=True)
        delay = _FULL.delay(times, 0.5)
        hold = Hold(now + delay, f"no new torrent starts for {clock_text(delay)}: {error.what}", full=True)
        with self._lock:
            self._full_hold = hold
        return hold


def is_full(error: MoverError) -> bool:
    """Whether a write found no room: that concerns all moves. One that was seen not to fit before concerns itself alone."""
    return isinstance(error, DiskFull) and not isinstance(error, DoesNotFit)
