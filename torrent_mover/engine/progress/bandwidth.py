"""Which limit holds now: the fixed ones, the timetable's, or what somebody set from the screen."""

from __future__ import annotations

import time

from torrent_mover.domain.quantities import PAUSE
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.engine.progress.board import Flow
from torrent_mover.ports.clock import Clock

_MINUTES_A_DAY = 24 * 60


class Bandwidth:
    """Answers for each direction, bytes/s or None, and whether nothing may move at all.

    Safe from any thread: it is asked at every chunk.
    """

    def __init__(self, settings: GeneralSettings, clock: Clock) -> None:
        self._clock = clock
        self.configure(settings)
        self._override: float | None = None

    def configure(self, settings: GeneralSettings) -> None:
        """What is configured, from now on. What somebody has set from the screen goes on."""
        self._fixed = {Flow.IN: settings.download_limit, Flow.OUT: settings.upload_limit}
        self._timetable = settings.bandwidth

    def override(self, limit: float | None) -> None:
        """A limit for each direction, instead of what is configured; infinite: none; PAUSE: nothing moves; None: as configured."""
        self._override = limit

    @property
    def paused(self) -> bool:
        """Whether nothing may move now."""
        return (self.of_the_hour() if self._override is None else self._override) == PAUSE

    def limit(self, flow: Flow) -> float | None:
        """The limit now, above 0: the lowest of those that apply."""
        if self._override is not None:
            return self._override if PAUSE < self._override < float("inf") else None
        limits = [limit for limit in (self._fixed[flow], self.of_the_hour()) if limit]
        return min(limits) if limits else None

    def of_the_hour(self) -> int | None:
        """What the timetable says now; None: no limit."""
        local = time.localtime(self._clock.now())
        return self._timetable.limit_at((local.tm_hour * 60 + local.tm_min) % _MINUTES_A_DAY)
