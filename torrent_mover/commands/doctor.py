"""doctor: every check of a run and its remedy, as a table or as data. Takes no lock, so that it may be asked during a run."""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from torrent_mover import __version__
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.reading import examine, find
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.bootstrap.checkup import Checkup
from torrent_mover.commands.telling import try_out
from torrent_mover.domain.errors import ConfigError, ExitCode
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import CheckView
from torrent_mover.domain.settings.problems import Problem, Severity
from torrent_mover.domain.settings.settings import Settings
from torrent_mover.domain.text import counted, pad, safe, shorten, size
from torrent_mover.engine.preflight.examination import Check, CheckResult, Doubt, Examination, NotChecked
from torrent_mover.engine.run.work import Plan

SCHEMA_VERSION: Final = 1
_NAME: Final = 36
_TIME: Final = 7
_WIDTHS: Final = (80, 140)
_PIPED_WIDTH: Final = 120
_GLYPHS: Final = {"passed": "✓", "warning": "!", "failed": "✗", "skipped": "·"}
_ASCII: Final = {"passed": "+", "warning": "!", "failed": "x", "skipped": "-"}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask everything, show it, and say by the exit code whether a run could start: 0, 2 (config), 3 or 4."""
    path = find(arguments.config)
    settings, problems = examine(path)
    show = _Rows() if not arguments.json else None
    if show:
        show.head(str(path), settings)
    results: list[CheckResult] = []
    if settings is None:
        examination = Examination(SystemClock(), _ignore)
        check = Check("config", lambda: _config(str(path), "", problems))
        results += _shown(examination.ask([check]), show)
        code = ExitCode.USAGE
    else:
        mode = settings.moving.transfer_mode.value
        with Checkup(settings, lambda: _config(str(path), f", mode {mode}", problems)) as checkup:
            examination = Examination(checkup.clock, _ignore)
            results += _shown(_asked(checkup, examination), show)
            if arguments.notify:
                general, clock = settings.general, checkup.clock
                told = Check("notifications", lambda: try_out(general, redactor_of(settings), clock.now()), fatal=False)
                results += _shown(examination.ask([told]), show)
        refusal = examination.verdict()
        code = refusal.exit_code if refusal else ExitCode.DONE
    if show:
        show.foot([result.view for result in results])
    else:
        json.dump(as_data(str(path), settings, [result.view for result in results], code), sys.stdout, indent=2)
        sys.stdout.write("\n")
    return code


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
    yield from examination.ask(checkup.checks.room(plan))


def _config(path: str, mode: str, problems: tuple[Problem, ...]) -> str:
    """The config's own check: errors stop a run, warnings are a doubt; each problem on a line of its own."""
    told = [str(problem) for problem in problems if problem.severity is not Severity.NOTICE]
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise ConfigError(
            "\n".join((f"{path} cannot be used:", *told)),
            kept="Nothing was checked.",
            remedy=f"Fix these lines, then check again: torrent-mover --config {shlex.quote(path)} --check-config",
        )
    if told:
        raise Doubt("\n".join((f"{path}{mode}:", *told)), kept="Runs go on.", remedy="torrent-mover --check-config")
    return f"{path}{mode}"


def _shown(results: Iterable[CheckResult], show: _Rows | None) -> Iterator[CheckResult]:
    for result in results:
        if show:
            show.row(result.view)
        yield result


def _ignore(_event: Event) -> None:
    """Events of checks: nobody listens, the table says it all."""


def state_of(view: CheckView) -> str:
    """`passed`, `warning` (a run would go on), `failed`, or `skipped` (it could not be asked)."""
    if view.passed:
        return "passed"
    if view.trouble is not None and view.trouble.code == NotChecked.code:
        return "skipped"
    return "failed" if view.fatal else "warning"


def as_data(path: str, settings: Settings | None, views: Iterable[CheckView], code: ExitCode) -> dict[str, object]:
    """The answers for programs. `took` in seconds; `code`, `kept` and `remedy` are there where a check did not pass."""
    return {
        "schema": SCHEMA_VERSION,
        "version": __version__,
        "config": path,
        "mode": settings.moving.transfer_mode.value if settings else None,
        "exit_code": int(code),
        "checks": [
            {
                "name": view.name,
                "state": state_of(view),
                "result": view.result,
                "took": round(view.took, 3),
                "code": view.trouble.code if view.trouble else None,
                "kept": view.trouble.kept if view.trouble else None,
                "remedy": view.trouble.remedy if view.trouble else None,
            }
            for view in views
        ],
    }


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

    def head(self, path: str, settings: Settings | None) -> None:
        """Versions, and what is looked at."""
        mode = f"   mode {settings.moving.transfer_mode.value}" if settings else ""
        self._say(f" torrent_mover {__version__}, Python {platform.python_version()}, {platform.system()}\n")
        self._say(f" config {safe(path)}{mode}\n\n")
        self._say(f"   {pad('Check', _NAME)}  {pad('Result', self._result)}{'Time':>{_TIME}}\n")

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

    def foot(self, views: list[CheckView]) -> None:
        """What is wrong, each in full with its remedy."""
        failed = sum(state_of(view) == "failed" for view in views)
        warned = sum(state_of(view) == "warning" for view in views)
        title = ", ".join(counted(count, noun) for count, noun in ((failed, "problem"), (warned, "warning")) if count)
        text = f"{self._rule} {title or 'all is well'} "
        self._say(f"{text}{self._rule * (self._width - len(text))}\n")
        for view in sorted(views, key=lambda each: state_of(each) == "warning"):
            if state_of(view) in ("failed", "warning"):
                self._trouble(view)

    def _trouble(self, view: CheckView) -> None:
        trouble = view.trouble
        assert trouble is not None  # noqa: S101  its caller looked
        self._say(f" {self._glyphs[state_of(view)]} {trouble.code}  {safe(view.name)}\n")
        for text in (*trouble.what.splitlines(), trouble.kept):
            for line in textwrap.wrap(safe(text), self._width - 6, break_on_hyphens=False, break_long_words=False):
                self._say(f"     {line}\n")
        if trouble.remedy:
            # On one line, however long: it is there to be copied.
            self._say(f"   > {safe(trouble.remedy)}\n")
