"""The moves in an overview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrent_mover.domain.report.overview import DutyCard, Need, a_card
from torrent_mover.domain.report.snapshot import MoveStatus, Phase, Snapshot, Trouble
from torrent_mover.domain.text import duration, percent, rate, size

NAME: Final = "moves"


def card(picture: Snapshot) -> DutyCard:
    """What is brought, how fast, and what has failed."""
    active = picture.count(MoveStatus.ACTIVE)
    waiting = picture.count(MoveStatus.QUEUED, MoveStatus.RETRYING)
    counts = [f"{active:,} under way", f"{waiting:,} waiting"]
    for standing, word in ((MoveStatus.PAUSED, "paused"), (MoveStatus.FAILED, "failed")):
        if picture.count(standing):
            counts.append(f"{picture.count(standing):,} {word}")
    if picture.not_moved:
        counts.append(f"{len(picture.not_moved):,} left alone")
    return a_card(
        NAME, "Moves", _state(picture), (", ".join(counts), *_flow(picture)), list(_needs(picture)), odd=_odd(picture)
    )


def _state(picture: Snapshot) -> str:
    return "ended badly" if picture.phase is Phase.ENDED and picture.exit_code else picture.phase.value


def _odd(picture: Snapshot) -> bool:
    return picture.phase in (Phase.PAUSED, Phase.STOPPING) or (picture.phase is Phase.ENDED and bool(picture.exit_code))


def _flow(picture: Snapshot) -> Iterator[str]:
    now = max(picture.incoming.now, picture.outgoing.now)
    if not picture.count(MoveStatus.ACTIVE):
        if picture.next_scan_at is not None:
            yield f"looks again in {duration(max(picture.next_scan_at - picture.at, 0.0))}"
        return
    left = "" if picture.eta is None else f", {'~' if picture.eta_is_guess else ''}{duration(picture.eta)} left"
    yield f"{rate(now) if now else 'nothing flows'}; {percent(picture.fraction)} of {size(picture.total_bytes)}{left}"


def _needs(picture: Snapshot) -> Iterator[Need]:
    if picture.phase is Phase.REFUSED:
        for check in picture.checks:
            if check.passed is False and check.fatal:
                yield _need(f"{check.name}: ", check.trouble, check.result)
    elif picture.several:
        for route in picture.routes:
            if route.phase is Phase.REFUSED:
                yield Need(NAME, f"Route {route.name} does not move: {route.trouble or route.phase.value}")
    for move in picture.moves:
        if move.standing is MoveStatus.FAILED:
            yield _need(f"{move.name}: ", move.trouble, move.why or "failed")


def _need(where: str, trouble: Trouble | None, otherwise: str) -> Need:
    if trouble is None:
        return Need(NAME, f"{where}{otherwise}")
    return Need(NAME, f"{where}{trouble.what} [{trouble.code}]", trouble.remedy)
