"""Works through the queue: some torrents side by side, each tried several times; one that fails ends no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError, Retry, ServerError, TorrentGone, Unexpected
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.retry import REST
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.duties.tiering.copying import CopyStory
from torrent_mover.duties.tiering.errors import NoRoomOnTarget, RootAway
from torrent_mover.duties.tiering.needs import CopiesBytes, CopyOrder, TierWorld
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.queue_entry import QueueEntry
from torrent_mover.duties.tiering.queueing import delay, due
from torrent_mover.duties.tiering.records import TierEnd, TierHistoryEntry
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.room import PromisedRoom
from torrent_mover.duties.tiering.root_marks import away, look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.under_way import FilesUnderWay
from torrent_mover.ports.clock import Clock

_MIDDLE: Final = 0.5
"""Of the spread of waits: none."""


class WritersPerTarget:
    """Lets so many copies at once write to one target; the others wait for their turn, and a stop ends the wait."""

    def __init__(self, through: CopiesBytes, most: int, clock: Clock) -> None:
        self._through = through
        self._most = most
        self._clock = clock
        self._turns: dict[LocalPath, threading.Semaphore] = {}
        self._lock = threading.Lock()

    def bring(self, order: CopyOrder) -> Bitfield:
        """See needs.CopiesBytes."""
        with self._lock:
            turn = self._turns.setdefault(order.target.root, threading.Semaphore(self._most))
        while not turn.acquire(timeout=1.0):
            self._clock.wait(0.0)
        try:
            return self._through.bring(order)
        finally:
            turn.release()


class CopyQueue:
    """The queue of one tier and those who work on it."""

    def __init__(self, world: TierWorld, doing: Callable[[str], None] = lambda _what: None) -> None:
        """`doing` hears of what is being copied, for the heartbeat."""
        limited = WritersPerTarget(world.bytes, world.settings.writers_per_target, world.clock)
        self._world = replace(world, bytes=limited)
        self._room = PromisedRoom(world.settings.keep_free)
        self._under_way = FilesUnderWay(world.clock, world.leases)
        self._doing = doing

    def work(self, only: Collection[TorrentKey] | None = None) -> RoundReport:
        """Copy all that is due (or `only` these, due or not), oldest first. Raises Cancelled when the run is stopped."""
        report = RoundReport()
        if self._nowhere(only):
            return report
        lock = threading.Lock()
        silent: set[str] = set()

        def one(entry: QueueEntry) -> None:
            if entry.client in silent:
                return
            try:
                self._doing(f"copying {entry.torrent.short.upper()}")
                self._copy(entry)
            except ServerError as error:
                # The client is not asked again in this round: its other torrents keep their place.
                with lock:
                    if entry.client not in silent:
                        silent.add(entry.client)
                        report.note(None, error)
            except MoverError as error:
                with lock:
                    report.note(entry.key, error)
                if isinstance(error, Cancelled):
                    raise
            else:
                with lock:
                    report.copied.append(entry.key)

        with ThreadPoolExecutor(self._world.settings.workers, thread_name_prefix="tier copy") as pool:
            waits = [pool.submit(one, entry) for entry in self._entries(only)]
        for wait in waits:
            wait.result()
        return report

    def _nowhere(self, only: Collection[TorrentKey] | None) -> bool:
        """Whether no target is there at all, which the round tells: then no torrent is looked at, and each waits for that."""
        findings = [look_at(self._world, disk) for disk in self._world.targets]
        if any(finding.state is RootState.KNOWN for finding in findings):
            return False
        reason = away(findings[0], "").what
        for entry in self._entries(only):
            if entry.reason != reason or entry.not_before:
                self._world.journal.save_entry(replace(entry, not_before=0.0, reason=reason))
        return True

    def _entries(self, only: Collection[TorrentKey] | None) -> tuple[QueueEntry, ...]:
        world = self._world
        entries = world.journal.queue()
        if only is not None:
            return tuple(sorted((e for e in entries if e.key in only), key=lambda e: e.queued_at))
        busy = {entry.key for entry in entries if world.leases.held(entry.key)}
        return due(entries, world.clock.now(), busy)

    def _copy(self, entry: QueueEntry) -> None:
        """One torrent, with its tries. What was wrong last is in its entry."""
        attempt = 0
        while True:
            attempt += 1
            try:
                CopyStory(self._world, self._room, self._under_way, entry.key, self._doing).run()
            except MoverError as error:
                if isinstance(error, Cancelled | ServerError):
                    raise
                gone = isinstance(error, TorrentGone)
                last = attempt >= self._world.settings.attempts
                if gone and last:
                    self._drop(entry, error)
                    raise
                waits = isinstance(error, NoRoomOnTarget | RootAway)
                # One answer that does not list it is none: a client that starts lists nothing for a while.
                if not gone and (waits or error.retry is Retry.NEVER or last):
                    self._rest(entry, error, count=not waits)
                    raise
                self._world.say(entry.key, f"Try {attempt} failed: {error.what}")
            except Exception as error:
                unexpected = Unexpected.of(error, kept="The SSD keeps the torrent; what was proven is kept.")
                self._rest(entry, unexpected, count=True)
                raise unexpected from error
            else:
                return
            self._world.clock.wait(delay(attempt))

    def _rest(self, entry: QueueEntry, error: MoverError, *, count: bool) -> None:
        """It keeps its place and waits: room, and a disk, are looked for by each round, failures wait longer each time."""
        tries = entry.tries + count
        not_before = self._world.clock.now() + REST.delay(tries, _MIDDLE) if count else 0.0
        self._world.journal.save_entry(replace(entry, tries=tries, not_before=not_before, reason=error.what))
        if count:
            self._world.warn(entry.key, str(error))
        elif entry.reason != error.what:
            # All copies that wait are told at once, at the end of the round; of one alone it is noted once.
            self._world.say(entry.key, str(error))

    def _drop(self, entry: QueueEntry, error: MoverError) -> None:
        world = self._world
        now = world.clock.now()
        world.journal.add_history(
            TierHistoryEntry(now, *entry.key, entry.torrent.short, TierEnd.FAILED, 0, 0.0, error.what)
        )
        world.say(entry.key, f"Dropped from the queue: {error.what}")
        world.journal.drop(entry.key)
