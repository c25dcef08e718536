"""The role of an Arr (Sonarr, Radarr, Lidarr, Readarr, Whisparr): what may be asked of it, whatever its product and version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from torrent_mover.domain.arrs.media import (
    ArrAlarm,
    ArrClient,
    ArrCommand,
    ArrInfo,
    DownloadPolicy,
    MediaEvent,
    QueueItem,
    RejectedFile,
    RemoteMapping,
    WantedMedia,
)
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.torrent.torrent import InfoHash


class MediaManager(Protocol):
    """One Arr. Safe from any thread.

    Every method raises ServerError's children (domain/arrs/errors.py) where no true answer came, and ArrItemRefused where the Arr
    refuses this one request. An empty answer is never made out of a broken one.
    """

    @property
    def name(self) -> str:
        """Its name in the config."""

    @property
    def server(self) -> str:
        """`host:port`, and the path where there is one, as messages call it."""

    def alive(self) -> bool:
        """Whether it answers at all; needs no key. Raises where nothing, or something else, answers."""

    def info(self) -> ArrInfo:
        """Product and version, asked anew."""

    def queue(self) -> Sequence[QueueItem]:
        """The whole queue. What is not in it proves nothing: it is empty too while the Arr's torrent client is away."""

    def events(self, torrent: InfoHash) -> Sequence[MediaEvent]:
        """The history of one torrent, newest first."""

    def events_since(self, at: float) -> Sequence[MediaEvent]:
        """All history since then (Unix seconds), newest first: for what was imported without the Arr knowing its torrent."""

    def sees(self, folder: ArrPath) -> Mapping[str, int | None]:
        """Names in a folder as it sees them: a file's size in bytes, None for a folder. Empty for a folder that is not there."""

    def root_folders(self) -> Sequence[ArrPath]:
        """The folders of its library."""

    def disks(self) -> Sequence[ArrPath]:
        """The file systems that it sees."""

    def clients(self) -> Sequence[ArrClient]:
        """Its torrent clients."""

    def mappings(self) -> Sequence[RemoteMapping]:
        """Its remote path mappings."""

    def policy(self) -> DownloadPolicy:
        """What it does by itself with downloads."""

    def scan(self, path: ArrPath, torrent: InfoHash) -> ArrCommand:
        """Have it import what lies there, by copy or hard link, never by moving: a torrent seeds from it."""

    def refresh(self) -> ArrCommand:
        """Have it look at its torrent clients now."""

    def command(self, number: int) -> ArrCommand:
        """How a command stands; one that it no longer knows is LOST."""

    def commands(self) -> Sequence[ArrCommand]:
        """The commands that it remembers, the newest last."""

    def why_not(self, path: ArrPath) -> Sequence[RejectedFile]:
        """What it would not import of a file or folder, and why."""

    def refuse(self, queue_number: int) -> bool:
        """Block the release of a queue line, for all lines of that torrent; the client keeps torrent and data.

        Returns whether the Arr was told not to search by itself. It accepts also where nothing was blocked: only `events` prove it.
        Raises QueueLineGone where there is no such line.
        """

    def skips_search(self) -> bool:
        """Whether `refuse` can tell it not to search by itself: its version decides."""

    def fail_grab(self, event_number: int) -> None:
        """Mark a grab of the history as failed, which blocks its release. The Arr then may search by itself."""

    def search(self, media: Sequence[int]) -> ArrCommand:
        """Have it search for these."""

    def search_season(self, owner: int, season: int) -> ArrCommand:
        """Have it search for a whole season, where ArrInfo.has_seasons."""

    def sync_feeds(self) -> ArrCommand:
        """Have it read the RSS feeds of its indexers now."""

    def missing(self, *, monitored: bool = True) -> Sequence[WantedMedia]:
        """What it misses, and monitors; or what it misses and does not."""

    def below_cutoff(self, *, monitored: bool = True) -> Sequence[WantedMedia]:
        """What it has, and wants better."""

    def season_sizes(self, owner: int) -> Mapping[int, int]:
        """Episodes that each season of a series has. Empty for what has no seasons."""

    def profiles(self) -> Mapping[str, int]:
        """Its quality profiles: name -> number."""

    def profile_of(self, owner: int) -> int:
        """The quality profile of a series, movie, artist or author."""

    def set_profile(self, owner: int, profile: int) -> None:
        """Give it another one."""

    def alarms(self) -> Sequence[ArrAlarm]:
        """Its own health page."""

    def close(self) -> None:
        """End the connections. Never raises."""
