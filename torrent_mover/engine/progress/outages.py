"""What the ends of attempts say about servers and disks: when a server is left alone, when a full disk holds the queue."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import ConnectionLost, DiskFull, DoesNotFit, MoverError, ServerError, Stalled
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.text import clock as clock_text
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.journal import Journal

_SAME_OUTAGE: Final = 10.0
"""Seconds after a counted failure in which another one is still the same trouble."""

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
    """One for a run. The breakers are in the journal and outlive it. Safe from any thread.

    `servers` as messages name them, the source first. Failures of attempts that ran side by side count once: a line that
    drops takes all of them with it, and says nothing about the next attempt.
    """

    def __init__(
        self, journal: Journal, clock: Clock, servers: Sequence[str], failures_allowed: int, cooldown: float
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._servers = tuple(servers)
        self._failures_allowed = failures_allowed
        self._cooldown = cooldown
        self._lock = threading.Lock()
        self._counted_at: dict[str, float] = {}
        self._full_in_a_row = 0
        self._full_hold: Hold | None = None

    def standing(self) -> Hold | None:
        """What an earlier run found out, or this one: the longest pause that a breaker asks for now."""
        now = self._clock.now()
        holds = []
        for server in self._servers:
            breaker = self._journal.breaker(server)
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
        opened = [server for server in self._named(error.what) if self._count(server, began)]
        return self.standing() if opened else None

    def worked(self) -> None:
        """Bytes came through, or a move ended well: both servers answer."""
        for server in self._servers:
            breaker = self._journal.breaker(server)
            if breaker.failures:
                with suppress(MoverError):
                    self._journal.save_breaker(server, breaker.succeeded())

    def has_room(self) -> None:
        """A move ended well: what is written there fits again."""
        with self._lock:
            self._full_in_a_row = 0

    def waiting_for_room(self) -> Hold | None:
        """The pause in which the queue waits for room on a full disk, where there is one now."""
        with self._lock:
            hold = self._full_hold
        return hold if hold is not None and self._clock.monotonic() < hold.until < _FOR_EVER else None

    def _named(self, text: str) -> list[str]:
        """The servers that the error speaks of; of `nas` and `nas:8080` only the longer one. None: it came from the source."""
        found = [server for server in self._servers if server in text]
        named = [server for server in found if not any(server in other for other in found if other != server)]
        return list(dict.fromkeys(named)) or [self._servers[0]]

    def _count(self, server: str, began: float) -> bool:
        """Count one failure, unless it belongs to one that was counted; whether the server is left alone now."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        with self._lock:
            counted_at = self._counted_at.get(server)
            if counted_at is not None and (began < counted_at or monotonic - counted_at < _SAME_OUTAGE):
                return False
            self._counted_at[server] = monotonic
            breaker = self._journal.breaker(server).failed(now, self._failures_allowed, self._cooldown)
            with suppress(MoverError):
                self._journal.save_breaker(server, breaker)
        return not breaker.allows(now)

    def _full(self, error: MoverError, began: float) -> Hold:
        now = self._clock.monotonic()
        with self._lock:
            if self._counted_at.get("", began) <= began:
                self._counted_at[""] = now
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
