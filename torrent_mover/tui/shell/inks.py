"""How a tone looks in a theme: a colour of the theme and a weight; the mono theme says it with attributes alone.

Kept out of the style sheet: there, each of many widgets would have every tone worked out whenever a screen comes up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.style import Style
from textual.color import Color

from torrent_mover.tui.shell.ink import Tone

_COLOURS: Final = {
    Tone.PLAIN: "foreground",
    Tone.DIM: "ink-dim",
    Tone.STRONG: "foreground",
    Tone.TITLE: "accent",
    Tone.ACCENT: "accent",
    Tone.GOOD: "success",
    Tone.WARN: "warning",
    Tone.BAD: "error",
    Tone.BAR: "accent",
    Tone.REUSED: "ink-dim",
    Tone.TRACK: "ink-track",
    Tone.IN: "ink-in",
    Tone.IN_LOW: "ink-in-low",
    Tone.IN_HIGH: "ink-in-high",
    Tone.OUT: "ink-out",
    Tone.OUT_LOW: "ink-out-low",
    Tone.OUT_HIGH: "ink-out-high",
    Tone.LIMIT: "warning",
    Tone.KEY: "accent",
}
_BOLD: Final = frozenset({Tone.STRONG, Tone.TITLE, Tone.BAD, Tone.KEY})
_MONO: Final = {
    Tone.DIM: Style(dim=True),
    Tone.TRACK: Style(dim=True),
    Tone.WARN: Style(bold=True),
    Tone.BAD: Style(bold=True, underline=True),
}
_MONO_CURSOR: Final = Style(reverse=True)


def tone_style(tone: Tone, variables: Mapping[str, str], *, mono: bool) -> Style:
    """The style of a tone, to be laid over a widget's own. `variables`: the theme's colours by name."""
    style = Style(color=Color.parse(variables[_COLOURS[tone]]).rich_color, bold=True if tone in _BOLD else None)
    return style + _MONO.get(tone, Style.null()) if mono else style


def cursor_style(variables: Mapping[str, str], *, mono: bool) -> Style:
    """What lies over the row that the keys act on."""
    return _MONO_CURSOR if mono else Style(bgcolor=Color.parse(variables["ink-cursor"]).rich_color)
