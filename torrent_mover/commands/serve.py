"""serve: every configured duty in one process, under one supervisor, with a socket, an API and a page."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

from torrent_mover.adapters.config.reading import find
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.configured import own_places_of
from torrent_mover.commands.serve_configured import LOCK
from torrent_mover.commands.serve_duties import Duties
from torrent_mover.commands.serve_probe import probed
from torrent_mover.commands.serve_web import Web
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.configuration import Configuration

_PATIENCE: Final = 30.0
"""Seconds for the steps that run to end, once somebody asks for the end."""

_LOOK_EVERY: Final = 1.0
_ALONE: Final = ("DOWNLOAD_PATH_SSD", "RD_API_TOKEN")
"""Variables with which the environment says what to do, without a config."""

_CODES: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Serve until a signal comes. Raises ConfigError, AlreadyRunning, NotWritable."""
    if arguments.healthcheck:
        return _probe(arguments)
    path, config = _read(arguments)
    with ExitStack() as stack:
        duties = Duties(arguments, path, config)
        folder = state_folder(duties)
        stack.enter_context(RunLock(folder / LOCK))
        stack.callback(start_log(duties.log_dir, duties.redact, debug=arguments.debug, complain=duties.complain))
        signals = stack.enter_context(_Signals().caught())
        stack.enter_context(duties.shown(folder))
        try:
            duties.begin()
            web = stack.enter_context(Web(duties, arguments, path))
            web.open(config)
            stack.enter_context(duties.under_systemd())
            _wait(signals, duties, web)
        finally:
            signals.over = duties.end(_PATIENCE)
        if not signals.over:  # something hangs: a kill is what the journal survives
            sys.stdout.flush()
            os._exit(signals.code)
    return signals.code


def _read(arguments: argparse.Namespace) -> tuple[Path | None, Configuration[Any] | None]:
    """The config; none where the environment alone says what to do."""
    try:
        path = find(arguments.config)
    except ConfigError:
        if arguments.config is not None or not any(os.environ.get(name) for name in _ALONE):
            raise
        return None, None
    configuration, problems = load_all(path)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return path, configuration


def _wait(signals: _Signals, duties: Duties, web: Web) -> None:
    """Until a signal; a changed file, and SIGHUP, are read meanwhile."""
    while not signals.stop.wait(_LOOK_EVERY):
        asked = signals.reload.is_set()
        signals.reload.clear()
        config = duties.changed(asked=asked)
        if config is not None:
            try:
                web.open(config)
            except MoverError as error:
                duties.notice(Level.ERROR, f"the page: {error} [{error.code}]")


def _probe(arguments: argparse.Namespace) -> ExitCode:
    """Whether the process that serves is well: 0, or 1."""
    try:
        health = probed(state_folder(own_places_of(arguments)))
    except MoverError as error:
        sys.stdout.write(f"unhealthy: {error.what}\n")
        return ExitCode.SOME_FAILED
    sys.stdout.write("healthy\n" if health.ok else "unhealthy\n")
    sys.stdout.writelines(f"  {name}: {state}\n" for name, state in health.loops.items())
    return ExitCode.DONE if health.ok else ExitCode.SOME_FAILED


class _Signals:
    """First: begin nothing, and end what runs. Second: gone now. SIGHUP: read the config again."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.reload = threading.Event()
        self.code = ExitCode.TERMINATED
        self.over = True
        self._asked_at = 0.0

    @contextmanager
    def caught(self) -> Iterator[_Signals]:
        """While in this context, signals are heard here."""
        handlers = dict.fromkeys(_CODES, self._stop) | {signal.SIGHUP: self._reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.code = _CODES[signal.Signals(number)]
        if self._asked_at:
            with suppress(OSError):
                os.write(2, b"torrent-mover: asked twice: leaving at once\n")
            os._exit(self.code)
        self._asked_at = time.monotonic()
        # Setting takes a lock that the interrupted frame may hold.
        threading.Thread(target=self.stop.set, name="stop", daemon=True).start()

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=self.reload.set, name="reload", daemon=True).start()
