"""The circuit breaker of one server: after several failures in a row it is left alone for a while, then tried once more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.text import clock


class BreakerState(Enum):
    """Closed: work goes on. Open: the server is left alone. Half open: the next try decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row, and since when and until when the server is left alone.

    Times are Unix seconds, because a breaker outlives the run that opened it; 0 means never. A wall clock may be set back:
    a time before `opened_at` therefore counts as after the pause, so that no breaker stays open forever.

    Only what says something about the server should be counted (unreachable, connection lost, nonsense answered), never a
    refused login or what is wrong with one torrent. The caller decides.
    """

    failures: int = 0
    opened_at: float = 0.0
    open_until: float = 0.0

    def state(self, now: float) -> BreakerState:
        """Where it stands at `now`."""
        if not self.open_until:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.opened_at <= now < self.open_until else BreakerState.HALF_OPEN

    def allows(self, now: float) -> bool:
        """Whether the server may be tried at `now`."""
        return self.state(now) is not BreakerState.OPEN

    def open_for(self, now: float) -> float | None:
        """Seconds that it stays open; None where it is not."""
        return self.open_until - now if self.state(now) is BreakerState.OPEN else None

    def failed(self, now: float, failures_allowed: int, cooldown: float) -> Breaker:
        """The breaker after one more failure: open for `cooldown` seconds after `failures_allowed` in a row.

        Half open, one failure opens it again. Failures that come in while it is open (of tries that began before) do not
        lengthen the pause.
        """
        failures = self.failures + 1
        state = self.state(now)
        if state is BreakerState.OPEN:
            return Breaker(failures, self.opened_at, self.open_until)
        if state is BreakerState.HALF_OPEN or failures >= failures_allowed:
            return Breaker(failures, now, now + cooldown)
        return Breaker(failures)

    def succeeded(self) -> Breaker:
        """The breaker after something worked: closed, nothing counted."""
        return Breaker()

    def describe(self, now: float) -> str:
        """In words: `closed`, `closed, 2 failures in a row`, `open for 12:31 after 3 failures`, `half open`."""
        state = self.state(now)
        failures = f"{self.failures} failure{'' if self.failures == 1 else 's'}"
        if state is BreakerState.OPEN:
            return f"open for {clock(self.open_until - now)} after {failures}"
        if state is BreakerState.HALF_OPEN:
            return f"half open after {failures}: the next try decides"
        return f"closed, {failures} in a row" if self.failures else "closed"
