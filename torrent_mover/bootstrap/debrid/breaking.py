"""The breaker of a debrid server: one of the hub's, kept in the journal under the server's name."""

from __future__ import annotations

from collections.abc import Callable

from torrent_mover.domain.text import clock as duration
from torrent_mover.engine.hub.breakers import Breakers
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.journal import SharedRecords

FAILURES = 5
"""Requests in a row without a true answer after which a server is left alone."""


class DebridBreaker:
    """See adapters.debrid.gate.ServerBreaker. `cooldown` in seconds; `told` hears when it opens."""

    def __init__(
        self, journal: SharedRecords, clock: Clock, cooldown: float, server: str, told: Callable[[str], None]
    ) -> None:
        self._breakers = Breakers(journal, clock, FAILURES, cooldown)
        self._clock = clock
        self._cooldown = cooldown
        self._server = server
        self._told = told

    def open_for(self) -> float | None:
        """Seconds for which the server is left alone; None: it is not."""
        return self._breakers.of(self._server).open_for(self._clock.now())

    def failed(self, began: float) -> None:
        """A request that began then (monotonic seconds) got no true answer."""
        if self.open_for() is None and self._breakers.failed(self._server, began):
            self._told(f"{self._server} does not answer: it is left alone for {duration(self._cooldown)}.")

    def worked(self) -> None:
        """It answers."""
        self._breakers.worked(self._server)
