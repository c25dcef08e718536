"""A run that stays: moves what there is, looks again each interval, and ends where its settings have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.events import RoundEnded
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.snapshot import Phase, Standing
from torrent_mover.engine.engine import Engine
from torrent_mover.engine.roster import Row

_TICK: Final = 0.5
"""Seconds between two looks at the settings, the queue and the time."""

_MOST_ROWS: Final = 500
"""Ended moves after which an idle run makes room for a fresh one: nothing may grow for months."""

_ENDED: Final = frozenset({Standing.DONE, Standing.FAILED, Standing.SKIPPED})
_READY: Final = frozenset({Standing.QUEUED, Standing.RETRYING})


@dataclass(frozen=True, slots=True)
class Watching:
    """What makes a run stay: seconds between two looks, and whether other settings are there to begin anew with."""

    interval: float
    changed: Callable[[], bool]


class Rounds:
    """The loop of a run that stays. `run` is called by one thread; the rest from any.

    `replaced`: it ended for a fresh run to follow, not because somebody stopped it. `beat`: when it was last seen alive
    (monotonic seconds).
    """

    def __init__(self, engine: Engine, watching: Watching) -> None:
        self._engine = engine
        self._watching = watching
        self._clock = engine.world.clock
        self._wake = threading.Event()
        self._look_at: float | None = None
        self._told: dict[Row, tuple[int, int]] = {}  # tries and bytes of each row when its end was told
        self._began = 0.0
        self.replaced = False
        self.beat = self._clock.monotonic()

    @property
    def next_look_in(self) -> float | None:
        """Seconds until the next look; None: it waits for somebody."""
        return None if self._look_at is None else max(self._look_at - self._clock.monotonic(), 0.0)

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def run(self, look: Callable[[], bool], enter: Callable[[Phase], None], after: Callable[[], object]) -> None:
        """Go round until the run is stopped or replaced.

        `look` says whether looking again by itself makes sense; `after` is what follows the moves of each round.
        """
        moving: threading.Thread | None = None
        self._look_at = self._clock.monotonic() + self._watching.interval
        while not self._engine.stopping:
            self.beat = self._clock.monotonic()
            moving = self._moving(moving, after)
            enter(Phase.RUNNING if moving else Phase.WATCHING)
            if self._watching.changed() or (moving is None and self._grew()):
                self.replaced = True
                self._engine.stop(now=False)
            elif self._time_to_look():
                again = look()
                self._look_at = self._clock.monotonic() + self._watching.interval if again else None
        self._look_at = None
        if moving is not None:
            moving.join()
            self._round_ended()

    def _time_to_look(self) -> bool:
        if self._wake.wait(_TICK):
            self._wake.clear()
            return not self._engine.stopping
        return self._look_at is not None and self._clock.monotonic() >= self._look_at and not self._engine.stopping

    def _moving(self, moving: threading.Thread | None, after: Callable[[], object]) -> threading.Thread | None:
        """The thread that moves, begun where something waits, and let go where it has ended."""
        if moving is not None and moving.is_alive():
            return moving
        if moving is not None:
            self._round_ended()
        if not any(row.standing in _READY for row in self._engine.roster.rows()):
            return None
        self._began = self._clock.monotonic()
        moving = threading.Thread(target=self._move, args=(after,), name="moves", daemon=True)
        moving.start()
        return moving

    def _move(self, after: Callable[[], object]) -> None:
        self._engine.run()
        after()

    def _round_ended(self) -> None:
        rows = [row for row in self._engine.roster.rows() if row.standing in _ENDED]
        before, self._told = self._told, {row: (len(row.attempts), row.track.ledger.brought) for row in rows}
        ended = [row for row in rows if row not in before or len(row.attempts) > before[row][0]]
        self._engine.world.publish(
            RoundEnded(
                self._clock.now(),
                moved=sum(row.ended_as is Outcome.MOVED for row in ended),
                failed=sum(row.standing is Standing.FAILED for row in ended),
                sent=sum(row.track.ledger.brought - before.get(row, (0, 0))[1] for row in ended),
                took=self._clock.monotonic() - self._began,
                copied=sum(row.ended_as is Outcome.COPIED for row in ended),
            )
        )

    def _grew(self) -> bool:
        return sum(row.standing in _ENDED for row in self._engine.roster.rows()) >= _MOST_ROWS
