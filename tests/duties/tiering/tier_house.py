"""A small world with a tier in it: an SSD and a target that are real folders, clients that read, a journal that lasts."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.duties.tiering.disks import RealDisk
from tests.duties.tiering.kills import Counter, Fragile
from tests.duties.tiering.memory_journal import WRITES, MemoryTierJournal
from tests.duties.tiering.tier_client import ReadingClient
from tests.fakes.clock import FakeClock
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import AlreadyRunning, SourceCorrupt, TransferError
from torrent_mover.domain.paths import LocalPath, PathMap
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.amounts import DiskAmount, TierTarget
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import CopyOrder, TieredClient, TierWorld
from torrent_mover.duties.tiering.picture import Identity, TorrentKey
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.settings import TierSettings
from torrent_mover.duties.tiering.space_round import plans
from torrent_mover.duties.tiering.worker import TierWorker
from torrent_mover.ports.filesystem import ByteSpan, FreeSpace
from torrent_mover.transfer.proof import PieceStream

PIECE = 16 * 1024
CHANGING_CLIENT = ("start", "stop", "relocate", "persist", "recheck")
CHANGING_FILES = ("make_folders", "create", "rename", "unlink", "remove_folder", "link", "chown", "chmod")
CHANGING_DISK = ("write_id", "set_times", "remove_dangling")
LOTS = 1 << 50


class Leases:
    """See needs.TierLeases, for one process."""

    def __init__(self) -> None:
        self._held: set[TorrentKey] = set()
        self._files: set[Identity] = set()
        self._lock = threading.Lock()
        self.history: list[tuple[TorrentKey, ...]] = []

    @contextlib.contextmanager
    def hold(self, keys: Sequence[TorrentKey]) -> Iterator[None]:
        with self._lock:
            if self._held & set(keys):
                raise TransferError("Somebody works on this torrent right now.")
            self._held |= set(keys)
            self.history.append(tuple(keys))
        try:
            yield
        finally:
            with self._lock:
                self._held -= set(keys)

    def held(self, key: TorrentKey) -> bool:
        return key in self._held

    @contextlib.contextmanager
    def hold_files(self, files: Collection[Identity]) -> Iterator[None]:
        with self._lock:
            if self._files & set(files):
                raise TransferError("Somebody copies one of these files right now.")
            self._files |= set(files)
        try:
            yield
        finally:
            with self._lock:
                self._files -= set(files)


class Copier:
    """See needs.CopiesBytes: one piece after another, hashed on the way. `spoil`: bytes that a bad memory turns over."""

    def __init__(self, counter: Counter | None = None) -> None:
        self._counter = counter
        self.brought: list[InfoHash] = []
        self.written = 0
        self.failures: list[Exception] = []
        self.side_by_side = 0
        self.most_side_by_side = 0
        self.during = lambda _order: None
        self._lock = threading.Lock()

    def bring(self, order: CopyOrder) -> Bitfield:
        with self._lock:
            self.side_by_side += 1
            self.most_side_by_side = max(self.side_by_side, self.most_side_by_side)
        try:
            self.during(order)
            return self._bring(order)
        finally:
            with self._lock:
                self.side_by_side -= 1

    def _bring(self, order: CopyOrder) -> Bitfield:
        self.brought.append(order.torrent)
        if self.failures:
            raise self.failures.pop(0)
        manifest = order.manifest
        for file, path in zip(manifest.files, order.target_paths, strict=True):
            if file.index not in order.present:
                self._tick("bring: create")
                order.target.files.create(path, file.size)
        good = Bitfield(manifest.piece_count)
        reader, writer = order.source.files.reader(), order.target.files.writer()
        stream = PieceStream(manifest, order.source_paths)
        targets = dict(zip(order.source_paths, order.target_paths, strict=True))
        present = {order.source_paths[index] for index in order.present}

        def deliver(span: ByteSpan, offset: int, data: memoryview) -> None:
            if span.path not in present:
                writer.write(targets[span.path], offset, data)
                self.written += len(data)
            order.progress(len(data))
            for piece, fine in stream.feed(data):
                self._tick("bring: piece")
                if not fine:
                    raise SourceCorrupt(f"Piece {piece} is bad on the SSD.")
                good.set(piece)

        try:
            reader.read(stream.expect(range(manifest.piece_count)), deliver)
            writer.flush()
        finally:
            reader.close()
            writer.close()
        return good

    def _tick(self, what: str) -> None:
        if self._counter is not None:
            self._counter.tick(what)


class Arrs:
    """See needs.TellsArrs. `down`: none answers."""

    def __init__(self) -> None:
        self.down = False
        self.told: list[tuple[InfoHash, str, str]] = []

    def tell(self, torrent: InfoHash, label: str, path: LocalPath, _name: str) -> None:
        if self.down:
            raise TransferError("Sonarr does not answer.")
        self.told.append((torrent, label, str(path)))


class FakeSpace:
    """What is free on a disk: `total` minus what lies below it, so that deleting files makes room."""

    def __init__(self, root: Path, total: int) -> None:
        self._root = root
        self.total = total
        self.snapshots = 0
        """Bytes that stay taken, whatever is deleted."""
        self.frozen = False
        self._first: int | None = None

    def __call__(self) -> FreeSpace:
        seen: dict[int, int] = {}
        for folder, _, names in os.walk(self._root):
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # another thread renames
                    found = os.lstat(Path(folder, name))
                    if stat.S_ISREG(found.st_mode):
                        seen[found.st_ino] = found.st_size
        used = sum(seen.values())
        if self._first is None:
            self._first = used
        return FreeSpace(self.total - (self._first if self.frozen else used), self.total)


class Files:
    """A file system of a disk with free space of its own."""

    def __init__(self, inner: object, space: FakeSpace) -> None:
        self._inner = inner
        self.space = space

    def __getattr__(self, name: str):
        return getattr(self._inner, name)


class House:
    """Builds worlds over the same disks, clients and journal: each world is a process of its own."""

    def __init__(self, folder: Path, *, ssd: Path | None = None, hdd: Path | None = None, total: int = LOTS) -> None:
        self.ssd = ssd or folder / "ssd"
        self.hdd = hdd or folder / "hdd"
        for place in (self.ssd, self.hdd):
            place.mkdir(exist_ok=True)
        self.clock = FakeClock()
        self.client = ReadingClient("rtorrent", self.clock)
        self.clients = {"rtorrent": self.client}
        self.journal = MemoryTierJournal()
        self.arrs = Arrs()
        self.leases = Leases()
        self.said: list[str] = []
        self.warned: list[str] = []
        self.held: dict[InfoHash, str] = {}
        self.space = FakeSpace(self.ssd, total)
        self.target_space = FakeSpace(self.hdd, LOTS)
        self.copier = Copier()
        self.settings = TierSettings(
            client="rtorrent",
            ssd=(LocalPath(str(self.ssd)),),
            targets=(TierTarget("*", LocalPath(str(self.hdd))),),
            free_low=DiskAmount(0),
            free_high=DiskAmount(0),
            keep_free=DiskAmount(0),
            workers=1,
        )

    def change(self, **changes) -> None:
        """Change settings."""
        self.settings = replace(self.settings, **changes)

    def need(self, high: int) -> None:
        """Have the tier make room until so many bytes are free."""
        self.change(free_low=DiskAmount(high), free_high=DiskAmount(high))

    def torrent(
        self,
        name: str,
        files: dict[str, int] | int = 40_000,
        folder: str = "",
        client: ReadingClient | None = None,
        **known,
    ) -> InfoHash:
        """A torrent whose files lie on the SSD, complete. `files`: path within its folder -> size, or the size of its one file."""
        parent = self.ssd / folder
        content = parent / name
        sizes = {"": files} if isinstance(files, int) else files
        for path, size in sizes.items():
            file = content / path if path else content
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(hashlib.shake_128(f"{name}/{path}".encode()).digest(size))
        metainfo = make_torrent(content, piece_length=PIECE)
        return (client or self.client).add(metainfo, parent, **known)

    def world(self, counter: Counter | None = None) -> TierWorld:
        """A process that begins now. With a counter, each of its calls counts."""
        ssd, hdd = RealDisk(self.ssd, follow=True), RealDisk(self.hdd)
        copier = self.copier
        if counter is not None:
            copier = Copier(counter)
            copier.brought = self.copier.brought
        ssd.files = Files(ssd.files, self.space)
        hdd.files = Files(hdd.files, self.target_space)

        def wrap(inner, changing):
            return inner if counter is None else Fragile(inner, counter, changing)

        for disk in (ssd, hdd):
            disk.files = wrap(disk.files, CHANGING_FILES)
        return TierWorld(
            name="default",
            settings=self.settings,
            clients={
                name: TieredClient(wrap(client, CHANGING_CLIENT), client.paths) for name, client in self.clients.items()
            },
            ssds=(wrap(ssd, CHANGING_DISK),),
            targets=(wrap(hdd, CHANGING_DISK),),
            journal=wrap(self.journal, WRITES),
            leases=self.leases,
            bytes=copier,
            arrs=self.arrs,
            clock=self.clock,
            say=lambda _key, text: self.said.append(text),
            held=lambda torrent, _label: self.held.get(torrent, ""),
            alarm=self._warn,
        )

    def _warn(self, _key: TorrentKey | None, text: str) -> None:
        self.said.append(text)
        self.warned.append(text)

    def worker(self, counter: Counter | None = None) -> TierWorker:
        """A worker in a process that begins now."""
        return TierWorker(self.world(counter), self._alone)

    def round(self) -> RoundReport:
        """One round of a new process."""
        return self.worker().round()

    def rounds(self, count: int = 3) -> RoundReport:
        """Several rounds of a new process, with the pauses that failed things need between them."""
        worker = self.worker()
        report = worker.round()
        for _ in range(count - 1):
            self.clock.advance(5000)
            report = worker.round()
        return report

    def world_plans(self):
        """What a round would evict now."""
        world = self.world()
        return plans(world, PictureReader(world))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self.leases.held(("worker", InfoHash("0" * 40))):
            raise AlreadyRunning("Another worker is active.")
        yield

    def names(self, place: Path) -> set[str]:
        """Files below a folder, but for the identity of the root."""
        return {
            str(path.relative_to(place))
            for path in place.rglob("*")
            if path.is_file() and path.relative_to(place) != Path(".torrent-mover/root-id")
        }

    def maps(self, client: ReadingClient, pairs: PathMap[LocalPath]) -> None:
        """Give a client its own view of paths."""
        client.paths = pairs
