"""Asks the questions before a run side by side: each with its time and its remedy, and all of them even when some fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from torrent_mover.domain.errors import ExitCode, MoverError, PreflightRefused
from torrent_mover.domain.report.events import CheckFailed, CheckPassed
from torrent_mover.domain.report.snapshot import CheckView, Trouble
from torrent_mover.domain.text import counted
from torrent_mover.engine.delivery.places import Publish
from torrent_mover.ports.clock import Clock


class Doubt(PreflightRefused):
    """A check found something that a person should know, and that does not stop a run."""

    code = "TM-E112"


class NotChecked(Doubt):
    """A check could not be made, because an earlier one failed."""

    code = "TM-E113"


class NotAnswered(PreflightRefused):
    """A check had no answer within the time that whoever asks has for all of them."""

    code = "TM-E137"


class WorkerSilent(PreflightRefused):
    """Somebody holds the lock of a duty's worker, and gives no sign of life, or has been set aside after failures."""

    code = "TM-E136"


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `ask` returns the good answer in words or raises MoverError; a `fatal` failure stops the run.

    `needs` names checks without whose success this one cannot be asked. `quick`: it may be asked every minute, for it writes no
    file and reads no more than an answer or two.
    """

    name: str
    ask: Callable[[], str]
    fatal: bool = True
    needs: tuple[str, ...] = ()
    quick: bool = True


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


class _Question:
    """One check on its way: what its thread leaves when it is over."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.over = threading.Event()
        self.answer = ""
        self.took = 0.0
        self.error: BaseException | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None


@dataclass(slots=True)
class Examination:
    """The checks of one run, in one or more rounds. Those of a round are asked side by side, each after what it needs.

    `until`: on the monotonic clock; what has no answer by then has failed, and its thread is left behind. None: each check has
    a bound of its own.
    """

    clock: Clock
    publish: Publish
    results: list[CheckResult] = field(default_factory=list)
    mending: Mending = lambda _error: None
    until: float | None = None

    def ask(self, checks: Iterable[Check]) -> Iterable[CheckResult]:
        """Ask them all; yields results in the order of the list, and goes on after a failure so that one sees them all at once."""
        questions = [_Question(check) for check in checks]
        asked = {question.check.name: question for question in questions}
        for question in questions:
            threading.Thread(target=self._ask, args=(question, asked), name=question.check.name, daemon=True).start()
        for question in questions:
            result = self._ended(question) if self._over(question) else self._late(question)
            self.results.append(result)
            yield result

    def _over(self, question: _Question) -> bool:
        """Whether it has its answer, as soon as it has; False: not in time."""
        return question.over.wait(None if self.until is None else max(self.until - self.clock.monotonic(), 0.0))

    def _late(self, question: _Question) -> CheckResult:
        late = NotAnswered(
            "There is no answer yet.",
            kept="Nothing was changed.",
            remedy="torrent-mover doctor waits for it, and says how long it takes.",
        )
        return self._failed(question.check, late, 0.0)

    def _ask(self, question: _Question, asked: Mapping[str, _Question]) -> None:
        """In a thread of its own: wait for what it needs, ask, and leave the answer or the error."""
        try:
            needs = [asked[name] for name in question.check.needs if name in asked]
            for each in needs:
                each.over.wait()
            self._require(question.check, [each.check.name for each in needs if each.failed])
            started = self.clock.monotonic()
            try:
                question.answer = question.check.ask()
            finally:
                question.took = self.clock.monotonic() - started
        except BaseException as error:  # noqa: BLE001  whoever waits for the answer raises what is no MoverError
            question.error = error
        finally:
            question.over.set()

    def _ended(self, question: _Question) -> CheckResult:
        check, error, took = question.check, question.error, question.took
        if isinstance(error, MoverError):
            return self._failed(check, error, took)
        if error is not None:
            raise error
        self.publish(CheckPassed(self.clock.now(), check.name, question.answer, took))
        view = CheckView(check.name, passed=True, result=question.answer, took=took, trouble=None, fatal=check.fatal)
        return CheckResult(view, None)

    def _require(self, check: Check, failed_now: Sequence[str]) -> None:
        failed = [*(result.view.name for result in self.results if not result.view.passed), *failed_now]
        missing = [name for name in check.needs if name in failed]
        if missing:
            raise NotChecked(f"not checked, because this failed: {missing[0]}", remedy=f"First fix: {missing[0]}.")

    def _failed(self, check: Check, error: MoverError, took: float) -> CheckResult:
        fatal = check.fatal and not isinstance(error, Doubt)
        at, told = self.clock.now(), (error.what, error.remedy, error.code)
        self.publish(CheckFailed(at, check.name, *told, fatal, took, error.server))
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
    return Trouble(error.code, error.what, error.kept, error.remedy, error.server)
