"""A run that stays: moves what there is, looks again each interval, and ends where its settings have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.move import Outcome
from torrent_mover.domain.report.events import RoundEnded
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.engine.run.pool import Engine
from torrent_mover.engine.run.queue import Row

_TICK: Final = 0.5
"""Seconds between two looks at the settings, the queue and the time."""

_MOST_ROWS: Final = 500
"""Torrents moved after which an idle run makes room for a fresh one: nothing may grow for months."""

_ENDED: Final = frozenset({MoveStatus.DONE, MoveStatus.FAILED, MoveStatus.SKIPPED})
_READY: Final = frozenset({MoveStatus.QUEUED, MoveStatus.RETRYING})


@dataclass(frozen=True, slots=True)
class Watching:
    """What makes a run stay: seconds between two looks, and whether other settings are there to begin again with.

    As long as `changed` says so, nothing new is begun; once what moves has ended, the run gives way.
    """

    interval: float
    changed: Callable[[], bool]


class Rounds:
    """The loop of a run that stays. `run` is called by one thread; the rest from any.

    `replaced`: it ended for a fresh run to follow, not because somebody stopped it. `gave_up`: an error ended it. `beat`: when
    it was last seen alive (monotonic seconds).
    """

    def __init__(self, engine: Engine, watching: Watching) -> None:
        self._engine = engine
        self._watching = watching
        self._clock = engine.world.clock
        self._wake = threading.Event()
        self._look_at: float | None = None
        self._told: dict[Row, tuple[int, int]] = {}  # tries and bytes of each row when its end was told
        self._looked_at = self._clock.monotonic()
        self._unix = self._clock.now() - self._looked_at
        self._began = 0.0
        self._moving: _Moving | None = None
        self.replaced = False
        self.gave_up = False
        self.last: RoundEnded | None = None
        self.beat = self._clock.monotonic()

    @property
    def next_look_in(self) -> float | None:
        """Seconds until the next look; None: it waits for somebody."""
        soonest = self._soonest()
        return None if soonest is None else max(soonest - self._clock.monotonic(), 0.0)

    @property
    def next_look_at(self) -> float | None:
        """The same moment in Unix seconds, counted from the last look: it does not tremble from picture to picture."""
        soonest = self._soonest()
        return None if soonest is None else soonest + self._unix

    def _soonest(self) -> float | None:
        """When the next look is, or the time of a move that was given up: monotonic seconds."""
        if self._look_at is None:
            return None
        failed = (row.ready_at for row in self._engine.roster.rows() if row.standing is MoveStatus.FAILED)
        return min([self._look_at, *(ready_at for ready_at in failed if ready_at > self._looked_at)])

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def run(self, look: Callable[[bool], bool], enter: Callable[[Phase], None], after: Callable[[], object]) -> None:
        """Go round until the run is stopped or replaced.

        `look` is told whether somebody asked, and says whether looking again by itself makes sense; `after` is what follows
        the moves of each round.
        """
        self._look_at = self._clock.monotonic() + self._watching.interval
        try:
            while not self._engine.stopping:
                self._go_round(look, enter, after)
        except BaseException:
            self.gave_up = not self._engine.stopping
            self._engine.stop(now=False)  # nothing may go on behind a run that ends
            raise
        finally:
            self._look_at = None
            if self._moving is not None:
                self._moving.join()
        if self._moving is not None:
            self._let_go(self._moving)

    def _go_round(
        self, look: Callable[[bool], bool], enter: Callable[[Phase], None], after: Callable[[], object]
    ) -> None:
        self.beat = self._clock.monotonic()
        changed = self._watching.changed()
        self._engine.roster.drain(draining=changed)
        self._keep_moving(after, enter, begin=not changed)
        enter(Phase.RUNNING if self._moving else Phase.WATCHING)
        if self._moving is None and (changed or self.grown):
            self.replaced = True
            self._engine.stop(now=False)
        elif changed:
            self._asked()
        elif (asked := self._asked()) or self._due():
            self._looked_at = self._clock.monotonic()
            self._unix = self._clock.now() - self._looked_at
            again = look(asked)
            self._look_at = self._clock.monotonic() + self._watching.interval if again else None

    def _asked(self) -> bool:
        """Whether somebody asks for a look, in this tick."""
        if not self._wake.wait(_TICK):
            return False
        self._wake.clear()
        return not self._engine.stopping

    def _due(self) -> bool:
        """Whether the next look has come, or the time of a move that was given up."""
        soonest = self._soonest()
        return soonest is not None and self._clock.monotonic() >= soonest and not self._engine.stopping

    def _keep_moving(self, after: Callable[[], object], enter: Callable[[Phase], None], *, begin: bool) -> None:
        """Begin the thread that moves where something waits, and let go of it where it has ended. Raises what ended it."""
        if self._moving is not None and self._moving.is_alive():
            return
        ended, self._moving = self._moving, None
        if ended is not None:
            self._let_go(ended)
        if begin and any(row.standing in _READY for row in self._engine.roster.rows()):
            self._began = self._clock.monotonic()
            moving = _Moving(self._engine.run, after)
            enter(Phase.RUNNING)  # first: it may have moved all before this thread goes on
            moving.start()
            self._moving = moving

    def _let_go(self, ended: _Moving) -> None:
        if ended.error is not None:
            raise ended.error
        self._round_ended()

    def _round_ended(self) -> None:
        rows = [row for row in self._engine.roster.rows() if row.standing in _ENDED]
        before, self._told = self._told, {row: (len(row.attempts), row.track.ledger.brought) for row in rows}
        ended = [row for row in rows if row not in before or len(row.attempts) > before[row][0]]
        self.last = RoundEnded(
            self._clock.now(),
            moved=sum(row.ended_as is Outcome.MOVED for row in ended),
            failed=sum(row.standing is MoveStatus.FAILED for row in ended),
            sent=sum(row.track.ledger.brought - before.get(row, (0, 0))[1] for row in ended),
            took=self._clock.monotonic() - self._began,
            copied=sum(row.ended_as is Outcome.COPIED for row in ended),
            next_look=self.next_look_in,
        )
        self._engine.world.publish(self.last)

    def take_over(self, former: Rounds) -> None:
        """Go on after a run that was replaced: what had ended there has been counted."""
        self.last = former.last
        rows = [row for row in self._engine.roster.rows() if row.standing in _ENDED]
        self._told = {row: (len(row.attempts), row.track.ledger.brought) for row in rows}

    @property
    def grown(self) -> bool:
        """Whether so much was moved that a fresh run begins without it."""
        return sum(row.ended_as is Outcome.MOVED for row in self._engine.roster.rows()) >= _MOST_ROWS


class _Moving(threading.Thread):
    """Moves what waits. `error`: what ended it before its time, for the loop to raise."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__(name="moves", daemon=True)
        self._steps = steps
        self.error: BaseException | None = None

    def run(self) -> None:
        """The thread."""
        try:
            for step in self._steps:
                step()
        except BaseException as error:  # noqa: BLE001  raised by the loop: nobody would hear of it here
            self.error = error
