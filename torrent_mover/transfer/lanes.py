"""How many lanes (connections) a transfer uses: found while it runs, because no fixed number serves every link."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

_WINDOW: Final = 0.5
"""Seconds over which a rate is taken before it is believed."""

_WORTH: Final = 0.12
"""A lane stays only if it raises the rate by this much."""

_PROBE_AGAIN: Final = 20.0
"""Seconds after which one more lane is tried again: links change."""


@dataclass(slots=True)
class LaneController:
    """Starts with one lane, adds one while that clearly raises the rate, drops back when it does not.

    Feed it `observe(now, total bytes so far)`; `wanted` says how many lanes there should be. `now` in monotonic seconds.
    """

    limit: int
    wanted: int = 1
    _since: float | None = None
    _bytes: int = 0
    _rates: dict[int, float] = field(default_factory=dict)
    _settled_at: float | None = None

    def observe(self, now: float, total: int) -> int:
        """Take a look; returns the number of lanes wanted from now on."""
        if self._since is None:
            self._restart(now, total)
            return self.wanted
        elapsed = now - self._since
        if elapsed < _WINDOW or total == self._bytes:
            return self.wanted
        rate = (total - self._bytes) / elapsed
        if self._settled_at is None:
            self._climb(rate, now)
            self._restart(now, total)
        elif now - self._settled_at >= _PROBE_AGAIN:
            self._rates = {self.wanted: rate}
            self._settled_at = None
            self._step_up(now)
            self._restart(now, total)
        return self.wanted

    def _restart(self, now: float, total: int) -> None:
        self._since, self._bytes = now, total

    def _climb(self, rate: float, now: float) -> None:
        self._rates[self.wanted] = rate
        before = self._rates.get(self.wanted - 1)
        if before is not None and rate < before * (1 + _WORTH):
            self.wanted -= 1
            self._settled_at = now
        else:
            self._step_up(now)

    def _step_up(self, now: float) -> None:
        if self.wanted < self.limit:
            self.wanted += 1
        else:
            self._settled_at = now


class LaneShare:
    """Divides `limit` lanes evenly among the transfers that run at the same time. Safe from any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._transfers = 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Count as one of those that share."""
        with self._lock:
            self._transfers += 1
        try:
            yield
        finally:
            with self._lock:
                self._transfers -= 1

    def each(self) -> int:
        """Lanes that one transfer may use now: at least one."""
        return max(1, self._limit // max(1, self._transfers))
