"""Runs one after the other: those that stay (--watch), and those before a screen that shows what to mend first."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.config_ini import examine
from torrent_mover.adapters.logs import FILE_NAME
from torrent_mover.adapters.rules_json import RulesFile
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.front import follow, wants_screen
from torrent_mover.commands.telling import publishing, telling, under_systemd
from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.events import Level
from torrent_mover.domain.settings import Settings
from torrent_mover.domain.settings_problems import Severity
from torrent_mover.engine.rounds import Watching
from torrent_mover.engine.run import Run
from torrent_mover.engine.watch import Watch

_ALIVE_WITHIN: Final = 600.0
"""Seconds without a sign of the engine after which systemd's watchdog is not fed any more; looking again may take some."""


def watch(settings: Settings, path: Path, arguments: argparse.Namespace) -> ExitCode:
    """Move, and with --watch stay, until a signal comes or the user leaves."""
    with Runs(settings, path, arguments) as runs:
        control = Watch(runs.begin(), runs.following)
        runs.notice = control.notice
        with under_systemd(control, lambda: control.alive(_ALIVE_WITHIN)):
            return follow(control, arguments, Path(str(settings.log_dir)) / FILE_NAME)


class Runs:
    """One run after the other, each with the settings that were valid last. Only one of them exists at a time."""

    def __init__(self, settings: Settings, path: Path, arguments: argparse.Namespace) -> None:
        self._settings = settings
        self._next: Settings | None = None
        self._path = path
        self._arguments = arguments
        self._seen = self._looks()
        self._stack = ExitStack()
        self.notice: Callable[[Level, str], None] = _unheard

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self) -> Run:
        """A run with the settings that hold. Raises MoverError."""
        arguments, settings = self._arguments, self._settings
        options = RunOptions(
            self._path,
            jobs=arguments.parallel_jobs,
            test_run=arguments.test_run,
            debug=arguments.debug,
            watching=Watching(arguments.watch, self.changed) if arguments.watch else None,
            interactive=wants_screen(arguments, os.environ),
        )
        with ExitStack() as stack:
            assembly = stack.enter_context(Assembly(settings, options))
            stack.enter_context(publishing(assembly.run, state_folder(settings)))
            stack.enter_context(telling(assembly.run, settings.general, assembly.redactor, assembly.complain))
            self._stack = stack.pop_all()
        return assembly.run

    def following(self) -> Run:
        """The next run, once the last one has ended: with the changed settings, or the old ones where those are refused."""
        self._stack.close()
        if not self._arguments.watch:  # nobody looked while it waited for what was mended
            self.changed()
        before, self._settings = self._settings, self._next or self._settings
        changed, self._next = self._next is not None, None
        try:
            return self.begin()
        except MoverError as error:
            if not changed:
                raise
            refusal = str(error)
        self._settings = before
        run = self.begin()
        run.notice(Level.WARN, f"the changed config cannot be used, the old one is kept: {refusal}")
        return run

    def changed(self) -> bool:
        """Whether config or rules were written since, and can be used. Where they cannot, that is said once for each change."""
        looks = self._looks()
        if looks == self._seen:
            return False
        self._seen = looks
        settings, problems = examine(self._path)
        refusal = "; ".join(str(problem) for problem in problems if problem.severity is Severity.ERROR)
        if settings is not None:
            try:
                RulesFile(settings.rules_file).read()
            except MoverError as error:
                settings, refusal = None, str(error)
        if settings is None:
            self.notice(Level.WARN, f"the config was changed and has errors; the old one is kept: {refusal}")
            return False
        self._next = settings
        self.notice(Level.INFO, "the config was changed: moves under way are written down and go on with the new one")
        return True

    def _looks(self) -> tuple[object, ...]:
        return tuple(_looks(file) for file in (self._path, Path(str(self._settings.rules_file))))


def _looks(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written. None: it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unheard(_level: Level, _text: str) -> None:
    """Before there is a run, there is nobody to tell."""
