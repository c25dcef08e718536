"""Runs the moves of a plan: a pool of workers, retries, breakers, the watchdog, an orderly stop."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError, Retry, SourceCorrupt, TorrentGone, Unexpected
from torrent_mover.domain.move import Mark, MoveRecord, Stage
from torrent_mover.domain.report.events import Held, LeftOut, Level, MoveDone, MoveFailed, MoveRetried, Noticed
from torrent_mover.domain.report.rate import MINUTE, Meter
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.retry import Backoff, count_failure
from torrent_mover.domain.text import cause_first, clause, counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.space import NoRoom
from torrent_mover.engine.delivery.staging import clear_staging, give_back
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.hub.breakers import Breakers
from torrent_mover.engine.progress.board import Flow, Track
from torrent_mover.engine.progress.outages import Hold, Outages, is_full
from torrent_mover.engine.progress.pace import Pace
from torrent_mover.engine.progress.watchdog import Watchdog
from torrent_mover.engine.run.queue import CANCELLED, Roster, Row, RowSlot, Wish
from torrent_mover.engine.run.slots import Slots
from torrent_mover.engine.run.work import Work
from torrent_mover.ports.journal import Attempt

_log = logging.getLogger(__name__)

_TICK: Final = 0.25
_GRACE: Final = 6.0
"""Seconds after a stop in which transfers may end by themselves before their connections are cut."""

_GRANTED: Final = {
    Wish.PAUSE: "paused by you; what was verified is kept",
    Wish.RESUME: "resumed by you",
    Wish.SKIP: "skipped by you until a later run; what arrived is kept",
}
_FLOWING: Final = frozenset({Stage.TRANSFERRING, Stage.REPAIRING})


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the pool works. `jobs` torrents bring bytes at a time; breaker and watchdog times in seconds.

    `rest`: how long a run that stays leaves a move alone after it has given it up; None: the run ends, and tries none again.
    """

    jobs: int
    watchdog: Watchdog
    backoff: Backoff
    breaker_failures: int
    breaker_cooldown: float
    rest: Backoff | None = None


