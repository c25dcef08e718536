"""Help: the keys that hold on the screen below, made from its bindings."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Vertical

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, left, line
from torrent_mover.tui.shell.keys import grouped, key_name
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.rows import ListRow, Rows

_KEYS = 14

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


class Help(FittedScreen):
    """A list to scroll; escape goes back."""

    def __init__(self, look: Look, active: dict[str, ActiveBinding], groups: Groups = bindings.GROUPS) -> None:
        super().__init__(look)
        self._lines = help_lines(active, groups, ascii_only=look.ascii)

    def compose(self) -> ComposeResult:
        """A box over the whole screen."""
        with Vertical(classes="page") as box:
            box.border_title = "Keys   (esc back)"
            yield Rows(self.look, lambda item, _: item, id="keys-list")

    def on_mount(self) -> None:
        """Show them."""
        rows = self.query_one(Rows)
        rows.pointing = False
        rows.show_rows([ListRow(index, one) for index, one in enumerate(self._lines)])
        rows.focus()
