"""The application of the overview: from it to the screens of each duty, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.text import safe
from torrent_mover.ports.overview_control import OverviewControl
from torrent_mover.tui.overview import keys
from torrent_mover.tui.overview.screens import DutyWanted, OverviewLog, OverviewScreen
from torrent_mover.tui.overview.session import OverviewSession
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.list_app import ListApp
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions

_LOG = logging.getLogger(__name__)


class OverviewApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it. `wanted`: the duty to be shown next."""

    CSS_PATH: ClassVar[list[str]] = ["../shell/mover.tcss", "../shell/listing.tcss"]  # type: ignore[assignment]  # textual takes a list too
    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]

    def __init__(
        self,
        control: OverviewControl,
        options: DashboardOptions,
        by_signal: Callable[[ExitCode], None] = lambda _code: None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        def session(look: Look) -> OverviewSession:
            self.session = OverviewSession(control, look, control.snapshot())
            return self.session

        super().__init__(session, options, by_signal, gone)
        self.wanted = ""

    def make_list(self) -> OverviewScreen:
        """See ListApp."""
        return OverviewScreen(self.session)

    def make_log(self) -> OverviewLog:
        """See ListApp."""
        return OverviewLog(self.session)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ListApp."""
        return self.session.control.subscribe(listener)

    def help_groups(self) -> tuple[tuple[str, tuple[Binding, ...]], ...]:
        """See ListApp."""
        return keys.HELP

    @property
    def over(self) -> bool:
        """See ListApp. What one duty's end means is for its own screen to say."""
        return False

    def heard(self, event: Event) -> None:
        """What went wrong is worth a word; everything else is in the log."""
        if isinstance(event, Noticed) and event.level is Level.ERROR:
            self.notify(safe(event.text), severity="error", timeout=8, markup=False)

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
    if options.keymap is not None:
        load_keymap(options.keymap)
    app = OverviewApp(control, options, by_signal, gone)
    result = app.run(mouse=options.mouse)
    if result is None and app.return_code:
        _LOG.error("The screen of the overview failed; the duties go on.", exc_info=app.failure)
        return DASHBOARD_FAILED
    return app.wanted or result