class Engine:
    """The pool. `run` returns when everything is done or the run was stopped; the other methods return at once."""

    def __init__(
        self,
        world: World,
        work: Work,
        tuning: Tuning,
        stop_event: threading.Event,
        slots: Slots | None = None,
        breakers: Breakers | None = None,
    ) -> None:
        """`slots` and `breakers`: those that other runs of this process share; without them it has its own."""
        self.world = world
        self._work_on = work
        self.tuning = tuning
        self.roster = Roster(world.clock.monotonic, slots or Slots(tuning.jobs))
        breakers = breakers or Breakers(world.journal, world.clock, tuning.breaker_failures, tuning.breaker_cooldown)
        ends = (world.source, world.destination)
        servers = [*(end.name for end in ends), *(end.client.name for end in ends)]
        self.outages = Outages(breakers, world.clock, servers)
        self.pace = Pace(world)
        self.meters = {flow: Meter(world.clock.monotonic()) for flow in Flow}
        self._stop = stop_event
        self._housekeeping = threading.Event()
        self._fault: BaseException | None = None
        self._cut_at: float | None = None
        self._told_left_out: set[InfoHash] = set()

    # -- work --------------------------------------------------------------------------------------------------------

    def enlist(self, moves: Iterable[PlannedMove]) -> int:
        """Put moves into the queue; those that are there already stay as they are. Returns how many are new."""
        fresh = self.roster.add([self._row(move) for move in moves])
        hold = self.outages.standing()
        if hold is not None and fresh:
            self._hold(hold)
        return fresh

    def _row(self, move: PlannedMove) -> Row:
        """A row that knows how often the move has failed in former runs: at least one try is left."""
        now = self.world.clock.monotonic
        row = Row(
            move,
            Track(move.torrent.id, move.torrent.size, self.world.way.of(move).legs, now),
            Meter(now(), kept=MINUTE),
        )
        before = self.roster.get(row.id)
        if before is not None and before.standing is MoveStatus.FAILED:
            row.given_up = before.given_up
        known = self.world.journal.move(move.torrent.id)
        if known is not None:
            row.failures = min(known.attempts, self.tuning.backoff.attempts - 1)
            row.earlier = tuple(self.world.journal.attempts(row.id))
        return row

    def run(self) -> None:
        """Work until nothing is left. What is enlisted meanwhile is done too; later it may be called again."""
        self._keep_quiet()
        self._fault = None
        moving: list[threading.Thread] = []
        while (row := self.roster.take()) is not None:
            moving = [thread for thread in moving if thread.is_alive()]
            self._begin(row, moving)
        for thread in moving:
            thread.join()
        for row in self.roster.rows():
            if row.chore is not None:
                row.chore.join()
        if self._fault is not None:
            raise self._fault
        self._tell_left_out()

    def without_room(self) -> list[Row]:
        """The rows that are left out because there is no room for them."""
        return [
            row for row in self.roster.rows() if row.standing is MoveStatus.SKIPPED and isinstance(row.error, NoRoom)
        ]

    def _tell_left_out(self) -> None:
        """Say once, however often it is looked again, what a person must make room for."""
        fresh = [row for row in self.without_room() if row.id not in self._told_left_out]
        if not fresh:
            return
        self._told_left_out |= {row.id for row in fresh}
        largest = max(fresh, key=lambda row: row.planned.torrent.size)
        assert largest.error is not None  # noqa: S101  without_room asks for one
        why = f"{largest.planned.torrent.name} {largest.error.reason}" if isinstance(largest.error, NoRoom) else ""
        self.world.publish(LeftOut(self.world.clock.now(), len(fresh), why, largest.error.remedy))

    def take_over(self, former: Engine, rows: Iterable[Row]) -> None:
        """Go on with the graph of an engine that has ended, and with these rows of it, which are over."""
        self.world.throttle.totals.update(former.world.throttle.totals)
        self.meters = former.meters
        self.roster.add(rows)

    @contextmanager
    def housekeeping(self) -> Iterator[None]:
        """Meters are read, and the watchdog looks, while in this context: also while nothing moves, so that speeds fall to 0."""
        self._housekeeping.clear()
        keeper = threading.Thread(target=self._keep_house, name="housekeeping", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._housekeeping.set()
            keeper.join()

    def _begin(self, row: Row, moving: list[threading.Thread]) -> None:
        """Start a row's thread. A machine that gives no more of them gives one when another move ends."""
        thread = threading.Thread(target=self._work, args=(row,), name=f"move {row.id.short}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self.roster.change(row, MoveStatus.QUEUED)
            if not moving:
                raise
            _log.warning("no thread for more than %s at a time", counted(len(moving), "move"))
            moving[0].join()
        else:
            moving.append(thread)

    def _work(self, row: Row) -> None:
        try:
            self._deal_with(row)
        except BaseException as fault:  # noqa: BLE001  raised by `run`, once the other moves have ended too
            self._fault = fault
            self.roster.close()

    def _deal_with(self, row: Row) -> None:
        try:
            self._attempt(row)
        except BaseException as raised:  # noqa: BLE001  a worker that ends early would leave the others waiting for its row for ever
            _log.exception("%s: its end could not be dealt with", row.id.short)
            error = row.error = Unexpected.of(raised)
            self.roster.change(row, MoveStatus.FAILED, why=error.what)
            self.world.publish(
                MoveFailed(
                    self.world.clock.now(),
                    row.id,
                    row.planned.torrent.name,
                    error.what,
                    error.kept,
                    error.remedy,
                    error.code,
                )
            )

    def _attempt(self, row: Row) -> None:
        world, started, before = self.world, self.world.clock.now(), row.track.ledger.sent
        row.started_at = row.started_at or started
        row.began, row.attempt_at, row.sent_before = world.clock.monotonic(), started, before
        row.track.renew()
        if row.chore is not None:
            row.chore.join()
        error: MoverError | None = None
        try:
            row.entry = self._work_on.attempt(row.planned, row.track, self._record(row), RowSlot(self.roster, row))
        except MoverError as raised:
            # What broke it off says more than what broke because of it.
            error = row.track.verdict or raised
        except BaseException as raised:  # noqa: BLE001  a worker's boundary: logged, and shown as a failed move
            _log.exception("%s: unexpected", row.id.short)
            error = Unexpected.of(raised)
        row.track.rest()
        sent = row.track.ledger.sent - before
        if isinstance(error, NoRoom):
            self._no_room(row, error)
            return
        self._note_attempt(row, started, sent, error)
        if error is None:
            self._done(row)
        elif isinstance(error, Cancelled) or row.wish is not None:
            self._cancelled(row)
        else:
            self._failed(row, error, came_through=sent > 0)

    def _record(self, row: Row) -> MoveRecord:
        known = self.world.journal.move(row.id)
        now = self.world.clock.now()
        torrent, source = row.planned.torrent, self.world.source.client.name
        if known is None or known.stage is Stage.RELEASED:
            return MoveRecord(row.id, torrent.name, torrent.size, Stage.PLANNED, now, now, source=source)
        return replace(known, mark=None, error="", error_code="", remedy="", next_try_at=0.0, source=source)

    def _note_attempt(self, row: Row, started: float, sent: int, error: MoverError | None) -> None:
        attempt = Attempt(
            row.id, len(row.attempts) + 1, started, self.world.clock.now(), sent, error.what if error else "done"
        )
        row.attempts.append(attempt)
        with suppress(MoverError):
            self.world.journal.add_attempt(attempt)

    def _done(self, row: Row) -> None:
        assert row.entry is not None  # noqa: S101  set by the attempt that ended well
        with suppress(MoverError):  # what is only for promises must not fail a move
            self.pace.learn(row)  # first: the next move may begin as soon as this one is done
        self.roster.change(row, MoveStatus.DONE)
        self.outages.worked()
        self.outages.has_room()
        entry = row.entry
        self.world.publish(
            MoveDone(
                self.world.clock.now(),
                row.id,
                entry.name,
                entry.outcome,
                entry.size,
                entry.sent,
                entry.took,
                entry.pieces,
                entry.repaired,
                entry.detail,
            )
        )

    def _cancelled(self, row: Row) -> None:
        """Broken off: by the user, who wants it somewhere, or by the end of the run."""
        if row.wish is Wish.CANCEL:
            self._clear_up(row)
        granted = self.roster.grant(row)
        if granted is None:
            self.roster.change(row, MoveStatus.QUEUED, why="stopped; the next run goes on from here")
        elif granted in _GRANTED:
            self._notice(row, Level.INFO, _GRANTED[granted])

    def _no_room(self, row: Row, error: NoRoom) -> None:
        """No failure: it waits until another move has ended, or with the queue; where neither helps, it stays for a later run."""
        if error.later and self.roster.wait_for_room(row, f"waits for room: {error.reason}"):
            self._notice(row, Level.INFO, f"waits for room: {error.reason}")
            return
        hold = self.outages.waiting_for_room()
        if hold is not None:
            self.roster.change(row, MoveStatus.QUEUED, why=f"waits for room: {error.reason}", ready_at=hold.until)
            return
        row.error = error
        self.roster.change(row, MoveStatus.SKIPPED, why=f"not moved: {error.reason}")
        self._notice(row, Level.WARN, f"not moved: {clause(error.reason)}. {error.remedy}")

    def _clear_up(self, row: Row) -> None:
        """Remove what a cancelled move has in its own staging folders, and all that is remembered of it."""
        world = self.world
        row.track.sign("removing what had arrived")
        try:
            with world.claim(row.id):
                returned = give_back(world.destination.files, row.id, world.journal.adopted(row.id))
                count = sum(clear_staging(files, row.id) for files in (world.destination.files, world.cache) if files)
                world.journal.forget_move(row.id)
        except MoverError as error:
            self._notice(row, Level.WARN, f"cancelled by you, but what had arrived could not be removed: {error}")
            return
        settled = any(stage is Stage.SETTLED for stage, _ in row.track.stages)
        removed = f"{counted(count, 'file')} removed from staging" if count else "nothing of it was in staging"
        there = f"; what was in place already stays in {world.destination.name}" if settled else ""
        before = f"; {counted(returned, 'file')} that lay there before put back" if returned else ""
        self._notice(row, Level.INFO, f"cancelled by you: {removed}{before}{there}; the source is untouched")

    def _failed(self, row: Row, error: MoverError, *, came_through: bool) -> None:
        world = self.world
        row.error = error
        hold = self.outages.failed(error, row.began, progressed=came_through)
        delay = self._delay(row, error, hold)
        rest = self._rest(row, error, came_through=came_through) if delay is None else None
        self._write_down(row, error, rest if delay is None else delay)
        if hold is not None:
            self._hold_back(hold)  # before its slot is free: nothing that waits begins into the same trouble
        if delay is None:
            ready_at = world.clock.monotonic() + rest if rest is not None else 0.0
            self.roster.change(row, MoveStatus.FAILED, why=cause_first(error.what), ready_at=ready_at)
            world.publish(
                MoveFailed(
                    world.clock.now(),
                    row.id,
                    row.planned.torrent.name,
                    error.what,
                    error.kept,
                    error.remedy,
                    error.code,
                    rest,
                    error.server,
                )
            )
            if hold is not None:
                self._tell_hold(hold)
            return
        self.roster.change(
            row, MoveStatus.RETRYING, why=cause_first(error.what), ready_at=world.clock.monotonic() + delay
        )
        world.publish(
            MoveRetried(
                world.clock.now(),
                row.id,
                row.planned.torrent.name,
                error.what,
                error.kept,
                error.code,
                max(row.failures, 1),
                self.tuning.backoff.attempts,
                delay,
                error.server,
            )
        )
        if hold is not None:
            self._tell_hold(hold)

    def _delay(self, row: Row, error: MoverError, hold: Hold | None) -> float | None:
        """Seconds until the next attempt; None: there is none in this run.

        A disk that is full is nobody's failure: the queue waits for room. What only a person can mend counts for nothing
        either: once mended, the move has all its tries.
        """
        now = self.world.clock.monotonic()
        if is_full(error):
            return None if hold is None or hold.until == float("inf") else hold.until - now
        if error.retry is not Retry.NEVER:
            row.failures = count_failure(row.failures, progressed=row.gained())
        delay = self.tuning.backoff.next_delay(error, row.failures, random.random())  # noqa: S311  only spreads retries
        standing = hold or self.outages.standing()
        return delay if delay is None or standing is None else max(delay, standing.until - now)

    def _rest(self, row: Row, error: MoverError, *, came_through: bool) -> float | None:
        """Seconds for which a run that stays leaves a move alone that it gives up; None: time alone brings it no new try.

        One that is gone is tried when it comes back; one with a mark, when somebody clears that.
        """
        if self.tuning.rest is None or isinstance(error, TorrentGone | SourceCorrupt):
            return None
        record = self.world.journal.move(row.id)
        if record is None or record.mark is not None:
            return None
        row.given_up = 1 if came_through else row.given_up + 1
        return self.tuning.rest.delay(row.given_up, 0.5)

    def _write_down(self, row: Row, error: MoverError, delay: float | None) -> None:
        journal = self.world.journal
        if isinstance(error, TorrentGone):
            with suppress(MoverError):
                if said := self._work_on.abandon(row.id):
                    self._notice(row, Level.WARN, f"the torrent is gone from {self.world.source.name}{said}")
            return
        record = journal.move(row.id)
        if record is None:
            return
        now = self.world.clock.now()
        with suppress(MoverError):
            journal.save_move(
                replace(
                    record,
                    attempts=row.failures,
                    next_try_at=now + delay if delay is not None else 0.0,
                    updated_at=now,
                    error_code=error.code,
                    error=error.what,
                    remedy=error.remedy,
                    mark=Mark.CORRUPT if isinstance(error, SourceCorrupt) else record.mark,
                )
            )

    # -- outages -----------------------------------------------------------------------------------------------------

    def _hold(self, hold: Hold) -> None:
        self._hold_back(hold)
        self._tell_hold(hold)

    def _hold_back(self, hold: Hold) -> None:
        """Let nothing that waits begin before its time."""
        if hold.until == float("inf"):
            next_one = "run" if self.tuning.rest is None else "look"
            self.roster.leave_waiting(f"left for the next {next_one}: {hold.why}")
        else:
            self.roster.delay_waiting(hold.until, hold.why)

    def _tell_hold(self, hold: Hold) -> None:
        self.world.publish(Held(self.world.clock.now(), hold.why, hold.full))

    def sharing(self) -> int:
        """How many moves bring bytes at the same time now, or will in a moment."""
        live = sum(row.slot or row.standing in (MoveStatus.QUEUED, MoveStatus.RETRYING) for row in self.roster.rows())
        return max(1, min(self.tuning.jobs, live + self.roster.held_by_others))

    def arrived(self) -> dict[InfoHash, int]:
        """How many bytes of each move under way lie at the destination already."""
        rows = [row for row in self.roster.rows() if row.standing is MoveStatus.ACTIVE]
        return {row.id: row.track.ledger.leg(len(row.track.legs.flows) - 1) for row in rows}

    # -- housekeeping ------------------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        told = False
        while not self._housekeeping.wait(_TICK):
            try:
                self._look_around()
            except Exception:  # noqa: BLE001  without it nothing breaks off what stands still, and nobody sees a rate
                if not told:
                    _log.exception("housekeeping failed, and goes on")
                told = True

    def _look_around(self) -> None:
        now = self.world.clock.monotonic()
        self._keep_quiet()
        for flow, meter in self.meters.items():
            meter.read(self.world.throttle.totals[flow], now)
        for row in self.roster.rows():
            row.meter.read(row.track.ledger.sent, now)
            if row.standing is MoveStatus.ACTIVE:
                self.tuning.watchdog.look(row.track, now)
        if self._cut_at is not None and now >= self._cut_at:
            self._break_all(gently=False)

    def _keep_quiet(self) -> None:
        """While the bandwidth is paused no bytes flow and nothing begins; what is checked or added meanwhile goes on."""
        quiet = self.world.throttle.paused
        if self.roster.keep_quiet(quiet=quiet):
            said = (
                "bandwidth = pause: nothing moves until it changes" if quiet else "the bandwidth is not paused any more"
            )
            self.world.publish(Noticed(self.world.clock.now(), None, Level.INFO, said))
        for row in self.roster.rows() if quiet else ():
            if row.standing is MoveStatus.ACTIVE and row.wish is None and row.track.stage in _FLOWING:
                self.leave(row.id, Wish.WAIT)

    # -- steering ----------------------------------------------------------------------------------------------------

    def stop(self, *, now: bool) -> None:
        """End: pieces in flight are finished or left, everything verified is written down."""
        self._stop.set()
        self.roster.close()
        grace = 0.0 if now else _GRACE
        self._cut_at = min(self._cut_at or float("inf"), self.world.clock.monotonic() + grace)
        self._break_all(gently=not now)

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def _break_all(self, *, gently: bool) -> None:
        for row in self.roster.rows():
            if row.standing is MoveStatus.ACTIVE:
                row.track.break_off(Cancelled("The run was stopped.", kept="What was verified is kept."), gently=gently)

    def leave(self, torrent: InfoHash, wish: Wish) -> bool:
        """Break an active move off, because the user wants it paused, skipped or cancelled; False where it is not active."""
        row = self.roster.wish(torrent, wish)
        if row is not None:
            why = "The bandwidth is paused." if wish is Wish.WAIT else f"You asked to {wish.value} it."
            row.track.break_off(Cancelled(why, kept="What was verified is kept."))
        return row is not None

    def cancel_waiting(self, torrent: InfoHash) -> None:
        """Cancel a row that is not active, and clear up in a thread of its own. The pool waits for it."""
        row = self.roster.get(torrent)
        if row is None:
            return
        decided = threading.Event()
        held = False

        def work() -> None:
            decided.wait()
            try:
                if held:
                    self._clear_up(row)
            except Exception as error:  # noqa: BLE001  the end of this thread: nobody else would hear of it
                _log.exception("%s: cancelling", torrent.short)
                self._notice(row, Level.ERROR, f"cancelled by you, but not cleared up: {Unexpected.of(error)}")

        thread = threading.Thread(target=work, name="clear up", daemon=True)
        thread.start()
        row.chore = thread  # who sees the row cancelled shall see this thread too
        held = self.roster.hold(torrent, MoveStatus.SKIPPED, CANCELLED)
        decided.set()
        if not held:
            self.leave(torrent, Wish.CANCEL)  # it has begun meanwhile

    def _notice(self, row: Row, level: Level, text: str) -> None:
        self.world.publish(Noticed(self.world.clock.now(), row.id, level, text))
