"""The application of health: which loop is looked at, what is worth a word, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.health import HealthPhase
from torrent_mover.ports.health_control import HealthControl
from torrent_mover.tui.health import keys, panels
from torrent_mover.tui.health.screens import DownloadsScreen, HealthLog
from torrent_mover.tui.health.session import HealthSession
from torrent_mover.tui.shell.list_app import ListApp, shown_until_left
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.shell.panel import reading_width

_LOG = logging.getLogger(__name__)


class HealthApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    session: HealthSession
    session_type, list_type, log_type, help_groups = HealthSession, DownloadsScreen, HealthLog, keys.HELP
    words = "health"
    explains = "Reading what the last look has found ..."

    def action_next_loop(self) -> None:
        """Look at one loop alone, the next one, or at all again."""
        self.look_at_next(len(self.session.snapshot.loops), "loop")

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


def run_health_dashboard(
    control: HealthControl,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | None:
    """Show the loops until somebody leaves; see shown_until_left. Raises ConfigError for a wrong keymap."""
    return shown_until_left(HealthApp(control, options, by_signal, gone), "the loops of health go on")
