"""The worker of one tier: rounds of heal, queue, sweep and space, with a heartbeat; one worker a tier at a time."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError, ServerError
from torrent_mover.domain.text import clauses, counted
from torrent_mover.domain.text import size as size_text
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.copy_queue import CopyQueue
from torrent_mover.duties.tiering.errors import OtherMover
from torrent_mover.duties.tiering.heal_round import heal_round
from torrent_mover.duties.tiering.left_behind import recounted
from torrent_mover.duties.tiering.lines import space_line
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.orders import evict_now
from torrent_mover.duties.tiering.other_movers import refuse_other_movers
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.reconciling import due_again, forget_missing, reconcile
from torrent_mover.duties.tiering.records import Heartbeat
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.root_marks import away, look_at
from torrent_mover.duties.tiering.roots import RootFinding, RootState
from torrent_mover.duties.tiering.round_alerts import needing
from torrent_mover.duties.tiering.setting_aside import forget_emptied, settle
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.space_round import SpaceRound
from torrent_mover.duties.tiering.stages import Resume
from torrent_mover.duties.tiering.sweeping import look_for_gone, sweep
from torrent_mover.duties.tiering.watermarks import marks_of, shortage
from torrent_mover.ports.clock import Clock

_log = logging.getLogger(__name__)

_BEAT: Final = 10.0
_DAY: Final = 86_400.0


class TierWorker:
    """Does rounds. `alone` holds the tier's lock for a round; it raises AlreadyRunning where another has it."""

    def __init__(self, world: TierWorld, alone: Callable[[], AbstractContextManager[object]]) -> None:
        self._alone = alone
        self._lock = threading.Lock()
        now = world.clock.now()
        before = world.journal.heartbeat()
        self._beat = replace(before or Heartbeat(0, now, now), pid=os.getpid(), since=now, at=now, doing="")
        self._world = world = replace(world, clock=_BeatingClock(world.clock, self._alive))
        self._pictures = PictureReader(world)
        self.queue = CopyQueue(world, self._doing)
        self.space = SpaceRound(world, self._pictures, self._doing)
        self._warned: frozenset[str] = frozenset()
        self._left_counted = False

    @property
    def pictures(self) -> PictureReader:
        """How this worker sees torrents and files."""
        return self._pictures

    def round(self) -> RoundReport:
        """Heal, queue, sweep, space. One part that fails ends no other. Raises AlreadyRunning, Cancelled."""
        with self._alone():
            report = RoundReport()
            self._doing("looking")
            missing = self._roots(report)
            if not self._client_answers(report):
                self._end(report)
                return report
            for part in (self._reconciled, lambda: heal_round(self._world)):
                self._part(part, report)
            if self._somebody_else_moves(report):
                self._end(report)
                return report
            self._part(self.queue.work, report)
            with self._pictures.one_look():
                self._part(self._swept, report)
                self._part(self._left_behind, report)
                if missing:
                    self._note(root_trouble=clauses(*(f"{finding.path}: {finding.why}" for finding in missing)))
                else:
                    self._note(root_trouble="")
                    self._part(self._evicted, report)
            self._end(report, whole=not missing)
            return report

    def process_queue(self) -> RoundReport:
        """The queue alone."""
        with self._alone():
            report = RoundReport()
            self._roots(report)
            if not self._somebody_else_moves(report):
                self._part(self.queue.work, report)
            self._end(report)
            return report

    def copy_now(self, key: TorrentKey) -> RoundReport:
        """One torrent of the queue, in the foreground; beside a worker that runs, its lease keeps the two apart."""
        report = RoundReport()
        self._roots(report)
        if not self._somebody_else_moves(report):
            self._part(lambda: self.queue.work([key]), report)
        return report

    def evict(self, torrent: InfoHash) -> RoundReport:
        """One torrent and those that share files with it, because a person asked.

        Raises as orders.evict_now; AlreadyRunning; and what keeps an earlier eviction of it from being settled.
        """
        with self._alone():
            refuse_other_movers(self._world)
            report = self._settled(torrent)
            if not report.evicted:
                report.extend(evict_now(self._world, self._pictures, self.space, torrent))
            self._end(report)
            return report

    def idle(self) -> None:
        """Nothing is to be done now: give a sign of life."""
        self._alive()

    # Parts

    def _part(self, part: Callable[[], RoundReport], report: RoundReport) -> None:
        try:
            report.extend(part())
        except Cancelled:
            raise
        except MoverError as error:
            report.note(None, error)
            self._world.warn(None, str(error))

    def _roots(self, report: RoundReport) -> tuple[RootFinding, ...]:
        """Look at every root; those that are away are told, and new ones get their identity."""
        found = []
        for disk in self._world.disks:
            try:
                finding = look_at(self._world, disk, adopt=True)
            except MoverError as error:
                finding = RootFinding(disk.root, RootState.AWAY, why=error.what)
            if finding.state is not RootState.KNOWN:
                found.append(finding)
                report.note(
                    None, away(finding, "Nothing is copied, relocated or deleted there, and nothing is written there.")
                )
        return tuple(found)

    def _client_answers(self, report: RoundReport) -> bool:
        """Whether the tier's own client does. Without it no part can do anything, and each would wait for its whole time-out."""
        world = self._world
        try:
            world.client(world.settings.client).client.moving_hooks()
        except ServerError as error:
            forget_missing(world)
            report.note(None, error)
            world.warn(None, str(error))
            return False
        return True

    def _somebody_else_moves(self, report: RoundReport) -> bool:
        """Told once a round. A client that does not answer is told of by what asks it next."""
        try:
            refuse_other_movers(self._world)
        except OtherMover as error:
            report.note(None, error)
            self._world.warn(None, str(error))
            return True
        except ServerError:
            return False
        return False

    def _reconciled(self) -> RoundReport:
        """Evictions that a kill, or something that could not be seen, has cut short."""
        report = RoundReport()
        for record in self._world.journal.evictions():
            if not due_again(record, self._world.clock.now()):
                continue
            self._doing(f"settling {record.torrent.short.upper()} {record.title}")
            try:
                reconcile(self._world, self._pictures, record)
            except Cancelled:
                raise
            except MoverError as error:
                report.note(record.key, error)
                self._world.warn(record.key, str(error))
        return report

    def _settled(self, torrent: InfoHash) -> RoundReport:
        """An eviction of this torrent that was cut short, as a round does it: until then it cannot begin anew."""
        report = RoundReport()
        if self._world.settings.mode is not TierMode.ACT:
            return report
        for record in self._world.journal.evictions():
            if torrent in {row.torrent for row in record.members}:
                self._doing(f"settling {record.torrent.short.upper()} {record.title}")
                if reconcile(self._world, self._pictures, record) is Resume.GO_ON:
                    report.evicted += [row.key for row in record.members]
        return report

    def _swept(self) -> RoundReport:
        report = sweep(self._world, self._pictures)
        if report.queued:
            report.extend(self.queue.work(report.queued))
        return report

    def _left_behind(self) -> RoundReport:
        """What lies on the targets of torrents that have left their client: only counted, and never deleted."""
        settle(self._world)
        found = recounted(self._world, self._pictures, self._beat, anew=not self._left_counted)
        if found is not None:
            self._left_counted = True
            forget_emptied(self._world)
            with self._lock:
                self._beat = replace(
                    self._beat,
                    left=found.left,
                    left_bytes=found.left_bytes,
                    left_of=found.left_of,
                    left_at=found.left_at,
                )
        return RoundReport()

    def _evicted(self) -> RoundReport:
        """Evictions, unless so many copies are gone that a person must look first.

        Copies are looked for before evictions, and once a day: that wakes disks which sleep.
        """
        now = self._world.clock.now()
        short = any(shortage(self._world.settings, space).wanted for space in self._pictures.spaces())
        if not short and 0 <= now - self._beat.copies_at < _DAY:
            return RoundReport()
        report, alarming = look_for_gone(self._world, self._pictures)
        with self._lock:
            self._beat = replace(self._beat, copies_at=now)
        if not alarming:
            report.extend(self.space.run())
        return report

    # Signs of life

    def _doing(self, what: str) -> None:
        _log.debug("tier %s: %s", self._world.name, what)
        self._note(doing=what)

    def _alive(self) -> None:
        """A sign now and then, however long one thing takes."""
        if not 0 <= self._world.clock.now() - self._beat.at < _BEAT:
            self._note()

    def _note(self, *, doing: str | None = None, root_trouble: str | None = None) -> None:
        with self._lock:
            beat = self._beat
            self._beat = replace(
                beat,
                at=self._world.clock.now(),
                doing=beat.doing if doing is None else doing,
                root_trouble=beat.root_trouble if root_trouble is None else root_trouble,
            )
            self._world.journal.save_heartbeat(self._beat)

    def _warn(self, report: RoundReport, *, whole: bool) -> None:
        """Tell of what no part has told of. Once: again where it was over in between, which only a whole round can see."""
        found = dict(needing(self._world, report))
        for text, key in found.items():
            if text not in self._warned:
                self._world.warn(key, text)
        self._warned = frozenset(found) if whole else self._warned | frozenset(found)

    def _end(self, report: RoundReport, *, whole: bool = False) -> None:
        """The worker's last answers, for those that only look. `whole`: every part of a round was done."""
        self._warn(report, whole=whole)
        world, now = self._world, self._world.clock.now()
        silent = [
            trouble.error.what for trouble in report.failed if isinstance(trouble.error, ServerError | OtherMover)
        ]
        try:
            spaces = self._pictures.spaces()
        except MoverError as error:
            report.note(None, error)
            spaces = ()
        lows = [
            f"{space.root}: {size_text(space.free)} free, less than free_low ({size_text(marks_of(world.settings, space).low)})"
            for space in spaces
            if shortage(world.settings, space).wanted
        ]
        planned = {disk.root: chosen for disk, chosen in report.plans}
        lines = tuple(space_line(world.settings, space, planned.get(space.root)) for space in spaces)
        untold = sum(record.stage.value == "proven" for record in world.journal.copies())
        with self._lock:
            self._beat = replace(
                self._beat,
                at=now,
                doing="",
                ended_at=self._beat.ended_at if silent else now,
                client_at=self._beat.client_at if silent else now,
                client_trouble=silent[0] if silent else "",
                low_space=clauses(*lows),
                arr_trouble=f"an Arr was not told yet of {counted(untold, 'copy', 'copies')}" if untold else "",
                spaces=lines,
            )
            world.journal.save_heartbeat(self._beat)


class _BeatingClock:
    """The clock of the world, which gives a sign of life at each wait: all that takes long waits, or asks for a stop."""

    def __init__(self, clock: Clock, alive: Callable[[], None]) -> None:
        self._clock = clock
        self._alive = alive

    def now(self) -> float:
        """See ports.clock.Clock."""
        return self._clock.now()

    def monotonic(self) -> float:
        """See ports.clock.Clock."""
        return self._clock.monotonic()

    def wait(self, seconds: float) -> None:
        """See ports.clock.Clock."""
        self._alive()
        self._clock.wait(seconds)
