"""A torrent client that really reads its files: what it says of a torrent follows from the bytes at its save path."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.clock import FakeClock
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import TorrentGone, Unreachable
from torrent_mover.domain.paths import ClientPath, LocalPath, PathMap, RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState
from torrent_mover.duties.tiering.needs import Liveliness
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict
from torrent_mover.ports.filesystem import FileKind
from torrent_mover.ports.roles import Remark
from torrent_mover.transfer.proof import read_back


@dataclass
class Held:
    """One torrent in the client. `saved`: place and state that survive a power cut. `checked`: what the last check found."""

    metainfo: bytes
    save_path: ClientPath
    running: bool = True
    label: str = ""
    tags: tuple[str, ...] = ()
    finished: float = 0.0
    ratio: float = 0.0
    seeding_time: int = 0
    upload_rate: int = 0
    idle: float = 0.0
    unwanted: frozenset[int] = frozenset()
    missing: int = 0
    trouble: TorrentState | None = None
    flat: bool = False
    """The client lays it out without the torrent's own folder."""
    renamed: tuple[str, ...] = ()
    """What its user calls its files now, in metainfo order; empty: as the metainfo does."""
    saved: tuple[ClientPath, bool] | None = None
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self.manifest = Manifest.parse(self.metainfo)
        self.saved = (self.save_path, self.running)

    @property
    def paths(self) -> tuple[RelativePath, ...]:
        """Its files as the client lays them out."""
        if self.renamed:
            return tuple(RelativePath.parse(path) for path in self.renamed)
        return tuple(RelativePath(file.path.parts[self.flat :]) for file in self.manifest.files)


