"""A torrent client with no role at all, and not modelled on any program: only what every client can do.

It numbers its torrents, has words of its own for what they do, tells at once what is true, and reads several torrents at a time.
It breaks (AssertionError) where it is given what it has no role for.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from tests.fakes.client import Disk, FolderDisk
from torrent_mover.domain.errors import Collision, TorrentGone
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.bencode import decode_document
from torrent_mover.domain.torrent.certificate import Certificate, too_old
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState, Tracker
from torrent_mover.ports.client import AddSpec, ClientInfo, RecheckProgress, RecheckVerdict
from torrent_mover.ports.clock import Clock

R = TypeVar("R")

_WORDS: Final = {
    TorrentState.SEEDING: "giving",
    TorrentState.STOPPED_COMPLETE: "resting",
    TorrentState.STOPPED_INCOMPLETE: "lacking",
    TorrentState.DOWNLOADING: "taking",
    TorrentState.CHECKING: "reading",
    TorrentState.ERROR: "hurt",
}


@dataclass(slots=True)
class _Item:
    """One torrent. `good` pieces; `reading_until`: when the check that runs will be over; `asked`, `read`: numbers of checks."""

    number: int
    id: InfoHash
    manifest: Manifest
    metainfo: bytes
    save_path: ClientPath
    active: bool = False
    good: set[int] = field(default_factory=set)
    hurt: bool = False
    reading_until: float | None = None
    asked: int = 0
    read: int = 0

    @property
    def whole(self) -> bool:
        return len(self.good) == self.manifest.piece_count


class CoreClient:
    """See the module. Time is the clock's, files are the disk's; a check reads all of them when it ends, `check_time` s later."""

    def __init__(
        self, clock: Clock, disk: Disk | None = None, *, name: str = "core:1", check_time: float = 1.0
    ) -> None:
        self._clock = clock
        self.disk = disk or FolderDisk()
        self.check_time = check_time
        self.closed = False
        self.removed: list[Certificate] = []
        self.rechecks = 0
        self._name = name
        self._items: dict[int, _Item] = {}
        self._numbers = count(1)
        self._lock = threading.RLock()

    # For tests.

    def seed(self, metainfo: bytes, save_path: str | Path) -> InfoHash:
        """Have a complete torrent that seeds, as if a user had it for long."""
        with self._lock:
            item = self._new(Manifest.parse(metainfo), metainfo, ClientPath(str(save_path)))
            item.good = set(range(item.manifest.piece_count))
            item.active = True
            return item.id

    def forget(self, torrent: InfoHash) -> None:
        """Remove it, without its data, as its user does."""
        with self._lock:
            del self._items[self._of(torrent).number]

    def restart(self) -> None:
        """As if the process was killed and started: checks that ran are forgotten, and what they had not found is not there."""
        with self._lock:
            self._tick()
            for item in self._items.values():
                item.reading_until = None

    # The port.

    @property
    def name(self) -> str:
        return self._name

    def role(self, kind: type[R]) -> R | None:
        return self if isinstance(self, kind) else None

    def info(self) -> ClientInfo:
        return ClientInfo("Core", "0.1", "1")

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        with self._lock:
            self._tick()
            return [self._row(item) for item in self._items.values()] if not category else []

    def get(self, torrent: InfoHash) -> Torrent | None:
        return self.lookup((torrent,)).get(torrent)

    def lookup(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        return {row.id: row for row in self.torrents() if row.id in torrents}

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        with self._lock:
            self._tick()
            item = self._of(torrent)
            return [
                ClientFile(file.index, str(file.path), file.size, self._part(item, file.index), wanted=True)
                for file in item.manifest.files
            ]

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        with self._lock:
            rows = decode_document(self._of(torrent).metainfo).root.get(b"announce-list", [])
        tiers = [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
        urls = [(tier, url) for tier, row in enumerate(tiers) for url in row]
        return [Tracker(url.decode(), tier, working=True) for tier, url in urls if isinstance(url, bytes)]

    def add_stopped(self, metainfo: bytes, spec: AddSpec) -> InfoHash:
        assert spec == AddSpec(spec.save_path), f"it cannot be given {spec}"
        manifest = Manifest.parse(metainfo)
        with self._lock:
            self._tick()
            there = self._find(manifest.hashes.client_id)
            if there is None:
                return self._new(manifest, metainfo, spec.save_path).id
            if there.active or there.reading_until is not None or there.save_path != spec.save_path:
                raise Collision(f"{self._name} has {manifest.name} already, at {there.save_path}.")
            return there.id

    def recheck(self, torrent: InfoHash) -> CoreTicket:
        with self._lock:
            self._tick()
            item = self._of(torrent)
            item.active = False
            self.rechecks += 1
            return CoreTicket(self, item.number, self._begin(item))

    def start(self, torrent: InfoHash) -> None:
        with self._lock:
            self._of(torrent).active = True

    def stop(self, torrent: InfoHash) -> None:
        with self._lock:
            self._of(torrent).active = False

    def remove(self, certificate: Certificate) -> None:
        if not certificate.valid_at(self._clock.monotonic()):
            raise too_old(certificate.evidence, self._clock.monotonic())
        with self._lock:
            item = self._find(certificate.torrent)
            if item is None:
                return
            del self._items[item.number]
            self.removed.append(certificate)
            if certificate.delete_data:
                for file in item.manifest.files:
                    self.disk.delete(str(item.save_path / str(file.path)))

    def complaint(self, certificate: Certificate) -> str:
        """It never says why."""
        del certificate
        return ""

    def close(self) -> None:
        self.closed = True

    # Inside.

    def _new(self, manifest: Manifest, metainfo: bytes, save_path: ClientPath) -> _Item:
        item = _Item(next(self._numbers), manifest.hashes.client_id, manifest, metainfo, save_path)
        self._items[item.number] = item
        return item

    def _find(self, torrent: InfoHash) -> _Item | None:
        return next((item for item in self._items.values() if item.id == torrent), None)

    def _of(self, torrent: InfoHash) -> _Item:
        found = self._find(torrent)
        if found is None:
            raise TorrentGone(f"{self._name} knows no torrent {torrent.short}.")
        return found

    def _begin(self, item: _Item) -> int:
        """Begin to read; what was good before is forgotten at once. Returns the number of this check."""
        item.good.clear()
        item.asked += 1
        item.reading_until = self._clock.monotonic() + self.check_time
        return item.asked

    def _tick(self) -> None:
        for item in self._items.values():
            if item.reading_until is not None and item.reading_until <= self._clock.monotonic():
                self._read(item)

    def _read(self, item: _Item) -> None:
        paths = [str(item.save_path / str(file.path)) for file in item.manifest.files]
        content = [self.disk.read(path) for path in paths]
        item.hurt = any(self.disk.blocked(path) for path in paths)
        item.good = {piece for piece in range(item.manifest.piece_count) if _is_good(item.manifest, piece, content)}
        item.reading_until, item.read = None, item.asked

    def _state(self, item: _Item) -> TorrentState:
        if item.reading_until is not None:
            return TorrentState.CHECKING
        if item.hurt:
            return TorrentState.ERROR
        if item.whole:
            return TorrentState.SEEDING if item.active else TorrentState.STOPPED_COMPLETE
        return TorrentState.DOWNLOADING if item.active else TorrentState.STOPPED_INCOMPLETE

    def _row(self, item: _Item) -> Torrent:
        state, size = self._state(item), item.manifest.total_size
        parts = [file.size * (1 - self._part(item, file.index)) for file in item.manifest.files]
        left = 0 if item.whole else max(1, round(sum(parts)))
        return Torrent(
            id=item.id,
            name=item.manifest.name,
            category="",
            state=state,
            client_state=_WORDS[state],
            save_path=item.save_path,
            size=size,
            total_size=size,
            amount_left=left,
            progress=1 - left / size,
            added_on=1_700_000_000 + item.number,
            completed_on=1_700_000_600,
            seeding_time=0,
            ratio=0.0,
            uploaded=0,
            limits=ShareLimits(),
            content_path=item.save_path / str(item.manifest.files[0].path).partition("/")[0],
        )

    def _part(self, item: _Item, file: int) -> float:
        """How much of a file is good, from 0 to 1."""
        pieces = item.manifest.pieces_of(file)
        return sum(piece in item.good for piece in pieces) / len(pieces) if pieces else 1.0


class CoreTicket:
    """One check, by its number. One that a restart has swept away is asked for again."""

    def __init__(self, client: CoreClient, number: int, check: int) -> None:
        self._client = client
        self._number = number
        self._check = check

    def poll(self, _row: Torrent | None = None) -> RecheckProgress:
        client = self._client
        with client._lock:
            item = client._items.get(self._number)
            if item is None:
                raise TorrentGone(f"{client.name} has no torrent number {self._number} any more.")
            client._tick()
            if item.reading_until is None and item.read < self._check:
                self._check = client._begin(item)
            word = _WORDS[client._state(item)]
            if item.reading_until is not None:
                left = max(0.0, item.reading_until - client._clock.monotonic())
                return RecheckProgress(RecheckVerdict.CHECKING, 1 - left / max(client.check_time, left), word)
            if item.hurt:
                return RecheckProgress(RecheckVerdict.FAILED, 0.0, word, "something that is no file lies there")
            return RecheckProgress(RecheckVerdict.GOOD if item.whole else RecheckVerdict.BAD, 1.0, word)


def _is_good(manifest: Manifest, piece: int, content: Sequence[bytes | None]) -> bool:
    hasher = manifest.hasher(piece)
    for span in manifest.spans(piece, piece):
        data = content[span.file] or b""
        part = data[span.offset : span.offset + span.length]
        if len(part) != span.length:
            return False
        hasher.update(part)
    return hasher.good()
