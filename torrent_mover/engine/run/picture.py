"""Draws the moves of a Snapshot from the engine's state, when somebody looks; rows that stand still are drawn once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import HistoryEntry, Outcome, Stage
from torrent_mover.domain.report.rate import Meter, eta
from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, Step, StepProgress, Wire
from torrent_mover.domain.report.timing import Task
from torrent_mover.domain.text import duration
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.preflight.examination import trouble_of
from torrent_mover.engine.progress import pace
from torrent_mover.engine.progress.board import TRANSFER_SHARE, Flow, Track
from torrent_mover.engine.progress.pace import Pace
from torrent_mover.engine.run.pool import Engine
from torrent_mover.engine.run.queue import Roster, Row

_SAMPLES: Final = 600
_NEVER: Final = float("inf")
_STALL: Final = 10.0
_STEP_OF: Final = {
    Stage.SETTLED: Step.ADD,
    Stage.ADDED: Step.ADD,
    Stage.CHECKING: Step.CHECK,
    Stage.VERIFIED: Step.FINISH,
    Stage.SEEDING: Step.FINISH,
    Stage.RELEASED: Step.FINISH,
}
_MUST_BE_KNOWN: Final = frozenset({Step.PULL, Step.PUSH, Step.CHECK})
"""Steps whose length makes a move's: adding and finishing are seconds, and are left out where nothing is known of them."""

_TASKS: Final = {Step.ADD: Task.ADD, Step.FINISH: Task.FINISH}
_HELD_BACK: Final = frozenset({MoveStatus.QUEUED, MoveStatus.FAILED})
_BYTES_FLOW: Final = frozenset({Stage.TRANSFERRING, Stage.REPAIRING})


@dataclass(slots=True)
class _Drawn:
    """The view of a row, and what it was when it was drawn: as long as that holds, so does the view."""

    standing: MoveStatus
    planned: PlannedMove
    stage: Stage
    why: str
    error: MoverError | None
    attempts: int
    lessons: int
    view: MoveView

    def holds(self, row: Row, why: str, lessons: int) -> bool:
        return (
            self.standing is row.standing
            and self.planned is row.planned
            and self.why == why
            and self.error is row.error
            and self.stage is row.track.stage
            and self.attempts == len(row.attempts)
            and self.lessons == lessons
        )


