"""The application of debrid accounts: which account is looked at, what is worth a word, acting on the plan, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.debrid import DebridPhase
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.text import counted, safe
from torrent_mover.ports.debrid_control import DebridControl
from torrent_mover.tui.debrid import keys, panels
from torrent_mover.tui.debrid.rows import DebridList
from torrent_mover.tui.debrid.screens import DebridLog, DebridScreen
from torrent_mover.tui.debrid.session import AccountsSession
from torrent_mover.tui.shell.ask import AskLine
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.list_app import ListApp
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions
from torrent_mover.tui.shell.panel import reading_width

_LOG = logging.getLogger(__name__)


class DebridApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it."""

    CSS_PATH: ClassVar[list[str]] = ["../shell/mover.tcss", "../shell/listing.tcss"]  # type: ignore[assignment]  # textual takes a list too
    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    explains = "Reading what is known of it ..."

    def __init__(
        self,
        control: DebridControl,
        options: DashboardOptions,
        by_signal: Callable[[ExitCode], None] = lambda _code: None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        def session(look: Look) -> AccountsSession:
            self.session = AccountsSession(control, look, control.snapshot())
            return self.session

        super().__init__(session, options, by_signal, gone)

    def make_list(self) -> DebridScreen:
        """See ListApp."""
        return DebridScreen(self.session)

    def make_log(self) -> DebridLog:
        """See ListApp."""
        return DebridLog(self.session)

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
        """See TerminalApp. Rounds of another process go on."""
        if self.session.snapshot.works_here:
            self.session.control.stop(now=now)

    def action_next_account(self) -> None:
        """Look at one account alone, the next one, or at all again."""
        session = self.session
        count = len(session.snapshot.accounts)
        if count < 2:  # noqa: PLR2004 - the next one is another one
            self.notify("There is no other account.", timeout=3, markup=False)
            return
        following = 0 if session.place is None else session.place + 1
        session.place = following if following < count else None
        self.draw_all()

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
            return "" if text.strip() == str(count) else f"Nothing was begun: the count is {count}."

        self.push_screen(AskLine(self.list_screen, "Act on the plan?", hint, "", check), answered)

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


def run_debrid_dashboard(
    control: DebridControl,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | None:
    """Show the accounts until somebody leaves; see tui.tiering.app.run_tier_dashboard. Raises ConfigError for a wrong keymap."""
    if options.keymap is not None:
        load_keymap(options.keymap)
    app = DebridApp(control, options, by_signal, gone)
    result = app.run(mouse=options.mouse)
    if result is None and app.return_code:
        _LOG.error("The screen of debrid accounts failed; the rounds go on.", exc_info=app.failure)
        return DASHBOARD_FAILED
    return result
