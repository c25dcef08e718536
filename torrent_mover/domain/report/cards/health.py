"""The health of downloads in an overview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrent_mover.domain.report.health import HealthLoopView, HealthPhase, HealthSnapshot
from torrent_mover.domain.report.overview import DutyCard, Need, a_card
from torrent_mover.domain.text import counted

NAME: Final = "health"


def card(picture: HealthSnapshot) -> DutyCard:
    """What is wrong and due, what was done, and where nobody can see."""
    loops = picture.loops
    sick = sum(bool(patient.findings) for loop in loops for patient in loop.patients)
    due = sum(loop.due for loop in loops)
    state = f"{due:,} due" if due else f"{counted(sick, 'torrent')} with findings" if sick else "nothing is wrong"
    if loops and all(loop.looked_at is None for loop in loops):
        state = "not looked yet"
    now = [
        f"{counted(sum(loop.torrents for loop in loops), 'torrent')} judged, {sick:,} with findings, {due:,} due",
        f"{sum(loop.today for loop in loops):,} taken out or blocked today",
    ]
    if loops and not any(loop.acts for loop in loops):
        now.insert(0, "only reports")
    paused = [loop.name for loop in loops if loop.phase is HealthPhase.PAUSED]
    if paused:
        state = "paused" if len(paused) == len(loops) else f"{state}; {', '.join(paused)} paused"
    untreated = any(loop.due and not loop.acts for loop in loops)
    ended = picture.over or any(loop.phase is HealthPhase.ABSENT for loop in loops)
    return a_card(NAME, "Health", state, now, list(_needs(loops)), odd=ended or untreated or bool(paused))


def _needs(loops: tuple[HealthLoopView, ...]) -> Iterator[Need]:
    for loop in loops:
        again = loop.name if loop.phase is HealthPhase.PARKED else ""
        if loop.trouble is not None:
            code = f" [{loop.trouble.code}]" if loop.trouble.code else ""
            yield Need(NAME, f"{loop.name}: {loop.trouble.what}{code}", loop.trouble.remedy, again)
        elif loop.blind:
            yield Need(NAME, f"{loop.name}: clocks stand, nothing acts: {loop.blind}", "", again)
        elif again:
            yield Need(NAME, f"{loop.name} is parked", "Begin it again.", again)
