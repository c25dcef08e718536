"""One run from pre-flight to the last line, and the Control that front ends steer it by."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from torrent_mover.domain.errors import (
    Banned,
    Cancelled,
    ExitCode,
    HostKeyChanged,
    HostKeyUnknown,
    LoginRefused,
    MoverError,
    NoSuchCategory,
    Unexpected,
)
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.quantities import PAUSE
from torrent_mover.domain.report.events import (
    Event,
    Level,
    Noticed,
    PreflightPassed,
    QueuePlanned,
    RunEnded,
    RunStarted,
)
from torrent_mover.domain.report.snapshot import (
    CheckView,
    HistoryView,
    HostHealth,
    LogLine,
    MoveDetail,
    MoveStatus,
    NotMoved,
    Phase,
    Snapshot,
    Wire,
)
from torrent_mover.domain.text import counted, size
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.staging import remove_empty_staging
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.preflight.examination import Check, Examination, Mending, Offer
from torrent_mover.engine.progress import pace
from torrent_mover.engine.progress.board import Flow
from torrent_mover.engine.run import past, picture
from torrent_mover.engine.run.control import Steering
from torrent_mover.engine.run.detail import Details
from torrent_mover.engine.run.pool import Engine
from torrent_mover.engine.run.queue import OVER, Row, Tally, done_with
from torrent_mover.engine.run.rounds import Rounds, Watching
from torrent_mover.engine.run.vitals import Vitals
from torrent_mover.engine.run.work import Duty, HeldBack, Plan
from torrent_mover.ports.journal import RunRecord

_log = logging.getLogger(__name__)

_NEWS = 120.0
"""Seconds for which screens say that the queue was extended."""

_NOT_TWICE = (LoginRefused, Banned, HostKeyUnknown, HostKeyChanged)
"""What must not be asked again by itself: clients ban whoever knocks too often."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What screens and log lines say of the run as such."""

    run: str
    version: str
    mode: str
    source: str
    destination: str
    config: str
    test_run: bool


