"""The arithmetic of graphs: scale, buckets and cells. Pure, so that properties can be tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torrent_mover.tui.shell.look import GraphKind

ZOOMS = (1, 5, 30)
"""Seconds that one dot stands for."""

SHRINK_AFTER = 30.0
"""Seconds for which a scale stays larger than what it shows."""

_LEAST_TOP = 10
"""Kilos a second that a scale reaches at least: below it there is nothing to see."""

_HALF_FROM, _PARTS_FROM = 4, 12
"""Rows from which an axis has a tick in its middle, and more of them."""

_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_LEFT_DOTS = (0x00, 0x40, 0x44, 0x46, 0x47)
_RIGHT_DOTS = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:|#"
_LEVELS = {GraphKind.BRAILLE: 4, GraphKind.BLOCK: 8, GraphKind.ASCII: 4}


def samples_per_cell(kind: GraphKind) -> int:
    """Braille has two columns of dots in a cell."""
    return 2 if kind is GraphKind.BRAILLE else 1


def ladder(peak: float, base: int = 1024) -> float:
    """The smallest 1-2-5-10 step (times a power of `base`) that is not below `peak`; at least one kilo."""
    unit = float(base)
    while True:
        for step in _STEPS:
            if step * unit >= peak:
                return step * unit
        unit *= base


@dataclass(frozen=True, slots=True)
class Scale:
    """The top of the y axis (bytes/s), and when (seconds) it was last needed."""

    top: float
    needed_at: float

    def following(self, peak: float, at: float, base: int = 1024) -> Scale:
        """The scale for what is shown now: it grows at once and shrinks only after `SHRINK_AFTER` seconds."""
        wanted = ladder(max(peak, _LEAST_TOP * base), base)
        if wanted == self.top:
            return replace(self, needed_at=at)
        if wanted > self.top or at - self.needed_at >= SHRINK_AFTER:
            return Scale(wanted, at)
        return self


def buckets(samples: Sequence[float], zoom: int, at: float, count: int) -> list[float]:
    """The last `count` values, newest last, each the maximum of `zoom` one-second samples.

    Buckets are cut at multiples of `zoom` seconds of `at` (Unix seconds), so that a peak keeps its shape while it wanders.
    """
    newest = int(at)
    result: list[float] = []
    current = None
    for age, value in enumerate(reversed(samples)):
        bucket = (newest - age) // zoom
        if bucket == current:
            result[-1] = max(result[-1], value)
            continue
        if len(result) == count:
            break
        result.append(value)
        current = bucket
    return result[::-1]


def dots(value: float, top: float, levels: int) -> int:
    """How many of `levels` steps are filled; any traffic shows at least one, and nothing passes the top."""
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(levels, math.ceil(value / top * levels - 1e-9)))


def rows(kind: GraphKind, values: Sequence[float], top: float, width: int, height: int) -> list[str]:
    """A filled area of `height` rows of `width` cells, first row on top, newest value at the right."""
    per_cell, levels = samples_per_cell(kind), _LEVELS[kind]
    wanted = width * per_cell
    shown = [0.0] * max(0, wanted - len(values)) + list(values)[-wanted:] if wanted else []
    filled = [dots(value, top, levels * height) for value in shown]
    picture = []
    for row in range(height):
        floor = (height - 1 - row) * levels
        steps = [max(0, min(levels, value - floor)) for value in filled]
        picture.append(_row(kind, steps))
    return picture


def _row(kind: GraphKind, steps: list[int]) -> str:
    if kind is GraphKind.BRAILLE:
        pairs = zip(steps[::2], steps[1::2], strict=True)
        return "".join(chr(0x2800 | _LEFT_DOTS[a] | _RIGHT_DOTS[b]) if a or b else " " for a, b in pairs)
    return "".join((_BLOCKS if kind is GraphKind.BLOCK else _ASCII)[step] for step in steps)


def ticks(top: float, height: int, base: int = 1024) -> dict[int, float]:
    """Row -> the value (bytes/s) at its upper edge: the top, even parts of it where there is room, and 0 in the last row."""
    if height <= 1:
        return {0: top}
    lead = top
    while lead >= base:
        lead /= base
    fifths = str(int(lead))[0] == "5"
    parts = 1 if height < _HALF_FROM else 2
    if height >= _PARTS_FROM:
        parts = 5 if fifths else 4
    marks = {round(height * (1 - part / parts)): top * part / parts for part in range(parts, 0, -1)}
    return {**{row: value for row, value in marks.items() if row < height - 1}, height - 1: 0.0}


def limit_row(limit: float | None, top: float, height: int) -> int | None:
    """In which row (0 on top) a limit's line lies; None when it is off the graph."""
    if limit is None or limit <= 0 or limit > top or height < 1:
        return None
    return max(0, min(height - 1, height - math.ceil(limit / top * height - 1e-9)))