class Painter:
    """Keeps the views of rows that do not change by themselves: with thousands in a queue, few ever do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[Row, _Drawn] = {}

    def moves(self, rows: Sequence[Row], now: float) -> tuple[MoveView, ...]:
        """All rows. `now` in monotonic seconds."""
        before, kept, views = self._kept, {}, []
        lessons = self._engine.pace.lessons
        for row in rows:
            standing, why = row.standing, reason(row, self._engine.roster)
            if standing is MoveStatus.ACTIVE or row.is_held(now):
                views.append(move_view(row, self._engine, now, why))
                continue
            drawn = before.get(row)
            if drawn is None or not drawn.holds(row, why, lessons):
                marks = (standing, row.planned, row.track.stage, why, row.error, len(row.attempts), lessons)
                drawn = _Drawn(*marks, move_view(row, self._engine, now, why))
            kept[row] = drawn
            views.append(drawn.view)
        self._kept = kept
        return tuple(views)


def reason(row: Row, roster: Roster) -> str:
    """Why a row waits, or how it ended; blank if it only waits for a free slot."""
    if row.standing is MoveStatus.DONE and row.entry is not None:
        return _how(row.entry)
    if row.why or row.standing is not MoveStatus.QUEUED or not roster.still:
        return row.why
    return "the whole run is paused" if roster.paused else "the bandwidth is paused"


def _how(entry: HistoryEntry) -> str:
    kept = f"; {entry.detail}" if entry.detail else ", source deleted" if entry.outcome is Outcome.MOVED else ""
    return f"{entry.outcome.value} in {duration(entry.took)}{kept}"


def move_view(row: Row, engine: Engine, now: float, why: str) -> MoveView:
    """One row, that waits or ended for that reason. `now` in monotonic seconds."""
    track, torrent = row.track, row.planned.torrent
    ledger, active = track.ledger, row.standing is MoveStatus.ACTIVE
    moving = active and track.stage in _BYTES_FLOW
    steps = _steps(row, engine.pace, row.meter.now if moving else 0.0, now)
    step = _step(track) if active else None
    silent = now - track.last_byte
    return MoveView(
        id=row.id,
        name=torrent.name,
        size=torrent.size,
        files=len(track.files),
        standing=row.standing,
        stage=track.stage,
        step=step,
        steps=steps,
        fraction=ledger.fraction,
        reused_fraction=TRANSFER_SHARE * min(ledger.reused, ledger.size) / ledger.size if ledger.size else 0.0,
        rate=next((each.rate for each in steps if each.step is step), 0.0),
        eta=_eta(steps) if active else None,
        doing=track.doing if active else "",
        attempt=row.attempt,
        attempts=engine.tuning.backoff.attempts,
        retry_in=_waits(row, now),
        stalled_for=silent if moving and silent > _STALL else 0.0,
        watchdog_in=engine.tuning.watchdog.remaining(track, now) if active else None,
        repair=track.repair,
        why=why,
        trouble=trouble_of(row.error) if row.error and row.standing is not MoveStatus.DONE else None,
        category=torrent.category,
        target_category=row.planned.target_category,
        trackers=row.planned.trackers,
        ratio=torrent.ratio,
        added_on=torrent.added_on,
        started_at=row.started_at,
        eta_is_guess=active and pace.is_guess(row, now),
        held=row.is_held(now),
        route=engine.world.route,
        waits=row.waits,
    )


def _waits(row: Row, now: float) -> float | None:
    """Seconds for which a row is held back; None where time alone does not decide."""
    return max(row.ready_at - now, 0.0) if row.is_held(now) and row.ready_at < _NEVER else None


def _eta(steps: tuple[StepProgress, ...]) -> float | None:
    """Seconds until the last step is over; None as long as nothing is known of the first one that takes time."""
    total = 0.0
    for step in steps:
        if step.done < step.total:
            if step.eta is None and step.step in _MUST_BE_KNOWN:
                return total or None
            total += step.eta or 0.0
    return total or None


def _leg_steps(track: Track) -> tuple[Step, ...]:
    return tuple(Step.PUSH if Flow.OUT in flows else Step.PULL for flows in track.legs.flows)


def _step(track: Track) -> Step:
    if track.stage in _STEP_OF:
        return _STEP_OF[track.stage]
    legs = _leg_steps(track)
    return next((step for leg, step in enumerate(legs) if track.ledger.leg(leg) < track.ledger.size), legs[-1])


def _steps(row: Row, known: Pace, rate: float, now: float) -> tuple[StepProgress, ...]:
    track, ledger = row.track, row.track.ledger
    current = _step(track)
    steps = []
    promised = known.moving(row, now)
    for leg, step in enumerate(_leg_steps(track)):
        done, speed = ledger.leg(leg), rate if step is current else 0.0
        steps.append(
            StepProgress(step, done, ledger.size, min(ledger.reused, done), speed, eta(ledger.size - done, promised))
        )
    order = (Step.ADD, Step.CHECK, Step.FINISH)
    over = track.stage is Stage.RELEASED
    for step in order:
        passed = over or (current in order and order.index(current) > order.index(step))
        if step is Step.CHECK:
            steps.append(_check_step(track, now, known.usual(Task.CHECK, row.planned), passed=passed))
        else:
            left = 0.0 if passed else known.left(_TASKS[step], row, now)
            steps.append(StepProgress(step, int(passed), 1, 0, 0.0, left))
    if row.standing is not MoveStatus.ACTIVE:  # what stands still promises nothing
        return tuple(replace(each, rate=0.0, eta=None) for each in steps)
    return tuple(steps)


def _check_step(track: Track, now: float, past: float, *, passed: bool) -> StepProgress:
    """The client's check: its speed now once it has one, before that what the checks before it have reached."""
    ledger = track.ledger
    done = ledger.size if passed else int(ledger.size * ledger.verified_fraction)
    speed = 0.0
    if track.stage is Stage.CHECKING and done and track.check_began is not None:
        speed = done / max(now - track.check_began, 1.0)
    left = 0.0 if passed else ledger.size - done
    return StepProgress(Step.CHECK, done, ledger.size, 0, speed, eta(left, speed or past))


def is_free(move: MoveView) -> bool:
    """Whether it only waits for a free slot. For what is held back, no time can be promised."""
    return move.standing is MoveStatus.QUEUED and move.retry_in is None


def wire(meter: Meter, *, used: bool, flows: bool, limit: float | None) -> Wire:
    """One direction of the network. Unless it `flows`, its speed is 0, and not what is left of a smoothed one."""
    return Wire(used, meter.now if used and flows else 0.0, meter.average, meter.peak, meter.samples(_SAMPLES), limit)
