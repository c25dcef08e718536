"""The log, full screen."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from torrent_mover.domain.report.snapshot import Snapshot
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.header import Header, view_line
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.log_acts import LogActs
from torrent_mover.tui.shell.log_pane import LogPane


class Log(LogActs):
    """The pane and its filter."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.FILTER]

    def compose(self) -> ComposeResult:
        """Header, pane, keys."""
        look = self.session.look
        yield Header(look)
        yield Lines(look, id="views")
        yield LogPane(look, id="log")
        yield FilterBar()
        yield Keys(
            look, ("app.back", "log.level", "list.filter", "log.follow", "log.wrap", "log.open", "app.quit", "app.help")
        )

    def on_mount(self) -> None:
        """Keys go to the log."""
        self.pane.focus()

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        self.query_one(Header).show(snapshot)
        views = self.query_one("#views", Lines)
        views.show_lines([view_line("log", views.size.width)])
        self.show_log()
        self.query_one(Keys).show()

    def back_out(self) -> bool:
        """Escape ends the filter of the log."""
        return self.pane.end_filter()

    def action_filter(self) -> None:
        """Type what to find."""
        self.query_one(FilterBar).open(self.pane.query_text.text)

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        self.pane.find(event.query)

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.pane.focus()
