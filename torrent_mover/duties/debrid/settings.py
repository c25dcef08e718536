"""The settings of one debrid account, a `[DEBRID name]` section: its keys, their defaults, and what does not go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.debrid.account import DebridKind
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import (
    ADDRESSES,
    LOCAL_FILE,
    LOGIN_FILE,
    READABLE_FILE,
    SECRET,
    TEXT,
    WEB_HOST,
    WORDS,
    YES_NO,
    HostAddress,
    Key,
    choice,
    decimal,
    duration,
    whole,
)
from torrent_mover.duties.debrid.environment import from_environment
from torrent_mover.duties.debrid.kinds import HASHES, MEDIA_FOLDERS, MOUNTS, SECTION_NAMES, SHARE, AccountMount

__all__ = ["DebridSettings", "from_environment", "problems_of"]

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class DebridMode(Enum):
    """Whether anything is changed at all."""

    REPORT = "report"
    ACT = "act"


class OnRefused(Enum):
    """What is done for a torrent that the service refuses for good."""

    REPORT = "report"
    QUARANTINE = "quarantine"
    SEARCH = "search"


class SelectUnknown(Enum):
    """Which files are selected where nobody knows which ones were."""

    VIDEO = "video"
    ALL = "all"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class DebridSettings:
    """An account at a debrid service whose failed torrents are found, added again and, once proven, replaced."""

    type: Annotated[DebridKind, Key(choice(DebridKind), "The service.")] = DebridKind.REALDEBRID
    token: Annotated[Secret | None, Key(SECRET, "API token of the account.", example="your-api-token")] = None
    token_file: Annotated[
        LocalPath | None, Key(LOGIN_FILE, "File with the token in its first line.", blank="none", advanced=True)
    ] = None
    token_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints the token. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    url: Annotated[
        HostAddress | None,
        Key(WEB_HOST, "Base address of the service's API.", blank="the service's own", advanced=True),
    ] = None
    timeout: Annotated[float, Key(duration(1), "How long to wait for an answer of the service.", advanced=True)] = 30.0
    ca_file: Annotated[
        LocalPath | None,
        Key(
            READABLE_FILE,
            "PEM file of trusted certificates, for a url of your own.",
            blank="the certificates that come with Python",
            advanced=True,
        ),
    ] = None
    mode: Annotated[DebridMode, Key(choice(DebridMode), "report: only tell what is broken; act: repair it.")] = (
        DebridMode.REPORT
    )
    media_roots: Annotated[
        tuple[LocalPath, ...],
        Key(
            MEDIA_FOLDERS, "Folders with the links of your library, one a line.", blank="none: links are not looked at"
        ),
    ] = ()
    mounts: Annotated[
        tuple[AccountMount, ...],
        Key(MOUNTS, "Where the account is mounted, and by what: /mnt/zurg = zurg, one a line.", blank="none"),
    ] = ()
    mount_refresh: Annotated[
        float, Key(duration(0), "How long a mount may take to show a new entry.", advanced=True)
    ] = 600.0
    quarantine_dir: Annotated[
        LocalPath | None,
        Key(LOCAL_FILE, "Folder for links that are set aside, kept 90 days.", blank="quarantine in state_dir"),
    ] = None
    arrs: Annotated[tuple[str, ...], Key(SECTION_NAMES, "The [ARR] sections whose library this is.", blank="all")] = ()
    search: Annotated[bool, Key(YES_NO, "Have the Arr search for another release of what cannot be repaired.")] = True
    on_infringing: Annotated[
        OnRefused,
        Key(
            choice(OnRefused),
            "A torrent that the service no longer allows: report it, set its links aside, or set them aside and search.",
        ),
    ] = OnRefused.REPORT
    on_virus: Annotated[
        OnRefused, Key(choice(OnRefused), "The same for a torrent in which the service found a virus.")
    ] = OnRefused.REPORT
    fallback: Annotated[
        str,
        Key(TEXT, "Another [DEBRID] account, to which refused torrents are added.", blank="none", advanced=True),
    ] = ""
    blocked_hashes: Annotated[
        tuple[str, ...], Key(HASHES, "Infohashes that are never added.", blank="none", advanced=True)
    ] = ()
    torrents_dir: Annotated[
        LocalPath | None,
        Key(
            LOCAL_FILE,
            "Folder with .torrent files named by their infohash; they are added in place of magnets, without their trackers.",
            blank="none: magnets",
            advanced=True,
        ),
    ] = None
    select_unknown: Annotated[
        SelectUnknown,
        Key(choice(SelectUnknown), "Which files to select where nobody knows which ones were: video, all, or report."),
    ] = SelectUnknown.VIDEO
    scan_interval: Annotated[float, Key(duration(1), "How often to look for failed torrents.")] = 600.0
    full_every: Annotated[float, Key(duration(1), "How often to list the whole account.")] = _DAY
    symlinks_every: Annotated[float, Key(duration(1), "How often to look at all links.")] = _DAY
    recheck_after: Annotated[
        float, Key(duration(1), "How long a torrent that was found well counts as well.", advanced=True)
    ] = 30 * _DAY
    link_checks_per_hour: Annotated[
        int, Key(whole(0, 100_000), "How many links of sound-looking torrents are asked about in an hour.")
    ] = 300
    workers: Annotated[int, Key(whole(1, 64), "How many torrents are worked on at the same time.")] = 4
    min_request_gap: Annotated[
        float, Key(decimal(0, 60), "Seconds between two requests, on average.", advanced=True)
    ] = 0.3
    requests_per_minute: Annotated[
        int, Key(whole(1, 200), "At most this many requests in a minute; other programs use the account too.")
    ] = 200
    max_attempts: Annotated[int, Key(whole(1, 100), "How often a repair is tried.")] = 3
    retry_delay: Annotated[float, Key(duration(1), "How long to wait between two tries.")] = 3 * _HOUR
    uncached_wait: Annotated[
        float,
        Key(duration(0), "How long a new entry may stand without progress before it is taken out again."),
    ] = 6 * _HOUR
    keep_slots: Annotated[
        int, Key(whole(0, 1000), "Leave this many of the account's download slots free.", advanced=True)
    ] = 1
    max_repairs: Annotated[int, Key(whole(0, 100_000), "At most this many repairs in a run.")] = 20
    max_deletes: Annotated[int, Key(whole(0, 100_000), "At most this many entries removed in a run.")] = 20
    max_quarantined: Annotated[int, Key(whole(0, 100_000), "At most this many links set aside in a run.")] = 50
    max_searches: Annotated[int, Key(whole(0, 100_000), "At most this many searches in a run.")] = 10
    max_broken_share: Annotated[
        float,
        Key(SHARE, "With more of the links broken than this (and more than 20), nothing is done until you accept it."),
    ] = 0.05
    max_refused: Annotated[
        int,
        Key(whole(0, 100_000), "With more torrents refused at once than this, nothing is done until you accept it."),
    ] = 5
    backup_interval: Annotated[float, Key(duration(1), "How often the journal is copied.", advanced=True)] = _DAY
    backups_kept: Annotated[int, Key(whole(1, 1000), "How many such copies are kept.", advanced=True)] = 7
    history_retention: Annotated[
        float, Key(duration(1), "How long the history of attempts is kept.", advanced=True)
    ] = 30 * _DAY
    metrics_retention: Annotated[float, Key(duration(1), "How long metrics are kept.", advanced=True)] = 90 * _DAY
    metrics_file: Annotated[
        LocalPath | None,
        Key(LOCAL_FILE, "File for Prometheus metrics (textfile collector).", blank="none", advanced=True),
    ] = None
    on_repaired: Annotated[
        tuple[str, ...],
        Key(
            WORDS,
            "Command that is run after a repair. It gets JSON with the paths on its standard input.",
            blank="none",
            advanced=True,
        ),
    ] = ()
    discord_webhook: Annotated[
        Secret | None, Key(ADDRESSES, "Address of a Discord webhook for notices.", blank="none", advanced=True)
    ] = None

    @property
    def acts(self) -> bool:
        """Whether anything may be changed."""
        return self.mode is DebridMode.ACT


@dataclass(frozen=True, slots=True)
class DebridProblem:
    """See domain.settings.schema.Finding."""

    key: str
    what: str
    remedy: str
    warning: bool = False


def problems_of(settings: DebridSettings) -> Iterator[DebridProblem]:
    """What does not go together in the settings of one account."""
    if settings.token is None and settings.token_file is None and not settings.token_command:
        yield DebridProblem(
            "token",
            "it is missing.",
            "Write token = the API token of your account, or use token_file or token_command.",
        )
    url = settings.url
    if url is not None and url.scheme == "http" and url.name not in _LOOPBACK:
        yield DebridProblem("url", "http would send the token unprotected.", "Write https://...")
    mounts = [mount.path for mount in settings.mounts]
    for at, path in enumerate(mounts):
        for other in mounts[at + 1 :]:
            if path.is_within(other) or other.is_within(path):
                yield DebridProblem("mounts", f"{path} and {other} overlap.", "Name the mount itself, once.")
    for root in settings.media_roots:
        for path in mounts:
            if root.is_within(path) or path.is_within(root):
                yield DebridProblem(
                    "media_roots", f"{root} and the mount {path} overlap.", "Name the folders that hold the links."
                )
    if settings.media_roots and not mounts:
        yield DebridProblem(
            "mounts",
            "media_roots has folders, and no mount says which links are meant.",
            "Write mounts = /mnt/zurg = zurg",
        )
    if settings.search and OnRefused.SEARCH in (settings.on_infringing, settings.on_virus) and not settings.media_roots:
        yield DebridProblem(
            "media_roots",
            "without links nothing can be searched for.",
            "Name the folders that hold the links.",
            warning=True,
        )
