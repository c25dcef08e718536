"""What shows the tiers that stay: the full screen or plain lines; signals; how it ends."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from torrent_mover.adapters.process.leaving import leave_at_once
from torrent_mover.commands.front import keymap_path
from torrent_mover.commands.screens import OwnDuty, with_overview
from torrent_mover.commands.stopping import StopEvent, interrupted, signals
from torrent_mover.commands.tiering import dashboard
from torrent_mover.domain.errors import ExitCode
from torrent_mover.duties.tiering.control import RunningTiers
from torrent_mover.engine.hub.loops import Loop, Supervisor
from torrent_mover.simple.lines import feeds_journald
from torrent_mover.simple.tiering import TierReporter

if TYPE_CHECKING:
    from torrent_mover.commands.showing import DutyFront

_NAP: Final = 0.5
_PATIENCE: Final = 8.0
"""Seconds that a stop waits for clients and disks: whoever stops a service kills it after ten."""
_AT_ONCE: Final = 0.5
_BROKEN_OFF: Final = "a client or a disk did not answer; the next worker goes on from there"
_log = logging.getLogger(__name__)


def show(
    control: RunningTiers,
    loops: Sequence[Loop],
    stop: StopEvent,
    arguments: argparse.Namespace,
    log_file: Path | None,
    folder: Path,
) -> None:
    """Run the loops until `stop`, and show them: on the screen where there is a `log_file`, else as lines.

    `folder`: the state folder.

    Where a client or a disk holds a loop up, the process ends here: what is begun is in the journal, as after a kill.
    """
    working = _Working(control, loops, stop)
    try:
        if log_file is None or not _on_screen(control, working, stop, arguments, log_file, folder):
            with signals(stop):
                _in_lines(control, working, arguments)
    finally:
        stop.set()
        # The screen has taken the signals with it.
        with signals(stop):
            working.wait()
    if working.broken_off:
        leave_at_once(int(interrupted(stop)))


class _Working(threading.Thread):
    """Runs the loops beside the front end, so that the one may die without the other."""

    def __init__(self, control: RunningTiers, loops: Sequence[Loop], stop: StopEvent) -> None:
        super().__init__(name="tiers", daemon=True)
        self._control = control
        self._loops = loops
        self._stop_event = stop
        self.broken_off = False

    def run(self) -> None:
        supervisor = Supervisor(time.monotonic)
        try:
            self._control.start()
            for loop in self._loops:
                supervisor.start(loop)
            self._stop_event.wait()
        finally:
            self.broken_off = not self._ended(supervisor)
            reason = _BROKEN_OFF if self.broken_off else ""
            patience = _AT_ONCE if self.broken_off else _PATIENCE
            self._control.ended(int(interrupted(self._stop_event)), reason, patience=patience)

    def _ended(self, supervisor: Supervisor) -> bool:
        """Whether all loops end: in their own time within some seconds, or at once where somebody asks for that."""
        began = time.monotonic()
        while not supervisor.stop(within=_NAP):
            waited = time.monotonic() - began
            at_once = self._control.at_once or self._stop_event.at_once
            if waited >= (_AT_ONCE if at_once else _PATIENCE):
                return False
        return True

    def wait(self) -> None:
        """Wait for its end. In naps: a signal that the system gave to another thread does not wake the main one."""
        while self.is_alive():
            self.join(_NAP)


def _on_screen(
    control: RunningTiers,
    working: _Working,
    stop: StopEvent,
    arguments: argparse.Namespace,
    log_file: Path,
    folder: Path,
) -> bool:
    """The screen, until somebody leaves it; False where it died and the workers go on without it."""
    from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions
    from torrent_mover.tui.tiering.app import run_tier_dashboard

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
    working.start()

    def shown(options: DashboardOptions) -> int | None:
        return run_tier_dashboard(control, options, by_signal, lambda: not working.is_alive())

    own = OwnDuty(cast("DutyFront", dashboard), control, shown, by_signal, control.stop)
    return with_overview(own, folder, arguments, options) != DASHBOARD_FAILED


def _in_lines(control: RunningTiers, working: _Working, arguments: argparse.Namespace) -> None:
    reporter = TierReporter(
        control,
        sys.stdout,
        sys.stderr,
        tty=sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb",
        quiet=arguments.quiet,
        debug=arguments.debug,
        journald=feeds_journald(sys.stdout, os.environ),
    )
    if working.ident is None:
        working.start()
    try:
        reporter.run_until_ended()
    except Exception:  # noqa: BLE001  the workers do not end because nobody can be told; the log file has it all
        _log.exception("plain lines failed, and the tiers go on")
        with suppress(OSError):
            sys.stderr.write(
                "torrent-mover: the display failed, so nothing more is shown. The tiers go on; see the log file.\n"
            )
    working.wait()
