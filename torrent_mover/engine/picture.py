"""Draws the Snapshot and the details from the engine's state, when somebody looks."""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.move import Stage
from torrent_mover.domain.rate import Meter, eta
from torrent_mover.domain.snapshot import (
    AttemptView,
    FileView,
    MoveDetail,
    MoveView,
    PieceMark,
    StageView,
    Standing,
    Step,
    StepProgress,
    Wire,
)
from torrent_mover.engine.board import TRANSFER_SHARE, Flow, Track
from torrent_mover.engine.engine import Engine
from torrent_mover.engine.preflight import trouble_of
from torrent_mover.engine.roster import Row

_SAMPLES: Final = 600
_STALL: Final = 10.0
_STEP_OF: Final = {
    Stage.SETTLED: Step.ADD,
    Stage.ADDED: Step.ADD,
    Stage.CHECKING: Step.CHECK,
    Stage.VERIFIED: Step.FINISH,
    Stage.SEEDING: Step.FINISH,
    Stage.RELEASED: Step.FINISH,
}
_BYTES_FLOW: Final = frozenset({Stage.TRANSFERRING, Stage.REPAIRING})


def move_view(row: Row, engine: Engine, now: float) -> MoveView:
    """One row. `now` in monotonic seconds."""
    track, torrent = row.track, row.planned.torrent
    ledger, active = track.ledger, row.standing is Standing.ACTIVE
    moving = active and track.stage in _BYTES_FLOW
    rate = row.meter.now if moving else 0.0
    steps = _steps(track, rate)
    silent = now - track.last_byte
    return MoveView(
        id=row.id,
        name=torrent.name,
        size=torrent.size,
        files=len(track.files),
        standing=row.standing,
        stage=track.stage,
        step=_step(track) if active else None,
        steps=steps,
        fraction=ledger.fraction,
        reused_fraction=TRANSFER_SHARE * min(ledger.reused, ledger.size) / ledger.size if ledger.size else 0.0,
        rate=rate,
        eta=next((step.eta for step in steps if step.done < step.total), None) if moving else None,
        doing=track.doing,
        attempt=len(row.attempts) + active,
        attempts=engine.tuning.backoff.attempts,
        retry_in=max(row.ready_at - now, 0.0) if row.standing is Standing.RETRYING else None,
        stalled_for=silent if moving and silent > _STALL else 0.0,
        watchdog_in=engine.tuning.watchdog.remaining(track, now) if active else None,
        repair=track.repair,
        why=row.why,
        trouble=trouble_of(row.error) if row.error and row.standing is not Standing.DONE else None,
        category=torrent.category,
        target_category=row.planned.target_category,
        trackers=row.planned.trackers,
        ratio=torrent.ratio,
        added_on=torrent.added_on,
        started_at=row.started_at,
    )


def _leg_steps(track: Track) -> tuple[Step, ...]:
    return tuple(Step.PUSH if Flow.OUT in flows else Step.PULL for flows in track.legs.flows)


def _step(track: Track) -> Step:
    if track.stage in _STEP_OF:
        return _STEP_OF[track.stage]
    legs = _leg_steps(track)
    return next((step for leg, step in enumerate(legs) if track.ledger.leg(leg) < track.ledger.size), legs[-1])


def _steps(track: Track, rate: float) -> tuple[StepProgress, ...]:
    ledger = track.ledger
    current = _step(track)
    steps = []
    for leg, step in enumerate(_leg_steps(track)):
        done, speed = ledger.leg(leg), rate if step is current else 0.0
        steps.append(
            StepProgress(step, done, ledger.size, min(ledger.reused, done), speed, eta(ledger.size - done, speed))
        )
    order = (Step.ADD, Step.CHECK, Step.FINISH)
    over = track.stage is Stage.RELEASED
    for step in order:
        passed = over or (current in order and order.index(current) > order.index(step))
        if step is Step.CHECK:
            done = ledger.size if passed else int(ledger.size * ledger.verified_fraction)
            steps.append(StepProgress(step, done, ledger.size, 0, 0.0, None))
        else:
            steps.append(StepProgress(step, int(passed), 1, 0, 0.0, None))
    return tuple(steps)


def wire(meter: Meter, *, used: bool, limit: float | None) -> Wire:
    """One direction of the network."""
    return Wire(used, meter.now if used else 0.0, meter.average, meter.peak, meter.samples(_SAMPLES), limit)


def detail(row: Row, now: float) -> MoveDetail:
    """Files, pieces, stages, attempts of one row. `now` in Unix seconds."""
    track = row.track
    whole = track.stage not in (Stage.PLANNED, Stage.RESERVED, Stage.UNLOCKED, Stage.TRANSFERRING)
    return MoveDetail(
        id=row.id,
        files=tuple(_file(row, index, whole=whole) for index in range(len(track.files))),
        pieces=_pieces(track),
        stages=_stages(track, now),
        attempts=tuple(
            AttemptView(
                each.number,
                each.started_at,
                each.ended_at - each.started_at,
                each.sent,
                each.sent / max(each.ended_at - each.started_at, 0.001),
                each.ended,
            )
            for each in row.attempts
        ),
        facts=_facts(row),
    )


def _file(row: Row, index: int, *, whole: bool) -> FileView:
    file, track = row.track.files[index], row.track
    done = file.size if whole else track.files_done.get(index, 0)
    state = "here" if done >= file.size else "coming" if done else "waiting"
    return FileView(file.path, file.size, done, 0, 0.0, state)


def _pieces(track: Track) -> tuple[PieceMark, ...]:
    landed = track.landed
    if landed is None:
        return (PieceMark.MISSING,) * track.pieces_total
    return tuple(PieceMark.VERIFIED if landed.test(piece) else PieceMark.MISSING for piece in range(len(landed)))


def _stages(track: Track, now: float) -> tuple[StageView, ...]:
    stages = list(track.stages)
    ends = [at for _, at in stages[1:]]
    views = [StageView(stage, at, end - at) for (stage, at), end in zip(stages, ends, strict=False)]
    if stages:
        last, at = stages[-1]
        views.append(StageView(last, at, None if last is not Stage.RELEASED else 0.0))
    del now
    return tuple(views)


def _facts(row: Row) -> tuple[tuple[str, str], ...]:
    torrent = row.planned.torrent
    return (
        ("infohash", torrent.id.hex),
        ("category", f"{torrent.category} -> {row.planned.target_category}"),
        ("tags", ", ".join(torrent.tags)),
        ("trackers", ", ".join(row.planned.trackers)),
        ("ratio", f"{torrent.ratio:.2f}"),
        ("save path at the source", str(torrent.save_path)),
        ("content path at the source", str(torrent.content_path or "")),
    )
