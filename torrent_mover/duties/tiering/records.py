"""What the journal keeps for a tier: copies, evictions, what is set aside, signs of life. Immutable rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.picture import CopyProof, FileStamp, LinkFound, NameFound, TorrentKey
from torrent_mover.duties.tiering.stages import AsideStage, CopyStage, EvictionStage


@dataclass(frozen=True, slots=True)
class CopyRecord:
    """One copy, under way or done. `root` and `folder` say where it lies, or will: None until it is reserved.

    `bad`: why it counts no longer (an eviction's check found bad pieces); blank: it counts. `evicted_at`: since then the
    client uses it (Unix seconds, 0: it does not); `ran`: the torrent seeded then. Before `rest_until` (Unix seconds) it is not
    evicted: it came back from an eviction. `former`: how it was proven before, where its names may have to go still.
    """

    client: str
    torrent: InfoHash
    name: str
    stage: CopyStage
    changed_at: float
    root: LocalPath | None = None
    folder: RelativePath | None = None
    proof: CopyProof | None = None
    bad: str = ""
    evicted_at: float = 0.0
    ran: bool = False
    rest_until: float = 0.0
    former: CopyProof | None = None

    @property
    def key(self) -> TorrentKey:
        """Which torrent of which client."""
        return self.client, self.torrent

    @property
    def lies(self) -> CopyProof | None:
        """How its files were when they were proven last, whether or not they count now; None: they never were."""
        return self.proof or self.former

    @property
    def counts(self) -> bool:
        """Whether it is a proven copy that is not marked."""
        return self.stage.counts and self.proof is not None and not self.bad


@dataclass(frozen=True, slots=True)
class EvictionMember:
    """One torrent of an eviction. `from_path` and `to_path` as its client sees them; `ran`: it was started at the beginning.

    `missing_since` (Unix seconds, 0: it is listed): when a look first found that its client does not list it.
    """

    client: str
    torrent: InfoHash
    name: str
    from_path: ClientPath
    to_path: ClientPath
    ran: bool
    missing_since: float = 0.0

    @property
    def key(self) -> TorrentKey:
        """Which torrent of which client."""
        return self.client, self.torrent


@dataclass(frozen=True, slots=True)
class EvictionRecord:
    """One eviction of a group, named by the torrent that was its first member when it began.

    `names` are the torrents' names on the SSD that go, `media` those below link roots, both as they were found; `links` are
    symbolic links that lead nowhere then, and go last. `why` says why it was chosen; `trouble` is what went wrong last, for
    people; before `rest_until` (Unix seconds) it is left alone.
    """

    client: str
    torrent: InfoHash
    members: tuple[EvictionMember, ...]
    stage: EvictionStage
    changed_at: float
    why: str
    names: tuple[NameFound, ...] = ()
    media: tuple[NameFound, ...] = ()
    trouble: str = ""
    rest_until: float = 0.0
    links: tuple[LinkFound, ...] = ()

    @property
    def linked(self) -> tuple[NameFound, ...]:
        """What its files are called below link roots by symbolic links, as names of those files."""
        return tuple(
            replace(
                name, path=link.path / str(name.real.relative_to(link.real)) if name.real != link.real else link.path
            )
            for link in self.links
            if link.again
            for name in (*self.names, *self.media)
            if name.real.is_within(link.real)
        )

    @property
    def key(self) -> TorrentKey:
        """What it is called by. The infohash also names the folder of what is set aside."""
        return self.client, self.torrent

    @property
    def title(self) -> str:
        """The name of its first torrent, for messages."""
        return self.members[0].name


@dataclass(frozen=True, slots=True)
class AsideRecord:
    """A copy whose torrent has left its client, and whose files a person had set aside in quarantine.

    `folder` holds them, below the target `root`; `copy` is the record that the copy had, with the proof that names them. `size`
    in bytes, `at` in Unix seconds.
    """

    copy: CopyRecord
    root: LocalPath
    folder: RelativePath
    stage: AsideStage
    at: float
    size: int

    @property
    def key(self) -> TorrentKey:
        """Which torrent of which client."""
        return self.copy.key

    @property
    def place(self) -> LocalPath:
        """The folder in quarantine, as we see it: each time that a torrent's copy is set aside it has another one."""
        return self.root / self.folder

    @property
    def names(self) -> tuple[tuple[RelativePath, RelativePath, FileStamp], ...]:
        """Of each file: its name as a copy, its name in quarantine, and how it was proven."""
        lies = self.copy.lies
        if lies is None:
            return ()
        return tuple(
            (own, self.folder / RelativePath.parse(stamp.path), stamp)
            for own, stamp in zip(lies.paths, lies.copies, strict=True)
        )


class TierEnd(Enum):
    """How something ended, for the history."""

    COPIED = "copied"
    EVICTED = "evicted"
    RETURNED = "back on the SSD"
    FAILED = "failed"
    HEALED = "started again"
    SET_ASIDE = "set aside"
    PUT_BACK = "put back"


@dataclass(frozen=True, slots=True)
class TierHistoryEntry:
    """Something that ended. Unix seconds, bytes; `took` in seconds."""

    at: float
    client: str
    torrent: InfoHash
    name: str
    end: TierEnd
    size: int
    took: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The worker's last sign, and its last answers, for those that only look. Unix seconds; blank texts: nothing is wrong.

    `ended_at`: when its last round ended; `client_at`: when the client last answered; `copies_at`:
    when all copies were last looked for; `spaces`: a line about each SSD. `left` copies, which take `left_bytes`, lay on the
    targets at `left_at` (0: nobody has looked), of `left_of` whose torrents had left their client.
    """

    pid: int
    since: float
    at: float
    doing: str = ""
    ended_at: float = 0.0
    client_at: float = 0.0
    copies_at: float = 0.0
    client_trouble: str = ""
    root_trouble: str = ""
    low_space: str = ""
    arr_trouble: str = ""
    spaces: tuple[str, ...] = ()
    left: int = 0
    left_bytes: int = 0
    left_of: int = 0
    left_at: float = 0.0
