"""Where strategies report: counts into the ledger, keeps the limits, gives signs of life, and ends a transfer when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from torrent_mover.engine.progress.board import Flow, Track
from torrent_mover.ports.clock import Clock

_BURST: Final = 0.25
"""Seconds of the limit that may go at once: small enough to hold within 5 % over ten seconds."""


class Throttle:
    """One token bucket for each direction, shared by all workers. Limits in bytes/s; None: none. Safe from any thread."""

    def __init__(
        self, clock: Clock, limit: Callable[[Flow], float | None], paused: Callable[[], bool] = lambda: False
    ) -> None:
        """`paused`: whether nothing may move now; whoever hands out moves asks for it."""
        self._clock = clock
        self._limit = limit
        self._paused = paused
        self._lock = threading.Lock()
        self._free_at: dict[Flow, float] = {}
        self.totals: dict[Flow, int] = dict.fromkeys(Flow, 0)

    def for_route(self, clock: Clock) -> Throttle:
        """The same buckets and totals for one route: its own clock ends its waits, and nobody else's."""
        other = Throttle(clock, self._limit, self._paused)
        other._lock, other._free_at, other.totals = self._lock, self._free_at, self.totals
        return other

    @property
    def paused(self) -> bool:
        """Whether nothing may move now."""
        return self._paused()

    def limit(self, flow: Flow) -> float | None:
        """The limit that holds now."""
        return self._limit(flow)

    def take(self, flows: Iterable[Flow], count: int) -> None:
        """Account for `count` bytes; waits as long as the limits ask for. Raises Cancelled when the run is stopped."""
        now = self._clock.monotonic()
        wait = 0.0
        with self._lock:
            for flow in flows:
                self.totals[flow] += count
                limit = self._limit(flow)
                if limit:
                    start = max(self._free_at.get(flow, 0.0), now - _BURST)
                    self._free_at[flow] = start + count / limit
                    wait = max(wait, self._free_at[flow] - now)
        if wait > 0:
            self._clock.wait(wait)


class MoveSink:
    """The Sink of one move."""

    def __init__(self, track: Track, throttle: Throttle, landed: Callable[[int], None]) -> None:
        self._track = track
        self._throttle = throttle
        self._landed = landed

    def advance(self, count: int, leg: int = 0) -> None:
        """See ports.strategy.Sink."""
        self._track.check()
        self._track.ledger.advance(count, leg)
        self._track.byte()
        self._throttle.take(self._track.legs.flows[leg], count)

    def reuse(self, count: int, leg: int = 0) -> None:
        """See ports.strategy.Sink."""
        self._track.check()
        self._track.ledger.reuse(count, leg)
        self._track.sign()

    def beat(self, doing: str) -> None:
        """See ports.strategy.Sink."""
        self._track.check()
        self._track.sign(doing)

    def landed(self, piece: int) -> None:
        """See ports.strategy.Sink."""
        self._landed(piece)
        self._track.check()

    def working_on(self, file: int, done: int) -> None:
        """See ports.strategy.Sink."""
        self._track.files_done[file] = done

    def on_abort(self, act: Callable[[], None]) -> Callable[[], None]:
        """See ports.strategy.Sink."""
        return self._track.on_abort(act)
