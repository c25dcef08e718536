"""How long the stages of former moves took, and what that promises for the next one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Final

KEPT: Final = 20
"""Of how many moves one estimate is made: the last ones, as links and disks change."""

_LEAST: Final = 1.0  # seconds: what took less says little about a rate


class Task(Enum):
    """A part of a move whose length is worth remembering."""

    TRANSFER = "transfer"
    ADD = "add"
    CHECK = "check"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Timing:
    """One part of one move: `size` bytes (on the wire for a transfer) took `took` seconds, and ended at `at` (Unix seconds).

    `way` names what it depends on: the mode and both servers for a transfer, else the destination and how it checks.
    """

    task: Task
    way: str
    size: int
    took: float
    at: float


def usual_rate(timings: Iterable[Timing]) -> float:
    """Bytes a second: the median of these, each with the weight of its bytes; 0 where there are none.

    A median, so that one night on a bad line changes nothing; weighted, as small torrents are all waiting and little work.
    """
    rates = sorted((each.size / max(each.took, _LEAST), each.size) for each in timings if each.size > 0)
    half = sum(size for _, size in rates) / 2
    for rate, size in rates:
        half -= size
        if half <= 0:
            return rate
    return 0.0


def usual_time(timings: Iterable[Timing]) -> float | None:
    """Seconds: the median of these; None where there are none."""
    took = [each.took for each in timings]
    return median(took) if took else None
