"""How many lanes (connections) a transfer uses: found while it runs, because no fixed number serves every link."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_SETTLING: Final = 0.2
"""Seconds that new lanes get to come up to speed before their rate counts."""

_WINDOW: Final = 0.4
_ENOUGH_TO_JUDGE: Final = 4 << 20
_LONGEST_WINDOW: Final = 2.0
"""A rate is believed after `_WINDOW` seconds in which so many bytes came; on slow lines, where it jumps, after the longest."""

_WORTH: Final = 0.15
"""Twice the lanes stay only if they raise the rate by this unusually high."""

_FALLEN: Final = 0.6
"""A rate below this share of what it was when the lanes were chosen puts the choice in doubt."""

_PAYS: Final = 1.5
"""Seconds of work that must be left for more connections to pay for being made."""

_FAR: Final = 0.02
_LANES_WHEN_FAR: Final = 4
_WORTH_A_LANE: Final = 8 << 20
"""To a server whose answers take so many seconds, so many lanes are there from the start, if so many bytes are left for each.

There one lane is held back by its window, or by every lost packet, for as long as finding that out would take; and on a line
that one lane fills, the others cost next to nothing (docs/benchmarks.md: far, lossy, narrow).
"""

_PROBE_AGAIN: Final = 2.0
_PROBE_AT_LEAST: Final = 60.0
_AFTER_A_LOSS: Final = 10.0
"""Seconds after which more lanes are tried again, because links change and rates jump: twice as long after each try in vain.

A server that took a connection away is left alone for longer."""


@dataclass(slots=True)
class LaneController:
    """Starts with one lane (some, to a far server), doubles as long as that clearly raises the rate, else goes back to the half.

    Feed it `observe(now, bytes so far, bytes left, lanes that have brought bytes)`; `wanted` says how many lanes there should
    be. `now` in monotonic seconds. `limit` and `round_trip` (seconds) may be changed at any time.
    """

    limit: int
    round_trip: float = 0.0
    wanted: int = 1
    _gives_all: bool = True  # until the server took a lane away
    _steady_from: float | None = None  # when the lanes will have come up to speed
    _since: tuple[float, int] | None = None  # when the window began, and the bytes at that moment
    _before: tuple[int, float] | None = None  # the lanes and the rate that this step is held against
    _settled_at: float | None = None
    _held_by_limit: bool = False
    _patience: float = _PROBE_AGAIN
    _expected: float | None = None  # the rate with the lanes that were chosen

    def observe(self, now: float, moved: int, left: int, working: int) -> int:
        """Take a look; returns the number of lanes wanted from now on."""
        if self.wanted > self.limit:
            self._settle(now, self.limit)
        self._start_far(left)
        rate = self._rate(now, moved, working)
        if self._may_grow(now):
            self._settled_at = None
        if rate is not None and self._settled_at is None:
            self._judge(rate, left, now)
        elif rate is not None:
            self._doubt(rate, left, now)
        return self.wanted

    def lost(self, now: float, remaining: int) -> None:
        """A lane could not be opened, or broke: be content with those that remain until it is time to try again."""
        self._gives_all = False
        self._settle(now, max(1, remaining))
        self._held_by_limit = False
        self._patience = min(max(2 * self._patience, _AFTER_A_LOSS), _PROBE_AT_LEAST)

    def _start_far(self, left: int) -> None:
        if self.round_trip < _FAR or not self._gives_all:
            return
        least = min(self.limit, _LANES_WHEN_FAR, left // _WORTH_A_LANE)
        if self.wanted < least:
            self.wanted = least
            self._before = self._settled_at = None
            self._start_over()

    def _may_grow(self, now: float) -> bool:
        if self._settled_at is None or self.wanted >= self.limit:
            return False
        return self._held_by_limit or now - self._settled_at >= self._patience

    def _rate(self, now: float, moved: int, working: int) -> float | None:
        """The rate of the present lanes, each time that enough was seen of it."""
        if working < self.wanted:
            self._start_over()
            return None
        if self._steady_from is None:
            self._steady_from = now + _SETTLING
        if self._since is None:
            self._since = (now, moved) if now >= self._steady_from else None
            return None
        elapsed, came = now - self._since[0], moved - self._since[1]
        if elapsed < _WINDOW or (came < _ENOUGH_TO_JUDGE and elapsed < _LONGEST_WINDOW):
            return None
        self._since = (now, moved)
        return came / elapsed

    def _judge(self, rate: float, left: int, now: float) -> None:
        if self._before is not None and rate < self._before[1] * (1 + _WORTH):
            self._patience = min(2 * self._patience, _PROBE_AT_LEAST)
            self._settle(now, *self._before)
        elif self.wanted >= self.limit or left < rate * _PAYS:
            self._settle(now, self.wanted, rate)
        else:
            self._settled_at = None
            self._before = (self.wanted, rate)
            self.wanted = min(2 * self.wanted, self.limit)
            self._start_over()

    def _doubt(self, rate: float, left: int, now: float) -> None:
        if self._expected is None or rate > self._expected:
            self._expected = rate
        elif rate < self._expected * _FALLEN and self.wanted < self.limit:
            self._patience = _PROBE_AGAIN
            self._judge(rate, left, now)

    def _settle(self, now: float, lanes: int, rate: float | None = None) -> None:
        self._held_by_limit = lanes >= self.limit
        if lanes != self.wanted:
            self._start_over()
        self.wanted = min(lanes, self.limit)
        self._settled_at = now
        self._expected = rate
        self._before = None

    def _start_over(self) -> None:
        self._steady_from = self._since = None


_PLACES: Final = itertools.count()


class LaneShare:
    """Divides `limit` lanes among the transfers that run at the same time; more transfers than lanes wait. Safe from any thread.

    `place`: its own among all shares, see `in_order`.
    """

    def __init__(self, limit: int) -> None:
        self.place: Final = next(_PLACES)
        self._limit = max(1, limit)
        self._changed = threading.Condition()
        self._transfers: list[object] = []

    @contextmanager
    def joined(self, waiting: Callable[[], None]) -> Iterator[Callable[[], int]]:
        """Count as one of those that share; gives how many lanes this one may use now, at least 1.

        `waiting` is called every second as long as there is no lane for it, and may raise to give up.
        """
        ticket = object()
        with self._changed:
            while len(self._transfers) >= self._limit:
                if not self._changed.wait(1.0):
                    waiting()
            self._transfers.append(ticket)
        try:
            yield lambda: self._share_of(ticket)
        finally:
            with self._changed:
                self._transfers.remove(ticket)
                self._changed.notify_all()

    def _share_of(self, ticket: object) -> int:
        with self._changed:
            each, rest = divmod(self._limit, len(self._transfers))
            return each + (self._transfers.index(ticket) < rest)


def in_order(shares: Iterable[LaneShare]) -> list[LaneShare]:
    """How a transfer joins several: all in one order, so that no two wait for each other, and one server at both ends once."""
    return sorted(set(shares), key=lambda share: share.place)
