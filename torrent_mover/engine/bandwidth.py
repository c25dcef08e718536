"""Which limit holds now: the fixed ones, the timetable's, or what somebody set from the screen."""

from __future__ import annotations

import time

from torrent_mover.domain.settings_general import GeneralSettings
from torrent_mover.engine.board import Flow
from torrent_mover.ports.clock import Clock

_MINUTES_A_DAY = 24 * 60


class Bandwidth:
    """Answers for each direction, bytes/s or None. Safe from any thread: it is asked at every chunk."""

    def __init__(self, settings: GeneralSettings, clock: Clock) -> None:
        self._fixed = {Flow.IN: settings.download_limit, Flow.OUT: settings.upload_limit}
        self._timetable = settings.bandwidth
        self._clock = clock
        self._override: float | None = None
        self._overridden = False

    def override(self, limit: float | None) -> None:
        """A limit for each direction, instead of what is configured; None: as configured again."""
        self._override, self._overridden = limit, limit is not None

    def limit(self, flow: Flow) -> float | None:
        """The limit now: the lowest of those that apply."""
        if self._overridden:
            return self._override
        local = time.localtime(self._clock.now())
        minute = (local.tm_hour * 60 + local.tm_min) % _MINUTES_A_DAY
        limits = [limit for limit in (self._fixed[flow], self._timetable.limit_at(minute)) if limit]
        return min(limits) if limits else None
