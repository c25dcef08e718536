"""The settings of the mover: [SETTINGS], [DESTINATION_PATHS], [ROUTE name], and what one route needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, PathMap
from torrent_mover.domain.quantities import OWNER_ACCESS, UnlockMode
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.settings.choices import LinkExisting, Unlock
from torrent_mover.domain.settings.clients import DestinationClientSettings, SourceClientSettings
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import (
    ABSOLUTE_PATH,
    CATEGORY,
    CLIENT_PATH,
    LOCAL_FILE,
    TEXT,
    UNLOCK_MODE,
    WORDS,
    YES_NO,
    Key,
    choice,
    decimal,
    duration,
    section_name,
    whole,
)
from torrent_mover.domain.settings.schema import DESTINATION_CLIENT, SOURCE_CLIENT, Section, many, one
from torrent_mover.domain.settings.servers import DestinationServerSettings, SourceServerSettings

MAIN: Final = "main"
"""The route that the sections without a name make."""

_MANY: Final = 20  # more at a time than this is hardly meant


class TransferMode(Enum):
    """Who brings the bytes where."""

    SFTP = "sftp"
    RSYNC = "rsync"
    SFTP_UPLOAD = "sftp_upload"
    RSYNC_UPLOAD = "rsync_upload"

    @property
    def uploads(self) -> bool:
        """Whether the destination is another machine, reached by SSH, instead of this one."""
        return self in (TransferMode.SFTP_UPLOAD, TransferMode.RSYNC_UPLOAD)

    @property
    def by_rsync(self) -> bool:
        """Whether the rsync program brings the bytes."""
        return self in (TransferMode.RSYNC, TransferMode.RSYNC_UPLOAD)


class Handover(Enum):
    """What proves the data at the destination."""

    RECHECK = "recheck"
    CERTIFIED = "certified"


class Order(Enum):
    """Which torrent moves first."""

    OLDEST = "oldest"
    SMALLEST = "smallest"
    LARGEST = "largest"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationPaths:
    """Where the data goes."""

    destination_path: Annotated[
        LocalPath | HostPath,
        Key(
            ABSOLUTE_PATH,
            "Folder that receives the data: on this machine (sftp, rsync), or on DESTINATION_SERVER "
            "(sftp_upload, rsync_upload).",
            example="/path/to/library",
        ),
    ]
    remote_destination_path: Annotated[
        ClientPath | None,
        Key(CLIENT_PATH, "The same folder, as the destination client sees it (Docker).", blank="the same path"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingSettings:
    """What is moved, and how."""

    source_client_section: Annotated[str, Key(TEXT, "Section that describes the source client.")] = "SOURCE_CLIENT"
    destination_client_section: Annotated[str, Key(TEXT, "Section that describes the destination client.")] = (
        "DESTINATION_CLIENT"
    )
    source_server_section: Annotated[str, Key(TEXT, "Section that describes the machine of the source client.")] = (
        "SOURCE_SERVER"
    )
    category_to_move: Annotated[
        str, Key(CATEGORY, "Category to move. Only its completed torrents are moved.", example="your-category")
    ]
    manual_review_category: Annotated[
        str, Key(CATEGORY, "Category at the destination for a torrent whose data is still bad after all repairs.")
    ] = "review-failed"
    size_threshold_gb: Annotated[
        float | None,
        Key(
            decimal(0, 10**9),
            "Move torrents, oldest first, until the rest of the category is at most this many GiB.",
            blank="move all",
        ),
    ] = None
    transfer_mode: Annotated[
        TransferMode,
        Key(
            choice(TransferMode),
            "sftp and rsync copy the data to this machine; sftp_upload and rsync_upload copy it to DESTINATION_SERVER.",
        ),
    ] = TransferMode.SFTP
    rsync_options: Annotated[tuple[str, ...], Key(WORDS, "Options for rsync (rsync and rsync_upload).")] = (
        "-a",
        "--partial",
    )
    max_concurrent_file_transfers: Annotated[
        int,
        Key(
            whole(1, 64),
            "Parallel connections for one torrent. Each transfers a file, or a part of a large file.",
            warn_above=_MANY,
        ),
    ] = 4
    max_concurrent_downloads: Annotated[
        int, Key(whole(1, 64), "Parallel downloads from the source, for all torrents together.", warn_above=_MANY)
    ] = 4
    max_concurrent_uploads: Annotated[
        int, Key(whole(1, 64), "Parallel uploads to the destination, for all torrents together.", warn_above=_MANY)
    ] = 4
    local_cache_sftp_upload: Annotated[
        bool, Key(YES_NO, "sftp_upload: store the data on this machine first, instead of streaming it.")
    ] = False
    local_cache_path: Annotated[
        LocalPath | None,
        Key(LOCAL_FILE, "Folder for data that passes through this machine.", blank="the system's temporary folder"),
    ] = None
    chown_user: Annotated[
        str, Key(TEXT, "Owner of the data at the destination: a name or a number.", blank="unchanged")
    ] = ""
    chown_group: Annotated[
        str, Key(TEXT, "Group of the data at the destination: a name or a number.", blank="unchanged")
    ] = ""
    file_mode: Annotated[
        UnlockMode | None,
        Key(
            UNLOCK_MODE,
            "Permissions of files at the destination: 0664, or g+w to add to the defaults there.",
            blank="the defaults there: the umask, or a default ACL",
        ),
    ] = None
    folder_mode: Annotated[
        UnlockMode | None,
        Key(
            UNLOCK_MODE,
            "Permissions of folders at the destination: 0775, or g+w. Their setgid bit stays.",
            blank="the defaults there: the umask, or a default ACL",
        ),
    ] = None
    rules_file: Annotated[
        LocalPath | None,
        Key(LOCAL_FILE, "File with the tracker rules.", blank="tracker_rules.json beside this file", advanced=True),
    ] = None
    preflight_unlock: Annotated[
        Unlock,
        Key(
            choice(Unlock),
            "Make a read-only folder writable for the transfer, and restore it afterwards. auto: only if writing fails.",
            advanced=True,
        ),
    ] = Unlock.AUTO
    unlock_mode: Annotated[
        UnlockMode, Key(UNLOCK_MODE, "Permissions that preflight_unlock adds (u+rwx) or sets (0777).", advanced=True)
    ] = OWNER_ACCESS
    overlap: Annotated[
        Overlap,
        Key(
            choice(Overlap),
            "Whether both clients may briefly seed at the same time. none: stop the source before the destination starts. "
            'A tracker rule may say otherwise: {"tracker.org": {"category": "tv", "overlap": "none"}}.',
            advanced=True,
        ),
    ] = Overlap.BRIEF
    handover: Annotated[
        Handover,
        Key(
            choice(Handover),
            "How the data is verified: by the destination client's recheck, or by torrent_mover, which reads it back (certified) "
            "where that is safe: see docs/handover.md.",
            advanced=True,
        ),
    ] = Handover.RECHECK
    link_existing: Annotated[
        LinkExisting,
        Key(
            choice(LinkExisting),
            "Do not send files that another torrent at the destination has already, if their hashes match. auto: reflink or hard "
            "link them, or else copy them there. copy: never link. off: send everything.",
            advanced=True,
        ),
    ] = LinkExisting.AUTO
    min_seed_time: Annotated[
        float, Key(duration(0), "Move a torrent only after it has seeded this long at the source.", advanced=True)
    ] = 0.0
    order: Annotated[Order, Key(choice(Order), "Which torrent moves first.", advanced=True)] = Order.OLDEST

    @property
    def size_threshold(self) -> int | None:
        """Bytes that may stay in the category; None: none stays."""
        return None if self.size_threshold_gb is None else int(self.size_threshold_gb * (1 << 30))


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSettings:
    """A route: the torrents of one category move from one client to another. Several routes run in one process."""

    source: Annotated[
        str,
        Key(
            section_name("CLIENT"),
            "The client that has the torrents: the name of a [CLIENT], or SOURCE_CLIENT.",
            example="your-seedbox",
            names=("from",),
        ),
    ]
    destination: Annotated[
        str,
        Key(
            section_name("CLIENT"),
            "The client that receives them: the name of a [CLIENT], or DESTINATION_CLIENT.",
            example="your-nas",
            names=("to",),
        ),
    ]
    enabled: Annotated[bool, Key(YES_NO, "Whether this route moves anything.")] = True


DESTINATION_PATHS: Final = one("DESTINATION_PATHS", "paths", DestinationPaths)
SETTINGS: Final = one("SETTINGS", "moving", MovingSettings, takes_general=True)

CHOICES: Final = {
    SOURCE_CLIENT: ("delete_after_transfer",),
    DESTINATION_CLIENT: ("start_torrents_after_recheck", "carry_statistics"),
}
"""Keys of the client sections that a route may decide for itself."""


def _of_a_route() -> Mapping[str, tuple[Section, Key]]:
    """The keys of other sections that a route takes too, each with the section where it is at home."""
    category = replace(SETTINGS.keys["category_to_move"], names=("category", "category_to_move"))
    keys = {"category_to_move": (SETTINGS, category)}
    keys |= {key: (DESTINATION_PATHS, spec) for key, spec in DESTINATION_PATHS.keys.items()}
    keys |= {
        key: (SETTINGS, spec) for key, spec in SETTINGS.keys.items() if not key.endswith("_section") and key not in keys
    }
    return keys | {key: (home, home.keys[key]) for home, chosen in CHOICES.items() for key in chosen}


ROUTE: Final = many("ROUTE", RouteSettings, borrowed=_of_a_route())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run of one route needs to know. `rules_file`, `state_dir` and `log_dir` are final: set, or their default.

    The type of `paths.destination_path` says where it is: HostPath on the destination server (the upload modes), LocalPath on
    this machine (the others). `destination_server` is None where neither the mode nor the destination client's tunnel needs it.
    `route` is the name of the route; the sections without a name are `main`. The `..._name` fields say under which names
    Configuration holds both clients and their machines (empty: this machine). `arrs`: those that are told of moves, by name.
    """

    source_client: SourceClientSettings
    destination_client: DestinationClientSettings
    source_server: SourceServerSettings
    destination_server: DestinationServerSettings | None
    paths: DestinationPaths
    moving: MovingSettings
    general: GeneralSettings
    rules_file: LocalPath
    state_dir: LocalPath
    log_dir: LocalPath
    route: str = MAIN
    source_client_name: str = "SOURCE_CLIENT"
    destination_client_name: str = "DESTINATION_CLIENT"
    source_machine_name: str = "SOURCE_SERVER"
    destination_machine_name: str = ""
    arrs: Mapping[str, ArrSettings] = field(default_factory=dict)

    @property
    def source_map(self) -> PathMap[HostPath]:
        """Between the source client's view and that of the SSH login on its machine."""
        return PathMap(HostPath, self.source_client.path_map)

    @property
    def local_destination(self) -> LocalPath:
        """Where data lands on this machine. Raises TypeError in the upload modes."""
        path = self.paths.destination_path
        if not isinstance(path, LocalPath):
            raise TypeError(f"{path} is on the destination server, not on this machine")
        return path

    @property
    def remote_destination(self) -> HostPath:
        """Where data lands on the destination server. Raises TypeError in the modes that bring it to this machine."""
        path = self.paths.destination_path
        if not isinstance(path, HostPath):
            raise TypeError(f"{path} is on this machine, not on the destination server")
        return path

    @property
    def local_destination_map(self) -> PathMap[LocalPath]:
        """Between the destination client's view and that of this machine. Raises TypeError in the upload modes."""
        ours = self.local_destination
        pairs = [(client, path) for client, path in self.destination_client.path_map if isinstance(path, LocalPath)]
        if self.paths.remote_destination_path:
            pairs.append((self.paths.remote_destination_path, ours))
        return PathMap(LocalPath, tuple(pairs))

    @property
    def remote_destination_map(self) -> PathMap[HostPath]:
        """Between the destination client's view and that of the SSH login there. Raises TypeError in the other modes."""
        ours = self.remote_destination
        pairs = [(client, path) for client, path in self.destination_client.path_map if isinstance(path, HostPath)]
        if self.paths.remote_destination_path:
            pairs.append((self.paths.remote_destination_path, ours))
        return PathMap(HostPath, tuple(pairs))