class ReadingClient:
    """See needs.TierClient. `silent`: it does not answer. `starts_checked` counts starts, each with what the disk held then."""

    def __init__(self, name: str, clock: FakeClock, *, reads_relocated: bool = False) -> None:
        self.name = name
        self.reads_relocated = reads_relocated
        self.silent = False
        self.held: dict[InfoHash, Held] = {}
        self.paths: PathMap[LocalPath] = PathMap(LocalPath)
        self.started: list[tuple[InfoHash, ClientPath, bool]] = []
        self.checks: list[tuple[InfoHash, ClientPath]] = []
        self.on_start = lambda _torrent: None
        self.hooks: tuple[Remark, ...] = ()
        self._clock = clock

    def add(self, metainfo: bytes, save_path: Path | str, **known) -> InfoHash:
        held = Held(metainfo, ClientPath(str(save_path)), **known)
        held.finished = held.finished or self._clock.now() - 100_000
        torrent = held.manifest.hashes.client_id
        self.held[torrent] = held
        return torrent

    # As the port

    def torrents(self) -> list[Torrent]:
        self._answer()
        return [self._listed(torrent, held) for torrent, held in self.held.items()]

    def get(self, torrent: InfoHash) -> Torrent | None:
        self._answer()
        held = self.held.get(torrent)
        return None if held is None else self._listed(torrent, held)

    def files(self, torrent: InfoHash) -> list[ClientFile]:
        held = self._of(torrent)
        return [
            ClientFile(file.index, str(path), file.size, 1.0, file.index not in held.unwanted)
            for file, path in zip(held.manifest.files, held.paths, strict=True)
        ]

    def files_of(self, torrents: Collection[InfoHash]) -> dict[InfoHash, list[ClientFile]]:
        self._answer()
        return {torrent: self.files(torrent) for torrent in torrents if torrent in self.held}

    def moving_hooks(self) -> tuple[Remark, ...]:
        self._answer()
        return self.hooks

    def metainfo(self, torrent: InfoHash) -> bytes:
        return self._of(torrent).metainfo

    def liveliness(self) -> dict[InfoHash, Liveliness]:
        self._answer()
        return {torrent: Liveliness(held.upload_rate, held.idle) for torrent, held in self.held.items()}

    def recheck(self, torrent: InfoHash) -> Ticket:
        held = self._of(torrent)
        self.checks.append((torrent, held.save_path))
        bad = Bitfield.full(held.manifest.piece_count).difference(self.good(torrent))
        held.missing = held.manifest.size_of(bad)
        if held.missing:
            held.running = False
        held.trouble = None
        return Ticket(self, torrent)

    def start(self, torrent: InfoHash) -> None:
        held = self._of(torrent)
        good = self.good(torrent).is_full()
        self.started.append((torrent, held.save_path, good))
        if not self._all_there(held):
            held.missing, held.running = held.manifest.total_size, False
            return
        held.running = True
        self.on_start(torrent)

    def stop(self, torrent: InfoHash) -> None:
        self._of(torrent).running = False

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        held = self._of(torrent)
        held.running = False
        held.save_path = save_path

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        held = self._of(torrent)
        held.saved = (held.save_path, held.running)
        return held.save_path

    def opened(self, torrent: InfoHash) -> list[ClientPath]:
        held = self._of(torrent)
        return [held.save_path / str(path) for path in held.paths]

    # For tests

    def good(self, torrent: InfoHash) -> Bitfield:
        """Which pieces are good at its save path, read from the disk now."""
        held = self.held[torrent]
        root = self.paths.to_host(held.save_path)
        files = LocalFileSystem(root, follow_symlinks=True)
        paths = held.paths
        wanted = Bitfield.full(held.manifest.piece_count)
        for file, path in zip(held.manifest.files, paths, strict=True):
            found = files.stat(path) if Path(str(root)).is_dir() else None
            if found is None or found.kind is not FileKind.FILE or found.size != file.size:
                for piece in held.manifest.pieces_of(file.index):
                    wanted.clear(piece)
        return read_back(held.manifest, files, paths, wanted, lambda _count: None)

    def seeds_good(self, torrent: InfoHash) -> bool:
        """Whether it seeds, and every piece at its place is good."""
        listed = self.get(torrent)
        return listed is not None and listed.state is TorrentState.SEEDING and self.good(torrent).is_full()

    def power_cut(self) -> None:
        """It starts again from what it has saved."""
        for held in self.held.values():
            held.save_path, held.running = held.saved
            if not self._all_there(held):
                held.missing, held.running = held.manifest.total_size, False

    def _all_there(self, held: Held) -> bool:
        root = Path(str(self.paths.to_host(held.save_path)))
        return all((root / str(path)).is_file() for path in held.paths)

    def _answer(self) -> None:
        if self.silent:
            raise Unreachable(f"{self.name} does not answer.", kept="Nothing was changed.", remedy="Start it.")

    def _of(self, torrent: InfoHash) -> Held:
        self._answer()
        if torrent not in self.held:
            raise TorrentGone(f"{self.name} does not list {torrent}.")
        return self.held[torrent]

    def _listed(self, torrent: InfoHash, held: Held) -> Torrent:
        state = TorrentState.SEEDING if held.running else TorrentState.STOPPED_COMPLETE
        if held.missing:
            state = TorrentState.STOPPED_INCOMPLETE
        state = held.trouble or state
        total = held.manifest.total_size
        unwanted = sum(held.manifest.files[index].size for index in held.unwanted)
        return Torrent(
            id=torrent,
            name=held.manifest.name,
            category=held.label,
            state=state,
            client_state=state.value,
            save_path=held.save_path,
            size=total - unwanted,
            total_size=total,
            amount_left=held.missing,
            progress=1.0,
            added_on=int(held.finished),
            completed_on=int(held.finished),
            seeding_time=held.seeding_time,
            ratio=held.ratio,
            uploaded=0,
            tags=held.tags,
        )


class Ticket:
    """A check that is seen to begin once, and then has ended."""

    def __init__(self, client: ReadingClient, torrent: InfoHash) -> None:
        self._client = client
        self._torrent = torrent
        self._polls = 0

    def poll(self, row: Torrent | None = None) -> RecheckProgress:
        assert row is None
        self._client._answer()
        self._polls += 1
        if self._polls == 1:
            return RecheckProgress(RecheckVerdict.CHECKING, 0.5, "checking")
        missing = self._client.held[self._torrent].missing
        return RecheckProgress(RecheckVerdict.BAD if missing else RecheckVerdict.GOOD, 1.0, "stopped")
