"""doctor: every check of a run and its remedy, as a table or as data. Takes no lock, so that it may be asked during a run."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from torrent_mover import __version__
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.reading import find
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.bootstrap.checkup import Checkup
from torrent_mover.bootstrap.configs import examine_all
from torrent_mover.commands.configured import chosen
from torrent_mover.commands.doctor_answers import RouteChecks, as_data, config_check, ignore, state_of
from torrent_mover.commands.other_duties import OtherDuty, configured
from torrent_mover.commands.own_records import own_records
from torrent_mover.commands.serve_configured import page_of
from torrent_mover.commands.telling import try_out
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError, UsageError, worst
from torrent_mover.domain.report.snapshot import CheckView
from torrent_mover.domain.settings.problems import Problem
from torrent_mover.domain.text import counted, pad, safe, shorten, size
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.preflight.examination import Check, CheckResult, Examination
from torrent_mover.engine.run.work import Plan

_NAME: Final = 36
_TIME: Final = 7
_WIDTHS: Final = (80, 140)
_PIPED_WIDTH: Final = 120
_GLYPHS: Final = {"passed": "✓", "warning": "!", "failed": "✗", "skipped": "·"}
_ASCII: Final = {"passed": "+", "warning": "!", "failed": "x", "skipped": "-"}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask everything, show it, and say by the exit code whether a run could start: 0, 2 (config), 3 or 4.

    With --healthcheck: what takes a moment, a line a component, and 0 or 1.
    """
    _refuse_what_does_not_fit(arguments)
    if arguments.healthcheck:
        return _healthcheck(arguments)
    path, routes, others, problems = _configured(arguments)
    modes = {each.moving.transfer_mode.value for each in routes}
    mode = modes.pop() if len(modes) == 1 else None
    show = _Rows() if not arguments.json else None
    if show:
        show.head(path, mode)
    found: list[RouteChecks] = []
    code = ExitCode.DONE if routes or others else ExitCode.USAGE
    if not routes:
        found.append(RouteChecks("", _whole(path, problems, show)))
    for settings in routes:
        if show and len(routes) > 1:
            show.route(settings)
        views, verdict = _route(settings, path, problems, arguments, show, first=settings is routes[0])
        found.append(RouteChecks(settings.route, views))
        code = worst((code, verdict))
    for each in (*others, *_own(routes, others), *page_of(arguments.config)):
        views, verdict = _other(each, show)
        found.append(RouteChecks("", views, each.heading))
        code = worst((code, verdict))
    if show:
        several = len(routes) > 1
        show.foot([(each.section or (each.route if several else ""), view) for each in found for view in each.views])
    else:
        json.dump(as_data(path, mode, found, code), sys.stdout, indent=2)
        sys.stdout.write("\n")
    return code


def _refuse_what_does_not_fit(arguments: argparse.Namespace) -> None:
    """Raises UsageError for an option that would do nothing."""
    for option, given, example in (
        ("--strict", arguments.strict, "--strict"),
        ("--timeout", arguments.timeout is not None, "--timeout 20"),
    ):
        if given and not arguments.healthcheck:
            raise UsageError(
                f"{option} works only with --healthcheck.", remedy=f"torrent-mover doctor --healthcheck {example}"
            )
    if arguments.notify and arguments.healthcheck:
        raise UsageError("--notify does not work with --healthcheck.", remedy="torrent-mover doctor --notify")


def _healthcheck(arguments: argparse.Namespace) -> ExitCode:
    """Also a config that is not there, or says nothing to do, is a component that is not well."""
    from torrent_mover.commands import healthcheck

    try:
        path, routes, others, problems = _configured(arguments)
    except ConfigError as error:
        return healthcheck.unusable(str(arguments.config or ""), error, arguments)
    return healthcheck.execute(path, routes, (*others, *_own(routes, others)), problems, arguments)


def _configured(
    arguments: argparse.Namespace,
) -> tuple[str, tuple[Settings, ...], tuple[OtherDuty, ...], tuple[Problem, ...]]:
    """Where the config is, its routes, the work of other duties, and all problems. Raises ConfigError, UsageError."""
    try:
        path = find(arguments.config)
    except ConfigError:
        others = configured(arguments)
        if others:
            return "the environment", (), others, ()
        raise
    configuration, problems = examine_all(path)
    if configuration is None:
        return str(path), (), (), problems
    others = () if arguments.route else configured(arguments)
    if others and not configuration.routes:
        return str(path), (), others, problems
    return str(path), chosen(configuration.routes, arguments, path), others, problems


def _whole(path: str, problems: tuple[Problem, ...], show: _Rows | None) -> tuple[CheckView, ...]:
    """The config's own check, where no route asks it."""
    check = Check("config", lambda: config_check(path, "", problems))
    return tuple(_shown(Examination(SystemClock(), ignore).ask([check]), show))


def _other(duty: OtherDuty, show: _Rows | None) -> tuple[tuple[CheckView, ...], ExitCode]:
    """Ask all about one piece of another duty's work."""
    examination = Examination(SystemClock(), ignore)
    if show:
        show.section(duty.heading)
    try:
        with duty.checks() as checks:
            views = tuple(_shown(examination.ask(checks), show))
    except MoverError as error:
        failed = _failing(error)
        views = tuple(_shown(examination.ask([Check(duty.heading, failed)]), show))
    refusal = examination.verdict()
    return views, refusal.exit_code if refusal else ExitCode.DONE


