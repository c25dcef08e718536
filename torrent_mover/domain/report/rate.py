"""Speeds from a counter of bytes: smoothed, over a minute, over all, at the peak, second by second; and what they promise."""

from __future__ import annotations

from collections import deque
from typing import Final

HALF_LIFE: Final = 5.0
"""Seconds after which an old speed counts half in the smoothed one."""

MINUTE: Final = 60

KEPT_SECONDS: Final = 3600
"""How many seconds the graph can look back."""


class Meter:
    """Watches one counter that only grows. Not for use by two threads at once; it has no clock: every call takes `now`.

    Bytes, seconds on a monotonic clock, bytes/s. Cheap: a reading costs a microsecond, and readings may come at any
    interval; what grew between two of them is spread evenly over that time. It remembers the last `kept` seconds, 32 bytes each.
    """

    def __init__(self, now: float, total: int = 0, kept: int = KEPT_SECONDS) -> None:
        self._started_at = now
        self._start_total = total
        self._read_at = now
        self._total = total
        self._grew_at = now
        self._smooth = 0.0
        self._weight = 0.0  # how much of the smoothed speed is filled: corrects the slow start from zero
        self._kept = kept
        self._seconds: deque[float] = deque(maxlen=kept)
        self._current = 0.0  # bytes of the second that is not over
        self._peak = 0.0

    def read(self, total: int, now: float) -> None:
        """The counter stands at `total`. Of two readings at one instant the first counts, and the next one takes up the rest."""
        grown = max(total - self._total, 0)
        elapsed = now - self._read_at
        if elapsed <= 0:
            return
        if grown:
            self._grew_at = now
        keep = 0.5 ** (elapsed / HALF_LIFE)
        self._smooth = keep * self._smooth + (1 - keep) * (grown / elapsed)
        self._weight = keep * self._weight + (1 - keep)
        self._fill_seconds(grown / elapsed, now)
        self._total += grown
        self._read_at = now

    def _fill_seconds(self, speed: float, now: float) -> None:
        at = self._read_at - self._started_at
        end = now - self._started_at
        if end - at > self._kept:  # nobody looked for so long: older seconds would fall out anyway
            at = float(int(end - self._kept))
            self._current = 0.0
        while int(at) < int(end):
            following = float(int(at) + 1)
            self._close_second(self._current + speed * (following - at))
            at = following
        self._current += speed * (end - at)

    def _close_second(self, count: float) -> None:
        self._seconds.append(count)
        self._peak = max(self._peak, count)
        self._current = 0.0

    @property
    def now(self) -> float:
        """The smoothed speed at the last reading."""
        return self._smooth / self._weight if self._weight else 0.0

    @property
    def minute(self) -> float:
        """The mean of the last sixty whole seconds (fewer at the beginning); before the first one, the smoothed speed."""
        return self.recent(MINUTE)

    def recent(self, last: float) -> float:
        """The mean of the last so many whole seconds, at least one; before the first one is over, the smoothed speed."""
        if not self._seconds:
            return self.now
        count = min(len(self._seconds), max(1, int(last)))
        return sum(self._seconds[-index] for index in range(1, count + 1)) / count

    @property
    def average(self) -> float:
        """The mean since the beginning."""
        elapsed = self._read_at - self._started_at
        return (self._total - self._start_total) / elapsed if elapsed > 0 else 0.0

    @property
    def peak(self) -> float:
        """The best whole second so far."""
        return self._peak

    @property
    def age(self) -> float:
        """Seconds between the beginning and the last reading: an ETA is only a guess while this is small."""
        return self._read_at - self._started_at

    def samples(self, last: int = 600) -> tuple[float, ...]:
        """Bytes of each of the last whole seconds, oldest first."""
        seconds = tuple(self._seconds)
        return seconds[-last:] if last < len(seconds) else seconds

    def stalled_for(self, now: float) -> float:
        """Seconds since the counter last grew."""
        return max(now - self._grew_at, 0.0)


def eta(remaining: float, speed: float) -> float | None:
    """Seconds that `remaining` bytes take; None where the speed says nothing (below one byte a second)."""
    if remaining <= 0:
        return 0.0
    return remaining / speed if speed >= 1 else None
