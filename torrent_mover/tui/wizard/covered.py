"""All torrents that a rule or a choice covers, to look at before it is decided."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from torrent_mover.domain.categorizing import Fate
from torrent_mover.tui.shell.ink import Line, line
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.wizard import keys, panels
from torrent_mover.tui.wizard.desk import Desk
from torrent_mover.tui.wizard.page import Page


class Covered(Page):
    """A list to scroll; nothing is decided here."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.COVERED]

    def __init__(self, desk: Desk, title: str, fates: tuple[Fate, ...]) -> None:
        super().__init__(desk)
        self._title = title
        self._fates = fates

    def compose(self) -> ComposeResult:
        """Header, columns, torrents, keys."""
        look = self.desk.look
        yield Lines(look, id="head")
        yield Lines(look, id="heading")
        yield Rows(look, self._draw_fate, empty="it covers no torrent of this list", id="covered")
        yield Keys(look, ("covered.back", "wizard.quit", "wizard.help"))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one("#covered", Rows).focus()

    def _draw_fate(self, item: Fate, width: int) -> Line:
        return panels.fate_line(item, self.desk, width)

    def show(self) -> None:
        """Draw."""
        width = self.size.width
        self.query_one("#head", Lines).show_lines([panels.head_line(self.desk, width)])
        heading = panels.covered_heading(self._title, self._fates, "", self.desk, width)
        self.query_one("#heading", Lines).show_lines([heading, line(" ", panels.fates_heading(width - CHROME))])
        self.query_one("#covered", Rows).show_rows([ListRow(fate.candidate.torrent.id, fate) for fate in self._fates])
        self.query_one(Keys).show()

    def action_back(self) -> None:
        """To where it was opened."""
        self.dismiss(None)
