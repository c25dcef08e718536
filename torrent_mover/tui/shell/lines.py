"""Lines: a widget that holds a few lines of ink and repaints only those that changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from torrent_mover.tui.shell.ink import Line, Tone, cells, crop
from torrent_mover.tui.shell.inks import cursor_style, tone_style
from torrent_mover.tui.shell.look import Look

_LIKE = dict(zip("…–—‘’“”×≥≤·•", "~--''\"\"x><..", strict=True))  # the nearest of one cell each


def ascii_only(text: str) -> str:
    """What a terminal without Unicode can show, as wide as before: letters without their accents, `?` for the rest."""
    return text if text.isascii() else "".join(map(_nearest, text))


@lru_cache(4096)
def _nearest(character: str) -> str:
    if character.isascii():
        return character
    letter, *marks = list(unicodedata.normalize("NFD", character))
    plain = _LIKE.get(character) or (letter if all(map(unicodedata.combining, marks)) else "")
    return plain if plain and plain.isascii() else "?" * cells(character)


class Inked(Widget):
    """A widget that paints ink in the colours of the theme, over its own background."""

    ALLOW_SELECT = False

    def __init__(self, look: Look, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(id=id, classes=classes)
        self.look = look
        self._styles_of: dict[tuple[Tone, bool], Style] = {}

    def notify_style_update(self) -> None:
        """Another theme, or another background."""
        self._styles_of.clear()
        super().notify_style_update()

    def _style_of(self, tone: Tone, *, here: bool) -> Style:
        known = self._styles_of.get((tone, here))
        if known is None:
            variables, mono = self.app.theme_variables, self.app.theme == "mono"
            known = self.rich_style + tone_style(tone, variables, mono=mono)
            known = known + cursor_style(variables, mono=mono) if here else known
            self._styles_of[tone, here] = known
        return known

    def paint(self, ink: Line, width: int, *, here: bool = False) -> Strip:
        """A strip of exactly `width` cells; `here`: it is the row of the cursor."""
        segments = []
        for span in crop(ink, width):
            if not span.text:
                continue
            style = self._style_of(span.tone, here=here)
            if span.action:
                style += Style.from_meta({"@click": span.action})
            segments.append(Segment(ascii_only(span.text) if self.look.ascii else span.text, style))
        return Strip(segments, width).simplify()


class Lines(Inked):
    """A few lines, given by whoever owns the widget."""

    def __init__(self, look: Look, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(look, id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown now."""
        return self._lines

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines; only rows that differ are painted again."""
        old, self._lines = self._lines, tuple(lines)
        changed = [y for y in range(max(len(old), len(self._lines))) if old[y : y + 1] != self._lines[y : y + 1]]
        if changed:
            width = self.size.width
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One row of the widget."""
        return self.paint(self._lines[y] if y < len(self._lines) else (), self.size.width)
