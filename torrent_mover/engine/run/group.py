"""The runs of several routes, side by side, as the one run that a front end sees. One that fails does not hold the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import ExitCode, MoverError, Unexpected, worst
from torrent_mover.domain.report.events import Event, Level, Noticed, RunEnded, RunStarted
from torrent_mover.domain.report.snapshot import HistoryView, LogLine, MoveDetail, Phase, Snapshot
from torrent_mover.domain.text import clauses
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.run import past
from torrent_mover.engine.run.merged import merged
from torrent_mover.engine.run.queue import OVER
from torrent_mover.engine.run.run import HasMembers, Run
from torrent_mover.engine.run.shown import RunFacts
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.journal import Journal, RunRecord

_log = logging.getLogger(__name__)

_NAP: Final = 0.5


class RunGroup:
    """Implements ports.control.Control over one run a route. `execute` is called by one thread; everything else from any.

    `again` makes a new run of a route, with the config as it is then; raises MoverError. `changed`: whether settings are
    there for which all of them give way.
    """

    def __init__(
        self,
        facts: RunFacts,
        members: Sequence[Run],
        publisher: Publisher,
        journal: Journal,
        clock: Clock,
        again: Callable[[str], Run],
        changed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._facts = facts
        self._members = {member.route: member for member in members}
        self._publisher = publisher
        self._journal = journal
        self._clock = clock
        self._again = again
        self._changed = changed
        self._codes: dict[str, ExitCode] = {}
        self._before = (0, 0, 0)
        """What the runs that have given way moved, failed and sent. The runs themselves go: there may be one a minute for weeks."""
        self._exit_code: int | None = None
        self._started_at, self._started = clock.now(), clock.monotonic()
        self._stopped = threading.Event()
        self._wanted = threading.Event()
        self._interrupted_by = ExitCode.INTERRUPTED
        self._early: list[tuple[Level, str]] | None = []
        self._lock = threading.Lock()

    @property
    def members(self) -> tuple[Run, ...]:
        """The run of each route, in the order of the config."""
        return tuple(self._members.values())

    @property
    def interrupted_by(self) -> ExitCode:
        """What a stopped run returns."""
        return self._interrupted_by

    @interrupted_by.setter
    def interrupted_by(self, code: ExitCode) -> None:
        self._interrupted_by = code
        for member in self.members:
            member.interrupted_by = code

    def take_over(self, former: HasMembers) -> None:
        """Before `execute`: each route goes on with the counters and ended moves that it had in a run that has given way."""
        before = {member.route: member for member in former.members}
        for member in self.members:
            if member.route in before:
                member.take_over(before[member.route])

    def elsewhere(self, route: str) -> Mapping[InfoHash, str]:
        """Torrents that other routes have in their queues and have not done with, and the route of each."""
        return {
            torrent: member.route for member in self.members if member.route != route for torrent in member.busy_with()
        }

    def alone(self, route: str) -> bool:
        """Whether no other route moves or looks for something to move."""
        return all(member.at_rest for member in self.members if member.route != route)

    # -- the run -----------------------------------------------------------------------------------------------------

    def execute(self) -> ExitCode:
        """All routes to their ends; returns the worst exit code. Raises nothing, and always ends."""
        facts, ends = self._facts, clauses(*(member.describe() for member in self.members))
        self._publisher.publish(RunStarted(self._clock.now(), facts.run, ends, facts.mode, facts.config))
        reason = self._write_down(lambda: self._journal.begin_run(facts.run, self._started_at))
        with self._lock:
            early, self._early = self._early or (), None
        for level, text in early:
            self.notice(level, text)
        threads = [
            threading.Thread(target=self._follow, args=(route,), name=f"route {route}", daemon=True)
            for route in self._members
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_NAP)
        return self._end(reason)

    def _follow(self, route: str) -> None:
        """One route to its end: a run of it, and another one as long as that gives way alone."""
        try:
            while True:
                member = self._members[route]
                self._codes[route] = member.execute()
                if self._stopped.is_set() or self._changed() or not self._goes_on(member):
                    return
                self._count(member)
                self._members[route] = self._anew(member)
        except MoverError as error:
            self._codes[route] = error.exit_code
            self.notice(Level.ERROR, f"route {route}: {error} [{error.code}]")
        except BaseException as error:  # noqa: BLE001  the group ends all the same, and says so
            _log.exception("route %s", route)
            self._codes[route] = ExitCode.SOME_FAILED
            self.notice(Level.ERROR, f"route {route}: {Unexpected.of(error)}")

    def _count(self, ended: Run) -> None:
        if ended.record is not None:
            record = ended.record
            with self._lock:
                moved, failed, sent = self._before
                self._before = (moved + record.moved, failed + record.failed, sent + record.sent)

    def _goes_on(self, member: Run) -> bool:
        """Whether another run of this route follows: it was asked for, has moved very much, or its server may be back."""
        if member.replaced:
            return True
        again_after = member.again_after
        if again_after is None:
            return False
        self.notice(Level.WARN, f"route {member.route} is tried again in {again_after:,.0f} s; the others go on")
        due = self._clock.monotonic() + again_after
        while self._clock.monotonic() < due and not self._stopped.is_set() and not self._changed():
            if self._wanted.wait(_NAP):
                self._wanted.clear()
                break
        return not self._stopped.is_set() and not self._changed()

    def _anew(self, former: Run) -> Run:
        run = self._again(former.route)
        run.take_over(former)
        run.interrupted_by = self._interrupted_by
        if self._stopped.is_set():
            run.stop()
        return run

    def _end(self, reason: str) -> ExitCode:
        members = self.members
        for member in members:
            with suppress(MoverError):
                member.carry_at_last()
                member.tidy_up()
        code = self._code()
        ended = [member.ended for member in members if member.ended is not None]
        records = [run.record for run in members if run.record is not None]
        moved, failed, sent = self._before
        now = self._clock.now()
        record = RunRecord(
            self._facts.run,
            self._started_at,
            now,
            moved + sum(each.moved for each in records),
            failed + sum(each.failed for each in records),
            sent + sum(each.sent for each in records),
            code,
        )
        reason = self._write_down(lambda: self._journal.end_run(record)) or reason or self._reason()
        self._exit_code = code
        self._publisher.publish(
            RunEnded(
                now,
                self._facts.run,
                sum(each.moved for each in ended),
                sum(each.failed for each in ended),
                sum(each.sent for each in ended),
                self._clock.monotonic() - self._started,
                code,
                reason,
                sum(each.copied for each in ended),
            )
        )
        return code

    def _code(self) -> ExitCode:
        if self._stopped.is_set() and not self.replaced:
            return self._interrupted_by
        return worst(self._codes.values())

    def _reason(self) -> str:
        if self.replaced:
            return "another one follows"
        told = [f"{each.route}: {each.ended.reason}" for each in self.members if each.ended and each.ended.reason]
        return clauses(*told)

    def _write_down(self, act: Callable[[], object]) -> str:
        """What is only a record does not keep the routes from moving; returns why it could not be written."""
        try:
            act()
        except MoverError as error:
            return f"not written down: {error}"
        return ""

    @property
    def rest(self) -> float | None:
        """See Run: the shortest of its routes."""
        return min((member.rest for member in self.members if member.rest is not None), default=None)

    @property
    def faulty(self) -> bool:
        """See Run."""
        return any(member.faulty for member in self.members)

    @property
    def replaced(self) -> bool:
        """Whether all of them end for others to follow, with other settings."""
        return not self._stopped.is_set() and any(member.replaced for member in self.members)

    def seen_alive(self, within: float) -> bool:
        """Whether all runs that stay went round in the last so many seconds."""
        return all(member.seen_alive(within) for member in self.members)

    def notice(self, level: Level, text: str) -> None:
        """Publish a line about the whole; before it has begun nobody listens, and it waits until then."""
        with self._lock:
            if self._early is not None:
                self._early.append((level, text))
                return
        self._publisher.publish(Noticed(self._clock.now(), None, level, text))

    # -- looking -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """See ports.control.Control."""
        picture = merged([member.snapshot() for member in self.members])
        if self._exit_code is not None:
            return replace(picture, phase=Phase.ENDED, exit_code=self._exit_code)
        # A route has ended and others go on, or its next run is about to begin: the whole goes on.
        phase = Phase.RUNNING if picture.phase is Phase.ENDED else picture.phase
        return replace(picture, phase=phase, exit_code=None, ended_at=None)

    def detail(self, torrent: InfoHash) -> MoveDetail | None:
        """See ports.control.Control."""
        return self._with(torrent).detail(torrent)

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See ports.control.Control."""
        return self._publisher.lines(after)

    def history(self) -> HistoryView:
        """See ports.control.Control."""
        return past.look_back(self._journal, [row for member in self.members for row in member.rows()])

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control."""
        return self._publisher.subscribe(listener)

    def _with(self, torrent: InfoHash) -> Run:
        """The run that works on a torrent, or else one that had it, or the first."""
        known = [(member, row) for member in self.members if (row := member.row(torrent)) is not None]
        busy = (member for member, row in known if row.standing not in OVER)
        return next(busy, known[-1][0] if known else self.members[0])

    # -- steering ------------------------------------------------------------------------------------------------------

    def stop(self, *, now: bool = False) -> None:
        """See ports.control.Control."""
        self._stopped.set()
        self._wanted.set()
        for member in self.members:
            member.stop(now=now)

    def pause(self, torrent: InfoHash | None = None) -> None:
        """See ports.control.Control."""
        for member in self._meant(torrent):
            member.pause(torrent)

    def resume(self, torrent: InfoHash | None = None) -> None:
        """See ports.control.Control."""
        for member in self._meant(torrent):
            member.resume(torrent)

    def _meant(self, torrent: InfoHash | None) -> tuple[Run, ...]:
        return self.members if torrent is None else (self._with(torrent),)

    def retry(self, torrent: InfoHash) -> None:
        """See ports.control.Control. One that no route has in its queue is looked for by all."""
        if any(member.row(torrent) is not None for member in self.members):
            self._with(torrent).retry(torrent)
        else:
            for member in self.members:
                member.retry(torrent)

    def dismiss(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        for member in self.members:
            member.dismiss(torrent)

    def skip(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._with(torrent).skip(torrent)

    def cancel(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._with(torrent).cancel(torrent)

    def reorder(self, torrent: InfoHash, places: int) -> None:
        """See ports.control.Control. Within the queue of its route."""
        self._with(torrent).reorder(torrent, places)

    def limit(self, bytes_per_second: float | None) -> None:
        """See ports.control.Control. The limit is that of all routes together."""
        self.members[0].limit(bytes_per_second)

    def rescan(self) -> None:
        """See ports.control.Control."""
        self._wanted.set()
        for member in self.members:
            member.rescan()

    def accept(self, check: str) -> None:
        """See ports.control.Control. The name of a check begins with that of its route."""
        route, _, name = check.partition(": ")
        if route in self._members:
            self._members[route].accept(name)

    def check_again(self) -> None:
        """See ports.control.Control."""
        self._wanted.set()
        for member in self.members:
            member.check_again()
