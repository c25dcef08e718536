"""The real clock; its waits end at once when the run is stopped."""

from __future__ import annotations

import threading
import time

from torrent_mover.domain.errors import Cancelled


class SystemClock:
    """A `ports.clock.Clock`. Setting `stop` ends every wait; without one, waits last their time."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump, those of a machine that sleeps included: what was proven before has aged by them."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wait(self, seconds: float) -> None:
        """Wait that long; raises Cancelled as soon as the run is stopped, also where it was stopped before."""
        if self._stop.wait(max(seconds, 0.0)):
            raise Cancelled(
                "The run was stopped.", kept="What was verified so far is kept; the next run goes on from there."
            )
