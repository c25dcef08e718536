"""What an account of a debrid service holds and can do, in words of no particular service."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from torrent_mover.domain.torrent.torrent import InfoHash


class DebridKind(Enum):
    """Which service an account is at."""

    REALDEBRID = "realdebrid"
    TORBOX = "torbox"
    ALLDEBRID = "alldebrid"
    PREMIUMIZE = "premiumize"


class Capability(Enum):
    """What an account can do beyond listing, adding and removing torrents."""

    SELECT = "select"  # files are chosen after the add; without it all of them are taken
    ADD_FILE = "add a .torrent"
    LINK_CHECK = "look whether a link is alive, without using traffic"
    TRAFFIC = "traffic may run out"
    ACTIVE_LIST = "list what is being downloaded, and nothing else"


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests that a service takes. `lists_a_minute`, `adds_an_hour`: limits that those calls have besides; None: none."""

    a_minute: int
    lists_a_minute: int | None = None
    adds_an_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an account can do, and how quickly it may be asked. `rows_a_page`: None where a list comes whole."""

    can: frozenset[Capability]
    rates: Rates
    rows_a_page: int | None = None


class Rank(IntEnum):
    """Whose request goes first where several wait for the limiter: the lowest."""

    BY_HAND = 0
    FINISHING = 1  # a repair that has begun
    SCAN = 2
    LINK_CHECK = 3


@dataclass(frozen=True, slots=True, order=True)
class RemoteId:
    """An entry of one account. It names the account, so that no id is ever sent to another service."""

    account: str
    text: str

    def __str__(self) -> str:
        return f"{self.account}:{self.text}"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a torrent. `path` has no slash at its beginning; `number` is the service's own, for `select`."""

    number: int
    path: str
    size: int
    selected: bool


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """What a file, or all of them packed into one, is fetched by. Whoever knows it can fetch it, so it is not shown.

    `key` names the same file in every answer, where the link itself may differ; blank: the link does.
    """

    account: str
    text: str = field(repr=False)
    key: str = field(default="", repr=False, compare=False)


class RemoteStatus(Enum):
    """What a service says of an entry."""

    CONVERTING = "converting"  # the magnet is being resolved
    MAGNET_ERROR = "magnet error"
    CHOOSING = "waiting for the choice of files"
    QUEUED = "queued"
    DOWNLOADING = "downloading"  # packing and uploading to the service's own hosts included
    DOWNLOADED = "downloaded"
    ERROR = "error"
    VIRUS = "virus"
    DEAD = "dead"  # nobody has it
    UNKNOWN = "unknown"  # a word that is not known here: nothing is decided by it

    @property
    def working(self) -> bool:
        """Whether the service has it under way, and takes a slot for it."""
        return self in (RemoteStatus.CONVERTING, RemoteStatus.QUEUED, RemoteStatus.DOWNLOADING)


@dataclass(frozen=True, slots=True)
class RemoteTorrent:
    """One entry of an account. Sizes in bytes, `progress` from 0 to 1, times in Unix seconds (None: not said).

    `hash` None: the service does not say it, and it cannot be known. `word` is its own status, for messages only. `name` is what it
    shows now, `original_name` the torrent's own where it says both. `size` is that of the selected files. `files` None: this
    answer has none, as in lists of most services; ask `info`. `links` follow the order of the selected files where there are as
    many; `links_told` False: this answer has none, whatever there are, as in lists of some services. `seeders` None: not said.
    """

    id: RemoteId
    hash: InfoHash | None
    name: str
    status: RemoteStatus
    word: str
    progress: float
    size: int
    added: float | None = None
    original_name: str = ""
    original_size: int | None = None
    files: tuple[RemoteFile, ...] | None = None
    links: tuple[RemoteLink, ...] = ()
    seeders: int | None = None
    links_told: bool = True

    @property
    def selected(self) -> tuple[RemoteFile, ...]:
        """The files that were chosen; empty where the files are not known."""
        return tuple(file for file in self.files or () if file.selected)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands. `premium_seconds`: until its premium ends, 0 where it has none; `slots` None: not limited or not said.

    `good` False: nothing that the account says counts; `trouble` says why in words. `parked_until` (Unix seconds): its traffic
    is used up until then; None: it is there.
    """

    user: str
    premium_seconds: float
    good: bool
    trouble: str = ""
    slots_used: int = 0
    slots: int | None = None
    parked_until: float | None = None

    @property
    def free_slots(self) -> int | None:
        """Adds that it takes now; None: not limited."""
        return None if self.slots is None else max(self.slots - self.slots_used, 0)


@dataclass(frozen=True, slots=True)
class ListCursor:
    """Where a page of the list begins: rows from the newest. Services that have no pages answer all rows to the first one."""

    offset: int = 0
    rows: int = 1000


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows of the list, newest first. `total` None: not said, so the list is not known to be whole; `next` None: the last page."""

    rows: tuple[RemoteTorrent, ...]
    total: int | None
    next: ListCursor | None


class Depth(Enum):
    """How a link is looked at."""

    GLANCE = "glance"  # uses no traffic, and can only acquit: it calls living links dead
    PROOF = "proof"  # the link is resolved, and what the service keeps of that is removed again


class LinkVerdict(Enum):
    """What a look at a link has shown."""

    ALIVE = "alive"
    DEAD = "dead"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """A look at one link. `name` and `size` of a living one, None where they are not said; `said` is the service's own word."""

    verdict: LinkVerdict
    name: str | None = None
    size: int | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """A removal was asked for, and answered. `was_there` False: the account had no such entry."""

    id: RemoteId
    was_there: bool
