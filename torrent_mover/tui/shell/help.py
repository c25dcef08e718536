"""Help: the keys that hold on the screen below, made from its bindings."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.containers import Vertical

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, left, line
from torrent_mover.tui.shell.keys import grouped, key_name
from torrent_mover.tui.shell.rows import ListRow, Rows
from torrent_mover.tui.shell.session import ScreenSession

_KEYS = 14


def help_lines(active: dict[str, ActiveBinding], *, ascii_only: bool) -> list[Line]:
    """Headings and keys, in the order of the list of bindings."""
    keys = {binding.id: (binding, found) for binding, found in grouped(active) if binding.id}
    lines: list[Line] = []
    for heading, group in bindings.GROUPS:
        here = [keys[binding.id] for binding in group if binding.id in keys]
        if not here:
            continue
        lines += [BLANK] if lines else []
        lines.append(line(Span(heading, Tone.TITLE)))
        for binding, found in here:
            names = " ".join(key_name(key, ascii_only=ascii_only) for key in found)
            lines.append(line(Span(left(names, _KEYS), Tone.KEY), Span(binding.tooltip)))
    return lines


class Help(ScreenView):
    """A list to scroll; escape goes back."""

    def __init__(self, session: ScreenSession, active: dict[str, ActiveBinding]) -> None:
        super().__init__(session)
        self._lines = help_lines(active, ascii_only=session.look.ascii)

    def compose(self) -> ComposeResult:
        """A box over the whole screen."""
        with Vertical(classes="page") as box:
            box.border_title = "Keys   (esc back)"
            yield Rows(self.session.look, lambda item, _: item, id="keys-list")

    def on_mount(self) -> None:
        """Show them."""
        rows = self.query_one(Rows)
        rows.pointing = False
        rows.show_rows([ListRow(index, one) for index, one in enumerate(self._lines)])
        rows.focus()
