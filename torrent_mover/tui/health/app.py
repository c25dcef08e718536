"""The application of health: which loop is looked at, what is worth a word, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.health import HealthPhase
from torrent_mover.domain.text import safe
from torrent_mover.ports.health_control import HealthControl
from torrent_mover.tui.health import keys, panels
from torrent_mover.tui.health.screens import DownloadsScreen, HealthLog
from torrent_mover.tui.health.session import HealthSession
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.list_app import ListApp
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions
from torrent_mover.tui.shell.panel import reading_width

_LOG = logging.getLogger(__name__)


class HealthApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it."""

    CSS_PATH: ClassVar[list[str]] = ["../shell/mover.tcss", "../shell/listing.tcss"]  # type: ignore[assignment]  # textual takes a list too
    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    explains = "Reading what the last look has found ..."

    def __init__(
        self,
        control: HealthControl,
        options: DashboardOptions,
        by_signal: Callable[[ExitCode], None] = lambda _code: None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        def session(look: Look) -> HealthSession:
            self.session = HealthSession(control, look, control.snapshot())
            return self.session

        super().__init__(session, options, by_signal, gone)

    def make_list(self) -> DownloadsScreen:
        """See ListApp."""
        return DownloadsScreen(self.session)

    def make_log(self) -> HealthLog:
        """See ListApp."""
        return HealthLog(self.session)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ListApp."""
        return self.session.control.subscribe(listener)

    def help_groups(self) -> tuple[tuple[str, tuple[Binding, ...]], ...]:
        """See ListApp."""
        return keys.HELP

    @property
    def over(self) -> bool:
        """See ListApp."""
        return self.session.snapshot.over

    def heard(self, event: Event) -> None:
        """What went wrong is worth a word; everything else is in the log."""
        if isinstance(event, Noticed) and event.level is Level.ERROR:
            self.notify(safe(event.text), severity="error", timeout=8, markup=False)

    def stop_engine(self, *, now: bool) -> None:
        """See TerminalApp. Loops of another process go on."""
        if self.session.snapshot.works_here:
            self.session.control.stop(now=now)

    def action_next_loop(self) -> None:
        """Look at one loop alone, the next one, or at all again."""
        session = self.session
        count = len(session.snapshot.loops)
        if count < 2:  # noqa: PLR2004 - the next one is another one
            self.notify("There is no other loop.", timeout=3, markup=False)
            return
        following = 0 if session.place is None else session.place + 1
        session.place = following if following < count else None
        self.draw_all()

    def action_look_now(self) -> None:
        """Have the loops that are shown look now."""
        loops = [loop for loop in self.session.loops if loop.phase is not HealthPhase.ENDED]
        for loop in loops:
            self.session.control.request_look(loop.name)
        self.notify("A look is asked for" if loops else "No loop runs.", timeout=3, markup=False)

    def action_alarms(self) -> None:
        """All that needs somebody, in full."""
        lines = panels.alarm_texts(self.session.snapshot, reading_width(self.size.width))
        self.read("Alarms", lines, bad=bool(self.session.snapshot.needs_somebody))

    def action_leave(self) -> None:
        """Leave: the running step ends, and each was written down before it was taken."""
        self.session.refresh()
        if not self.options.attached and self.session.snapshot.works_here and not self.over:
            self.session.control.stop()
        self.exit(None)


def run_health_dashboard(
    control: HealthControl,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | None:
    """Show the loops until somebody leaves; see tui.tiering.app.run_tier_dashboard. Raises ConfigError for a wrong keymap."""
    if options.keymap is not None:
        load_keymap(options.keymap)
    app = HealthApp(control, options, by_signal, gone)
    result = app.run(mouse=options.mouse)
    if result is None and app.return_code:
        _LOG.error("The screen of health failed; the loops go on.", exc_info=app.failure)
        return DASHBOARD_FAILED
    return result
