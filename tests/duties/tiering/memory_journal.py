"""A journal of a tier in memory. What it holds outlives the worlds that use it, as a file would."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.certificate import EvictionCertificate
from torrent_mover.duties.tiering.missing import MissingTorrent
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.queue_entry import QueueEntry
from torrent_mover.duties.tiering.records import AsideRecord, CopyRecord, EvictionRecord, Heartbeat, TierHistoryEntry
from torrent_mover.duties.tiering.roots import RootMark

WRITES = (
    "enqueue",
    "save_entry",
    "drop",
    "save_copy",
    "forget_copy",
    "save_missing",
    "save_aside",
    "forget_aside",
    "save_eviction",
    "forget_eviction",
    "save_certificate",
    "add_history",
    "save_root",
)
"""Its methods that write."""


class MemoryTierJournal:
    """See needs.TierJournal. `stages` keeps every stage that was ever written, in order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._queue: dict[TorrentKey, QueueEntry] = {}
        self._copies: dict[TorrentKey, CopyRecord] = {}
        self._evictions: dict[TorrentKey, EvictionRecord] = {}
        self._missing: tuple[MissingTorrent, ...] = ()
        self._aside: dict[LocalPath, AsideRecord] = {}
        self._roots: dict[str, RootMark] = {}
        self._pins: set[InfoHash] = set()
        self._requested = 0.0
        self._beat: Heartbeat | None = None
        self._paused = False
        self.history: list[TierHistoryEntry] = []
        self.certificates: list[EvictionCertificate] = []
        self.stages: list[str] = []
        self.certified_at = 0.0
        self.beats: list[str] = []

    def queue(self) -> Sequence[QueueEntry]:
        with self._lock:
            return tuple(self._queue.values())

    def enqueue(self, entry: QueueEntry) -> bool:
        with self._lock:
            new = entry.key not in self._queue
            self._queue.setdefault(entry.key, entry)
            return new

    def save_entry(self, entry: QueueEntry) -> None:
        with self._lock:
            if entry.key in self._queue:
                self._queue[entry.key] = entry

    def drop(self, key: TorrentKey) -> None:
        with self._lock:
            self._queue.pop(key, None)

    def copies(self) -> Sequence[CopyRecord]:
        with self._lock:
            return tuple(self._copies.values())

    def copy(self, key: TorrentKey) -> CopyRecord | None:
        return self._copies.get(key)

    def save_copy(self, record: CopyRecord) -> None:
        with self._lock:
            self._copies[record.key] = record
            self.stages.append(record.stage.value)

    def forget_copy(self, key: TorrentKey) -> None:
        with self._lock:
            self._copies.pop(key, None)

    def missing(self) -> Sequence[MissingTorrent]:
        return self._missing

    def save_missing(self, rows: Sequence[MissingTorrent]) -> None:
        self._missing = tuple(rows)

    def set_aside(self) -> Sequence[AsideRecord]:
        return tuple(self._aside.values())

    def save_aside(self, record: AsideRecord) -> None:
        self._aside[record.place] = record

    def forget_aside(self, place: LocalPath) -> None:
        self._aside.pop(place, None)

    def evictions(self) -> Sequence[EvictionRecord]:
        with self._lock:
            return tuple(self._evictions.values())

    def save_eviction(self, record: EvictionRecord) -> None:
        with self._lock:
            self._evictions[record.key] = record
            self.stages.append(record.stage.value)

    def forget_eviction(self, key: TorrentKey) -> None:
        with self._lock:
            self._evictions.pop(key, None)

    def save_certificate(self, certificate: EvictionCertificate, at: float) -> None:
        self.certificates.append(certificate)
        self.certified_at = at

    def add_history(self, entry: TierHistoryEntry) -> None:
        self.history.append(entry)

    def roots(self) -> Sequence[RootMark]:
        return tuple(self._roots.values())

    def save_root(self, mark: RootMark) -> None:
        self._roots[str(mark.path)] = mark

    def pins(self) -> frozenset[InfoHash]:
        return frozenset(self._pins)

    def pin(self, torrent: InfoHash, *, on: bool) -> None:
        (self._pins.add if on else self._pins.discard)(torrent)

    def requested_at(self) -> float:
        return self._requested

    def request(self, at: float) -> None:
        self._requested = at

    def heartbeat(self) -> Heartbeat | None:
        return self._beat

    def paused(self) -> bool:
        return self._paused

    def save_paused(self, *, paused: bool) -> None:
        self._paused = paused

    def save_heartbeat(self, beat: Heartbeat) -> None:
        self._beat = beat
        self.beats.append(beat.doing)
