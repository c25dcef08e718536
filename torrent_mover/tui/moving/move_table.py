"""The rows of the torrent table: state as glyph and word, progress, rate, what is left; fixed columns at every width."""

from __future__ import annotations

import re

from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, Snapshot, Step
from torrent_mover.domain.text import cause_first, safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import Line, Span, Tone, cells, crop, left, line, prose, right
from torrent_mover.tui.shell.look import Glyphs, Look

TABLE_FROM = 60
"""Cells from which a row has all columns; below it only name, percent and rate."""

_SIZE_FROM = 96
_BARS = ((150, 16), (110, 10), (0, 0))
"""Cells of a row, and of its bar: names have the room first, and the percentage says the same."""

_MOST_ROUTE = 12  # cells
_PART_ENDS = re.compile("[,;] ")

STALLED_AFTER = 10.0
"""Seconds without a byte after which a row says so."""

_ORDER = {
    MoveStatus.ACTIVE: 0,
    MoveStatus.RETRYING: 1,
    MoveStatus.FAILED: 2,
    MoveStatus.PAUSED: 3,
    MoveStatus.QUEUED: 4,
    MoveStatus.DONE: 5,
    MoveStatus.SKIPPED: 6,
}
_STEP_TONES = {
    Step.PULL: Tone.IN,
    Step.PUSH: Tone.OUT,
    Step.ADD: Tone.ACCENT,
    Step.CHECK: Tone.ACCENT,
    Step.FINISH: Tone.ACCENT,
}


def in_order(moves: tuple[MoveView, ...]) -> list[MoveView]:
    """What moves first, then what is checked, what needs somebody, what waits, what is over; else as the engine has them."""
    return sorted(moves, key=lambda move: (_ORDER[move.standing], move.waits))


def step_glyph(step: Step | None, glyphs: Glyphs) -> str:
    """The glyph of a step."""
    return {
        Step.PULL: glyphs.pull,
        Step.PUSH: glyphs.push,
        Step.ADD: glyphs.add,
        Step.CHECK: glyphs.check,
        Step.FINISH: glyphs.finish,
        None: glyphs.running,
    }[step]


def stalled(move: MoveView) -> bool:
    """No byte for so long that somebody may wonder."""
    return move.standing is MoveStatus.ACTIVE and move.stalled_for >= STALLED_AFTER


def in_trouble(move: MoveView) -> bool:
    """Whether something went wrong that is not over: what moves again needs nobody."""
    return move.trouble is not None and move.standing is not MoveStatus.ACTIVE


def state(move: MoveView, glyphs: Glyphs) -> tuple[Span, str]:
    """The glyph and the word of a move: (`▼`, `1/5 pull`)."""
    if stalled(move):
        return Span(glyphs.warn, Tone.WARN), "stalled"
    if move.standing is MoveStatus.ACTIVE:
        return Span(step_glyph(move.step, glyphs), _STEP_TONES.get(move.step or Step.ADD, Tone.ACCENT)), _step_word(
            move
        )
    if move.standing is MoveStatus.RETRYING:
        return Span(glyphs.warn, Tone.WARN), f"retry {move.attempt}/{move.attempts}"
    glyph, tone = {
        MoveStatus.QUEUED: (glyphs.queued, Tone.DIM),
        MoveStatus.PAUSED: (glyphs.paused, Tone.WARN),
        MoveStatus.DONE: (glyphs.good, Tone.GOOD),
        MoveStatus.FAILED: (glyphs.bad, Tone.BAD),
        MoveStatus.SKIPPED: (glyphs.skipped, Tone.DIM),
    }[move.standing]
    return Span(glyph, tone), move.standing.value


def _step_word(move: MoveView) -> str:
    if move.repair:
        return safe(move.repair)
    if move.step is None:
        return move.stage.value
    steps = [progress.step for progress in move.steps]
    if move.step in steps:
        return f"{steps.index(move.step) + 1}/{len(steps)} {move.step.value}"
    return move.step.value


def route_cells(snapshot: Snapshot, width: int) -> int:
    """Cells of the column that names the route of each torrent; 0 where there is one route alone, or no room."""
    if not snapshot.several or width < TABLE_FROM:
        return 0
    longest = max(cells(safe(route.name)) for route in snapshot.routes)
    return min(max(longest, len("Route")), _MOST_ROUTE)


def heading(width: int, found: str = "", route: int = 0) -> Line:
    """The names of the columns, for rows of that width; `found`: what a filter left of them. `route` as in move_row."""
    if width < TABLE_FROM:
        return line(_names(found, width - 14), Span(right("Done", 5) + right("Rate", 8), Tone.DIM))
    name, size, bar = _columns(width - (route + 1 if route else 0))
    text = f" {left('Route', route)}" if route else ""
    text += " " + (right("Size", size) + " " if size else "") + f" {left('Stage', 10)} "
    text += (left("Progress", bar + 5) if bar else right("Done", 5)) + right("Rate", 8) + right("ETA", 9)
    return line(_names(found, name + 2), Span(text, Tone.DIM))


def _names(found: str, size: int) -> Line:
    start = line(Span("  Torrent  ", Tone.DIM), Span(found, Tone.ACCENT))
    return crop(start, size)


