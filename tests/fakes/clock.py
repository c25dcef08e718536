"""A clock that stands still until a test moves it; a wait moves it too, so nothing ever really waits."""

from __future__ import annotations

import threading

from torrent_mover.domain.errors import Cancelled


class FakeClock:
    """Wall and monotonic time go together. `waits` holds the seconds of every wait; after `stop`, waits raise Cancelled.

    With `blocking`, a wait returns only when `advance` (called by another thread) has brought its end.
    """

    def __init__(self, now: float = 1_795_143_663.0, monotonic: float = 1000.0, *, blocking: bool = False) -> None:
        self.waits: list[float] = []
        self._now = now
        self._monotonic = monotonic
        self._blocking = blocking
        self._stopped = False
        self._changed = threading.Condition()

    def now(self) -> float:
        """Unix seconds."""
        with self._changed:
            return self._now

    def monotonic(self) -> float:
        """Seconds since some beginning."""
        with self._changed:
            return self._monotonic

    def wait(self, seconds: float) -> None:
        """Let that time pass at once (or, blocking, until a test lets it pass); raises Cancelled once stopped."""
        with self._changed:
            self.waits.append(seconds)
            self._changed.notify_all()
            if not self._blocking and not self._stopped:
                self._advance(seconds)
            due = self._monotonic + (seconds if self._blocking else 0.0)
            self._changed.wait_for(lambda: self._stopped or self._monotonic >= due)
            if self._stopped:
                raise Cancelled("The run was stopped.", kept="All that is known is in the journal.")

    def await_waits(self, count: int = 1, deadline: float = 30.0) -> bool:
        """For another thread: return once `count` waits have begun; False where that takes over `deadline` real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.waits) >= count, deadline)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._changed:
            self._advance(seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; monotonic time does not notice."""
        with self._changed:
            self._now += seconds

    def stop(self) -> None:
        """End every wait, now and later, with Cancelled."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def go_on(self) -> None:
        """Another process: nobody has stopped it."""
        with self._changed:
            self._stopped = False

    def _advance(self, seconds: float) -> None:
        self._now += seconds
        self._monotonic += seconds
        self._changed.notify_all()
