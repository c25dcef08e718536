"""The application: one timer that fetches the picture, the views, and how to leave. The engine never knows it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Event, MoveFailed, RunEnded
from torrent_mover.domain.report.narrate import ended_well
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.domain.text import cause_first, counted, safe
from torrent_mover.ports.control import Control
from torrent_mover.tui.moving.dashboard import Dashboard
from torrent_mover.tui.moving.detail import Detail
from torrent_mover.tui.moving.error import ErrorDialog
from torrent_mover.tui.moving.health import Health
from torrent_mover.tui.moving.history import History
from torrent_mover.tui.moving.leave import Leave, LeavingWay
from torrent_mover.tui.moving.preflight import Preflight
from torrent_mover.tui.moving.queue import Queue
from torrent_mover.tui.shell import bindings, themes
from torrent_mover.tui.shell.acts import RunActs
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.shell.log import Log
from torrent_mover.tui.shell.messages import EngineEvent, TorrentWanted, TroubleWanted
from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions
from torrent_mover.tui.shell.palette import Torrents, action_commands
from torrent_mover.tui.shell.program import TerminalApp
from torrent_mover.tui.shell.session import ScreenSession

_VIEWS: dict[str, Callable[[ScreenSession], ScreenView]] = {
    "dashboard": Dashboard,
    "queue": Queue,
    "history": History,
    "health": Health,
    "log": Log,
}
_LOG = logging.getLogger(__name__)
_NOTE_SECONDS = 10.0
_TOGETHER_SECONDS = 0.3


class MoverApp(RunActs, TerminalApp):
    """Returns None when somebody left, a signal's exit code when one ended it."""

    ENABLE_COMMAND_PALETTE = True
    COMMANDS = App.COMMANDS | {Torrents}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings.APP]

    def __init__(
        self,
        control: Control,
        options: DashboardOptions,
        by_signal: Callable[[ExitCode], None] = lambda _code: None,
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(options, by_signal, gone)
        self.session = ScreenSession(control, options, self.look, control.snapshot())
        self._unsubscribe: Callable[[], None] | None = None
        self._seen_preflight = False
        self._failures: list[tuple[float, MoveFailed]] = []
        self._note_due = False

    def on_mount(self) -> None:
        """Start the only timer, listen to the engine, and to the signals that end a program."""
        self.begin()
        for name, view in _VIEWS.items():
            self.add_mode_view(name, view)
        self.switch_mode("dashboard")
        self._unsubscribe = self.session.control.subscribe(lambda event: self.post_message(EngineEvent(event)))
        self.session.drain_log()
        self.call_after_refresh(self._offer_preflight)

    def stop_engine(self, *, now: bool) -> None:
        """See TerminalApp."""
        self.session.control.stop(now=now)

    def add_mode_view(self, name: str, view: Callable[[ScreenSession], ScreenView]) -> None:
        """A view lives as long as the application: its cursor and filters stay."""
        self.add_mode(name, partial(view, self.session))

    def on_unmount(self) -> None:
        """The engine goes on without a listener; the terminal is left clean."""
        if self._unsubscribe:
            self._unsubscribe()
        self.clear_terminal()

    def tick(self) -> None:
        """Fetch the picture and the log; draw what is on the screen."""
        self.sweep_notes()
        gone = self._gone()
        snapshot = self.session.control.snapshot()
        if gone and snapshot.phase is not Phase.ENDED:
            self.exit(None)  # nothing will ever change here any more; who called us says why
            return
        fresh = self.session.drain_log()
        if snapshot == self.session.snapshot and not fresh:
            return
        self.session.snapshot = snapshot
        if snapshot.phase is Phase.ENDED and isinstance(self.screen, Leave):
            self.screen.dismiss(LeavingWay.STOP.value)  # nothing is left to ask about
            return
        self._offer_preflight()
        for screen in self.screen_stack:
            if isinstance(screen, ScreenView | ErrorDialog | Leave):
                screen.draw()

    def _offer_preflight(self) -> None:
        """The checks come by themselves while they run, and go when they are passed."""
        snapshot = self.session.snapshot
        refused = any(check.passed is False and check.fatal for check in snapshot.checks)
        if not self._seen_preflight and (refused or snapshot.phase is Phase.PREFLIGHT):
            self._seen_preflight = True
            self.push_screen(Preflight(self.session, leaves_by_itself=True))

    def on_torrent_wanted(self, message: TorrentWanted) -> None:
        """Show one torrent."""
        screen = Detail(self.session, message.torrent, message.tab)
        if message.instead:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def on_trouble_wanted(self, message: TroubleWanted) -> None:
        """Show what went wrong with one torrent."""
        self.push_screen(ErrorDialog(self.session, message.torrent))

    def on_engine_event(self, message: EngineEvent) -> None:
        """Say what somebody would want to know at once; everything else is in the log."""
        event: Event = message.event
        if isinstance(event, MoveFailed):
            self._tell_failure(event)
        elif isinstance(event, RunEnded):
            text = f"{ended_well(event.moved, event.copied)}, {event.failed} failed; q leaves"
            self.notify(
                text, title="The run is over", severity="warning" if event.failed else "information", markup=False
            )
        for screen in self.screen_stack:
            if isinstance(screen, History):
                screen.refresh_history()

    def _tell_failure(self, event: MoveFailed) -> None:
        """One note for all that fail at about the same time: ten would cover the screen."""
        now = time.monotonic()
        self._failures = [(at, one) for at, one in self._failures if now - at < _NOTE_SECONDS]
        self._failures.append((now, event))
        if not self._note_due:
            self._note_due = True
            self.set_timer(_TOGETHER_SECONDS, self._note_failures)

    def _note_failures(self) -> None:
        self._note_due = False
        event, more = self._failures[-1][1], len(self._failures) - 1
        others = f"\nand {counted(more, 'other torrent')} before it" if more else ""
        self.clear_notifications()
        self.notify(
            f"{safe(cause_first(event.what))}\n{safe(event.name)}{others}\ne says more",
            title=f"Failed {event.code}",
            severity="error",
            timeout=_NOTE_SECONDS,
            markup=False,
        )

    def action_leave(self) -> None:
        """Leave; ask while torrents are under way. The picture may be half a second old, and the run over since."""
        if self.options.attached:
            self.exit(None)
            return
        snapshot = self.session.snapshot = self.session.control.snapshot()
        if snapshot.phase is Phase.ENDED or not snapshot.count(MoveStatus.ACTIVE):
            self._leave(LeavingWay.STOP.value)
        elif not isinstance(self.screen, Leave):
            self.push_screen(Leave(self.session), self._leave)

    def _leave(self, key: str | None) -> None:
        if key is None:
            return
        if self.session.snapshot.phase is not Phase.ENDED:
            self.session.control.stop(now=key == LeavingWay.NOW.value)
        self.exit(None)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that makes sense on this screen, then the themes."""
        yield from action_commands(self, screen)
        for name in themes.NAMES:
            yield SystemCommand(f"Theme: {name}", "Change the colours", partial(self.use_theme, name))


def run_dashboard(
    control: Control,
    *,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | None:
    """Show the dashboard until somebody leaves. `by_signal` hears of a signal (or Ctrl-C) before the engine is stopped for it.

    `gone`: whether whoever executes the run is there no more, which closes the screen of a run that has not ended.

    None: left by key, `control.stop` was called unless the run was over. 130 or 143: a signal ended it, `control.stop` was called.
    `DASHBOARD_FAILED`: the screen broke, its error is on stderr, the terminal is restored and the engine goes on.
    The engine outlives the screen in every case; the caller joins it. Raises ConfigError for a wrong keymap.
    """
    if options.keymap is not None:
        load_keymap(options.keymap)
    app = MoverApp(control, options, by_signal, gone)
    result = app.run(mouse=options.mouse)
    if result is None and app.return_code:
        _LOG.error("The dashboard failed; the engine goes on.", exc_info=app.failure)
        return DASHBOARD_FAILED
    return result
