"""What doctor says of its checks, in the long and in the short form: states, data for programs, the config's own check."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from torrent_mover import __version__
from torrent_mover.domain.errors import ConfigError, ExitCode
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import CheckView
from torrent_mover.domain.settings.problems import Problem, Severity
from torrent_mover.engine.preflight.examination import Doubt, NotChecked

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class RouteChecks:
    """The answers about one route, or one section of another duty; both blank: about the config as a whole."""

    route: str
    views: tuple[CheckView, ...]
    section: str = ""


def config_check(path: str, mode: str, problems: tuple[Problem, ...]) -> str:
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


def ignore(_event: Event) -> None:
    """Events of checks: nobody listens, the table says it all."""


def state_of(view: CheckView) -> str:
    """`passed`, `warning` (a run would go on), `failed`, or `skipped` (it could not be asked)."""
    if view.passed:
        return "passed"
    if view.trouble is not None and view.trouble.code == NotChecked.code:
        return "skipped"
    return "failed" if view.fatal else "warning"


def as_data(path: str, mode: str | None, found: Iterable[RouteChecks], code: ExitCode) -> dict[str, object]:
    """The answers for programs. `took` in seconds; `code`, `kept` and `remedy` are there where a check did not pass.

    `mode` None: the routes differ in it, or there is none.
    """
    return {
        "schema": SCHEMA_VERSION,
        "version": __version__,
        "config": path,
        "mode": mode,
        "exit_code": int(code),
        "checks": [
            {
                "route": each.route or None,
                "section": each.section or None,
                "name": view.name,
                "state": state_of(view),
                "result": view.result,
                "took": round(view.took, 3),
                "code": view.trouble.code if view.trouble else None,
                "kept": view.trouble.kept if view.trouble else None,
                "remedy": view.trouble.remedy if view.trouble else None,
            }
            for each in found
            for view in each.views
        ],
    }
