"""doctor --healthcheck: what takes a moment of what doctor asks, in a time that is bound: a line a component, and 0 or 1."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.process import surroundings
from torrent_mover.bootstrap.checkup import Checkup
from torrent_mover.commands import doctor_answers as doctor
from torrent_mover.commands.other_duties import OtherDuty
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError, Unexpected
from torrent_mover.domain.report.snapshot import CheckView
from torrent_mover.domain.settings.problems import Problem, Severity
from torrent_mover.domain.text import clauses, counted, safe
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.preflight.examination import Check, Examination, NotAnswered
from torrent_mover.engine.run.work import Plan

_TIMEOUT: Final = 20.0
"""Seconds for all answers, unless --timeout says others."""

_LAST: Final = 0.5
"""Seconds that a component has, after all its checks are given up, to say so."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one component has said, and nothing that it says later."""

    name: str
    route: str
    views: tuple[CheckView, ...]

    def having(self, state: str) -> list[CheckView]:
        """The checks that ended so."""
        return [view for view in self.views if doctor.state_of(view) == state]

    @property
    def line(self) -> str:
        """All of it in one line."""
        failed, warned = self.having("failed"), self.having("warning")
        if failed:
            return f"{safe(self.name)}: NOT WELL: {_told(failed)}"
        slowest = max(self.views, key=lambda view: view.took, default=None)
        took = f", the slowest in {slowest.took:.1f} s ({safe(slowest.name)})" if slowest is not None else ""
        return f"{safe(self.name)}: well, {counted(len(self.views), 'answer')}{took}" + (
            f"; but {_told(warned)}" if warned else ""
        )


@dataclass(slots=True)
class _Component:
    """One part of what is configured, asked in a thread of its own. `over`: `views` is all that will be said of it."""

    name: str
    route: str
    checks: Callable[[], AbstractContextManager[Sequence[Check]]]
    views: list[CheckView] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, until: float) -> None:
        """Ask what is quick. Raises nothing; what is open is closed after `over`."""
        examination = Examination(SystemClock(), doctor.ignore, until=until)
        try:
            with self.checks() as checks:
                for each in examination.ask([each for each in checks if each.quick]):
                    self.views.append(each.view)
                self.over.set()
        except Exception as error:  # noqa: BLE001  whatever it is, this component is not well
            if not self.over.is_set():
                self.views += _failed(error if isinstance(error, MoverError) else Unexpected.of(error))
        finally:
            self.over.set()

    def said(self, until: float) -> _Said:
        """All of it, or what there is by then (monotonic clock)."""
        over = self.over.wait(max(until - time.monotonic(), 0.0))
        views = tuple(self.views)
        if not over:
            late = NotAnswered("There is no answer yet.", remedy="torrent-mover doctor waits for it.")
            views = (*views, *_failed(late))
        return _Said(self.name, self.route, views)


def execute(
    path: str,
    routes: Sequence[Settings],
    others: Sequence[OtherDuty],
    problems: Sequence[Problem],
    arguments: argparse.Namespace,
) -> ExitCode:
    """Ask all components side by side. SOME_FAILED where one is not well, or with --strict where one has a warning."""
    until = time.monotonic() + (_TIMEOUT if arguments.timeout is None else arguments.timeout)
    components = [_Component("config", "", partial(_config_checks, path, problems))]
    components += [_Component(f"route {each.route}", each.route, partial(_route_checks, each)) for each in routes]
    components += [_Component(each.heading, "", each.checks) for each in others]
    threads = [threading.Thread(target=each.ask, args=(until,), name=each.name, daemon=True) for each in components]
    for thread in threads:
        thread.start()
    code = _tell(path, [each.said(until + _LAST) for each in components], arguments)
    for thread in threads:
        thread.join(_LAST)
    if any(thread.is_alive() for thread in threads):  # closing it could take as long as it does not answer
        surroundings.leave_threads()
    return code


def unusable(path: str, error: ConfigError, arguments: argparse.Namespace) -> ExitCode:
    """Tell of a config that says nothing to do: there is no other component then."""
    what = "\n".join((error.what, *map(str, error.problems)))
    wrong = ConfigError(what, kept="Nothing was checked.", remedy=error.remedy)
    return _tell(path, [_Said("config", "", _failed(wrong, "config"))], arguments)


def _tell(path: str, components: Sequence[_Said], arguments: argparse.Namespace) -> ExitCode:
    failed = any(each.having("failed") for each in components)
    warned = any(each.having("warning") for each in components)
    code = ExitCode.SOME_FAILED if failed or (arguments.strict and warned) else ExitCode.DONE
    if arguments.json:
        found = [doctor.RouteChecks(each.route, each.views, "" if each.route else each.name) for each in components]
        json.dump(doctor.as_data(path, None, found, code), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        word = "UNHEALTHY" if failed else "DEGRADED" if warned else "HEALTHY"
        sys.stdout.write(f"System Status: {word}\n")
        sys.stdout.writelines(f"{each.line}\n" for each in components)
    return code


@contextmanager
def _config_checks(path: str, problems: Sequence[Problem]) -> Iterator[Sequence[Check]]:
    """Its warnings are for people who look, and none of them for who asks every minute."""
    wrong = tuple(problem for problem in problems if problem.severity is Severity.ERROR)
    yield [Check("config", lambda: doctor.config_check(path, "", wrong))]


@contextmanager
def _route_checks(settings: Settings) -> Iterator[Sequence[Check]]:
    """Clients, SSH servers, rooms and Arrs of a route; none that puts a file anywhere."""
    with Checkup(settings, lambda: "") as checkup:
        asked = (*checkup.checks.first(), *checkup.checks.room(Plan((), ())), *checkup.arr_checks)
        yield [check for check in asked if check.name != "config"]


def _failed(error: MoverError, name: str = "all of it") -> tuple[CheckView, ...]:
    def fail() -> str:
        raise error

    return tuple(each.view for each in Examination(SystemClock(), doctor.ignore).ask([Check(name, fail)]))


def _told(views: Sequence[CheckView]) -> str:
    return clauses(*(f"{safe(view.name)}: {safe(' '.join(view.result.split()))}" for view in views))
