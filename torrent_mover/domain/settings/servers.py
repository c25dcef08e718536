"""How to log in to a machine by SSH: the settings of [SOURCE_SERVER], [DESTINATION_SERVER] and [MACHINE name]."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import (
    LOCAL_FILE,
    LOGIN_FILE,
    PORT,
    SECRET,
    SSH_HOST,
    TEXT,
    WORDS,
    Key,
    choice,
    whole,
)

_MANY: Final = 20  # more at a time than this is hardly meant


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
        Key(LOGIN_FILE, "File with the password in its first line.", blank="none", advanced=True),
    ] = None
    password_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints the password. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    key_file: Annotated[
        LocalPath | None,
        Key(
            LOGIN_FILE,
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