class Run(Steering):
    """Implements ports.control.Control. `execute` is called by one thread; everything else from any."""

    def __init__(
        self,
        facts: RunFacts,
        engine: Engine,
        duty: Duty,
        publisher: Publisher,
        checks: Sequence[Check],
        vitals: Vitals,
        host: Callable[[], HostHealth],
        set_limit: Callable[[float | None], None],
        notices: Sequence[str] = (),
        planned_checks: Callable[[Plan], Iterable[Check]] = lambda _plan: (),
        watching: Watching | None = None,
        mending: Mending | None = None,
    ) -> None:
        """`mending`: somebody looks on, so that a run that is refused waits for them, and offers what it can do itself."""
        super().__init__(engine, publisher.publish, set_limit)
        self._facts = facts
        self._duty = duty
        self._publisher = publisher
        self._checks = tuple(checks)
        self._vitals = vitals
        self._host = host
        self._notices = tuple(notices)
        self._early: list[tuple[Level, str]] = []
        self._has_begun = False
        self._beginning = threading.Lock()
        self._planned_checks = planned_checks
        self._clock = engine.world.clock
        self._started_at = self._clock.now()
        self._started = self._clock.monotonic()
        self._shown_since, self._shown_monotonic = self._started_at, self._started
        self._gone = 0
        self._former_rows: frozenset[Row] = frozenset()
        self._all_at_once = True
        self._phase = Phase.STARTING
        self._check_views: tuple[CheckView, ...] = ()
        self._not_moved: tuple[NotMoved, ...] = ()
        self._exit_code: int | None = None
        self._ended_at: float | None = None
        self._rounds = Rounds(engine, watching) if watching else None
        self._mending = mending
        self._carried = threading.Lock()
        self._client_runs = True
        self._offers: dict[str, Offer] = {}
        self._asked = threading.Event()
        self._waits = False
        self._fault = False
        self._anew = False
        self._extended = ""
        self._extended_until = 0.0
        self._painter = picture.Painter(engine)
        self._details = Details()
        self._flowing_since: float | None = None
        self._looking: threading.Thread | None = None
        self.interrupted_by = ExitCode.INTERRUPTED

    def take_over(self, former: Run) -> None:
        """Before `execute`: go on with the counters, the graph and the ended moves of a run that has given way to this one."""
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

    def renew_checks(self, checks: Sequence[Check], planned: Callable[[Plan], Iterable[Check]]) -> None:
        """What is asked before torrents that are found later."""
        self._checks, self._planned_checks = tuple(checks), planned

    # -- the run -----------------------------------------------------------------------------------------------------

    def execute(self) -> ExitCode:
        """Check, plan, move, end; returns the exit code. Raises nothing, and always ends: whoever looks on waits for that."""
        facts = self._facts
        self._publish(
            RunStarted(self._clock.now(), facts.run, f"{facts.source} -> {facts.destination}", facts.mode, facts.config)
        )
        with self._engine.housekeeping():
            code, reason = self._outcome()
        if self.replaced:
            code, reason = ExitCode.DONE, "another one follows"
        elif self._engine.stopping and not (self._waits or self._gave_up or self._fault):
            code, reason = self.interrupted_by, reason or "stopped; the next run goes on from here"
        return self._end(code, reason or self._without_room())

    def _outcome(self) -> tuple[ExitCode, str]:
        try:
            self._engine.world.journal.begin_run(self._facts.run, self._started_at)
            self._engine.pace.recall()
            self._begin()
            return self._work(), ""
        except Cancelled:
            return self.interrupted_by, ""
        except MoverError as error:
            # What a check has told in full, remedy and all, is only named at the end.
            told = any(check.passed is False and check.fatal for check in self._check_views)
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
        self._not_moved = plan.not_moved
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
        self._engine.enlist(plan.moves)
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
        with self._carried:
            if not self._engine.stopping:
                self._client_runs = self._duty.rest()

    @contextmanager
    def _mendable(self, examination: Examination) -> Iterator[None]:
        """Where the checks refuse and somebody looks on, wait until they have it checked again (by another run), or leave."""
        try:
            yield
        except MoverError:
            if self._mending is not None and not self._engine.stopping:
                self._offers = {result.view.name: result.offer for result in examination.results if result.offer}
                self._waits, self._phase = True, Phase.REFUSED
                self._say("waiting: fix what failed and check again (c), or quit (q)")
                self._asked.wait()
            raise

    def _enter(self, phase: Phase) -> None:
        self._phase = phase

    def _look_again(self, *, at_once: bool) -> bool:
        """Plan again and extend the queue: by what failed too, once its time has come, or `at_once`.

        Returns whether looking again by itself makes sense; what goes wrong is told.
        """
        if not self._carried.acquire(blocking=False):
            self._say("not looked again: the destination client is stopped for a moment, to carry statistics")
            return True
        try:
            return self._plan_again(at_once=at_once)
        finally:
            self._carried.release()

    def _plan_again(self, *, at_once: bool) -> bool:
        rows = self._engine.roster.rows()
        over = {row.id: row for row in rows if row.standing in OVER}
        try:
            plan = self._duty.plan(now=None if at_once else self._clock.now(), left=self._left())
            self._not_moved = plan.not_moved
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
                self._engine.enlist(fresh.moves)
                self._publish(QueuePlanned(self._clock.now(), len(fresh.moves), fresh.size, len(fresh.not_moved)))
            self._extended = f"+{counted(len(fresh.moves), 'torrent')}, {size(fresh.size)}" if fresh.moves else ""
            self._extended_until = self._clock.monotonic() + _NEWS
        except MoverError as error:
            for_good = isinstance(error, _NOT_TWICE)
            then = " Nothing is asked again until the config changes or you look again yourself." if for_good else ""
            self.notice(Level.ERROR if for_good else Level.WARN, f"looking again: {error}{then} [{error.code}]")
            return not for_good
        return True

    def _left(self) -> dict[InfoHash, HeldBack]:
        return {row.id: HeldBack(why) for row in self._engine.roster.rows() if (why := done_with(row))}

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
        remove_empty_staging((self._engine.world.destination.files, self._engine.world.cache))
        if own.moved:
            self._tell_what_is_left()
        now = self._clock.now()
        try:
            self._engine.world.journal.end_run(
                RunRecord(self._facts.run, self._started_at, now, own.moved, own.failed, own.sent, code)
            )
        except MoverError as error:
            reason = reason or f"its end could not be written down: {error}"
        except BaseException as error:  # noqa: BLE001  it ends all the same
            _log.exception("the end of the run")
            code, reason = code or ExitCode.SOME_FAILED, reason or str(Unexpected.of(error))
        self._phase, self._ended_at = Phase.ENDED, now
        self._exit_code = code
        took = self._clock.monotonic() - self._shown_monotonic
        moved = every.moved + self._gone
        self._publish(RunEnded(now, self._facts.run, moved, every.failed, every.sent, took, code, reason, every.copied))
        return code

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

    # -- looking -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """See ports.control.Control."""
        engine, facts = self._engine, self._facts
        now = self._clock.monotonic()
        rows = engine.roster.rows()
        moves = self._painter.moves(rows, now)
        used = frozenset().union(*engine.world.route.legs.flows)
        total = sum(move.size for move in moves)
        done = sum(move.fraction * move.size for move in moves)
        phase = self._shown_phase()
        active = any(move.standing is MoveStatus.ACTIVE for move in moves)
        promises = phase is Phase.RUNNING and (active or any(picture.is_free(move) for move in moves))
        return Snapshot(
            at=self._clock.now(),
            run=facts.run,
            version=facts.version,
            phase=phase,
            mode=facts.mode,
            source=facts.source,
            destination=facts.destination,
            test_run=facts.test_run,
            started_at=self._shown_since,
            checks=self._check_views,
            moves=moves,
            not_moved=self._not_moved,
            fraction=0.0 if phase is Phase.WATCHING else done / total if total else float(phase is Phase.ENDED),
            eta=engine.pace.run_left(rows, now, engine.sharing()) if promises else None,
            done_bytes=int(done),
            total_bytes=total,
            extended=self._extended if now < self._extended_until else "",
            incoming=self._wire(Flow.IN, used, active=active),
            outgoing=self._wire(Flow.OUT, used, active=active),
            servers=self._vitals.read(),
            host=self._host(),
            cache_used=self._vitals.cache[0],
            cache_limit=self._vitals.cache[1],
            next_scan_in=self._rounds.next_look_in if self._rounds else None,
            troubles=sum(move.trouble is not None for move in moves),
            exit_code=self._exit_code,
            eta_is_guess=pace.is_run_a_guess(rows, now - self._flows_since(now)),
            ended_at=self._ended_at,
            next_scan_at=self._rounds.next_look_at if self._rounds else None,
            last_round=self._rounds.last if self._rounds else None,
            gone=self._gone,
        )

    def _flows_since(self, now: float) -> float:
        """When bytes began to flow (monotonic): a time that is promised before then is a guess."""
        if self._flowing_since is None and any(self._engine.world.throttle.totals.values()):
            self._flowing_since = now
        return now if self._flowing_since is None else self._flowing_since

    def _wire(self, flow: Flow, used: frozenset[Flow], *, active: bool) -> Wire:
        throttle = self._engine.world.throttle
        limit = PAUSE if throttle.paused else throttle.limit(flow)
        return picture.wire(self._engine.meters[flow], used=flow in used, flows=active, limit=limit)

    def _shown_phase(self) -> Phase:
        if self._phase is not Phase.ENDED and self._engine.stopping:
            return Phase.STOPPING
        if self._phase is Phase.RUNNING and self._engine.roster.still:
            return Phase.PAUSED
        return self._phase

    def detail(self, torrent: InfoHash) -> MoveDetail | None:
        """See ports.control.Control."""
        row = self._engine.roster.get(torrent)
        return self._details.draw(row, self._clock.now(), self._clock.monotonic()) if row else None

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See ports.control.Control."""
        return self._publisher.lines(after)

    def history(self) -> HistoryView:
        """See ports.control.Control."""
        return past.look_back(self._engine.world.journal, self._engine.roster.rows())

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control."""
        return self._publisher.subscribe(listener)

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

    def seen_alive(self, within: float) -> bool:
        """Whether a run that stays went round in the last so many seconds; any other one is asked by its snapshot."""
        if self._rounds is None or self._phase not in (Phase.RUNNING, Phase.WATCHING):
            return True
        return self._clock.monotonic() - self._rounds.beat < within

    def notice(self, level: Level, text: str) -> None:
        """Publish a line about the run; before it has begun nobody listens, and it waits until then."""
        with self._beginning:
            if not self._has_begun:
                self._early.append((level, text))
                return
        self._publish(Noticed(self._clock.now(), None, level, text))

    def _begin(self) -> None:
        with self._beginning:
            self._has_begun = True
            early = [*self._early, *((Level.WARN, text) for text in self._notices)]
        for level, text in early:
            self.notice(level, text)
