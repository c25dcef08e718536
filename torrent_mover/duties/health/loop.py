"""The loop of one [HEALTH]: looks again and again, each time by the settings that hold then."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.timing import rest_after
from torrent_mover.duties.health.worker import HealthReport, HealthWorker

Begin = Callable[[threading.Event], tuple[HealthWorker, Callable[[], None]]]
"""Builds a worker by the settings that hold, and what lets go of it."""

_CLOSED: Final = 5.0


class HealthLoop:
    """For a supervisor of loops: see engine.hub.loops.Loop. `ended` hears of each look. `renew` may be called from any thread."""

    def __init__(self, name: str, begin: Begin, ended: Callable[[HealthReport], object] = lambda _report: None) -> None:
        self._name = name
        self._begin = begin
        self._ended = ended
        self._worker: HealthWorker | None = None
        self._let_go: Callable[[], None] = lambda: None
        self._renewed = threading.Event()
        self._orders: deque[Callable[[HealthWorker], None]] = deque()
        self._failures = 0

    @property
    def name(self) -> str:
        """Of its own among all loops."""
        return self._name

    @property
    def duty(self) -> str:
        """Which duty it belongs to."""
        return DUTY

    def renew(self) -> None:
        """The settings have changed: the next look goes by the new ones, over connections of its own."""
        self._renewed.set()

    def give(self, order: Callable[[HealthWorker], None]) -> None:
        """Have the worker do this as soon as it does nothing else: it alone acts. From any thread; wake the loop afterwards."""
        self._orders.append(order)

    def look(self, stop: threading.Event) -> float:
        """One look; the seconds until the next. A server that does not answer is left alone for 15 s, 30 s ... 10 minutes."""
        if stop.is_set():
            return _CLOSED
        if self._renewed.is_set():
            self._renewed.clear()
            self.close()
        if self._worker is None:
            self._worker, self._let_go = self._begin(stop)
        try:
            while self._orders:
                self._orders.popleft()(self._worker)
            report = self._worker.look()
        except BaseException:
            self.close()  # whatever it was, the next try begins with nothing of it
            raise
        self._ended(report)
        every = self._worker.world.settings.every
        self._failures = self._failures + 1 if report.error is not None else 0
        return rest_after(self._failures) if self._failures else every

    def close(self) -> None:
        """Let go of everything that it holds."""
        let_go, self._let_go, self._worker = self._let_go, lambda: None, None
        let_go()
