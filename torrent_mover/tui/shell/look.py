"""How things are drawn on this terminal: glyphs, graph marks, units. Chosen once, from options and environment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class GraphKind(Enum):
    """What graphs are drawn with."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"


class Units(Enum):
    """How amounts are written: MiB, MB, or Mbit for rates."""

    IEC = "iec"
    SI = "si"
    BITS = "bits"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character for each meaning. A glyph never stands without its word."""

    pull: str = "▼"
    push: str = "▲"
    add: str = "+"
    check: str = "≡"
    finish: str = "»"
    queued: str = "·"
    paused: str = "‖"
    warn: str = "!"
    good: str = "✓"
    bad: str = "✗"
    skipped: str = "-"
    cursor: str = "▸"
    mark: str = "●"
    route: str = "▶"
    running: str = "●"
    alarm: str = "⚠"
    rule: str = "─"
    axis: str = "┤"
    eighths: str = "▏▎▍▌▋▊▉"
    full: str = "█"
    track: str = "░"
    reused: str = "▒"
    thin: str = "━"
    thin_part: str = "╸"
    thin_track: str = "─"
    thin_reused: str = "╍"
    arrived: str = "▓"
    thumb: str = "█"
    rail: str = "│"
    limit: str = "┄"
    dots: str = "…"


ASCII_GLYPHS = Glyphs(
    pull="v", push="^", check="=", finish=">", queued=".", paused="p", good="+", bad="x", add="a",
    cursor=">", mark="*", route=">", running="*", alarm="!", rule="-", axis="|", eighths="", full="#", track=".",
    reused=":", thin="#", thin_part="", thin_track=".", thin_reused=":", arrived="o", thumb="#", rail="|", limit="-", dots="~",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that drawing functions need beside the snapshot."""

    glyphs: Glyphs = Glyphs()
    graph: GraphKind = GraphKind.BRAILLE
    units: Units = Units.IEC

    @property
    def ascii(self) -> bool:
        """Nothing but ASCII may reach the terminal."""
        return self.glyphs is ASCII_GLYPHS


class Looking(Protocol):
    """Whoever says how things are drawn: what dialogs need to know of the application that they are in."""

    @property
    def look(self) -> Look:
        """The look of this terminal."""


def look_for(graph: str, units: str, *, encoding: str, term: str) -> Look:
    """The look for a terminal of that encoding and TERM. `graph` may be `auto`; the Linux console has no braille."""
    unicode = encoding.lower().replace("-", "").replace("_", "") == "utf8" and term not in ("linux", "vt100", "dumb")
    glyphs = Glyphs() if unicode else ASCII_GLYPHS
    if not unicode:
        return Look(glyphs, GraphKind.ASCII, Units(units))
    return Look(glyphs, GraphKind.BRAILLE if graph == "auto" else GraphKind(graph), Units(units))
