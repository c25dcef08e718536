"""What a tier needs from the rest of the program: protocols, and the bundle of all of them that its stories are given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from torrent_mover.domain.paths import ClientPath, LocalPath, PathMap, RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.duties.tiering.certificate import EvictionCertificate
from torrent_mover.duties.tiering.errors import TierRefused
from torrent_mover.duties.tiering.missing import MissingTorrent
from torrent_mover.duties.tiering.picture import Identity, LinkFound, NameFound, TorrentKey
from torrent_mover.duties.tiering.queue_entry import QueueEntry
from torrent_mover.duties.tiering.records import AsideRecord, CopyRecord, EvictionRecord, Heartbeat, TierHistoryEntry
from torrent_mover.duties.tiering.roots import RootFound, RootMark
from torrent_mover.duties.tiering.settings import TierSettings
from torrent_mover.ports.client import RecheckTicket
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.roles import Remark


@dataclass(frozen=True, slots=True)
class Liveliness:
    """How busy a torrent is: bytes a second that it uploads, and seconds since anybody moved a byte of it."""

    upload_rate: int
    idle: float


class TierClient(Protocol):
    """A torrent client, as far as a tier uses it. Errors as in ports.client.TorrentClient: none ever means "not there"."""

    @property
    def name(self) -> str:
        """How messages call it."""

    @property
    def reads_relocated(self) -> bool:
        """Whether it reads a torrent's data by itself after each relocation (qBittorrent does)."""

    def torrents(self) -> Sequence[Torrent]:
        """All torrents. An error is raised, never an empty list."""

    def get(self, torrent: InfoHash) -> Torrent | None:
        """One torrent; None: the client answered properly and does not list it."""

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """Its files in metainfo order, without padding files."""

    def files_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[ClientFile]]:
        """The same of those whose files it can tell by few questions; the others are left out, and asked about one by one."""

    def metainfo(self, torrent: InfoHash) -> bytes:
        """The .torrent."""

    def liveliness(self) -> Mapping[InfoHash, Liveliness]:
        """How busy each torrent is; one that is not in it counts as neither busy nor idle."""

    def recheck(self, torrent: InfoHash) -> RecheckTicket:
        """Ask for a full check of the data on disk."""

    def start(self, torrent: InfoHash) -> None:
        """Let it seed."""

    def stop(self, torrent: InfoHash) -> None:
        """Pause it."""

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        """Use the files that lie ready there: moves no data, closes all files, and leaves the torrent stopped."""

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        """See that a power cut does not undo its place; the save path that its saved state names, None where that is unknown."""

    def opened(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """The real paths of its files."""

    def moving_hooks(self) -> Sequence[Remark]:
        """What in its own configuration moves the data of torrents by itself."""


@dataclass(frozen=True, slots=True)
class TieredClient:
    """A client and how its paths are ours."""

    client: TierClient
    paths: PathMap[LocalPath]


class TierDisk(Protocol):
    """One root of a tier: a folder of the SSD, or of a target. Paths are below it. Raises NotWritable, StorageAway."""

    @property
    def root(self) -> LocalPath:
        """The folder."""

    @property
    def files(self) -> FileSystem:
        """The file system below it. On the SSD, reading follows symbolic links below the root; changes never do."""

    def look(self) -> RootFound:
        """Whether it is there, and which one it is."""

    def write_id(self, data: bytes) -> None:
        """Make the identity file, never replacing one, and sync it."""

    def find(self, paths: Sequence[RelativePath]) -> Sequence[NameFound | None]:
        """Regular files, symbolic links followed; None: surely no regular file there."""

    def linked_names(self, folder: RelativePath) -> Mapping[Identity, tuple[LocalPath, ...]]:
        """Real names of the regular files below a folder that have more than one name, by file."""

    def links(self) -> Sequence[LinkFound]:
        """All symbolic links below the root that lead somewhere; what is ours is left out."""

    def led_here(self, paths: Sequence[LocalPath]) -> Mapping[LocalPath, LocalPath]:
        """Of paths anywhere on this machine, those that lead below the root by a symbolic link, and where to."""

    def lead_to(self, paths: Sequence[LocalPath]) -> Mapping[LocalPath, Identity]:
        """Of paths anywhere on this machine, the files that they lead to, links followed; those that lead to none are left out.

        Raises SourceUnreadable where that cannot be seen.
        """

    def remove_dangling(self, path: RelativePath, text: str) -> None:
        """Remove a symbolic link that leads nowhere, where `text` stands in it; anything else is left."""

    def set_times(self, times: Iterable[tuple[RelativePath, int]]) -> None:
        """Set the times of change of files of ours, in nanoseconds since 1970."""

    def drop_cache(self, paths: Sequence[RelativePath]) -> None:
        """Have the next reading of these files come from the disk, as far as the system can."""

    def settle(self) -> None:
        """Bring deletions to the disk, so that its free space is the true one."""


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """The bytes of one torrent, from the SSD into staging on a target.

    Paths are in the manifest's order. `present`: indices of files that lie complete in staging already (hard links), which
    must not be written. `progress` gets the bytes of each chunk, and may raise to end it.
    """

    torrent: InfoHash
    manifest: Manifest
    source: TierDisk
    source_paths: tuple[RelativePath, ...]
    target: TierDisk
    target_paths: tuple[RelativePath, ...]
    present: frozenset[int]
    progress: Callable[[int], None]


class CopiesBytes(Protocol):
    """Brings bytes from one disk to another: hashed on the way, sparse, limited in its rate, idle in its I/O class."""

    def bring(self, order: CopyOrder) -> Bitfield:
        """Write all files but the present ones; the pieces whose hash was good on the way, or in what lay there already.

        Goes on from what an earlier try left. Raises TransferError, DiskFull, NotWritable, SourceCorrupt, Cancelled.
        """


class TierLeases(Protocol):
    """One lease a torrent, for all duties and processes; and one a file of the SSD that a copy is made of."""

    def hold(self, keys: Sequence[TorrentKey]) -> AbstractContextManager[None]:
        """Hold all of these or none. Raises TransferError, to be tried again, where somebody has one."""

    def held(self, key: TorrentKey) -> bool:
        """Whether somebody has it now."""

    def hold_files(self, files: Collection[Identity]) -> AbstractContextManager[None]:
        """Hold all of these files or none, against all other copies. Entering raises TransferError where one is held."""


class TellsArrs(Protocol):
    """Tells media managers of copies."""

    def tell(self, torrent: InfoHash, label: str, path: LocalPath, name: str) -> None:
        """Have those that fit the label scan `path`: the file itself, or the torrent's folder. Raises MoverError."""


class TierJournal(Protocol):
    """What is known of one tier. Every write is on stable storage when it returns. Safe from any thread."""

    def queue(self) -> Sequence[QueueEntry]:
        """All that waits."""

    def enqueue(self, entry: QueueEntry) -> bool:
        """Add it; False where that torrent waits already: it keeps its place."""

    def save_entry(self, entry: QueueEntry) -> None:
        """Write an entry that is there again, with its tries."""

    def drop(self, key: TorrentKey) -> None:
        """Take it out of the queue; a missing one is fine."""

    def copies(self) -> Sequence[CopyRecord]:
        """All copies, under way and done."""

    def copy(self, key: TorrentKey) -> CopyRecord | None:
        """One of them."""

    def save_copy(self, record: CopyRecord) -> None:
        """Write it."""

    def forget_copy(self, key: TorrentKey) -> None:
        """Drop it."""

    def missing(self) -> Sequence[MissingTorrent]:
        """Torrents with copies that their clients do not list, as the last look found them."""

    def save_missing(self, rows: Sequence[MissingTorrent]) -> None:
        """Write them, in place of those before."""

    def set_aside(self) -> Sequence[AsideRecord]:
        """Copies that were set aside, or are on their way there or back."""

    def save_aside(self, record: AsideRecord) -> None:
        """Write it, by its place."""

    def forget_aside(self, place: LocalPath) -> None:
        """Drop it: it is back, or somebody has emptied that place."""

    def evictions(self) -> Sequence[EvictionRecord]:
        """Evictions that have begun and not ended."""

    def save_eviction(self, record: EvictionRecord) -> None:
        """Write it, by its key."""

    def forget_eviction(self, key: TorrentKey) -> None:
        """Drop it: it has ended."""

    def save_certificate(self, certificate: EvictionCertificate, at: float) -> None:
        """Write down every item of the gate (Unix seconds `at`) before a name goes."""

    def add_history(self, entry: TierHistoryEntry) -> None:
        """Write something that ended."""

    def roots(self) -> Sequence[RootMark]:
        """What is remembered of the roots."""

    def save_root(self, mark: RootMark) -> None:
        """Write one, by its path."""

    def pins(self) -> frozenset[InfoHash]:
        """Torrents that a person has pinned."""

    def pin(self, torrent: InfoHash, *, on: bool) -> None:
        """Pin it, or no longer."""

    def requested_at(self) -> float:
        """When somebody last asked for a round (Unix seconds); 0: never."""

    def request(self, at: float) -> None:
        """Ask the worker for a round."""

    def heartbeat(self) -> Heartbeat | None:
        """The worker's last sign."""

    def paused(self) -> bool:
        """Whether a person has paused the worker that stays: it gives no sign then, and is well."""

    def save_paused(self, *, paused: bool) -> None:
        """Write down that it is paused, or goes on."""

    def save_heartbeat(self, beat: Heartbeat) -> None:
        """Write it. Need not be durable at once."""


Say = Callable[[TorrentKey | None, str], None]
"""Takes a line for people, and which torrent it is about."""


Progress = Callable[[TorrentKey, str, int, int], None]
"""Hears of a torrent how many bytes are done, and of how many, at the stage of that name. Called for each chunk: it is quick."""


def untold(_key: TorrentKey, _stage: str, _done: int, _total: int) -> None:
    """Nobody looks on."""


Held = Callable[[InfoHash, str], str]
"""Which Arr has not imported a torrent with a label yet, in words; blank: none."""


def no_other_tier() -> Sequence[CopyRecord]:
    """There is no tier but this one."""
    return ()


def held_by_nobody(_torrent: InfoHash, _label: str) -> str:
    """There is no Arr."""
    return ""


@dataclass(frozen=True, slots=True)
class CheckPatience:
    """Seconds that a client's check may take without growing, and be in a wrong state, before it counts as stuck."""

    stuck: float = 120.0
    wrong: float = 15.0


@dataclass(frozen=True, slots=True)
class TierWorld:
    """All that the stories of one tier work with. `clients` are all that are configured, by name."""

    name: str
    settings: TierSettings
    clients: Mapping[str, TieredClient]
    ssds: tuple[TierDisk, ...]
    targets: tuple[TierDisk, ...]
    journal: TierJournal
    leases: TierLeases
    bytes: CopiesBytes
    arrs: TellsArrs
    clock: Clock
    say: Say
    patience: CheckPatience = CheckPatience()
    progress: Progress = untold
    held: Held = held_by_nobody
    other_names: Mapping[str, str] = field(default_factory=dict)
    """Further names that the config has for one of `clients`: the journal may know torrents by them."""
    other_copies: Callable[[], Sequence[CopyRecord]] = no_other_tier
    """The copies of the other tiers of the config: their targets may be the same folders."""
    alarm: Say | None = None
    """Takes a line that somebody should be told of, wherever they are; None: it is a line as any other."""

    def warn(self, key: TorrentKey | None, text: str) -> None:
        """Say what is wrong and may need somebody."""
        (self.alarm or self.say)(key, text)

    @property
    def disks(self) -> tuple[TierDisk, ...]:
        """Every root."""
        return (*self.ssds, *self.targets)

    def disk(self, root: LocalPath) -> TierDisk:
        """The disk with this root. Raises TierRefused where the tier does not have it any more."""
        for disk in self.disks:
            if disk.root == root:
                return disk
        raise TierRefused(
            f"The tier {self.name} no longer has {root}.",
            kept="What lies there is left as it is.",
            remedy=f"Name {root} again in ssd or targets of the tier.",
        )

    def knows(self, name: str) -> bool:
        """Whether a client has this name, or had it before another one."""
        return self.other_names.get(name, name) in self.clients

    def client(self, name: str) -> TieredClient:
        """The client of this name. Raises TierRefused where it is not configured any more."""
        if self.knows(name):
            return self.clients[self.other_names.get(name, name)]
        raise TierRefused(
            f"There is no client {name} any more.",
            kept="Its torrents and their copies are left as they are.",
            remedy=f"Add a section [CLIENT {name}].",
        )
