"""What a screen with a log pane can do with it, and what a screen that is all log adds."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.log_pane import LogPane

LOG_KEYS = ("app.back", "log.level", "list.filter", "log.follow", "log.wrap", "log.open", "app.quit", "app.help")
"""The footer of a screen that is all log."""


class LogActs(FittedScreen):
    """Level, follow, wrap, and the lines of one torrent."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.LOG]

    @property
    def pane(self) -> LogPane:
        """The log on this screen."""
        return self.query_one(LogPane)

    def show_log(self) -> None:
        """Draw what is new."""
        self.pane.show(self.log_records())

    def action_level(self) -> None:
        """The next lowest level."""
        self.pane.next_level()

    def action_follow(self) -> None:
        """To the newest line, and stay there."""
        self.pane.follow()

    def action_wrap(self) -> None:
        """Break or cut long lines."""
        self.pane.toggle_wrap()

    def action_only(self) -> None:
        """The chosen torrent's lines, or all again."""
        self.pane.only(None if self.pane.torrent is not None else self.log_torrent())


class LogPage(LogActs):
    """A screen that is all log: the keys go to it, and `/` finds in it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.FILTER]

    def on_mount(self) -> None:
        """Keys go to the log."""
        self.pane.focus()

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
