"""Lines of toned text, the ink that every widget draws with: plain values, no markup, exact widths in terminal cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from torrent_mover.domain.text import cells as cells_of
from torrent_mover.domain.text import shorten


class Tone(Enum):
    """What a piece of text is for; the style sheet says how that looks."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    TITLE = "title"
    ACCENT = "accent"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    BAR = "bar"
    REUSED = "reused"
    TRACK = "track"
    IN = "in"
    IN_LOW = "in-low"
    IN_HIGH = "in-high"
    OUT = "out"
    OUT_LOW = "out-low"
    OUT_HIGH = "out-high"
    LIMIT = "limit"
    KEY = "key"


class Span(NamedTuple):
    """A run of text in one tone. `action` is what a click on it does."""

    text: str
    tone: Tone = Tone.PLAIN
    action: str = ""


Line = tuple[Span, ...]

BLANK: Line = ()

ROOMY = 100
"""Cells from which a line has room for what is nice to know."""


_ARGUABLE = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
"""Emoji or text, and the colour of a skin: terminals do not agree on how wide a character becomes by these."""


@lru_cache(4096)
def cells(text: str) -> int:
    """How many terminal cells the text takes: as tmux, screen and most terminals count, character by character."""
    return cells_of(text)


def steady(text: str) -> str:
    """The text without what would make it wider in one terminal than in another, and shift the columns after it."""
    return text if text.isascii() else _ARGUABLE.sub("", text)


def line(*parts: Span | str | Line) -> Line:
    """One line of parts: text is plain, lines are joined."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans.append(Span(part))
        elif isinstance(part, Span):
            spans.append(part)
        else:
            spans.extend(part)
    return tuple(spans)


def plain(ink: Line) -> str:
    """The text without its tones."""
    return "".join(span.text for span in ink)


def width(ink: Line) -> int:
    """Cells that the line takes."""
    return sum(cells(span.text) for span in ink)


def crop(ink: Line, size: int) -> Line:
    """The line at exactly `size` cells: cut, or filled with blanks."""
    spans: list[Span] = []
    left = size
    for span in ink:
        taken = cells(span.text)
        if taken > left:
            fitting = _head(span.text, left)
            spans.append(span._replace(text=fitting + " " * (left - cells(fitting))))
            return tuple(spans)
        spans.append(span)
        left -= taken
    if left:
        spans.append(Span(" " * left))
    return tuple(spans)


def left(text: str, size: int) -> str:
    """The text at exactly `size` cells, shortened in the middle where it is longer, at the left."""
    if size <= 0:
        return ""
    fitting = shorten(steady(text), size)
    return fitting + " " * (size - cells(fitting))


def prose(text: str, size: int) -> str:
    """As `left`, but a sentence is cut at its end."""
    fitting = shorten(steady(text), max(0, size), middle=False)
    return fitting + " " * (size - cells(fitting))


def right(text: str, size: int) -> str:
    """As `left`, at the right: for numbers."""
    if size <= 0:
        return ""
    fitting = shorten(steady(text), size)
    return " " * (size - cells(fitting)) + fitting


def spread(start: Line, end: Line, size: int) -> Line:
    """`start` at the left and `end` at the right of `size` cells; the start gives way."""
    room = size - width(end)
    if room <= 0:
        return crop(end, size)
    return line(crop(start, room), end)


def rule(title: str, end: str, size: int, dash: str) -> Line:
    """A horizontal line with a title in it: `─ title ──── end ─`."""
    head = (Span(dash + " ", Tone.TRACK), Span(title, Tone.TITLE), Span(" ", Tone.TRACK)) if title else ()
    tail = (Span(f" {end} ", Tone.DIM), Span(dash, Tone.TRACK)) if end else ()
    middle = size - width(head) - width(tail)
    if middle < 1 and end:
        return rule(title, "", size, dash)
    return crop(line(head, Span(dash * max(0, middle), Tone.TRACK), tail), size)


class Part(NamedTuple):
    """Something that a crowded line may leave out: the highest `spare` goes first; 0 stays."""

    ink: Line
    spare: int = 0


def squeeze(start: Iterable[Part], end: Iterable[Part], size: int, gap: int = 3) -> Line:
    """Parts at the left and at the right, `gap` cells apart, as many as fit."""
    lefts, rights = list(start), list(end)

    def total() -> int:
        parts = [*lefts, *rights]
        return sum(width(part.ink) for part in parts) + gap * max(0, len(parts) - 1)

    while (lefts or rights) and total() > size:
        worst = max([*lefts, *rights], key=lambda part: part.spare)
        if worst.spare == 0:
            break
        (rights if worst in rights else lefts).remove(worst)
    return spread(_joined(lefts, gap), _joined(rights, gap), size)


def _joined(parts: list[Part], gap: int) -> Line:
    spans: list[Span] = []
    for index, part in enumerate(parts):
        if index:
            spans.append(Span(" " * gap))
        spans.extend(part.ink)
    return tuple(spans)


def wrap(text: str, size: int) -> list[str]:
    """The text in lines of at most `size` cells, broken at blanks where there are any."""
    size = max(1, size)
    lines: list[str] = []
    current = ""
    for word in steady(text).split(" "):
        candidate = f"{current} {word}" if current else word
        if cells(candidate) <= size:
            current = candidate
            continue
        if current:
            lines.append(current)
        current = word
        while cells(current) > size:
            head = _head(current, size) or current[:1]
            lines.append(head)
            current = current[len(head) :]
    lines.append(current)
    return lines


def _head(text: str, size: int) -> str:
    """As much of its beginning as fits."""
    taken = 0
    for index, character in enumerate(text):
        taken += cells(character)
        if taken > size:
            return text[:index]
    return text
