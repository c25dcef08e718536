"""Rounds of a tier again and again, and between them what a person asks of the worker."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from torrent_mover.domain.errors import AlreadyRunning
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.queueing import due, waits
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.worker import TierWorker

LOOK_EVERY: Final = 2.0
"""Seconds between two looks into the queue."""

Ended = Callable[[RoundReport, float], None]
"""Hears of each round that ended, and how many seconds it took."""


class TierLoop:
    """Rounds again and again, for a supervisor of loops: see engine.hub.loops.Loop.

    Looks into the queue every two seconds, so that what a hook has queued is copied soon; does a round every so often, and
    when somebody asks for one. `ended` hears of rounds.
    """

    def __init__(
        self,
        worker: TierWorker,
        world: TierWorld,
        every: float | None = None,
        ended: Ended = lambda _report, _took: None,
    ) -> None:
        self._worker = worker
        self._world = world
        self._every = world.settings.sweep_every if every is None else every
        self._due = world.clock.monotonic()
        self._asked = 0.0
        self._ended = ended
        self._orders: deque[Callable[[], None]] = deque()
        self._busy = self._in_round = False

    @property
    def name(self) -> str:
        """The tier's name, of its own among all loops."""
        return f"tier {self._world.name}"

    @property
    def duty(self) -> str:
        """Which duty it belongs to."""
        return DUTY

    @property
    def busy(self) -> bool:
        """Whether it does something just now, rather than wait."""
        return self._busy

    @property
    def in_round(self) -> bool:
        """Whether it does a round just now, which frees space up to the high mark."""
        return self._in_round

    @property
    def next_round_in(self) -> float:
        """Seconds until the next round, unless somebody asks before."""
        return max(self._due - self._world.clock.monotonic(), 0.0)

    def wake(self) -> None:
        """Do a round at the next look."""
        self._due = self._world.clock.monotonic()

    def seen_alive(self, within: float) -> bool:
        """Whether the worker has said something in the last so many seconds."""
        beat = self._world.journal.heartbeat()
        return beat is not None and self._world.clock.now() - beat.at < within

    def give(self, order: Callable[[], None]) -> None:
        """Have the worker do this as soon as it does nothing else: it alone evicts. From any thread."""
        self._orders.append(order)

    def look(self, stop: threading.Event) -> float:
        """An order, a round, the queue, or nothing; the seconds until the next look. A stop ends it through the world's clock."""
        if stop.is_set():
            return LOOK_EVERY
        try:
            return self._look()
        except AlreadyRunning:
            # Somebody works on this tier by hand, which is no failure: what is due stays so.
            self._due = self._world.clock.monotonic()
            return LOOK_EVERY
        finally:
            self._busy = self._in_round = False

    def _look(self) -> float:
        clock, journal = self._world.clock, self._world.journal
        asked = journal.requested_at()
        if self._orders:
            self._busy = True
            self._orders.popleft()()
            return 0.0
        if clock.monotonic() >= self._due or asked > self._asked:
            self._busy = self._in_round = True
            self._asked = max(asked, self._asked)
            began = clock.monotonic()
            self._due = began + self._every
            report = self._worker.round()
            self._ended(report, clock.monotonic() - began)
        elif not all(map(waits, due(journal.queue(), clock.now()))):
            self._busy = True
            self._worker.process_queue()
        else:
            self._worker.idle()
        return min(LOOK_EVERY, self._every)
