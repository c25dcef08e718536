"""Asks the questions before a run: each with its time, each failure with its remedy, and all of them even when early ones fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from torrent_mover.domain.errors import ExitCode, MoverError, PreflightRefused
from torrent_mover.domain.events import CheckFailed, CheckPassed
from torrent_mover.domain.snapshot import CheckView, Trouble
from torrent_mover.domain.text import counted
from torrent_mover.engine.places import Publish
from torrent_mover.ports.clock import Clock


class Doubt(PreflightRefused):
    """A check found something that a person should know, and that does not stop a run."""

    code = "TM-E112"


class NotChecked(Doubt):
    """A check could not be made, because an earlier one failed."""

    code = "TM-E113"


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `ask` returns the good answer in words or raises MoverError; a `fatal` failure stops the run.

    `needs` names checks without whose success this one cannot be asked.
    """

    name: str
    ask: Callable[[], str]
    fatal: bool = True
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What we can do about a failed check by ourselves, once somebody says yes: `words` say what. `act` raises MoverError."""

    words: str
    act: Callable[[], object]


Mending = Callable[[MoverError], Offer | None]
"""What can be offered for an error; None: a person must act."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended; `error` None: well. `view.fatal` is False for what does not stop a run."""

    view: CheckView
    error: MoverError | None
    offer: Offer | None = None


@dataclass(slots=True)
class Examination:
    """The checks of one run, one after the other, in one or more rounds."""

    clock: Clock
    publish: Publish
    results: list[CheckResult] = field(default_factory=list)
    mending: Mending = lambda _error: None

    def ask(self, checks: Iterable[Check]) -> Iterable[CheckResult]:
        """Ask each in turn; yields results as they come, and goes on after a failure so that one sees them all at once."""
        for check in checks:
            result = self._asked(check)
            self.results.append(result)
            yield result

    def _asked(self, check: Check) -> CheckResult:
        started = self.clock.monotonic()
        try:
            self._require(check)
            answer = check.ask()
        except MoverError as error:
            return self._failed(check, error, self.clock.monotonic() - started)
        took = self.clock.monotonic() - started
        self.publish(CheckPassed(self.clock.now(), check.name, answer, took))
        view = CheckView(check.name, passed=True, result=answer, took=took, trouble=None, fatal=check.fatal)
        return CheckResult(view, None)

    def _require(self, check: Check) -> None:
        failed = [result.view.name for result in self.results if not result.view.passed]
        missing = [name for name in check.needs if name in failed]
        if missing:
            raise NotChecked(f"not checked, because this failed: {missing[0]}", remedy=f"First mend: {missing[0]}.")

    def _failed(self, check: Check, error: MoverError, took: float) -> CheckResult:
        fatal = check.fatal and not isinstance(error, Doubt)
        self.publish(CheckFailed(self.clock.now(), check.name, error.what, error.remedy, error.code, fatal, took))
        offer = self.mending(error) if fatal else None
        words = offer.words if offer else ""
        view = CheckView(
            check.name,
            passed=False,
            result=error.what,
            took=took,
            trouble=trouble_of(error),
            fatal=fatal,
            offer=words,
        )
        return CheckResult(view, error, offer)

    def verdict(self) -> MoverError | None:
        """Why there can be no run, or None."""
        return verdict(self.results)


def verdict(results: Sequence[CheckResult]) -> MoverError | None:
    """Why there can be no run, or None. A server that cannot be reached counts before what is only wrong."""
    refused = [result.error for result in results if result.error is not None and result.view.fatal]
    unreachable = [error for error in refused if error.exit_code is ExitCode.UNREACHABLE]
    if not refused:
        return None
    if unreachable:
        return unreachable[0]
    others = f" (and {counted(len(refused) - 1, 'other')})" if len(refused) > 1 else ""
    return PreflightRefused(f"{refused[0].what}{others}", kept="Nothing was moved.", remedy=refused[0].remedy)


def trouble_of(error: MoverError) -> Trouble:
    """The error as screens show it."""
    return Trouble(error.code, error.what, error.kept, error.remedy)
