"""Help: the keys that hold on the screen below, made from its bindings, and what its words mean."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Vertical

from torrent_mover.domain.report.words import WORDS, Words
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, cells, left, line, wrap
from torrent_mover.tui.shell.keys import grouped, key_name
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.rows import ListRow, Rows

_KEYS = 14
_FRAME = 8  # cells of the box, its margins and the scroll bar

Groups = tuple[tuple[str, tuple[Binding, ...]], ...]
"""Headings, each with its keys."""


def help_lines(active: dict[str, ActiveBinding], groups: Groups, *, ascii_only: bool) -> list[Line]:
    """Headings and keys, in the order of `groups`."""
    keys = {binding.id: (binding, found) for binding, found in grouped(active) if binding.id}
    lines: list[Line] = []
    for heading, group in groups:
        here = [keys[binding.id] for binding in group if binding.id in keys]
        if not here:
            continue
        lines += [BLANK] if lines else []
        lines.append(line(Span(heading, Tone.TITLE)))
        for binding, found in here:
            names = " ".join(key_name(key, ascii_only=ascii_only) for key in found)
            lines.append(line(Span(left(names, _KEYS), Tone.KEY), Span(binding.tooltip)))
    return lines


def word_lines(words: Words, width: int) -> list[Line]:
    """A heading, then each word with its meaning, in lines of `width` cells."""
    lines = [BLANK, line(Span("Words", Tone.TITLE))]
    for word, means in words:
        told = wrap(means, max(width - _KEYS, 1))
        if cells(word) >= _KEYS:
            lines.append(line(Span(word, Tone.KEY)))
        else:
            lines.append(line(Span(left(word, _KEYS), Tone.KEY), Span(told.pop(0))))
        lines += [line(" " * _KEYS, piece) for piece in told]
    return lines


class Help(FittedScreen):
    """A list to scroll; escape goes back."""

    def __init__(
        self, look: Look, active: dict[str, ActiveBinding], panel: str, groups: Groups = bindings.GROUPS
    ) -> None:
        """`panel`: whose words are explained."""
        super().__init__(look)
        self._words = WORDS[panel]
        self._lines = help_lines(active, groups, ascii_only=look.ascii)

    def compose(self) -> ComposeResult:
        """A box over the whole screen."""
        with Vertical(classes="page") as box:
            box.border_title = "Keys and words   (esc back)"
            yield Rows(self.look, lambda item, _: item, id="keys-list")

    def on_mount(self) -> None:
        """Show them."""
        rows = self.query_one(Rows)
        rows.pointing = False
        rows.focus()
        self.redraw()

    def redraw(self) -> None:
        """The words anew, as the width breaks their lines."""
        lines = [*self._lines, *word_lines(self._words, self.app.size.width - _FRAME)]
        self.query_one(Rows).show_rows([ListRow(index, one) for index, one in enumerate(lines)])
