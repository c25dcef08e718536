"""Runs one after the other: those that stay (--watch), and those before a screen that shows what to mend first."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.config.reading import examine
from torrent_mover.adapters.config.rules import LiveRules
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.front import follow, wants_screen
from torrent_mover.commands.telling import publishing, telling, under_systemd
from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.live import TELLING, as_fetched_before, changed, taken_over
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.settings import Settings
from torrent_mover.engine.run.rounds import Watching
from torrent_mover.engine.run.run import Run
from torrent_mover.engine.run.watch import Watch

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
        """Raises ConfigError where the tracker rules cannot be read."""
        self._settings = settings
        self._next: Settings | None = None
        self._path = path
        self._arguments = arguments
        self._seen = _looks(path)
        self._stack = ExitStack()
        self._told = ExitStack()
        self._assembly: Assembly
        self.notice: Callable[[Level, str], None] = _unheard
        self._rules = LiveRules(settings.rules_file, lambda text: self.notice(Level.WARN, text))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._told.close()
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
            rules=self._rules,
            again=arguments.again,
        )
        self._rules.read_from(settings.rules_file)
        with ExitStack() as stack:
            self._assembly = stack.enter_context(Assembly(settings, options))
            stack.enter_context(publishing(self._assembly.run, state_folder(settings)))
            self._tell(settings)
            self._stack = stack.pop_all()
        return self._assembly.run

    def _tell(self, settings: Settings) -> None:
        """Have those told that the settings name, and nobody else. Raises MoverError; then nobody is."""
        self._told.close()
        with ExitStack() as stack:
            stack.enter_context(telling(self._assembly.run, settings.general, redactor_of(settings)))
            self._told = stack.pop_all()

    def following(self) -> Run:
        """The next run, once the last one has ended: with the changed settings, or the old ones where those are refused."""
        self._end()
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
        """Whether settings are there that ask for a new start. What the running one can take over, it has."""
        looks = _looks(self._path)
        if looks != self._seen:
            self._seen = looks
            self._read_again()
        return self._next is not None

    def _read_again(self) -> None:
        """The config was written: take over what can be, keep the rest for a new start. Where it has errors, say so once."""
        found, problems = examine(self._path)
        if found is None:
            refusal = "; ".join(str(problem) for problem in problems if problem.severity is Severity.ERROR)
            self.notice(Level.WARN, f"the config was changed and has errors; the old one is kept: {refusal}")
            return
        new = as_fetched_before(self._settings, found)
        live = taken_over(self._settings, new)
        at_once, later = changed(self._settings, live), changed(live, new)
        if self._arguments.watch and at_once:
            self._adopt(live)
            self.notice(Level.INFO, f"the config was changed; in effect now: {', '.join(at_once)}")
        self._next = new if later or not self._arguments.watch else None
        if later and self._arguments.watch:
            self.notice(
                Level.INFO,
                f"the config was changed; a restart is needed for: {', '.join(later)}; current moves finish first",
            )

    def _adopt(self, live: Settings) -> None:
        before, self._settings = self._settings, live
        self._rules.read_from(live.rules_file)
        self._assembly.adopt(live)
        if any(name in TELLING for name in changed(before, live)):
            try:
                self._tell(live)
            except MoverError as error:
                self.notice(Level.WARN, f"the notifications of the changed config do not work: {error}")


def _looks(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written. None: it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unheard(_level: Level, _text: str) -> None:
    """Before there is a run, there is nobody to tell."""
