"""A run: builds everything, chooses the front end, waits for signals, returns the exit code."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from torrent_mover import bootstrap
from torrent_mover.commands.configured import settings_of
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings import Settings
from torrent_mover.engine.run import Run
from torrent_mover.simple.reporter import SimpleReporter, feeds_journald

_SMALLEST: Final = (60, 15)


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Move what the config says."""
    settings, path = settings_of(arguments, quiet=arguments.quiet)
    return move(settings, path, arguments)


def move(settings: Settings, path: Path, arguments: argparse.Namespace) -> ExitCode:
    """The run itself, with settings that are there already (the demo makes its own)."""
    options = bootstrap.RunOptions(
        path, jobs=arguments.parallel_jobs, test_run=arguments.test_run, debug=arguments.debug
    )
    with bootstrap.Assembly(settings, options) as assembly:
        run = assembly.run
        worker = _Worker(run)
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
            worker.start()
            reporter.run_until_ended()
            worker.join()
        return worker.code


class _Worker(threading.Thread):
    """Executes the run beside the front end, so that the one may die without the other."""

    def __init__(self, run: Run) -> None:
        super().__init__(name="run", daemon=True)
        self._run = run
        self.code = ExitCode.SOME_FAILED

    def run(self) -> None:
        self.code = self._run.execute()


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


def wants_screen(arguments: argparse.Namespace) -> bool:
    """Whether the full screen makes sense here: a terminal at both ends, and large enough."""
    if arguments.simple or arguments.quiet or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    columns, lines = shutil.get_terminal_size()
    return columns >= _SMALLEST[0] and lines >= _SMALLEST[1] and os.environ.get("TERM", "dumb") != "dumb"
