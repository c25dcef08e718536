"""The pieces of a torrent as cells: verified, arrived, missing, bad; one cell for many pieces where there are many."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torrent_mover.domain.report.snapshot import PieceMark
from torrent_mover.tui.shell.ink import Line, Span, Tone, line
from torrent_mover.tui.shell.look import Look


def pieces_per_cell(count: int, room: int) -> int:
    """How many pieces one cell stands for, so that all fit into `room` cells."""
    return max(1, math.ceil(count / room)) if room else max(1, count)


def fold(marks: Sequence[PieceMark], per_cell: int) -> list[PieceMark]:
    """One mark a cell: a bad piece shows, else the least that all of its pieces have reached."""
    folded = []
    for start in range(0, len(marks), per_cell):
        group = marks[start : start + per_cell]
        bad = PieceMark.BAD in group
        folded.append(PieceMark.BAD if bad else min(group, key=lambda mark: mark.value))
    return folded


def strip_lines(marks: Sequence[PieceMark], width: int, height: int, look: Look) -> list[Line]:
    """The strip in at most `height` lines of `width` cells."""
    glyphs = look.glyphs
    inks = {
        PieceMark.VERIFIED: (glyphs.full, Tone.GOOD),
        PieceMark.ARRIVED: (glyphs.arrived, Tone.BAR),
        PieceMark.MISSING: (glyphs.track, Tone.TRACK),
        PieceMark.BAD: (glyphs.bad, Tone.BAD),
    }
    if not marks or width < 1 or height < 1:
        return []
    folded = fold(marks, pieces_per_cell(len(marks), width * height))
    lines = []
    for start in range(0, len(folded), width):
        spans: list[Span] = []
        for mark in folded[start : start + width]:
            glyph, tone = inks[mark]
            if spans and spans[-1].tone is tone:
                spans[-1] = Span(spans[-1].text + glyph, tone)
            else:
                spans.append(Span(glyph, tone))
        lines.append(tuple(spans))
    return lines


def legend(marks: Sequence[PieceMark], width: int, height: int, look: Look) -> Line:
    """What the glyphs mean, with counts."""
    counts = {mark: sum(one is mark for one in marks) for mark in PieceMark}
    glyphs = look.glyphs
    per_cell = pieces_per_cell(len(marks), max(1, width * height))
    return line(
        Span(f"{glyphs.full} ", Tone.GOOD), f"{counts[PieceMark.VERIFIED]} verified  ",
        Span(f"{glyphs.arrived} ", Tone.BAR), f"{counts[PieceMark.ARRIVED]} arrived  ",
        Span(f"{glyphs.track} ", Tone.TRACK), f"{counts[PieceMark.MISSING]} missing  ",
        Span(f"{glyphs.bad} ", Tone.BAD), f"{counts[PieceMark.BAD]} bad",
        Span(f"  one cell: {per_cell} pieces" if per_cell > 1 else "", Tone.DIM),
    )  # fmt: skip
