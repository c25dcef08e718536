"""Health: servers, space, watchdog, this machine."""

from __future__ import annotations

from textual.app import ComposeResult

from torrent_mover.domain.report.snapshot import Snapshot
from torrent_mover.tui.moving.health_panels import FullHealth
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.header import Header, view_line
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.log_acts import LogActs
from torrent_mover.tui.shell.log_pane import LogPane


class Health(LogActs, ScreenView):
    """One page of lines, and the log under it."""

    def compose(self) -> ComposeResult:
        """Header, page, log, keys."""
        look = self.session.look
        yield Header(look)
        yield Lines(look, id="views")
        yield FullHealth(look, id="page")
        yield LogPane(look, id="log")
        yield Keys(
            look,
            (
                "app.back",
                "run.pause",
                "run.bandwidth",
                "run.rescan",
                "view.preflight",
                "log.level",
                "app.quit",
                "app.help",
            ),
        )

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        self.query_one(Header).show(snapshot)
        views = self.query_one("#views", Lines)
        views.show_lines([view_line("health", views.size.width)])
        self.query_one(FullHealth).show(snapshot)
        self.show_log()
        self.query_one(Keys).show()
