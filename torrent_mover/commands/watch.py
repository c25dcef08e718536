"""Runs one after the other: those that stay (--watch), and those before a screen that shows what to mend first."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.config.rules import LiveRules
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.configured import examine_routes
from torrent_mover.commands.front import follow, wants_screen
from torrent_mover.commands.moves_front import moves_panel
from torrent_mover.commands.showing import on_socket
from torrent_mover.commands.telling import publishing, telling, under_systemd
from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.text import clauses
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.live import TELLING, as_fetched_before, changed, taken_over
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.run.rounds import Watching
from torrent_mover.engine.run.watch import Execution, Watch
from torrent_mover.ports.control import Control

_ALIVE_WITHIN: Final = 600.0
"""Seconds without a sign of the engine after which systemd's watchdog is not fed any more; looking again may take some."""


def watch(
    routes: Sequence[Settings],
    path: Path,
    arguments: argparse.Namespace,
    only: Mapping[str, frozenset[InfoHash]],
) -> ExitCode:
    """Move, and with --watch stay, until a signal comes or the user leaves."""
    with Runs(routes, path, arguments, only) as runs:
        control = Watch(runs.begin(), runs.following)
        runs.notice = control.notice
        with (
            under_systemd(control, lambda: control.alive(_ALIVE_WITHIN)),
            on_socket(state_folder(routes[0]), moves_panel(control), complain=partial(control.notice, Level.WARN)),
        ):
            return follow(control, arguments, Path(str(routes[0].log_dir)) / FILE_NAME, state_folder(routes[0]))


class Runs:
    """One run after the other, each with the settings that were valid last. Only one of them exists at a time."""

    def __init__(
        self,
        routes: Sequence[Settings],
        path: Path,
        arguments: argparse.Namespace,
        only: Mapping[str, frozenset[InfoHash]] | None = None,
    ) -> None:
        """Raises ConfigError where the tracker rules cannot be read. `only`: move these torrents, by route."""
        self._routes = tuple(routes)
        self._next: tuple[Settings, ...] | None = None
        self._path = path
        self._arguments = arguments
        self._only = only or {}
        self._seen = _looks(path)
        self._looking = threading.Lock()
        self._stack = ExitStack()
        self._told = ExitStack()
        self._assembly: Assembly
        self.heard: Control | None = None
        """Who is told listens to this one, and not to each run, once it is set."""
        self.notice: Callable[[Level, str], None] = _unheard
        self._rules = LiveRules(routes[0].rules_file, lambda text: self.notice(Level.WARN, text))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._told.close()
        self._stack.close()

    def begin(self) -> Execution:
        """A run with the settings that hold. Raises MoverError."""
        arguments, routes = self._arguments, self._routes
        options = RunOptions(
            self._path,
            jobs=arguments.parallel_jobs,
            test_run=arguments.test_run,
            debug=arguments.debug,
            watching=Watching(arguments.watch, self.changed) if arguments.watch else None,
            interactive=wants_screen(arguments, os.environ),
            rules=self._rules,
            again=arguments.again,
            only=self._only,
            read_again=self._read_route,
        )
        self._rules.read_from(routes[0].rules_file)
        with ExitStack() as stack:
            self._assembly = stack.enter_context(Assembly(routes, options))
            stack.enter_context(publishing(self._assembly.run, state_folder(routes[0])))
            self._tell(routes)
            self._stack = stack.pop_all()
        return self._assembly.run

    def _read_route(self, route: str) -> Settings | None:
        """A route as the config has it now; None where it has errors, or that route no more."""
        found, _ = examine_routes(self._arguments, self._path)
        now = next((each for each in found or () if each.route == route), None)
        before = next((each for each in self._routes if each.route == route), None)
        return as_fetched_before(before, now) if now is not None and before is not None else now

    def _tell(self, routes: Sequence[Settings]) -> None:
        """Have those told that the settings name, and nobody else. Raises MoverError; then nobody is."""
        self._told.close()
        with ExitStack() as stack:
            stack.enter_context(
                telling(self.heard or self._assembly.run, routes[0].general, redactor_of(tuple(routes)))
            )
            self._told = stack.pop_all()

    def following(self) -> Execution:
        """The next run, once the last one has ended: with the changed settings, or the old ones where those are refused."""
        self._end()
        if not self._arguments.watch:  # nobody looked while it waited for what was mended
            self.changed()
        before, self._routes = self._routes, self._next or self._routes
        changed, self._next = self._next is not None, None
        try:
            return self.begin()
        except MoverError as error:
            if not changed:
                raise
            refusal = str(error)
        self._routes = before
        run = self.begin()
        run.notice(Level.WARN, f"the changed config cannot be used, the old one is kept: {refusal}")
        return run

    def changed(self) -> bool:
        """Whether settings are there that ask for a new start. What the running one can take over, it has."""
        with self._looking:
            looks = _looks(self._path)
            if looks != self._seen:
                self._seen = looks
                self._read_again()
            return self._next is not None

    def _read_again(self) -> None:
        """The config was written: take over what can be, keep the rest for a new start. Where it has errors, say so once."""
        found, problems = examine_routes(self._arguments, self._path)
        if not found:
            refusal = clauses(*(str(problem) for problem in problems if problem.severity is Severity.ERROR))
            self.notice(Level.WARN, f"the config was changed and has errors; the old one is kept: {refusal}")
            return
        before = {each.route: each for each in self._routes}
        new = tuple(as_fetched_before(before.get(each.route, self._routes[0]), each) for each in found)
        same_routes = [each.route for each in new] == list(before)
        live = tuple(taken_over(before[each.route], each) for each in new) if same_routes else self._routes
        at_once = _differing(self._routes, live)
        later = _differing(live, new) if same_routes else ("the routes",)
        if self._arguments.watch and at_once:
            self._adopt(live)
            self.notice(Level.INFO, f"the config was changed; in effect now: {', '.join(at_once)}")
        self._next = new if later or not self._arguments.watch else None
        if later and self._arguments.watch:
            self.notice(
                Level.INFO,
                f"the config was changed; a restart is needed for: {', '.join(later)}; current moves finish first",
            )

    def _adopt(self, live: tuple[Settings, ...]) -> None:
        before, self._routes = self._routes, live
        self._rules.read_from(live[0].rules_file)
        self._assembly.adopt(live)
        if any(name in TELLING for name in changed(before[0], live[0])):
            try:
                self._tell(live)
            except MoverError as error:
                self.notice(Level.WARN, f"the notifications of the changed config do not work: {error}")


def _differing(before: Sequence[Settings], after: Sequence[Settings]) -> tuple[str, ...]:
    """The names of the settings in which two versions of the same routes differ."""
    return tuple(dict.fromkeys(name for old, new in zip(before, after, strict=True) for name in changed(old, new)))


def _looks(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written. None: it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unheard(_level: Level, _text: str) -> None:
    """Before there is a run, there is nobody to tell."""
