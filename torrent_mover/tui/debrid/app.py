"""The application of debrid accounts: which account is looked at, what is worth a word, acting on the plan, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.debrid import DebridPhase
from torrent_mover.domain.text import counted
from torrent_mover.ports.debrid_control import DebridControl
from torrent_mover.tui.debrid import keys, panels
from torrent_mover.tui.debrid.rows import DebridList
from torrent_mover.tui.debrid.screens import DebridLog, DebridScreen
from torrent_mover.tui.debrid.session import AccountsSession
from torrent_mover.tui.shell.ask import AskLine
from torrent_mover.tui.shell.list_app import ListApp, shown_until_left
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.shell.panel import reading_width

_LOG = logging.getLogger(__name__)


class DebridApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    session: AccountsSession
    session_type, list_type, log_type, help_groups = AccountsSession, DebridScreen, DebridLog, keys.HELP
    words = "debrid"
    explains = "Reading what is known of it ..."

    def action_next_account(self) -> None:
        """Look at one account alone, the next one, or at all again."""
        self.look_at_next(len(self.session.snapshot.accounts), "account")

    def action_scan_now(self) -> None:
        """Begin a round of the accounts that are shown."""
        alive = [each for each in self.session.accounts if each.phase is not DebridPhase.ENDED]
        for account in alive:
            self.session.control.request_scan(account.name)
        self.notify("A round is asked for" if alive else "The rounds have ended.", timeout=3, markup=False)

    def action_act(self) -> None:
        """Show the plan; act on it once its count is typed."""
        plans = {
            each.name: each.plan for each in self.session.accounts if each.plan and each.phase is not DebridPhase.ENDED
        }
        count = sum(map(len, plans.values()))
        if not count:
            self.notify("Nothing is to be done now.", timeout=3, markup=False)
            return
        self.action_view(DebridList.PLAN.value)

        def answered(text: str | None) -> None:
            if text is not None:
                for account, torrents in plans.items():
                    self.session.control.act(account, torrents)
                self.notify(f"Asked for: {counted(count, 'torrent')}", timeout=3, markup=False)

        hint = (
            f"The plan has {counted(count, 'torrent')}. Each is looked at again, then what the plan says is done, once;"
            f" guards and caps hold. Type {count} and press enter; escape leaves all as it is."
        )

        def check(text: str) -> str:
            return "" if text.strip().replace(",", "") == str(count) else f"Nothing was begun: the count is {count}."

        self.push_screen(AskLine(self.list_screen, "Act on the plan?", hint, "", check), answered)

    def action_alarms(self) -> None:
        """All that needs somebody, in full."""
        lines = panels.alarm_texts(self.session.snapshot, reading_width(self.size.width))
        self.read("Alarms", lines, bad=bool(self.session.snapshot.needs_somebody))


def run_debrid_dashboard(
    control: DebridControl,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | None:
    """Show the accounts until somebody leaves; see shown_until_left. Raises ConfigError for a wrong keymap."""
    return shown_until_left(DebridApp(control, options, by_signal, gone), "the rounds of debrid accounts go on")
