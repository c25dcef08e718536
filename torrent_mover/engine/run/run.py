"""One run from pre-flight to the last line, and the Control that front ends steer it by."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

from torrent_mover.domain.errors import (
    Banned,
    Cancelled,
    ExitCode,
    HostKeyChanged,
    HostKeyUnknown,
    LoginRefused,
    MoverError,
    NoSuchCategory,
    ServerError,
    Unexpected,
)
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.report.events import (
    Event,
    Level,
    PreflightPassed,
    QueuePlanned,
    RouteEnded,
    RunEnded,
    RunStarted,
)
from torrent_mover.domain.report.snapshot import (
    CheckView,
    HostHealth,
    MoveStatus,
    NotMoved,
    Phase,
)
from torrent_mover.domain.text import counted, size
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.staging import remove_empty_staging
from torrent_mover.engine.hub.publisher import RoutePublisher
from torrent_mover.engine.preflight.examination import Check, Examination, Mending, Offer
from torrent_mover.engine.run import past
from torrent_mover.engine.run.pool import Engine
from torrent_mover.engine.run.queue import OVER, Row, Tally, done_with
from torrent_mover.engine.run.rounds import Watching
from torrent_mover.engine.run.shown import RunFacts, Shown
from torrent_mover.engine.run.vitals import Vitals
from torrent_mover.engine.run.work import Beside, Duty, HeldBack, Plan
from torrent_mover.ports.journal import RunRecord

_log = logging.getLogger(__name__)

_NEWS = 120.0
"""Seconds for which screens say that the queue was extended."""

_SOON, _LATER = 60.0, 900.0
"""Seconds until another run begins after one that ended by itself: its server was away; a check has refused it."""

_NOT_TWICE = (LoginRefused, Banned, HostKeyUnknown, HostKeyChanged)
"""What must not be asked again by itself: clients ban whoever knocks too often."""


_BUSY = frozenset({MoveStatus.ACTIVE, MoveStatus.QUEUED, MoveStatus.RETRYING})


class HasMembers(Protocol):
    """What a run may take over from: another one, or a group of them."""

    @property
    def members(self) -> tuple[Run, ...]:
        """The run of each route."""


class Run(Shown):
    """Implements ports.control.Control. `execute` is called by one thread; everything else from any."""

    def __init__(
        self,
        facts: RunFacts,
        engine: Engine,
        duty: Duty,
        publisher: RoutePublisher,
        checks: Sequence[Check],
        vitals: Vitals,
        host: Callable[[], HostHealth],
        set_limit: Callable[[float | None], None],
        notices: Sequence[str] = (),
        planned_checks: Callable[[Plan], Iterable[Check]] = lambda _plan: (),
        watching: Watching | None = None,
        mending: Mending | None = None,
        beside: Beside | None = None,
    ) -> None:
        """`mending`: somebody looks on, so that a run that is refused waits for them, and offers what it can do itself."""
        super().__init__(facts, engine, publisher, vitals, host, set_limit, notices, watching)
        self._duty = duty
        self._checks = tuple(checks)
        self._planned_checks = planned_checks
        self._former_rows: frozenset[Row] = frozenset()
        self._all_at_once = True
        self._mending = mending
        self._others = beside or Beside()
        self._error: MoverError | None = None
        self._client_runs = True
        self._offers: dict[str, Offer] = {}
        self._asked = threading.Event()
        self._waits = False
        self._fault = False
        self._anew = False
        self._looking: threading.Thread | None = None
        self.interrupted_by = ExitCode.INTERRUPTED
        self.ended: RunEnded | None = None
        """How it ended, with all that it has taken over; None while it goes on."""
        self.record: RunRecord | None = None
        """The same without what it has taken over."""

    def take_over(self, former: HasMembers) -> None:
        """Before `execute`: go on with the counters, the graph and the ended moves of a run that has given way to this one."""
        before = next((member for member in former.members if member.route == self.route), None)
        if before is not None:
            self._go_on_after(before)

    def _go_on_after(self, former: Run) -> None:
        dropped = former._rounds is not None and former._rounds.grown
        ended = [row for row in former._engine.roster.rows() if row.standing in OVER]
        kept = [row for row in ended if row.standing is not MoveStatus.SKIPPED or done_with(row)]
        if dropped:
            kept = [row for row in kept if row.ended_as is not Outcome.MOVED]
        self._gone = former._gone + (sum(row.ended_as is Outcome.MOVED for row in ended) if dropped else 0)
        self._all_at_once = not dropped  # other settings may have mended what failed
        self._engine.take_over(former._engine, kept)
        self._former_rows = frozenset(kept)
        self._shown_since, self._shown_monotonic = former._shown_since, former._shown_monotonic
        self._flowing_since = former._flowing_since
        if self._rounds is not None and former._rounds is not None:
            self._rounds.take_over(former._rounds)

    @property
    def members(self) -> tuple[Run, ...]:
        """Itself: what a group of runs answers for all of its routes."""
        return (self,)

    @property
    def again_after(self) -> float | None:
        """Once it has ended: after how many seconds it makes sense to try its route again; None: not by itself."""
        return self._again_after(self._error)

    def _again_after(self, error: MoverError | None) -> float | None:
        """The same of an error. What a check refuses is tried again too, though less often: its disk may be back."""
        every = self._facts.again_after
        if every is None or error is None or isinstance(error, _NOT_TWICE):
            return None
        return every if isinstance(error, ServerError) else max(every, _LATER)

    @property
    def rest(self) -> float | None:
        """Once it has ended by itself: seconds until another one may begin in a process that stays; None: when somebody asks."""
        if isinstance(self._error, _NOT_TWICE):
            return None
        return _SOON if isinstance(self._error, ServerError) else _LATER

    @property
    def faulty(self) -> bool:
        """Whether something that nobody foresaw has ended it."""
        return self._fault

    @property
    def at_rest(self) -> bool:
        """Whether it neither moves nor looks for something to move."""
        if self._phase is Phase.RUNNING:
            return not any(row.standing in _BUSY for row in self.rows())
        return self._phase in (Phase.WATCHING, Phase.REFUSED, Phase.ENDED)

    def busy_with(self) -> Sequence[InfoHash]:
        """Torrents in its queue that it has not done with."""
        return [row.id for row in self.rows() if row.standing not in OVER]

    def rows(self) -> tuple[Row, ...]:
        """All torrents that it has had in its queue."""
        return self._engine.roster.rows()

    def row(self, torrent: InfoHash) -> Row | None:
        """One of them."""
        return self._engine.roster.get(torrent)

    def renew_checks(self, checks: Sequence[Check], planned: Callable[[Plan], Iterable[Check]]) -> None:
        """What is asked before torrents that are found later."""
        self._checks, self._planned_checks = tuple(checks), planned

    # -- the run -----------------------------------------------------------------------------------------------------

    def execute(self) -> ExitCode:
        """Check, plan, move, end; returns the exit code. Raises nothing, and always ends: whoever looks on waits for that."""
        if not self._facts.member:
            facts, ends = self._facts, f"{self._facts.source} -> {self._facts.destination}"
            self._publish(RunStarted(self._clock.now(), facts.run, ends, facts.mode, facts.config))
        with self._engine.housekeeping():
            code, reason = self._outcome()
        if self.replaced:
            code, reason = ExitCode.DONE, "another one follows"
        elif self._engine.stopping and not (self._waits or self._gave_up or self._fault):
            code, reason = self.interrupted_by, reason or "stopped; the next run goes on from here"
        return self._end(code, reason or self._without_room())

    def _outcome(self) -> tuple[ExitCode, str]:
        try:
            if not self._facts.member:
                self._engine.world.journal.begin_run(self._facts.run, self._started_at)
            self._engine.pace.recall()
            self._begin()
            return self._work(), ""
        except Cancelled:
            return self.interrupted_by, ""
        except MoverError as error:
            # What a check has told in full, remedy and all, is only named at the end.
            told = any(check.passed is False and check.fatal for check in self._check_views)
            self._error = error
            return error.exit_code, error.what.rstrip(".") if told else str(error)
        except BaseException as error:  # noqa: BLE001  whoever looks on waits for the end of the run, and must see one
            _log.exception("the run ends")
            self._fault = True
            return ExitCode.SOME_FAILED, str(Unexpected.of(error))

    @property
    def _gave_up(self) -> bool:
        return self._rounds is not None and self._rounds.gave_up

    def _without_room(self) -> str:
        count = len(self._engine.without_room())
        return f"{counted(count, 'torrent')} did not fit" if count else ""

    def _work(self) -> ExitCode:
        self._phase = Phase.PREFLIGHT
        started = self._clock.monotonic()
        self._duty.start_again()
        examination = Examination(self._clock, self._publish, mending=self._mending or (lambda _error: None))
        with self._mendable(examination):
            self._examine(examination, self._checks)
        self._engine.world.unlocker.put_back_left_overs()
        self._duty.settle()
        plan = self._duty.plan(now=None if self._all_at_once else self._clock.now(), left=self._left())
        self._not_moved = self._left_alone(plan)
        if plan.refusal is not None:
            self._refuse_or_wait(plan.refusal)
        if plan.doubt:
            self.notice(Level.INFO, f"links between torrents were not checked: {plan.doubt}")
        if back := plan.brought_here:
            self.notice(
                Level.INFO,
                f"{counted(back, 'torrent')} of an earlier run not moved back; --again moves {'it' if back == 1 else 'them'}",
            )
        with self._mendable(examination):
            self._examine(examination, self._planned_checks(plan))
        took = self._clock.monotonic() - started
        self._publish(PreflightPassed(self._clock.now(), len(examination.results), took))
        self._enlist(plan.moves)
        self._publish(QueuePlanned(self._clock.now(), len(plan.moves), plan.size, len(plan.not_moved)))
        self._phase = Phase.RUNNING
        if self._rounds is None:
            self._engine.run()
            while self._found_more():
                self._engine.run()
            self._carry()
        else:
            self._rounds.run(lambda asked: self._look_again(at_once=asked), self._enter, self._carry)
        failed = any(row.standing is MoveStatus.FAILED for row in self._engine.roster.rows())
        needs_somebody = failed or self._engine.without_room() or not self._client_runs
        return ExitCode.SOME_FAILED if needs_somebody else ExitCode.DONE

    def _refuse_or_wait(self, refusal: NoSuchCategory) -> None:
        """A run that stays waits for the category: somebody may be about to make it."""
        if self._rounds is None:
            raise refusal
        self.notice(Level.WARN, f"{refusal} This run waits for it. [{refusal.code}]")

    def _carry(self) -> None:
        """While nothing moves, and nobody looks for more: the destination client is stopped for it."""
        with self._others.carrying.paused():
            if not self._engine.stopping and self._others.alone():
                self._client_runs = self._duty.rest()

    def carry_at_last(self) -> None:
        """Once all that go on beside it have ended: do what had to wait for that."""
        self._carry()

    @contextmanager
    def _mendable(self, examination: Examination) -> Iterator[None]:
        """Where the checks refuse and somebody looks on, wait until they have it checked again (by another run), or leave."""
        try:
            yield
        except MoverError as error:
            if self._mending is not None and not self._engine.stopping:
                self._offers = {result.view.name: result.offer for result in examination.results if result.offer}
                self._waits, self._phase = True, Phase.REFUSED
                self._say("waiting: fix what failed and check again (c), or quit (q)")
                if not self._asked.wait(self._again_after(error)):
                    self._anew = True
            raise

    def _enter(self, phase: Phase) -> None:
        self._phase = phase

    def _look_again(self, *, at_once: bool) -> bool:
        """Plan again and extend the queue: by what failed too, once its time has come, or `at_once`.

        Returns whether looking again by itself makes sense; what goes wrong is told.
        """
        with self._others.carrying.looking() as may_look:
            if not may_look:
                self._say("not looked again: the destination client is stopped for a moment, to carry statistics")
                return True
            return self._plan_again(at_once=at_once)

    def _plan_again(self, *, at_once: bool) -> bool:
        rows = self._engine.roster.rows()
        over = {row.id: row for row in rows if row.standing in OVER}
        try:
            plan = self._duty.plan(now=None if at_once else self._clock.now(), left=self._left())
            self._not_moved = self._left_alone(plan)
            self._engine.roster.revise(
                {move.torrent.id: move for move in plan.moves},
                {one.id for one in plan.held},
                {one.id: one.reason for one in plan.not_moved},
            )
            known = self._engine.roster.get
            # What ended while it was looked may stand in the list still.
            new = (move for move in plan.moves if known(move.torrent.id) is over.get(move.torrent.id))
            fresh = Plan(tuple(new), plan.not_moved)
            if fresh.moves:
                self._check_views = ()
                examination = Examination(self._clock, self._publish)
                self._examine(examination, self._checks)
                self._examine(examination, self._planned_checks(fresh))
                self._enlist(fresh.moves)
                self._publish(QueuePlanned(self._clock.now(), len(fresh.moves), fresh.size, len(fresh.not_moved)))
            self._extended = f"+{counted(len(fresh.moves), 'torrent')}, {size(fresh.size)}" if fresh.moves else ""
            self._extended_until = self._clock.monotonic() + _NEWS
        except MoverError as error:
            for_good = isinstance(error, _NOT_TWICE)
            then = " Nothing is asked again until the config changes or you look again yourself." if for_good else ""
            self.notice(Level.ERROR if for_good else Level.WARN, f"looking again: {error}{then} [{error.code}]")
            return not for_good
        return True

    def _enlist(self, moves: Sequence[PlannedMove]) -> None:
        """Put them into the queue, except those that another route of this process has in its own by now."""
        with self._engine.roster.lock:
            elsewhere = self._others.elsewhere()
            self._engine.enlist(move for move in moves if move.torrent.id not in elsewhere)
        others = [move for move in moves if move.torrent.id in elsewhere]
        if others:
            said = f"{counted(len(others), 'torrent')} left to other routes, which have the same in their queues"
            self.notice(Level.INFO, said)

    def _left(self) -> dict[InfoHash, HeldBack]:
        elsewhere = {
            torrent: HeldBack(f"route {route} works on the same torrent; it is looked at again after that")
            for torrent, route in self._others.elsewhere().items()
        }
        done = {row.id: HeldBack(why) for row in self._engine.roster.rows() if (why := done_with(row))}
        return elsewhere | done

    def _left_alone(self, plan: Plan) -> tuple[NotMoved, ...]:
        return tuple(replace(one, route=self._facts.route) for one in plan.not_moved)

    def _examine(self, examination: Examination, checks: Iterable[Check]) -> None:
        """Ask these checks too. Raises what refuses the run."""
        asked, done = tuple(checks), self._check_views
        self._check_views = (*done, *(CheckView(each.name, None, "", 0.0, None, each.fatal) for each in asked))
        for number, result in enumerate(examination.ask(asked), len(done)):
            self._check_views = (*self._check_views[:number], result.view, *self._check_views[number + 1 :])
        refusal = examination.verdict()
        if refusal is not None:
            raise refusal

    def _end(self, code: ExitCode, reason: str) -> ExitCode:
        self._engine.roster.close()
        rows = self._engine.roster.rows()
        own = Tally([row for row in rows if row not in self._former_rows])
        every = Tally(rows)
        self._engine.roster.leave_slots()
        if not self._facts.member:
            self.tidy_up()
        if own.moved:
            self._tell_what_is_left()
        now = self._clock.now()
        record = RunRecord(self._facts.run, self._started_at, now, own.moved, own.failed, own.sent, code)
        code, reason = self._close_record(record, code, reason)
        self._reason = reason
        self._phase, self._ended_at = Phase.ENDED, now
        self._exit_code = code
        took = self._clock.monotonic() - self._shown_monotonic
        moved = every.moved + self._gone
        told = RunEnded(now, self._facts.run, moved, every.failed, every.sent, took, code, reason, every.copied)
        self.ended = told
        if not self._facts.member:
            self._publish(told)
        elif not self.replaced:
            self._publish(RouteEnded(now, moved, every.failed, every.sent, took, code, reason, every.copied))
        return code

    def _close_record(self, record: RunRecord, code: ExitCode, reason: str) -> tuple[ExitCode, str]:
        """Write the end down, unless a group does it for all of its members; returns how the run ends then."""
        self.record = record
        if self._facts.member:
            return code, reason
        try:
            self._engine.world.journal.end_run(record)
        except MoverError as error:
            return code, reason or f"its end could not be written down: {error}"
        except BaseException as error:  # noqa: BLE001  it ends all the same
            _log.exception("the end of the run")
            return code or ExitCode.SOME_FAILED, reason or str(Unexpected.of(error))
        return code, reason

    def tidy_up(self) -> None:
        """Once nothing moves any more: remove staging folders that are empty."""
        remove_empty_staging((self._engine.world.destination.files, self._engine.world.cache))

    def _tell_what_is_left(self) -> None:
        try:
            said = self._duty.told_at_the_end(self._facts.run)
        except BaseException:  # noqa: BLE001  the last lines of a run: they end it, whatever happens in them
            _log.exception("what is left was not told")
        else:
            if said:
                self.notice(Level.WARN, said)

    def _publish(self, event: Event) -> None:
        self._publisher.publish(event)

    # -- steering, beside what Steering does ---------------------------------------------------------------------------

    def stop(self, *, now: bool = False) -> None:
        """See ports.control.Control."""
        self._engine.stop(now=now)
        self._asked.set()
        self.rescan()  # whoever waits for the next look sees that there is none

    def rescan(self) -> None:
        """See ports.control.Control."""
        if self._rounds is not None:
            self._rounds.wake()
        elif self._phase is Phase.RUNNING and not self._engine.stopping:
            self._begin_looking()
        elif self._phase is Phase.ENDED:
            self._say("the run is over; a new one looks for torrents again")

    def retry(self, torrent: InfoHash) -> None:
        """See ports.control.Control. One that was set aside by an earlier run loses its mark, and is looked for."""
        if self._engine.roster.get(torrent) is not None:
            super().retry(torrent)
        elif self._phase is not Phase.ENDED:
            self._write(past.clear_mark, torrent, "its mark is cleared, by you; it is looked for", self.rescan)

    def _begin_looking(self) -> None:
        if self._looking is None or not self._looking.is_alive():
            self._looking = self._beside("look again", self._look_as_asked)

    def _look_as_asked(self) -> None:
        self._extended = ""
        if self._look_again(at_once=True) and not self._extended:
            self._say("looked again: nothing new")

    def _found_more(self) -> bool:
        """Whether a look that was asked for in the last moment brought something to move."""
        if self._looking is not None:
            self._looking.join()
        ready = any(row.standing in (MoveStatus.QUEUED, MoveStatus.RETRYING) for row in self._engine.roster.rows())
        return ready and not self._engine.stopping

    def accept(self, check: str) -> None:
        """See ports.control.Control."""
        offer = self._offers.get(check) if self._waits else None
        if offer is None:
            self._say(f"{check}: nothing to accept; fix it as the check says, then check again")
        else:
            self._beside("mend", partial(self._act, offer))

    def _act(self, offer: Offer) -> None:
        try:
            offer.act()
        except MoverError as error:
            self.notice(Level.ERROR, f"not done: {error}")
            return
        self._say(f"done, by you: {offer.words}")
        self._check_anew()

    def check_again(self) -> None:
        """See ports.control.Control. Another run checks, with the config as it is then."""
        if self._waits:
            self._check_anew()
        else:
            self.rescan()

    def _check_anew(self) -> None:
        self._anew = True
        self._asked.set()

    @property
    def replaced(self) -> bool:
        """Whether it ends for another run to follow: its settings have changed, or what kept it from beginning was mended."""
        return not self._fault and (self._anew or (self._rounds is not None and self._rounds.replaced))
