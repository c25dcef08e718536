"""What is written down of searches: wishes, searches that were asked for, quality profiles that are changed for a while."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.torrent.torrent import InfoHash


class SearchReason(Enum):
    """Why something is searched for; what comes first, goes first."""

    REPLACEMENT = "replacement"
    REQUEST = "request"
    TODAY = "today"
    MISSING = "missing"
    CUTOFF = "cutoff"


class SearchState(Enum):
    """How far a search is. ASKED is written before the Arr is asked, so that a kill in between is seen."""

    ASKED = "asked"
    ACTIVE = "active"
    DONE = "done"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SearchWish:
    """A replacement that is to be searched for. `at` in Unix seconds."""

    torrent: InfoHash
    media: tuple[int, ...]
    why: str
    at: float

    @property
    def key(self) -> str:
        """The same wish twice has the same one."""
        return f"{self.torrent.hex}:{','.join(map(str, self.media))}"


@dataclass(frozen=True, slots=True)
class SearchTask:
    """Something to be searched for now. `season`: (series, season) where it is a whole season, with its `media`."""

    reason: SearchReason
    media: tuple[int, ...]
    title: str
    owner: int = 0
    season: tuple[int, int] | None = None
    torrent: InfoHash | None = None
    wish: str = ""


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """A search that was asked for. `at` in Unix seconds; `command`: the Arr's number, 0 before it has answered.

    `after`: the highest number of a command before it.
    """

    number: int
    task: SearchTask
    at: float
    state: SearchState = SearchState.ASKED
    command: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A quality profile that was changed for a while. `old` and `fallback` are numbers of the Arr; `until` in Unix seconds."""

    owner: int
    title: str
    old: int
    fallback: int
    until: float
    media: tuple[int, ...] = ()
