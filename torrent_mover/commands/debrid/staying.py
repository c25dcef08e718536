"""debrid run --stay: a loop for each account, side by side, with a screen where there is a terminal for one."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.bootstrap.debrid.setups import DebridSetup
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.debrid import dashboard
from torrent_mover.commands.debrid.dashboard import debrid_panel
from torrent_mover.commands.debrid.lines import EventLines
from torrent_mover.commands.debrid.loops import loops_of
from torrent_mover.commands.front import keymap_path, wants_screen
from torrent_mover.commands.screens import OwnDuty, with_overview
from torrent_mover.commands.showing import on_socket
from torrent_mover.commands.stopping import StopEvent, interrupted, signals
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.restarts import RestartPolicy
from torrent_mover.engine.hub.loops import LoopState, LoopView, Supervisor

if TYPE_CHECKING:
    from torrent_mover.commands.showing import DutyFront

_NAP: Final = 0.5
_LEAVING: Final = 8.0
"""Seconds that a round has to write down where it is; a mount or a service that hangs does not keep the process."""


def stay(setups: Sequence[DebridSetup], arguments: argparse.Namespace) -> ExitCode:
    """Rounds of all accounts, each in a loop of its own, until a signal comes. Needs no terminal."""
    with ExitStack() as stack:
        stop = StopEvent()
        rounds = DebridRounds(setups, arguments, stop, stack)
        stack.enter_context(on_socket(state_folder(setups[0]), debrid_panel(rounds.control)))
        if wants_screen(arguments, os.environ):
            _on_screen(rounds, arguments, Path(str(setups[0].log_dir)) / FILE_NAME, stop, state_folder(setups[0]))
        else:
            with signals(stop):
                rounds.speak(quiet=arguments.quiet)
                rounds.start()
                rounds.wait()
        if not rounds.end():  # it waits for an answer that does not come: a kill is what the journal survives
            sys.stdout.flush()
            os._exit(interrupted(stop))
        return interrupted(stop)


def _on_screen(
    rounds: DebridRounds, arguments: argparse.Namespace, log_file: Path, stop: StopEvent, folder: Path
) -> None:
    """The screen, until somebody leaves it; where it dies alone the rounds go on, with lines in its place."""
    from torrent_mover.tui.debrid.app import run_debrid_dashboard
    from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions

    def by_signal(code: ExitCode) -> None:
        stop.code = code

    options = DashboardOptions(
        refresh=arguments.refresh,
        graph=arguments.graph,
        mouse=not arguments.no_mouse,
        theme=arguments.theme,
        keymap=keymap_path(),
        log_file=log_file,
        config=str(arguments.config or ""),
    )
    rounds.start()

    def shown(options: DashboardOptions) -> int | None:
        return run_debrid_dashboard(rounds.control, options, by_signal)

    own = OwnDuty(cast("DutyFront", dashboard), rounds.control, shown, by_signal, rounds.control.stop)
    if with_overview(own, folder, arguments, options) == DASHBOARD_FAILED:
        with signals(stop):
            rounds.speak(quiet=arguments.quiet)
            rounds.wait()


class DebridRounds:
    """The rounds of one process. For the main thread. Raises AlreadyRunning where somebody works on one of the accounts."""

    def __init__(
        self, setups: Sequence[DebridSetup], arguments: argparse.Namespace, stop: StopEvent, stack: ExitStack
    ) -> None:
        self._stop = stop
        self._work = loops_of(setups, stop, stack, debug=arguments.debug)
        general = setups[0].general
        policy = RestartPolicy(general.restart_delay, general.restart_limit, general.restart_window)
        self._supervisor = Supervisor(time.monotonic, self._changed, policy)
        self.control: Final = self._work.control(self._supervisor, stop)

    def speak(self, *, quiet: bool) -> None:
        """Print from now on what happens."""
        self.control.subscribe(EventLines(quiet=quiet))

    def start(self) -> None:
        """Begin."""
        for loop in self._work.loops:
            self._supervisor.start(loop)

    def wait(self) -> None:
        """Until somebody ends it."""
        while not self._stop.wait(_NAP):
            continue

    def end(self) -> bool:
        """No new repair; what is under way has some seconds to be written down. Whether all have ended by then."""
        self._stop.set()
        return self._supervisor.stop(_LEAVING)

    def _changed(self, view: LoopView) -> None:
        """A round that has failed is told by its account."""
        if view.state in (LoopState.RESTARTING, LoopState.PARKED):
            text = f"The round failed, and is {view.state.value}: {view.error}"
            self._work.accounts[view.name].say(None, text, Level.ERROR)
