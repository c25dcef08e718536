"""Runs the checks before a run: each with its time, each failure with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.events import CheckFailed, CheckPassed
from torrent_mover.domain.snapshot import CheckView, Trouble
from torrent_mover.engine.places import Publish
from torrent_mover.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `ask` returns the good answer in words or raises MoverError; a `fatal` failure stops the run."""

    name: str
    ask: Callable[[], str]
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended; `error` None: well."""

    view: CheckView
    error: MoverError | None


def run_checks(checks: Iterable[Check], clock: Clock, publish: Publish) -> Iterable[CheckResult]:
    """Ask each in turn; yields results as they come, and goes on after a failure so that one sees them all at once."""
    for check in checks:
        started = clock.monotonic()
        try:
            answer = check.ask()
        except MoverError as error:
            took = clock.monotonic() - started
            publish(CheckFailed(clock.now(), check.name, error.what, error.remedy, error.code, check.fatal, took))
            yield CheckResult(
                CheckView(
                    check.name, passed=False, result=error.what, took=took, trouble=trouble_of(error), fatal=check.fatal
                ),
                error,
            )
        else:
            took = clock.monotonic() - started
            publish(CheckPassed(clock.now(), check.name, answer, took))
            yield CheckResult(
                CheckView(check.name, passed=True, result=answer, took=took, trouble=None, fatal=check.fatal), None
            )


def trouble_of(error: MoverError) -> Trouble:
    """The error as screens show it."""
    return Trouble(error.code, error.what, error.kept, error.remedy)
