"""The torrent is complete, and its Arr still waits for it."""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.arrs.media import QueueState
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown

COMPLETE_FOR: Final = 60.0
"""Seconds: an Arr looks at its client once a minute."""


def judge(case: Case) -> Judged:
    """By the Arr's queue, a minute after it was complete."""
    if not case.picture.torrent.complete:
        return clear("not complete")
    arr = case.picture.arr
    if arr is None:
        return unknown("it has no Arr")
    if arr.queue is None:
        return unknown(f"{arr.name} does not answer")
    if case.complete_for is None or case.complete_for < COMPLETE_FOR:
        return clear("complete for less than a minute")
    waiting = [line for line in arr.queue if line.state in (QueueState.PENDING, QueueState.DOWNLOADING)]
    return found(f"{arr.name} says {waiting[0].word}", *(str(line.number) for line in waiting)) if waiting else clear()


CHECK = HealthCheck(
    FindingCode.NOT_IMPORTED,
    judge,
    lambda settings: settings.not_imported_after,
    lambda settings: settings.not_imported_action,
    of_arr=True,
    stays=lambda case: case.complete_for is None or case.complete_for >= COMPLETE_FOR,
)
