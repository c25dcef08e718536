"""One tier at work, as a screen sees it: its records, what is under way, and what the last look has found."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import MoverError, Unreachable
from torrent_mover.domain.report.events import Event, TierRoundEnded
from torrent_mover.domain.report.rate import eta
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.report.tiers import (
    AlarmView,
    ArrWaitView,
    DiskView,
    PinView,
    QueuedView,
    TierPhase,
    TierRoundView,
    TierTask,
    TierView,
    TierWorkerView,
    WorkView,
    fraction_at,
)
from torrent_mover.domain.torrent.certificate import MIN_SEEDING
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.errors import BadCopy, EvictionRefused, RootAway
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.progress import HeldTorrent, UnderWay
from torrent_mover.duties.tiering.records import EvictionRecord, Heartbeat
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.root_marks import taking_over
from torrent_mover.duties.tiering.rounds import TierLoop
from torrent_mover.duties.tiering.seen import TierSeen, disks_of, torrents_of
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.stages import CopyStage, EvictionStage
from torrent_mover.duties.tiering.worker import TierWorker

_ROUNDS: Final = 20
_SURE_AFTER: Final = 5.0
"""Seconds of bytes after which a time is more than a guess."""
_STATUS: Final = "torrent-mover tier --status"


def nothing_waits() -> tuple[ArrWaitView, ...]:
    """No Arr is told anything."""
    return ()


class TierStand:
    """Its world and worker are made with somebody who looks on. Safe from any thread, but for `look`."""

    def __init__(
        self,
        world: TierWorld,
        worker: Callable[[TierWorld], TierWorker],
        publish: Callable[[Event], None],
        *,
        every: float | None = None,
        arr_waits: Callable[[], tuple[ArrWaitView, ...]] = nothing_waits,
    ) -> None:
        """`every`: seconds between rounds. `publish` hears of each round."""
        self.world = world
        self.stale = threading.Event()
        """What was seen is no longer so: look again."""
        self.moved = threading.Event()
        """Work on a torrent has ended: a screen wants to show where it is now."""
        self._under_way = UnderWay(world.clock, self.moved.set)
        watched = self._under_way.watched(world)
        self.worker = worker(watched)
        self.loop = TierLoop(self.worker, watched, every, self._round_ended)
        self._publish = publish
        self._arr_waits = arr_waits
        self._pictures = PictureReader(world)
        self._disks: tuple[DiskView, ...] = ()
        self._seen = TierSeen()
        self._waits: tuple[ArrWaitView, ...] = ()
        self._trouble: Trouble | None = None
        self._rounds: deque[TierRoundView] = deque(maxlen=_ROUNDS)
        self._since: dict[str, float] = {}
        self.stale.set()

    @property
    def name(self) -> str:
        """The tier's."""
        return self.world.name

    def look(self, *, torrents: bool) -> None:
        """Ask the disks, and the clients about all `torrents` too. What goes wrong is an alarm in the next picture."""
        if torrents:
            self.stale.clear()
            self.moved.clear()
        try:
            self._disks = disks_of(self.world)
            if torrents:
                self._waits = self._arr_waits()
                freeing = self.loop.in_round and bool(self.world.journal.evictions())
                self._seen = torrents_of(self.world, self._pictures, self._seen, freeing=freeing)
                self._trouble = None
        except MoverError as error:
            self._trouble = Trouble(error.code, error.what, error.kept, error.remedy, error.server)

    def view(self, at: float, *, stopping: bool, ended: bool) -> TierView:
        """The picture now (Unix seconds `at`), without asking any client or disk."""
        journal, settings = self.world.journal, self.world.settings
        seen, beat = self._seen, journal.heartbeat()
        evictions = {member.key: record for record in journal.evictions() for member in record.members}
        works = () if ended else self._works(evictions, seen.listed)
        busy = {work.key for work in works}
        at_rest = TierPhase.PAUSED if journal.paused() else TierPhase.IDLE
        phase = TierPhase.WORKING if self.loop.busy else at_rest
        phase = TierPhase.ENDED if ended else TierPhase.STOPPING if stopping else phase
        by_command = journal.pins()
        return TierView(
            name=self.name,
            client=settings.client,
            acts=settings.mode is TierMode.ACT,
            phase=phase,
            worker=None if ended or beat is None else self._worker(beat, at, phase),
            disks=self._disks,
            works=works,
            queue=self._queue(busy, seen),
            candidates=tuple(each for each in seen.candidates if each.key not in busy),
            pins=_pins(settings.client, by_command, seen),
            alarms=self._alarms(at, beat, list(evictions.values()), seen, ended=ended),
            rounds=tuple(self._rounds),
            arr_waits=self._waits,
            left=beat.left if beat else 0,
            left_bytes=beat.left_bytes if beat else 0,
        )

    def _worker(self, beat: Heartbeat, at: float, phase: TierPhase) -> TierWorkerView:
        waits = self.loop.next_round_in if phase is TierPhase.IDLE else None
        doing = beat.doing if phase is TierPhase.WORKING else ""
        again = None if waits is None else at + waits
        return TierWorkerView(beat.pid, beat.since, beat.at, doing, again, self.world.journal.paused())

    def _works(
        self, evictions: Mapping[TorrentKey, EvictionRecord], listed: Mapping[TorrentKey, tuple[str, int]]
    ) -> tuple[WorkView, ...]:
        """Torrents that are copied; and evictions, by the first torrent of each."""
        works: dict[TorrentKey, WorkView] = {}
        for held in self._under_way.now():
            record = evictions.get(held.key)
            if record is None:
                work = self._copy(held, listed)
                if work is not None:
                    works[held.key] = work
            elif record.key not in works or held.total:
                works[record.key] = _eviction(held, record, listed, self.world)
        return tuple(works.values())

    def _copy(self, held: HeldTorrent, listed: Mapping[TorrentKey, tuple[str, int]]) -> WorkView | None:
        record = self.world.journal.copy(held.key)
        if record is not None and record.counts and not held.stage:
            return None  # it is not copied, but looked at
        stage = (CopyStage.SEEN if record is None or record.counts else record.stage).value
        name, size = listed.get(held.key, (record.name if record else held.key[1].short.upper(), held.total))
        target = str(record.root) if record is not None and record.root is not None else ""
        work = _work(held, TierTask.COPY, stage, held.key, name, size, 1, target)
        return _promised(work, held, reads_back=self.world.settings.verify)

    def _queue(self, busy: set[TorrentKey], seen: TierSeen) -> tuple[QueuedView, ...]:
        entries = sorted(self.world.journal.queue(), key=lambda entry: (entry.queued_at, entry.torrent))
        views = []
        for entry in entries:
            if entry.key not in busy:
                name, size = seen.listed.get(entry.key, (entry.torrent.short.upper(), 0))
                views.append(
                    QueuedView(
                        *entry.key, name, size, entry.queued_at, entry.asker.value, entry.tries, entry.not_before or None,
                        entry.reason,
                    )
                )  # fmt: skip
        return tuple(views)

    def _alarms(
        self, at: float, beat: Heartbeat | None, evictions: list[EvictionRecord], seen: TierSeen, *, ended: bool
    ) -> tuple[AlarmView, ...]:
        """What needs somebody; each keeps the time when it was first seen."""
        found: list[tuple[Trouble, InfoHash | None]] = []
        if self._trouble is not None and not ended:
            found.append((self._trouble, None))
        elif beat is not None and beat.client_trouble:
            found.append((Trouble(Unreachable.code, beat.client_trouble, "", _STATUS), None))
        if beat is not None and beat.root_trouble:
            kept = "Nothing is copied, relocated or deleted there."
            found.append(
                (Trouble(RootAway.code, beat.root_trouble, kept, f"Mount its disk there. {taking_over()}"), None)
            )
        for record in {record.key: record for record in evictions if record.trouble}.values():
            explain = f"torrent-mover tier --explain {record.torrent}"
            found.append(
                (Trouble(EvictionRefused.code, f"{record.title}: {record.trouble}", "", explain), record.torrent)
            )
        for copy in seen.bad:
            what, helps = f"The copy of {copy.name} is bad: {copy.bad}", f"torrent-mover tier --recopy {copy.torrent}"
            found.append((Trouble(BadCopy.code, what, "The SSD keeps the torrent.", helps), copy.torrent))
        self._since = {trouble.what: self._since.get(trouble.what, at) for trouble, _ in found}
        return tuple(AlarmView(self._since[trouble.what], trouble, torrent) for trouble, torrent in found)

    def _round_ended(self, report: RoundReport, took: float) -> None:
        now = self.world.clock.now()
        copied, evicted, healed = len(report.copied), len(report.evicted), len(report.healed)
        failed = len(report.failed)
        self._rounds.appendleft(TierRoundView(now, took, copied, evicted, healed, failed, report.freed))
        self.stale.set()
        self._publish(
            TierRoundEnded(
                now, self.name, copied, evicted, healed, len(report.waiting), failed, report.freed, took,
                self.loop.next_round_in,
            )
        )  # fmt: skip


