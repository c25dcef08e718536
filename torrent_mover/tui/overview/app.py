"""The application of the overview: from it to the screens of each duty, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.ports.overview_control import OverviewControl
from torrent_mover.tui.overview import keys
from torrent_mover.tui.overview.screens import DutyWanted, OverviewLog, OverviewScreen
from torrent_mover.tui.overview.session import OverviewSession
from torrent_mover.tui.shell.list_app import ListApp, shown_until_left
from torrent_mover.tui.shell.options import DashboardOptions

_LOG = logging.getLogger(__name__)


class OverviewApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it. `wanted`: the duty to be shown next."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    session: OverviewSession
    session_type, list_type, log_type, help_groups = OverviewSession, OverviewScreen, OverviewLog, keys.HELP
    words = "overview"
    wanted = ""

    @property
    def over(self) -> bool:
        """See ListApp. What one duty's end means is for its own screen to say."""
        return False

    def stop_engine(self, *, now: bool) -> None:
        """See TerminalApp. It only looks on."""

    def on_duty_wanted(self, message: DutyWanted) -> None:
        """Leave this for the screens of a duty."""
        self.wanted = message.duty
        self.exit(None)

    def action_overview(self) -> None:
        """Nowhere to go."""
        self.notify("This is the overview.", timeout=3, markup=False)

    def action_leave(self) -> None:
        """Leave; whoever shows this knows where to."""
        self.exit(None)


def run_overview(
    control: OverviewControl,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | str | None:
    """Show the overview until somebody leaves: None, a signal's exit code, DASHBOARD_FAILED, or the duty to show next.

    Raises ConfigError for a wrong keymap.
    """
    app = OverviewApp(control, options, by_signal, gone)
    result = shown_until_left(app, "the duties go on")
    return app.wanted or result
