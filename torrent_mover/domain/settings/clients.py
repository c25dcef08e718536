"""How to reach a torrent client: the settings of [SOURCE_CLIENT], [DESTINATION_CLIENT] and [CLIENT name]."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import (
    ABSOLUTE_PATH,
    CLIENT_HOST,
    CLIENT_PATH,
    LOGIN,
    LOGIN_FILE,
    PORT,
    PROXY,
    READABLE_FILE,
    SCGI,
    SECRET,
    SSH_SOCKET,
    TEXT,
    WORDS,
    YES_NO,
    HostAddress,
    Key,
    choice,
    duration,
    path_pairs,
    section_name,
)

HTTPS_PORT: Final = 443
_TORRENT_FOLDER: Final = Key(
    CLIENT_PATH,
    "Folder with the .torrent files, each named INFOHASH.torrent, as the client sees it. For clients that cannot hand out "
    "a .torrent.",
    blank="the client hands them out",
    advanced=True,
)
_DELETE: Final = Key(YES_NO, "Remove a torrent and its data here after it is verified and seeds at the destination.")


class ClientType(Enum):
    """Which program a client is. A new one is a member here, and its line in bootstrap/servers.py."""

    QBITTORRENT = "qbittorrent"
    RTORRENT = "rtorrent"

    @property
    def speaks(self) -> str:
        """The scheme of an address that names none; empty: http or https, by its port."""
        return SCGI if self is ClientType.RTORRENT else ""


class LabelStyle(Enum):
    """How rTorrent's label is written: as ruTorrent encodes it, as Flood writes it, or as it is."""

    RUTORRENT = "rutorrent"
    FLOOD = "flood"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How to reach a torrent client: its Web API, or rTorrent's interface."""

    host: Annotated[
        HostAddress,
        Key(
            CLIENT_HOST,
            "Address of the client's Web UI, without the port; or of an rTorrent: see docs/rtorrent.md.",
            example="http://client.example.com",
        ),
    ]
    port: Annotated[
        int | None,
        Key(PORT, "Port of the Web UI.", example="8080", blank="443 for https; required for http; a socket has none"),
    ] = None
    username: Annotated[
        str,
        Key(
            TEXT,
            "User name of the Web UI; for an rTorrent, of the web server in front of it.",
            example="your-username",
            blank="it needs no login (of qBittorrent, keep the line: username =)",
        ),
    ] = ""
    password: Annotated[
        Secret | None,
        Key(SECRET, "Password of the Web UI. Every character counts, also % and #.", example="your-password"),
    ] = None
    password_file: Annotated[
        LocalPath | None,
        Key(LOGIN_FILE, "File with the password in its first line.", blank="none", advanced=True),
    ] = None
    password_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints the password. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    api_key: Annotated[
        Secret | None,
        Key(
            SECRET,
            "API key instead of user name and password (qBittorrent 5.2 or later).",
            blank="none",
            advanced=True,
            only=ClientType.QBITTORRENT.value,
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
            LOGIN,
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
            "Reach the client through SSH (SOURCE_SERVER, or DESTINATION_SERVER for the destination client). host and port are "
            "then as the SSH server sees them, such as http://127.0.0.1 and 8080. It needs no open port.",
            advanced=True,
        ),
    ] = False
    type: Annotated[ClientType, Key(choice(ClientType), "Which program the client is.", advanced=True)] = (
        ClientType.QBITTORRENT
    )

    session_folder: Annotated[
        LocalPath | None,
        Key(
            ABSOLUTE_PATH,
            "Session folder of an rTorrent on this machine. What it saves is read and synced there.",
            blank="rTorrent is asked for what it has saved",
            advanced=True,
            only=ClientType.RTORRENT.value,
        ),
    ] = None
    label_field: Annotated[
        str,
        Key(TEXT, "Field of a torrent that holds its label.", advanced=True, only=ClientType.RTORRENT.value),
    ] = "custom1"
    label_style: Annotated[
        LabelStyle,
        Key(
            choice(LabelStyle),
            "How a label is written in that field: by ruTorrent (percent-encoded), by Flood, or as it is (raw).",
            advanced=True,
            only=ClientType.RTORRENT.value,
        ),
    ] = LabelStyle.RUTORRENT
    timeout: Annotated[
        float,
        Key(duration(1), "How long to wait for an answer.", advanced=True, only=ClientType.RTORRENT.value),
    ] = 30.0

    @property
    def url(self) -> str:
        """The base URL without a slash at its end. A bare host name is https on port 443, else http; of rTorrent, scgi."""
        if not self.host.name:
            return str(self.host)
        port = self.port or self.host.port
        scheme = self.host.scheme or self.type.speaks or ("https" if port == HTTPS_PORT else "http")
        return str(HostAddress(self.host.name, scheme, port or HTTPS_PORT, self.host.path))

    @property
    def is_tunnelled(self) -> bool:
        """Whether an SSH connection leads to it: it says so, or its address is a socket of the SSH server."""
        return self.tunnel or self.host.scheme == SSH_SOCKET


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
    torrent_folder: Annotated[ClientPath | None, _TORRENT_FOLDER] = None
    delete_after_transfer: Annotated[bool, _DELETE] = True


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
            only=ClientType.QBITTORRENT.value,
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
            only=ClientType.QBITTORRENT.value,
        ),
    ] = ()
    start_command: Annotated[
        tuple[str, ...],
        Key(
            WORDS,
            "Command that starts the client again in the background. It runs on the same machine.",
            blank="none",
            advanced=True,
            only=ClientType.QBITTORRENT.value,
        ),
    ] = ()
    resume_folder: Annotated[
        LocalPath | None,
        Key(
            ABSOLUTE_PATH,
            "Folder with this client's fastresume files (BT_backup), as a path on the same machine.",
            blank="none",
            advanced=True,
            only=ClientType.QBITTORRENT.value,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedClient(DestinationClientSettings):
    """A torrent client under a name of your choice: routes and the other duties refer to it by that name."""

    type: Annotated[ClientType, Key(choice(ClientType), "Which program this client is.")] = ClientType.QBITTORRENT
    host: Annotated[
        HostAddress,
        Key(
            CLIENT_HOST,
            "Address of the client's Web UI, or of an rTorrent (docs/rtorrent.md). The port may stand in it, or in port.",
            example="http://client.example.com:8080",
            names=("url", "host"),
        ),
    ]
    machine: Annotated[
        str,
        Key(
            section_name("MACHINE"),
            "The machine that holds the client's data, and through which tunnel = yes and ssh:// addresses lead.",
            blank="this machine",
        ),
    ] = ""
    path_map: Annotated[
        tuple[tuple[ClientPath, HostPath | LocalPath], ...],
        Key(
            path_pairs(HostPath),
            "Folders that have another path in the client than on its machine (containers, chrooted accounts): "
            "pairs /as/the/client/sees = /as/ssh/sees.",
            blank="both see the same paths",
        ),
    ] = ()
    torrent_folder: Annotated[ClientPath | None, _TORRENT_FOLDER] = None
    delete_after_transfer: Annotated[bool, _DELETE] = True
