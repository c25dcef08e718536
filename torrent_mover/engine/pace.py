"""Learns how fast things go, for the times that screens promise: from this run, and before it has begun from former ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from torrent_mover.domain.move import HistoryEntry, Stage
from torrent_mover.domain.snapshot import Standing
from torrent_mover.engine.roster import Row

_WEEK: Final = 7 * 86_400.0
_SURE_AFTER: Final = 30.0
"""Seconds of bytes after which a time is more than a guess."""

_LEAST_CHECK: Final = 1.0
_CHECKED: Final = frozenset({Stage.VERIFIED, Stage.REPAIRING})


def past_rate(entries: Iterable[HistoryEntry], now: float) -> float:
    """Bytes a second of the moves of the last seven days, from begin to end; 0 where there were none."""
    recent = [
        each for each in entries if now - each.ended_at <= _WEEK and each.sent and each.ended_at > each.started_at
    ]
    took = sum(each.ended_at - each.started_at for each in recent)
    return sum(each.sent for each in recent) / took if took else 0.0


def check_rate(rows: Sequence[Row]) -> float:
    """Bytes a second that the destination client checks, from the checks of this run that have ended; 0 before the first."""
    size, took = 0, 0.0
    for row in rows:
        if not row.track.stages:
            continue
        stages = list(row.track.stages)
        for (stage, at), (following, end) in pairwise(stages):
            if stage is Stage.CHECKING and following in _CHECKED:
                size, took = size + row.track.ledger.size, took + max(end - at, _LEAST_CHECK)
    return size / took if took else 0.0


def run_speed(rows: Sequence[Row], age: float, past: float) -> tuple[float, bool]:
    """(bytes a second of the whole run, whether that is a guess). `age`: seconds since bytes began to flow."""
    active = [row for row in rows if row.standing is Standing.ACTIVE]
    measured = sum(row.meter.minute for row in active)
    if measured >= 1:
        return measured, age < _SURE_AFTER
    return past, True


def is_guess(row: Row, now: float) -> bool:
    """Whether too little was seen of this attempt to be sure. `now` monotonic."""
    return now - row.began < _SURE_AFTER
