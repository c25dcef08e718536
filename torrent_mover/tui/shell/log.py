"""The log, full screen."""

from __future__ import annotations

from textual.app import ComposeResult

from torrent_mover.domain.report.snapshot import Snapshot
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.header import Header, view_line
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.log_acts import LOG_KEYS, LogPage
from torrent_mover.tui.shell.log_pane import LogPane


class Log(LogPage, ScreenView):
    """The pane and its filter."""

    def compose(self) -> ComposeResult:
        """Header, pane, keys."""
        look = self.session.look
        yield Header(look)
        yield Lines(look, id="views")
        yield LogPane(look, id="log")
        yield FilterBar()
        yield Keys(look, LOG_KEYS)

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        self.query_one(Header).show(snapshot)
        views = self.query_one("#views", Lines)
        views.show_lines([view_line("log", views.size.width)])
        self.show_log()
        self.query_one(Keys).show()
