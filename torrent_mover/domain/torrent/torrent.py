"""What clients know: torrents, their files, their states, in words of no particular client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.sharing import AS_CLIENT, ShareLimits

_HEX = re.compile(r"[0-9a-f]{40}")


class FilePriority(Enum):
    """How much a client wants a file of a torrent. Not every client has each of them: it takes the nearest one."""

    SKIP = "skip"  # not wanted
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    MAXIMUM = "maximum"

    @property
    def wanted(self) -> bool:
        """Whether the file is downloaded at all."""
        return self is not FilePriority.SKIP


USUAL_PRIORITY: Final = FilePriority.NORMAL
"""Of a file that is wanted and neither preferred nor put off."""


@dataclass(frozen=True, slots=True, order=True)
class InfoHash:
    """How a client names a torrent: 40 lower-case hex digits.

    The v1 infohash (BEP 3), or for v2 and hybrid torrents the first 40 digits of the v2 one (BEP 52). Exactly 40, so that
    no call can ever carry an empty or `all` hash.
    """

    hex: str

    def __post_init__(self) -> None:
        lowered = self.hex.lower()
        if not _HEX.fullmatch(lowered):
            raise ValueError(f"not an infohash: {self.hex!r}")
        object.__setattr__(self, "hex", lowered)

    def __hash__(self) -> int:
        """Of the digits alone: tables of tens of thousands of torrents ask for it all the time."""
        return hash(self.hex)

    @property
    def short(self) -> str:
        """The first eight digits, as logs show it."""
        return self.hex[:8]

    def __str__(self) -> str:
        return self.hex


class TorrentState(Enum):
    """A client's states, folded to what decisions need."""

    SEEDING = "seeding"  # complete, started, offered to the swarm (queued for upload included)
    STOPPED_COMPLETE = "stopped, complete"
    STOPPED_INCOMPLETE = "stopped, incomplete"
    DOWNLOADING = "downloading"
    CHECKING = "checking"
    MOVING = "moving"
    MISSING_FILES = "missing files"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Torrent:
    """One torrent as a client lists it. Sizes in bytes, times in Unix seconds, durations in seconds, limits in bytes/s.

    `client_state` is the client's own word, for messages only. `size` is the wanted bytes, `total_size` all of them.
    `limits` are the torrent's own, where its client knows any: else those that nothing can meet.
    `queued`: it is started and complete, and waits in the client's queue for its turn to seed: nobody is told that it is there.
    `content_path` is the folder or file that holds all of it, None where the client does not say (yet).
    """

    id: InfoHash
    name: str
    category: str
    state: TorrentState
    client_state: str
    save_path: ClientPath
    size: int
    total_size: int
    amount_left: int
    progress: float
    added_on: int
    completed_on: int
    seeding_time: int
    ratio: float
    uploaded: int
    tags: tuple[str, ...] = ()
    auto_managed: bool = False
    upload_limit: int = 0
    download_limit: int = 0
    limits: ShareLimits = AS_CLIENT
    sequential: bool = False
    first_last_piece_first: bool = False
    super_seeding: bool = False
    force_start: bool = False
    content_path: ClientPath | None = None
    downloaded: int = 0
    active_time: int = 0
    queued: bool = False

    @property
    def complete(self) -> bool:
        """All wanted bytes are there, and the client is not in the middle of finding out."""
        return self.amount_left == 0 and self.state in (TorrentState.SEEDING, TorrentState.STOPPED_COMPLETE)


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One file as the client lays it out: `path` is relative to the save path, `index` the client's own file number.

    Padding files are not listed; the order is the metainfo's. `pieces` (first, last) hold its bytes, None where the client
    does not say or there are none.
    """

    index: int
    path: str
    size: int
    progress: float
    wanted: bool
    priority: FilePriority = USUAL_PRIORITY
    pieces: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Tracker:
    """An announce URL (a secret: it may hold a passkey), its tier, and whether the client says that it works."""

    url: str
    tier: int
    working: bool
    message: str = ""

    def __repr__(self) -> str:
        return f"Tracker(tier={self.tier}, working={self.working})"


@dataclass(frozen=True, slots=True)
class PieceStates:
    """Which pieces the client says that it has: `have[i]` for piece i."""

    have: tuple[bool, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """Indices of the pieces that it does not have."""
        return tuple(index for index, has in enumerate(self.have) if not has)
