"""Chooses and drives the front end of a run: the full screen or plain lines; signals; how it ends."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

from torrent_mover.adapters.this_user import home_folder
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.events import Event, RunEnded
from torrent_mover.domain.narrate import narrate
from torrent_mover.ports.control import Control
from torrent_mover.simple.reporter import SimpleReporter, feeds_journald

_SMALLEST: Final = (60, 15)


class Run(Control, Protocol):
    """What a front end drives: a run, or one after the other."""

    interrupted_by: ExitCode
    """What it returns once it was stopped."""

    def execute(self) -> ExitCode:
        """Do it; returns the exit code, raises nothing."""


def follow(run: Run, arguments: argparse.Namespace, log_file: Path) -> ExitCode:
    """Execute the run with a front end beside it; returns the run's exit code."""
    worker = _Worker(run)
    if wants_screen(arguments, os.environ) and _on_screen(run, worker, arguments, log_file):
        with _signals(run):
            worker.join()
        _last_line(worker)
    else:
        _in_lines(run, worker, arguments)
    return worker.code


def wants_screen(arguments: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Whether the full screen makes sense here: a terminal all around that can do it, and large enough.

    Keys come from stdin, and textual draws on stderr; where stdout goes elsewhere, somebody wants lines.
    """
    if arguments.simple or arguments.quiet or not all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)):
        return False
    columns, lines = shutil.get_terminal_size()
    return columns >= _SMALLEST[0] and lines >= _SMALLEST[1] and environ.get("TERM", "dumb") != "dumb"


class _Worker(threading.Thread):
    """Executes the run beside the front end, so that the one may die without the other."""

    def __init__(self, run: Run) -> None:
        super().__init__(name="run", daemon=True)
        self._run = run
        self.code = ExitCode.SOME_FAILED
        self.ended: Event | None = None
        run.subscribe(self._note)

    def _note(self, event: Event) -> None:
        if isinstance(event, RunEnded):
            self.ended = event

    def run(self) -> None:
        self.code = self._run.execute()


def _on_screen(run: Run, worker: _Worker, arguments: argparse.Namespace, log_file: Path) -> bool:
    """The dashboard, until somebody leaves it; False where the screen died and the run goes on without it."""
    from torrent_mover.tui.app import run_dashboard
    from torrent_mover.tui.options import DASHBOARD_FAILED, DashboardOptions

    options = DashboardOptions(
        refresh=arguments.refresh,
        graph=arguments.graph,
        mouse=not arguments.no_mouse,
        theme=arguments.theme,
        keymap=keymap_path(),
        log_file=log_file,
        config=str(arguments.config or ""),
    )

    def by_signal(code: ExitCode) -> None:
        run.interrupted_by = code

    worker.start()
    result = run_dashboard(run, options=options, by_signal=by_signal)
    return result != DASHBOARD_FAILED


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
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # The window was closed: what is left in the buffer must not turn the exit code into Python's 120.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _in_lines(run: Run, worker: _Worker, arguments: argparse.Namespace) -> None:
    reporter = SimpleReporter(
        run,
        sys.stdout,
        sys.stderr,
        tty=sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb",
        quiet=arguments.quiet,
        debug=arguments.debug,
        journald=feeds_journald(sys.stdout, os.environ),
    )
    with _signals(run):
        if worker.ident is None:
            worker.start()
        if worker.ended is None:
            reporter.run_until_ended()
        worker.join()


@contextmanager
def _signals(run: Run) -> Iterator[None]:
    """First signal: checkpoint and stop. Second: at once. Third: leave, whatever hangs."""
    received = 0

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        run.interrupted_by = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        if received > 2:  # noqa: PLR2004  the third one
            os._exit(run.interrupted_by)
        # Stopping takes locks that the interrupted frame may hold: done by a thread of its own.
        threading.Thread(target=run.stop, kwargs={"now": received > 1}, daemon=True).start()

    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
