"""All settings as frozen values, one dataclass a section. Each field carries its kind, default and one line of documentation.

Reading, checking, the template and the reference are derived from it. A new setting is one field here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, PathMap
from torrent_mover.domain.quantities import OWNER_ACCESS, UnlockMode
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import (
    ABSOLUTE_PATH,
    CATEGORY,
    CLIENT_PATH,
    LOCAL_FILE,
    PORT,
    PROXY,
    READABLE_FILE,
    SECRET,
    SSH_HOST,
    TEXT,
    UNLOCK_MODE,
    WEB_HOST,
    WORDS,
    YES_NO,
    HostAddress,
    Key,
    choice,
    decimal,
    duration,
    path_pairs,
    whole,
)

_HTTPS_PORT = 443
_MANY = 20  # more at a time than this is hardly meant


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


class LinkExisting(Enum):
    """What is done with a file whose bytes the destination has already, in another torrent."""

    AUTO = "auto"
    COPY = "copy"
    OFF = "off"


class Order(Enum):
    """Which torrent moves first."""

    OLDEST = "oldest"
    SMALLEST = "smallest"
    LARGEST = "largest"
    PRIORITY = "priority"


class Unlock(Enum):
    """When a closed folder is opened before a transfer."""

    AUTO = "auto"
    ALWAYS = "always"
    OFF = "off"


class HostKeyPolicy(Enum):
    """What happens with the key of an SSH server that is not known yet."""

    STRICT = "strict"
    ACCEPT_NEW = "accept-new"


class SshTransport(Enum):
    """Who speaks SSH for us: the ssh program, the built-in library, or the program where there is one."""

    AUTO = "auto"
    OPENSSH = "openssh"
    PARAMIKO = "paramiko"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How to reach the Web API of a torrent client."""

    host: Annotated[
        HostAddress,
        Key(WEB_HOST, "Address of the client's Web UI, without the port.", example="http://client.example.com"),
    ]
    port: Annotated[
        int | None,
        Key(PORT, "Port of the Web UI.", example="8080", blank="443 for https; required for http"),
    ] = None
    username: Annotated[
        str,
        Key(
            TEXT,
            "User name of the Web UI.",
            example="your-username",
            blank="the Web UI needs no login (keep the line: username =)",
        ),
    ] = ""
    password: Annotated[
        Secret | None,
        Key(SECRET, "Password of the Web UI. Every character counts, also % and #.", example="your-password"),
    ] = None
    password_file: Annotated[
        LocalPath | None,
        Key(READABLE_FILE, "File with the password in its first line.", blank="none", advanced=True),
    ] = None
    password_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints the password. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    api_key: Annotated[
        Secret | None,
        Key(
            SECRET, "API key instead of user name and password (qBittorrent 5.2 or later).", blank="none", advanced=True
        ),
    ] = None
    verify_cert: Annotated[bool, Key(YES_NO, "Check the certificate of an https address.")] = True
    ca_file: Annotated[
        LocalPath | None,
        Key(
            READABLE_FILE,
            "PEM file of trusted certificates for an https address: your own authority, or a self-signed certificate.",
            blank="the certificates that come with Python, or REQUESTS_CA_BUNDLE",
            advanced=True,
        ),
    ] = None
    basic_auth: Annotated[
        Secret | None,
        Key(
            SECRET,
            "Login of a web server in front of the Web UI (HTTP basic authentication): user:password.",
            blank="none",
            advanced=True,
        ),
    ] = None
    proxy: Annotated[
        Secret | None,
        Key(
            PROXY,
            "Proxy for the Web UI: http or https. With torrent-mover[socks] also socks5, or socks5h (the proxy looks up names). "
            "off: no proxy.",
            blank="none for private addresses; for public ones, https_proxy and similar variables of the environment",
            advanced=True,
        ),
    ] = None
    tunnel: Annotated[
        bool,
        Key(
            YES_NO,
            "Reach the Web UI through SSH (SOURCE_SERVER, or DESTINATION_SERVER for the destination client). host and port are "
            "then as the SSH server sees them, such as http://127.0.0.1 and 8080. The Web UI needs no open port.",
            advanced=True,
        ),
    ] = False

    @property
    def url(self) -> str:
        """The base URL without a slash at its end. A bare host name is https on port 443, else http."""
        port = self.port or self.host.port
        scheme = self.host.scheme or ("https" if port == _HTTPS_PORT else "http")
        return str(HostAddress(self.host.name, scheme, port or _HTTPS_PORT, self.host.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceClientSettings(ClientSettings):
    """The torrent client that has the completed torrents."""

    path_map: Annotated[
        tuple[tuple[ClientPath, HostPath], ...],
        Key(
            path_pairs(HostPath),
            "Folders that have another path in the client than over SSH (containers, chrooted accounts): "
            "pairs /as/the/client/sees = /as/ssh/sees.",
            blank="both see the same paths",
            advanced=True,
        ),
    ] = ()
    delete_after_transfer: Annotated[
        bool, Key(YES_NO, "Remove a torrent and its data here after it is verified and seeds at the destination.")
    ] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationClientSettings(ClientSettings):
    """The torrent client that receives the torrents."""

    path_map: Annotated[
        tuple[tuple[ClientPath, HostPath | LocalPath], ...],
        Key(
            path_pairs(LocalPath),
            "Folders that have another path in the client than for torrent_mover (containers): "
            "pairs /as/the/client/sees = /as/we/see. "
            "remote_destination_path is the short form of one pair.",
            blank="both see the same paths",
            advanced=True,
        ),
    ] = ()
    add_torrents_paused: Annotated[
        bool, Key(YES_NO, "For older configs only: a torrent is always added stopped, until its data is verified.")
    ] = True
    start_torrents_after_recheck: Annotated[
        bool, Key(YES_NO, "Start a torrent after its data is verified. If this is off, the source keeps its copy.")
    ] = True
    carry_statistics: Annotated[
        bool,
        Key(
            YES_NO,
            "Carry over the statistics of the source: uploaded, downloaded, seeding time, dates. After the moves, this client is "
            "stopped for a moment and its files are changed. Needs the next three settings: see docs/handover.md.",
            advanced=True,
        ),
    ] = False
    stop_command: Annotated[
        tuple[str, ...],
        Key(
            WORDS,
            "Command that stops this client and returns when it has stopped. It runs without a shell, on this machine or "
            "(sftp_upload, rsync_upload) on DESTINATION_SERVER.",
            blank="none",
            advanced=True,
        ),
    ] = ()
    start_command: Annotated[
        tuple[str, ...],
        Key(
            WORDS,
            "Command that starts the client again in the background. It runs on the same machine.",
            blank="none",
            advanced=True,
        ),
    ] = ()
    resume_folder: Annotated[
        LocalPath | None,
        Key(
            ABSOLUTE_PATH,
            "Folder with this client's fastresume files (BT_backup), as a path on the same machine.",
            blank="none",
            advanced=True,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How to log in to a machine by SSH."""

    host: Annotated[str, Key(SSH_HOST, "Name or address of the SSH server.", example="server.example.com")]
    port: Annotated[int, Key(PORT, "Port of the SSH server. With 22, ~/.ssh/config may set another one.")] = 22
    username: Annotated[str, Key(TEXT, "User name of the SSH login.", example="your-username")]
    password: Annotated[
        Secret | None,
        Key(SECRET, "Password of the SSH login.", blank="log in with a key or ssh-agent"),
    ] = None
    password_file: Annotated[
        LocalPath | None,
        Key(READABLE_FILE, "File with the password in its first line.", blank="none", advanced=True),
    ] = None
    password_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints the password. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    key_file: Annotated[
        LocalPath | None,
        Key(
            READABLE_FILE,
            "Private key of the SSH login.",
            blank="ssh-agent and the usual keys in ~/.ssh",
            advanced=True,
        ),
    ] = None
    known_hosts: Annotated[
        LocalPath | None,
        Key(LOCAL_FILE, "File with the trusted host keys.", blank="~/.ssh/known_hosts", advanced=True),
    ] = None
    host_key_policy: Annotated[
        HostKeyPolicy,
        Key(
            choice(HostKeyPolicy),
            "For an unknown host key: strict stops and shows how to accept it, accept-new accepts and remembers it. "
            "A changed key always stops.",
            advanced=True,
        ),
    ] = HostKeyPolicy.STRICT
    proxy_jump: Annotated[
        str, Key(TEXT, "Jump hosts, as in ssh -J: [user@]host[:port].", blank="none", advanced=True)
    ] = ""
    ssh_transport: Annotated[
        SshTransport,
        Key(
            choice(SshTransport),
            "SSH implementation: the ssh program (openssh) or the built-in library (paramiko).",
            advanced=True,
        ),
    ] = SshTransport.AUTO
    max_concurrent_ssh_sessions: Annotated[
        int, Key(whole(1, 64), "Maximum number of SSH connections at the same time.", warn_above=_MANY)
    ] = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceServerSettings(ServerSettings):
    """The machine that holds the data of the source client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationServerSettings(ServerSettings):
    """The machine that receives the data, for sftp_upload and rsync_upload; in the other modes only for the client's tunnel."""


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
class Settings:
    """Everything that a run needs to know. `rules_file`, `state_dir` and `log_dir` are final: set, or their default.

    The type of `paths.destination_path` says where it is: HostPath on the destination server (the upload modes), LocalPath on
    this machine (the others). `destination_server` is None where neither the mode nor the destination client's tunnel needs it.
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