def _columns(width: int) -> tuple[int, int, int]:
    """Cells of the name, the size and the bar."""
    size = 9 if width >= _SIZE_FROM else 0
    bar = next(cells for least, cells in _BARS if width >= least)
    fixed = 2 + 1 + (size + 1 if size else 0) + 1 + 10 + 1 + _numbers(bar)
    return width - fixed, size, bar


def move_row(move: MoveView, width: int, look: Look, route: int = 0) -> Line:
    """One torrent, at exactly that width; `route`: cells of the column of its route (see route_cells)."""
    glyph, word = state(move, look.glyphs)
    name_tone = Tone.DIM if move.standing in (MoveStatus.QUEUED, MoveStatus.SKIPPED, MoveStatus.DONE) else Tone.PLAIN
    if width < TABLE_FROM:
        return crop(_narrow_row(move, width, look, glyph, name_tone), width)
    name, size, bar = _columns(width - (route + 1 if route else 0))
    start: list[Span | str] = [glyph, " ", Span(left(safe(move.name), name), name_tone), " "]
    if route:
        start.append(Span(left(safe(move.route), route) + " ", Tone.DIM))
    if size:
        start.append(Span(right(fmt.size(move.size, look.units), size) + " ", Tone.DIM))
    word_tone = glyph.tone if glyph.tone in (Tone.WARN, Tone.BAD, Tone.GOOD) else name_tone
    reason = _reason(move, word, width=10 + 1 + _numbers(bar), has_size=bool(size), look=look)
    if reason:
        return crop(line(*start, Span(f" {reason}", word_tone)), width)
    start.append(Span(f" {left(word, 10)} ", word_tone))
    return crop(line(*start, _progress(move, bar, look)), width)


def _numbers(bar: int) -> int:
    """Cells of progress, rate and ETA."""
    return bar + 5 + 8 + 9


def _narrow_row(move: MoveView, width: int, look: Look, glyph: Span, tone: Tone) -> Line:
    name = line(glyph, " ", Span(left(safe(move.name), width - 16), tone), " ")
    if move.standing is MoveStatus.FAILED and move.trouble:
        return line(name, Span(right(move.trouble.code, 13), Tone.BAD))
    if move.standing in (MoveStatus.QUEUED, MoveStatus.SKIPPED, MoveStatus.DONE):
        return line(name, Span(right(fmt.size(move.size, look.units), 13), tone))
    rate, eta, pace = _pace(move, look)
    return line(name, right(fmt.percent(move.fraction), 5), Span(right(rate or eta, 8), pace))


def _reason(move: MoveView, word: str, *, width: int, has_size: bool, look: Look) -> str:
    """What a row says that has no numbers to show, over all their columns: its state, and what it waits for or why it failed."""
    if move.standing is MoveStatus.FAILED and move.trouble:
        return prose(f"{word}: {safe(cause_first(move.trouble.what))}", width)
    if move.standing is MoveStatus.RETRYING:  # a bar that stands still says less than the reason does
        return prose(brief(f"{word} {waits_for(move)}", width), width)
    if move.standing not in (MoveStatus.SKIPPED, MoveStatus.DONE, MoveStatus.QUEUED):
        return ""
    head, why = f"{word:<10} ", waits_for(move)
    size = "" if has_size else f"{fmt.size(move.size, look.units):>9}  "
    if cells(head + size + why) > width:  # why it waits says more than how large it is
        size = "" if why else size
    return prose(head + size + brief(why, width - cells(head + size)), width)


def _progress(move: MoveView, bar: int, look: Look) -> Line:
    drawn = fmt.bar(move.fraction, move.reused_fraction, bar, look.glyphs)
    rate, eta, tone = _pace(move, look)
    return line(drawn, right(fmt.percent(move.fraction), 5), Span(right(rate, 8), tone), Span(right(eta, 9), tone))


def waits_for(move: MoveView) -> str:
    """Until when and for what a row waits, or how it ended: `in 0:38: connection dropped`; blank for a free slot."""
    if move.retry_in is None:
        return safe(move.why)
    when = f"in {fmt.span(move.retry_in)}"
    return f"{when}: {safe(move.why)}" if move.why else when


def brief(text: str, size: int) -> str:
    """Its first part, where that fits and the whole does not: `moved in 0:55` of `moved in 0:55, source deleted`."""
    if cells(text) <= size:
        return text
    ends = [mark.start() for mark in _PART_ENDS.finditer(text) if cells(text[: mark.start()]) <= size]
    return text[: ends[-1]] if ends else text


def _pace(move: MoveView, look: Look) -> tuple[str, str, Tone]:
    if move.standing is MoveStatus.RETRYING:
        return "", f"in {fmt.span(move.retry_in)}" if move.retry_in is not None else "now", Tone.WARN
    if move.standing is MoveStatus.PAUSED:
        return "-", "-", Tone.DIM
    if stalled(move):
        allowed = "" if move.watchdog_in is None else f"of {fmt.span(move.stalled_for + move.watchdog_in)}"
        return fmt.span(move.stalled_for), allowed, Tone.WARN
    return (
        fmt.compact(move.rate, look.units) if move.rate else "-",
        fmt.promise(move.eta, guess=move.eta_is_guess),
        Tone.PLAIN,
    )
