"""The breakers of all servers, by name: one object a process, so that routes over one server count its failures together."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.errors import MoverError
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.journal import SharedRecords

_SAME_OUTAGE: Final = 10.0
"""Seconds after a counted failure in which another one is still the same trouble."""


class Breakers:
    """They are in the journal and outlive the process; each look reads them there. Safe from any thread.

    Failures of attempts that ran side by side count once: a line that drops takes all of them with it, and says nothing about
    the next attempt. `cooldown` in seconds.
    """

    def __init__(self, journal: SharedRecords, clock: Clock, failures_allowed: int, cooldown: float) -> None:
        self._journal = journal
        self._clock = clock
        self._failures_allowed = failures_allowed
        self._cooldown = cooldown
        self._lock = threading.Lock()
        self._counted_at: dict[str, float] = {}

    def of(self, server: str) -> Breaker:
        """The breaker of one server now."""
        return self._journal.breaker(server)

    def failed(self, server: str, began: float) -> bool:
        """An attempt that began at `began` (monotonic) failed by it; whether that opened its breaker.

        Not counted where it belongs to a failure that was.
        """
        monotonic, now = self._clock.monotonic(), self._clock.now()
        with self._lock:
            counted_at = self._counted_at.get(server)
            if counted_at is not None and (began < counted_at or monotonic - counted_at < _SAME_OUTAGE):
                return False
            self._counted_at[server] = monotonic
            breaker = self.of(server).failed(now, self._failures_allowed, self._cooldown)
            with suppress(MoverError):
                self._journal.save_breaker(server, breaker)
        return not breaker.allows(now)

    def worked(self, server: str) -> None:
        """It answers."""
        breaker = self.of(server)
        if breaker.failures:
            with suppress(MoverError):
                self._journal.save_breaker(server, breaker.succeeded())
