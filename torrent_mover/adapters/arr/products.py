"""In what the Arrs differ: paths, command names, words of events and states, versions. A new one is one more line.

Sources: Sonarr 4.0.19, Radarr 6, Lidarr 2.14, Readarr 0.3, Whisparr 2 and 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.arrs.media import CommandStatus, EventKind, QueueState

Version = tuple[int, ...]

_VERSION: Final = re.compile(r"\d+(?:\.\d+)*")

_EVENTS: Final = {
    "grabbed": EventKind.GRABBED,
    "downloadFolderImported": EventKind.FILE_IMPORTED,
    "downloadFailed": EventKind.FAILED,
    "downloadIgnored": EventKind.IGNORED,
}

STATES: Final[Mapping[str, QueueState]] = {
    "downloading": QueueState.DOWNLOADING,
    "importBlocked": QueueState.BLOCKED,
    "importFailed": QueueState.BLOCKED,
    "importPending": QueueState.PENDING,
    "importing": QueueState.IMPORTING,
    "imported": QueueState.IMPORTED,
    "failedPending": QueueState.FAILED,
    "failed": QueueState.FAILED,
    "downloadFailedPending": QueueState.FAILED,
    "downloadFailed": QueueState.FAILED,
    "ignored": QueueState.IGNORED,
}
"""trackedDownloadState, of any of them -> what it means. Whisparr has importPending alone where others say importBlocked."""

COMMANDS: Final[Mapping[str, CommandStatus]] = {
    "queued": CommandStatus.WAITING,
    "started": CommandStatus.WAITING,
    "completed": CommandStatus.COMPLETED,
    "failed": CommandStatus.FAILED,
    "aborted": CommandStatus.LOST,
    "cancelled": CommandStatus.LOST,
    "orphaned": CommandStatus.LOST,
}
"""Status of a command, of any of them."""


@dataclass(frozen=True, slots=True)
class ArrFileApi:
    """Where a product has the files of its library. `owners`: series or movies; `owner_id`: the parameter that names one.

    `history`: the events of one owner; `parts`: what it consists of, blank where it is itself what a file holds. `watch` and
    `watch_ids` have media watched again.
    """

    owners: str
    owner_id: str
    files: str
    history: str
    parts: str
    watch: str
    watch_ids: str


EPISODE_FILES: Final = ArrFileApi(
    "/series", "seriesId", "/episodefile", "/history/series", "/episode", "/episode/monitor", "episodeIds"
)
MOVIE_FILES: Final = ArrFileApi("/movie", "movieId", "/moviefile", "/history/movie", "", "/movie/editor", "movieIds")


@dataclass(frozen=True, slots=True)
class ArrProduct:
    """One product. `app` is the appName that it tells, `api` the path of its API, `media` the key of what it manages.

    `search_ids` is the key of the ids in a search command; `owner` what quality profiles are of, and its path. `skips_search`: from
    this version on, a block can leave out the Arr's own search. `queue_extra`: parameters that keep its queue small.
    `library`: None where its files are not asked for.
    """

    app: str
    api: str
    scan: str
    search: str
    search_ids: str
    media: str
    category_fields: tuple[str, ...]
    oldest: Version
    skips_search: Version
    owner: str = "series"
    events: Mapping[str, EventKind] = field(default_factory=lambda: _EVENTS)
    queue_extra: Mapping[str, str] = field(default_factory=dict)
    library: ArrFileApi | None = None

    @property
    def owner_id(self) -> str:
        """The key by which media name their owner; a movie is its own."""
        return f"{self.owner}Id"

    @property
    def has_seasons(self) -> bool:
        """Whether media are episodes."""
        return self.owner == "series"

    @property
    def tells_all_imported(self) -> bool:
        """Whether an event says that all of a download is in."""
        return EventKind.ALL_IMPORTED in self.events.values()


SONARR: Final = ArrProduct(
    "Sonarr",
    "/api/v3",
    "DownloadedEpisodesScan",
    "EpisodeSearch",
    "episodeIds",
    "episodeId",
    ("tvCategory",),
    (3, 0, 6),
    (4, 0),
    library=EPISODE_FILES,
)
RADARR: Final = ArrProduct(
    "Radarr",
    "/api/v3",
    "DownloadedMoviesScan",
    "MoviesSearch",
    "movieIds",
    "movieId",
    ("movieCategory",),
    (4, 0),
    (4, 7, 2),
    "movie",
    library=MOVIE_FILES,
)
LIDARR: Final = ArrProduct(
    "Lidarr",
    "/api/v1",
    "DownloadedAlbumsScan",
    "AlbumSearch",
    "albumIds",
    "albumId",
    ("musicCategory",),
    (1, 0),
    (1, 3, 1),
    "artist",
    {
        **_EVENTS,
        "trackFileImported": EventKind.FILE_IMPORTED,
        "downloadImported": EventKind.ALL_IMPORTED,
    },
    {"includeAlbum": "false"},
)
READARR: Final = ArrProduct(
    "Readarr",
    "/api/v1",
    "DownloadedBooksScan",
    "BookSearch",
    "bookIds",
    "bookId",
    ("musicCategory",),
    (0, 3),
    (0, 3),
    "author",
    {**_EVENTS, "bookFileImported": EventKind.FILE_IMPORTED},
)
WHISPARR_2: Final = ArrProduct(
    "Whisparr",
    "/api/v3",
    "DownloadedEpisodesScan",
    "EpisodeSearch",
    "episodeIds",
    "episodeId",
    ("tvCategory",),
    (2, 0),
    (2, 0),
    library=EPISODE_FILES,
)
WHISPARR_3: Final = ArrProduct(
    "Whisparr",
    "/api/v3",
    "DownloadedMoviesScan",
    "MoviesSearch",
    "movieIds",
    "movieId",
    ("movieCategory",),
    (2, 0),
    (2, 0),
    "movie",
    library=MOVIE_FILES,
)

_PRODUCTS: Final = {product.app.casefold(): product for product in (SONARR, RADARR, LIDARR, READARR, WHISPARR_2)}

APIS: Final = ("/api/v3", "/api/v1")
"""Where the API may be, in the order in which an Arr of an unknown kind is asked."""

_FIRST_WHISPARR_OF_MOVIES: Final = (3,)


def product_of(app: str, version: str) -> ArrProduct | None:
    """The product that says so of itself; None for one that is none of these."""
    found = _PRODUCTS.get(app.casefold())
    if found is WHISPARR_2 and parse_version(version) >= _FIRST_WHISPARR_OF_MOVIES:
        return WHISPARR_3
    return found


def parse_version(text: str) -> Version:
    """`4.0.19.2979` as numbers; empty where it is none, which is older than any."""
    found = _VERSION.match(text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
