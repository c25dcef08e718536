"""What an Arr tells: its queue, its history, its clients and mappings, its commands. In words of no particular Arr."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.torrent.torrent import InfoHash


@dataclass(frozen=True, slots=True)
class ArrInfo:
    """What an Arr says of itself. `url_base` is the path that it lives below, blank for none.

    `has_all_imported`: its history says in an event of its own that all of a download is imported; a file that is imported
    then proves little. `has_seasons`: it can search for a whole season.
    """

    product: str
    version: str
    url_base: str = ""
    has_all_imported: bool = False
    has_seasons: bool = False


class EventKind(Enum):
    """Kinds of history events, as far as decisions need them."""

    GRABBED = "grabbed"
    FILE_IMPORTED = "file imported"
    ALL_IMPORTED = "all imported"
    FAILED = "failed"
    IGNORED = "ignored"
    OTHER = "other"


Revision = tuple[int, int]
"""How often a release was made anew, as Arrs count it: REAL, then PROPER and REPACK; the first one is (0, 1). Larger is better."""


@dataclass(frozen=True, slots=True)
class MediaEvent:
    """One event of an Arr's history. `word` is the Arr's own; `at` in Unix seconds.

    `media`: the episode, movie, album or book; None where the Arr names none. `dropped_path`: the file that it was imported
    from, as the Arr sees it; None where it does not say. `number` is the event's own id. `file`: the one of the library that it was
    imported as. `score`, `quality` and `revision` are those of the release, by the Arr.
    `chosen`: a person has chosen that release.
    """

    number: int
    kind: EventKind
    word: str
    at: float
    media: int | None
    torrent: InfoHash | None = None
    dropped_path: ArrPath | None = None
    file: int | None = None
    score: int | None = None
    quality: str = ""
    revision: Revision | None = None
    chosen: bool = False


class QueueState(Enum):
    """How far an Arr is with a download. OTHER: a word that we do not know, which is never guessed."""

    DOWNLOADING = "downloading"
    PENDING = "import pending"
    BLOCKED = "import blocked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"
    IGNORED = "ignored"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One line of an Arr's queue: a season pack has one for each episode, all with the same torrent.

    `word` is the Arr's own for the state. `messages` are the sentences beside it, which no Arr translates. `output_path`: where
    the Arr believes the data.
    """

    number: int
    state: QueueState
    word: str
    title: str
    torrent: InfoHash | None
    media: int | None
    client: str = ""
    messages: tuple[str, ...] = ()
    output_path: ArrPath | None = None


@dataclass(frozen=True, slots=True)
class ArrClient:
    """A torrent client as an Arr has it in its settings. `host` as written there; `category` blank for none.

    `removes_completed` and `removes_failed`: the Arr removes such torrents from the client, with their data.
    """

    name: str
    program: str
    host: str
    port: int | None
    category: str
    enabled: bool
    removes_completed: bool
    removes_failed: bool


@dataclass(frozen=True, slots=True)
class RemoteMapping:
    """One of an Arr's remote path mappings: what `host` calls `remote`, the Arr sees as `local`. Both end in no slash."""

    host: str
    remote: str
    local: ArrPath


@dataclass(frozen=True, slots=True)
class DownloadPolicy:
    """What an Arr does by itself: look after finished downloads, and search again after one failed.

    `searches_for_persons`: also where a person had chosen the release; that comes after `searches_after_failure`.
    """

    handles_completed: bool
    searches_after_failure: bool
    searches_for_persons: bool = True

    def searches_after(self, grabs: Iterable[MediaEvent]) -> bool:
        """Whether it searches again where what it grabbed by these has failed."""
        chosen = any(grab.chosen for grab in grabs)
        return self.searches_after_failure and (self.searches_for_persons or not chosen)


class CommandStatus(Enum):
    """How a command that an Arr was given stands. LOST: it ended without an outcome (restart, cancelled, forgotten)."""

    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class ArrCommand:
    """A command as an Arr shows it. `word` is its own for the status.

    `brought_something`: the Arr says that it was successful; None where it does not say. Even so it proves nothing.
    `path` and `torrent`: what a scan was about; `media`: what a search was about. `trouble`: the exception, for people.
    """

    number: int
    name: str
    status: CommandStatus
    word: str
    brought_something: bool | None = None
    path: ArrPath | None = None
    torrent: InfoHash | None = None
    trouble: str = ""
    media: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that an Arr would not import by itself, and why."""

    name: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file of an Arr's library, by the Arr's own number. `media`: what it holds; `monitored`: those of it that the Arr watches.

    `torrents`: those from which the history says that this very file was imported.
    """

    number: int
    path: ArrPath
    media: tuple[int, ...]
    monitored: tuple[int, ...]
    torrents: frozenset[InfoHash]


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What an Arr knows of one episode or movie. `exists` False: it has none of that number any more, and nothing else is known.

    `airs_at`: the earliest date, in Unix seconds; None: not told. `monitored`: with its series. `file`: None where the library has
    none; `score`, `quality` and `revision` are those of that file, None and blank where not told. `profile`: of qualities.
    """

    media: int
    exists: bool
    title: str = ""
    airs_at: float | None = None
    monitored: bool | None = None
    file: int | None = None
    score: int | None = None
    quality: str = ""
    profile: int | None = None
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class WantedMedia:
    """Something that an Arr misses, or wants in a better quality. `searched_at` in Unix seconds; None: never, or not told.

    `owner`: the series, movie, artist or author that it belongs to, 0 where not told; `season` of an episode. `airs_at` in Unix
    seconds. `tmdb` and `tvdb`: of the movie, or of the whole series.
    """

    media: int
    title: str
    monitored: bool
    searched_at: float | None
    owner: int = 0
    season: int | None = None
    airs_at: float | None = None
    year: int | None = None
    tmdb: int | None = None
    tvdb: int | None = None


@dataclass(frozen=True, slots=True)
class ArrAlarm:
    """A line of an Arr's health page. `source` names the check and is never translated; `is_error` says how bad it is."""

    source: str
    is_error: bool
    message: str
