"""Chooses and drives the front end of a run: the full screen or plain lines; signals; how it ends."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, Protocol, cast

from torrent_mover.adapters.process.surroundings import settle
from torrent_mover.adapters.process.this_user import home_folder
from torrent_mover.commands import moves_front
from torrent_mover.commands.screens import OwnDuty, with_overview
from torrent_mover.commands.showing import DutyFront
from torrent_mover.domain.errors import ExitCode, Unexpected
from torrent_mover.domain.report.events import Event, RunEnded
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.ports.control import Control
from torrent_mover.simple.lines import feeds_journald
from torrent_mover.simple.reporter import SimpleReporter

_SMALLEST: Final = (60, 15)
_SECOND: Final = 2
_NAP: Final = 1.0
_PATIENCE: Final = 10.0
"""Seconds for what is under way to end, once it must."""

_CODES: Final = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}
_log = logging.getLogger(__name__)


class FrontRun(Control, Protocol):
    """What a front end drives: a run, or one after the other."""

    interrupted_by: ExitCode
    """What it returns once it was stopped."""

    def execute(self) -> ExitCode:
        """Do it; returns the exit code, raises nothing."""


def follow(run: FrontRun, arguments: argparse.Namespace, log_file: Path, folder: Path) -> ExitCode:
    """Execute the run with a front end beside it; returns the run's exit code. `folder`: the state folder, for who runs beside."""
    worker = _Worker(run)
    signals = _Signals(run)
    try:
        if wants_screen(arguments, os.environ) and _on_screen(run, worker, signals, arguments, log_file, folder):
            with signals.caught():
                worker.wait()
            _last_line(worker)
        else:
            _in_lines(run, worker, signals, arguments)
    except BaseException:
        _break_off(run, worker)
        raise
    finally:
        signals.over.set()
    if worker.fault is not None:
        raise worker.fault
    return worker.code


def _break_off(run: FrontRun, worker: _Worker) -> None:
    """Nobody looks on any more: let the run write down what it has, before its locks and its journal are taken away."""
    if worker.is_alive():
        run.stop(now=True)
        worker.join(_PATIENCE)


def wants_screen(arguments: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Whether the full screen makes sense here: a terminal all around that can do it, and large enough.

    Keys come from stdin, and textual draws on stderr; where stdout goes elsewhere, somebody wants lines.
    """
    if arguments.simple or arguments.quiet or not all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)):
        return False
    columns, lines = shutil.get_terminal_size()
    return columns >= _SMALLEST[0] and lines >= _SMALLEST[1] and environ.get("TERM", "dumb") != "dumb"


class _Worker(threading.Thread):
    """Executes the run beside the front end, so that the one may die without the other. `over` is called at its very end."""

    def __init__(self, run: FrontRun) -> None:
        super().__init__(name="run", daemon=True)
        self._run = run
        self.code = ExitCode.SOME_FAILED
        self.ended: Event | None = None
        self.gone = False
        self.fault: Unexpected | None = None
        """What ended it, where that was not the end of the run."""
        self.over: Callable[[], object] = lambda: None
        run.subscribe(self._note)

    def _note(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            self.ended = event

    def wait(self) -> None:
        """Wait for its end. In naps: a signal that the system gave to another thread does not wake the main one."""
        while self.is_alive():
            self.join(_NAP)

    def run(self) -> None:
        try:
            self.code = self._run.execute()
        except BaseException as error:  # noqa: BLE001  a front end that waits must not wait forever
            _log.exception("the run is gone")
            self.fault = Unexpected.of(error)
        finally:
            self.gone = True
            self.over()


def _on_screen(
    run: FrontRun, worker: _Worker, signals: _Signals, arguments: argparse.Namespace, log_file: Path, folder: Path
) -> bool:
    """The dashboard, until somebody leaves it; False where the screen died and the run goes on without it."""
    from torrent_mover.tui.shell.app import run_dashboard
    from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions

    options = DashboardOptions(
        refresh=arguments.refresh,
        graph=arguments.graph,
        mouse=not arguments.no_mouse,
        theme=arguments.theme,
        keymap=keymap_path(),
        log_file=log_file,
        config=str(arguments.config or ""),
    )
    worker.start()

    def show(options: DashboardOptions) -> int | None:
        return run_dashboard(run, options=options, by_signal=signals.heard, gone=lambda: worker.gone)

    own = OwnDuty(cast("DutyFront", moves_front), run, show, signals.heard, run.stop)
    return with_overview(own, folder, arguments, options) != DASHBOARD_FAILED


def keymap_path() -> Path | None:
    """The user's own keys for the dashboard and the wizard; None where there are none."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if home.startswith("/") else home_folder() / ".config"
    path = base / "torrent-mover" / "keymap.toml"
    return path if path.is_file() else None


def _last_line(worker: _Worker) -> None:
    """What a closed full screen leaves behind in the terminal, if that is there still."""
    with suppress(OSError):
        if worker.ended is not None:
            sys.stdout.write(f"{narrate(worker.ended).text}\n")
    settle()  # the window may be closed


def _in_lines(run: FrontRun, worker: _Worker, signals: _Signals, arguments: argparse.Namespace) -> None:
    reporter = SimpleReporter(
        run,
        sys.stdout,
        sys.stderr,
        tty=sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb",
        quiet=arguments.quiet,
        debug=arguments.debug,
        journald=feeds_journald(sys.stdout, os.environ),
    )
    worker.over = reporter.finish
    with signals.caught():
        if worker.ident is None:
            worker.start()
        if not worker.gone and worker.ended is None:
            _report(reporter)
        worker.wait()


def _report(reporter: SimpleReporter) -> None:
    try:
        reporter.run_until_ended()
    except Exception:  # noqa: BLE001  a run does not end because nobody can be told of it; the log file has it all
        _log.exception("plain lines failed, and the run goes on")
        with suppress(OSError):
            sys.stderr.write(
                "torrent-mover: the display failed, so nothing more is shown. The run goes on; see the log file.\n"
            )


class _Signals:
    """First signal: write down and stop. Second: at once, and the process is gone soon, whatever hangs. Third: gone now.

    A window that closes may send SIGHUP more than once: it counts as one.
    """

    def __init__(self, run: FrontRun) -> None:
        self._run = run
        self._received = 0
        self.over = threading.Event()
        """The run has ended, and signals mean what they meant before it."""

    def heard(self, code: ExitCode, *, again: bool = True) -> None:
        """One has come, and the run will return `code`."""
        self._received = self._received + 1 if again else max(self._received, 1)
        self._run.interrupted_by = code
        if self._received == _SECOND:
            threading.Thread(target=self._leave_soon, args=(code,), name="leave", daemon=True).start()
        elif self._received > _SECOND:
            os._exit(code)

    @contextmanager
    def caught(self) -> Iterator[None]:
        """While in this context, signals are heard here and stop the run."""
        before = {number: signal.signal(number, self._on_signal) for number in _CODES}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.heard(_CODES[signal.Signals(number)], again=number != signal.SIGHUP)
        # Stopping takes locks that the interrupted frame may hold: done by a thread of its own.
        now = self._received >= _SECOND
        threading.Thread(target=self._run.stop, kwargs={"now": now}, name="stop", daemon=True).start()

    def _leave_soon(self, code: ExitCode) -> None:
        """End the process, unless the run ends by itself before. It is what the program survives anyway: a kill."""
        if not self.over.wait(_PATIENCE):
            _log.warning("asked to end twice, and something still hangs: leaving")
            os._exit(code)
