"""What the journal keeps for an account: its catalogue, repairs, attempts, scans, links set aside. Immutable rows, Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from torrent_mover.domain.debrid.account import RemoteStatus, RemoteTorrent
from torrent_mover.domain.debrid.wanted import WantedFile, WantedSet, selected_of
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.layouts import NamedEntry
from torrent_mover.duties.debrid.verdicts import Fault, fault_of

DUTY = "debrid"
"""Under which its records stand in the journal."""


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry of the account as it was last seen. `id` without the account's name.

    `files`: those that are selected, empty where they were never asked; `files_at`: when they were. `links`: how many it had.
    `packed`: they come as one archive; `loose_at`: since when its one link is known to be a file, no archive. `well_at`: when its
    links were last found well; `gone_at`: since when the account lists it no longer, 0: it does.
    `unsaid_at`: when the service last could not say of its links whether they live.
    """

    id: str
    hash: InfoHash
    name: str
    original: str
    status: str
    size: int
    added: float
    seen_at: float
    files: tuple[WantedFile, ...] = ()
    files_at: float = 0.0
    links: int = 0
    packed: bool = False
    well_at: float = 0.0
    gone_at: float = 0.0
    loose_at: float = 0.0
    unsaid_at: float = 0.0

    @property
    def there(self) -> bool:
        """Whether the account still lists it."""
        return not self.gone_at

    @property
    def wanted(self) -> WantedSet:
        """The files that were selected."""
        return frozenset(self.files)

    @property
    def unclear(self) -> bool:
        """Whether its one link, for several files, may be an archive of all of them: nobody has asked for its name yet."""
        return self.links == 1 < len(self.files) and not self.packed and not self.loose_at

    def fault(self, now: float) -> Fault | None:
        """What the account says is wrong with it."""
        status, whole = RemoteStatus(self.status), self.packed or self.unclear
        return fault_of(status, self.added, now, links=self.links, files=len(self.files), packed=whole)

    @property
    def named(self) -> NamedEntry:
        """What mounts may call it."""
        names = frozenset(file.path.rpartition("/")[2] for file in self.files)
        return NamedEntry(self.hash, self.name, self.original or self.name, names)


def known_entry(torrent: RemoteTorrent, before: KnownEntry | None, now: float) -> KnownEntry | None:
    """What is now known of an entry; None where the service does not say its infohash."""
    if torrent.hash is None:
        return None
    files = tuple(sorted(selected_of(torrent)))
    asked = torrent.files is not None
    kept = before if before is not None and before.hash == torrent.hash else None
    # A list without links says nothing of them: taken as none, each whole entry would be half dead.
    links = len(torrent.links) if torrent.links_told else kept.links if kept else 0
    return KnownEntry(
        id=torrent.id.text,
        hash=torrent.hash,
        name=torrent.name,
        original=torrent.original_name or (kept.original if kept else ""),
        status=torrent.status.value,
        size=torrent.size or (kept.size if kept else 0),
        added=torrent.added or 0.0,
        seen_at=now,
        # An entry that no longer says its files (magnet_error) keeps those that it had.
        files=files or (kept.files if kept else ()),
        files_at=now if asked else (kept.files_at if kept else 0.0),
        links=links,
        packed=kept.packed if kept else False,
        # A link less than before: what was found well then says nothing of now.
        well_at=kept.well_at if kept and links >= kept.links else 0.0,
        loose_at=kept.loose_at if kept and links == kept.links else 0.0,
        unsaid_at=kept.unsaid_at if kept else 0.0,
    )


class RepairStage(Enum):
    """How far a repair is. Each is written down before what it does."""

    PLANNED = "planned"
    ADDING = "adding"
    LISTING = "listing"
    SELECTING = "selecting"
    WAITING = "waiting"
    PROVING = "proving"
    SWAPPING = "swapping"
    SETTLING = "settling"
    ENDED = "ended"


class RepairEnd(Enum):
    """How a repair ended. In all but REPAIRED, the old entry stays."""

    OPEN = "open"
    REPAIRED = "repaired"
    PARKED = "parked"
    RETRY = "retry"
    REFUSED = "refused"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """One repair. `old_id` blank: the entry has vanished. `new_id` blank: not added yet, or its answer was not heard.

    `wanted` empty: nobody knows which files were selected. `known_before`: the entries of this hash when it was planned.
    `adopted`: the new entry may be somebody else's, so it is never removed as ours; `in_place`: the old entry itself is made to
    work, and nothing is added. `listed_at`, `moved_at`: since when files are waited for, and when it last made progress.
    `swapped`: the removal of the old entry was certified. `links`: broken links on disk. `slow`: how often the service answered too
    slowly to prove it; `sound_at`: since when the mounts of the links that are left have been found sound, 0: they were not.
    """

    hash: InfoHash
    name: str
    fault: Fault
    stage: RepairStage
    began_at: float
    changed_at: float
    old_id: str
    wanted: tuple[WantedFile, ...]
    known_before: tuple[str, ...] = ()
    new_id: str = ""
    adopted: bool = False
    in_place: bool = False
    by_hand: bool = False
    listed_at: float = 0.0
    moved_at: float = 0.0
    progress: float = 0.0
    swapped: bool = False
    end: RepairEnd = RepairEnd.OPEN
    trouble: str = ""
    links: tuple[str, ...] = ()
    account: str = ""
    slow: int = 0
    sound_at: float = 0.0

    @property
    def wanted_set(self) -> WantedSet:
        """The files that the new entry must hold."""
        return frozenset(self.wanted)

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.end is RepairEnd.OPEN