def _failing(error: MoverError) -> Callable[[], str]:
    def fail() -> str:
        raise error

    return fail


def _route(
    settings: Settings,
    path: str,
    problems: tuple[Problem, ...],
    arguments: argparse.Namespace,
    show: _Rows | None,
    *,
    first: bool,
) -> tuple[tuple[CheckView, ...], ExitCode]:
    """Ask all about one route. What is of the whole config is asked with the first one alone."""
    mode = settings.moving.transfer_mode.value
    with Checkup(settings, lambda: config_check(path, f", mode {mode}", problems) if first else "") as checkup:
        examination = Examination(checkup.clock, ignore)
        asked = (result for result in _asked(checkup, examination) if first or result.view.name != "config")
        views = list(_shown(asked, show))
        if arguments.notify and first:
            general, clock = settings.general, checkup.clock
            told = Check("notifications", lambda: try_out(general, redactor_of(settings), clock.now()), fatal=False)
            views += _shown(examination.ask([told]), show)
    refusal = examination.verdict()
    return tuple(views), refusal.exit_code if refusal else ExitCode.DONE


def _asked(checkup: Checkup, examination: Examination) -> Iterator[CheckResult]:
    """A run's checks, with the plan between them as a check of its own."""
    plan = Plan((), ())

    def ask_plan() -> str:
        nonlocal plan
        plan = checkup.planner.plan()
        if plan.refusal is not None:
            raise plan.refusal
        stay = f", {len(plan.not_moved)} stay" if plan.not_moved else ""
        return f"{counted(len(plan.moves), 'torrent')} to move, {size(plan.size)}{stay}"

    yield from examination.ask((*checkup.checks.first(), Check("plan", ask_plan, needs=("source client",))))
    yield from examination.ask((*checkup.checks.room(plan), *checkup.arr_checks))


def _shown(results: Iterable[CheckResult], show: _Rows | None) -> Iterator[CheckView]:
    for result in results:
        if show:
            show.row(result.view)
        yield result.view


def _own(routes: Sequence[Settings], others: Sequence[OtherDuty]) -> Sequence[OtherDuty]:
    """Our own files, in each state folder that something uses."""
    return own_records(
        [*(each.state_dir for each in routes), *(each.state for each in others if each.state is not None)]
    )


class _Rows:
    """Writes the table, a row as soon as it is known."""

    def __init__(self) -> None:
        lowest, highest = _WIDTHS
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED_WIDTH
        self._width = max(lowest, min(columns, highest))
        unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self._glyphs = _GLYPHS if unicode else _ASCII
        self._rule = "─" if unicode else "-"
        self._say: Callable[[str], object] = sys.stdout.write

    def head(self, path: str, mode: str | None) -> None:
        """Versions, and what is looked at."""
        mode = f"   mode {mode}" if mode else ""
        self._say(f" torrent_mover {__version__}, Python {platform.python_version()}, {platform.system()}\n")
        self._say(f" config {safe(path)}{mode}\n\n")
        self._say(f"   {pad('Check', _NAME)}  {pad('Result', self._result)}{'Time':>{_TIME}}\n")

    def route(self, settings: Settings) -> None:
        """Which route the next rows are about, where there are several."""
        ends = f"{settings.source_client_name} -> {settings.destination_client_name}"
        self._say(f"\n {safe(f'Route {settings.route}: {ends}, category {settings.moving.category_to_move}')}\n")

    def section(self, heading: str) -> None:
        """Which section of another duty the next rows are about."""
        self._say(f"\n {safe(heading[:1].upper() + heading[1:])}\n")

    @property
    def _result(self) -> int:
        return self._width - _NAME - _TIME - 6

    def row(self, view: CheckView) -> None:
        """One check."""
        first = view.result.partition("\n")[0]
        result = pad(shorten(safe(first), self._result, middle=False), self._result)
        took = f"{view.took:.1f} s"
        self._say(f" {self._glyphs[state_of(view)]} {pad(safe(view.name), _NAME)}  {result}{took:>{_TIME}}\n")
        sys.stdout.flush()

    def foot(self, found: list[tuple[str, CheckView]]) -> None:
        """What is wrong, each in full with its remedy: the route (blank where there is one only), and the check."""
        views = [view for _, view in found]
        failed = sum(state_of(view) == "failed" for view in views)
        warned = sum(state_of(view) == "warning" for view in views)
        title = ", ".join(counted(count, noun) for count, noun in ((failed, "problem"), (warned, "warning")) if count)
        text = f"{self._rule} {title or 'all is well'} "
        self._say(f"{text}{self._rule * (self._width - len(text))}\n")
        for route, view in sorted(found, key=lambda each: state_of(each[1]) == "warning"):
            if state_of(view) in ("failed", "warning"):
                self._trouble(f"{route}: {view.name}" if route else view.name, view)

    def _trouble(self, name: str, view: CheckView) -> None:
        trouble = view.trouble
        assert trouble is not None  # noqa: S101  its caller looked
        self._say(f" {self._glyphs[state_of(view)]} {trouble.code}  {safe(name)}\n")
        for text in (*trouble.what.splitlines(), trouble.kept):
            for line in textwrap.wrap(safe(text), self._width - 6, break_on_hyphens=False, break_long_words=False):
                self._say(f"     {line}\n")
        if trouble.remedy:
            # On one line, however long: it is there to be copied.
            self._say(f"   > {safe(trouble.remedy)}\n")