def _eviction(
    held: HeldTorrent, record: EvictionRecord, listed: Mapping[TorrentKey, tuple[str, int]], world: TierWorld
) -> WorkView:
    size = sum(listed.get(member.key, ("", 0))[1] for member in record.members)
    copy = world.journal.copy(record.members[0].key)
    target = str(copy.root) if copy is not None and copy.root is not None else ""
    count = len(record.members)
    work = _work(held, TierTask.EVICT, record.stage.value, record.key, record.title, size, count, target)
    return _promised(work, held, reads_back=False)


def _work(
    held: HeldTorrent, task: TierTask, stage: str, key: TorrentKey, name: str, size: int, together: int, target: str
) -> WorkView:
    """Bytes count only at the stage that they were told of: at all others the bar stands where the stage begins."""
    counted = held.stage == stage and held.total > 0
    done, total = (min(held.done, held.total), held.total) if counted else (0, 0)
    return WorkView(
        *key, name, size, task, stage, fraction_at(task, stage, done / total if total else 0.0), held.since, done, total,
        held.rate if counted else 0.0, stalled_for=held.stalled_for if counted else 0.0, together=together, target=target,
    )  # fmt: skip


def _promised(work: WorkView, held: HeldTorrent, *, reads_back: bool) -> WorkView:
    """The same with its ETA, as long as bytes flow. What is read back after a copy counts as fast as the copy is: a guess."""
    left = eta(work.total - work.done, work.rate) if work.total else None
    if left is None or work.stalled_for:
        return work
    copies = work.stage == CopyStage.COPYING.value
    further = eta(work.total, work.rate) or 0.0 if copies and reads_back else 0.0
    if work.task is TierTask.EVICT and work.stage == EvictionStage.CHECKING.value:
        further = MIN_SEEDING
    return replace(work, eta=left + further, eta_is_guess=held.seen_for < _SURE_AFTER or (copies and reads_back))


def _pins(client: str, by_command: frozenset[InfoHash], seen: TierSeen) -> tuple[PinView, ...]:
    """Those by command, then those that a label or a tag pins."""
    pins = []
    for torrent in sorted(by_command):
        name, size = seen.listed.get((client, torrent), (torrent.short.upper(), 0))
        pins.append(PinView(client, torrent, name, size, "by command", by_command=True))
    pins += [
        PinView(*key, *seen.listed.get(key, ("", 0)), "by its label or a tag", by_command=False)
        for key in seen.pinned
        if key[1] not in by_command
    ]
    return tuple(pins)