@dataclass(frozen=True, slots=True)
class DebridAttempt:
    """Something that was asked of the service for a torrent, or was done to it. `took` in seconds."""

    at: float
    hash: InfoHash
    name: str
    what: str
    answer: str
    took: float = 0.0


class ScanMode(Enum):
    """What is looked at."""

    QUICK = "quick"
    FULL = "full"
    SYMLINKS = "symlinks"
    LINKS = "links"


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """The last scan of a mode. `began_at`: of this pass; `offset`, `rows`: where it goes on, in pages of so many rows.

    `done_at` 0: none was ever completed. `total`: what the account said last; `nameless`: ids whose infohash it does not say.
    """

    mode: ScanMode
    began_at: float = 0.0
    done_at: float = 0.0
    offset: int = 0
    rows: int = 1000
    total: int = 0
    nameless: tuple[str, ...] = ()
    took: float = 0.0

    @property
    def under_way(self) -> bool:
        """Whether it was begun and not completed."""
        return self.began_at > self.done_at


class LinkState(Enum):
    """What is known of a link on disk that does not lead anywhere."""

    BROKEN = "broken"
    STALE = "stale mount"
    AMBIGUOUS = "ambiguous"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link in scope whose target is not there. `hash` blank: it leads to no torrent, or to several."""

    path: str
    target: str
    mount: str
    state: LinkState
    hash: str
    at: float


@dataclass(frozen=True, slots=True)
class QuarantinedLink:
    """A link that was set aside: `path` where it was, `target` what it said, `place` where it lies now."""

    id: str
    path: str
    target: str
    place: str
    hash: str
    reason: str
    at: float
    restored_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Wave:
    """Something that hit many at once, until a person accepts the number. `accepted`: for the next run; `told`: it was told."""

    what: str
    number: int
    hashes: tuple[str, ...]
    at: float
    accepted: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class MountMeasure:
    """What the last sound look at a mount found: how many entries, and some of their names."""

    path: str
    entries: int
    sample: tuple[str, ...]
    at: float


class EscalationStage(Enum):
    """How far the search for another release is. Each is written down before what it does."""

    NOTED = "noted"
    SET_ASIDE = "set aside"
    FILE_GONE = "file taken out"
    BLOCKED = "blocked"
    SEARCHED = "searched"
    REMOVED = "removed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class EscalationRecord:
    """A torrent for which an Arr is to bring another release: what is needed to go on after any failure.

    `link`: the link on disk, `target`: what it said; `media`: what it holds, `monitored`: those of it that the Arr watched; `file`
    and `grab`: the Arr's own numbers, of the file and of the event by which it grabbed the torrent, 0: it never did.
    """

    hash: InfoHash
    name: str
    arr: str
    link: str
    file: int
    media: tuple[int, ...]
    monitored: tuple[int, ...]
    stage: EscalationStage
    at: float
    changed_at: float
    trouble: str = ""
    searches: bool = False
    target: str = ""
    grab: int = 0

    @property
    def under_way(self) -> bool:
        """Whether it goes on by itself."""
        return self.stage not in (EscalationStage.SEARCHED, EscalationStage.REMOVED, EscalationStage.ENDED)


@dataclass(frozen=True, slots=True)
class Metric:
    """One number, as it is written to JSONL. `tags` are names and texts."""

    at: float
    type: str
    name: str
    value: float
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ControlLink:
    """A link that was proven to live: the entry, and the place of its file. It tells a dead link from a service that lies."""

    id: str
    file: str
    at: float


@dataclass(frozen=True, slots=True)
class LinkCheckBudget:
    """How many links were asked about since `since`."""

    since: float = 0.0
    used: int = 0


@dataclass(frozen=True, slots=True)
class AccountNote:
    """What is remembered of the account between runs. `entries`: its last sound count; `told`: which notices were sent.

    `acted_at`: when all that is refused was last acted on: what was refused since counts as a wave; 0: never. `accepted_at`: when
    a run ended for which a person had accepted a wave of refusals. Unix seconds.
    """

    entries: int = 0
    told: tuple[str, ...] = ()
    good_at: float = 0.0
    premium_seconds: float = 0.0
    slots_used: int = 0
    purged_at: float = 0.0
    backed_up_at: float = 0.0
    ran_at: float = 0.0
    doing: str = ""
    budget: LinkCheckBudget = field(default_factory=LinkCheckBudget)
    slots: int | None = None
    acted_at: float = 0.0
    accepted_at: float = 0.0
