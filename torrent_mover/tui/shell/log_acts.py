"""What a screen with a log pane can do with it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.log_pane import LogPane


class LogActs(ScreenView):
    """Level, follow, wrap, and the lines of one torrent."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.LOG]

    @property
    def pane(self) -> LogPane:
        """The log on this screen."""
        return self.query_one(LogPane)

    def show_log(self) -> None:
        """Draw what is new."""
        self.pane.show(self.session.log)

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
        moves = self.chosen()
        if self.pane.torrent is not None or not moves:
            self.pane.only(None)
        else:
            self.pane.only(moves[0].id)
