"""What it takes to reach one SSH server: settings that adapters share and bootstrap fills from the config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import HostKeyPolicy, SshTransport

Secret = str | Callable[[], str]
"""A password, or where to ask for it when it is needed."""

STANDARD_PORT: Final = 22


@dataclass(frozen=True, slots=True)
class Login:
    """How a login went: the program that speaks SSH, the method that the server took, the host key that it showed.

    `method` as RFC 4252 calls it (publickey, password); `host_key` reads `ssh-ed25519 SHA256:...`. Blank: not told.
    """

    speaker: str
    method: str = ""
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """One server and how to log in. Times in seconds.

    Blank `username`, no `key_file` and no `known_hosts` leave the choice to ssh (its config, agent, default keys, the
    user's own known_hosts), and so does the standard port. `own_known_hosts` is where we remember host keys that the user's own
    file would forget; `shared_connection` the socket (ssh -M) of a connection that a person has opened for us. `key_alias` is
    the name under which known_hosts has its key, where that is not its address. A peer that is silent for
    `keepalive_interval * keepalive_count` is taken for dead, and so is one that owes us a reply for `reply_timeout`.
    """

    host: str
    port: int = STANDARD_PORT
    username: str = ""
    password: Secret | None = field(default=None, repr=False)
    key_file: LocalPath | None = None
    known_hosts: LocalPath | None = None
    own_known_hosts: LocalPath | None = None
    shared_connection: LocalPath | None = None
    host_key_policy: HostKeyPolicy = HostKeyPolicy.STRICT
    proxy_jump: str = ""
    key_alias: str = ""
    transport: SshTransport = SshTransport.AUTO
    connect_timeout: float = 10.0
    keepalive_interval: int = 15
    keepalive_count: int = 4
    reply_timeout: float = 90.0

    @property
    def label(self) -> str:
        """How messages call it: `seedbox:22`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def known_hosts_name(self) -> str:
        """How known_hosts calls it: `host`, or `[host]:port` off the standard port (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        if self.key_alias:
            return self.key_alias
        return self.host if self.port == STANDARD_PORT else f"[{self.host}]:{self.port}"

    def secret(self) -> str | None:
        """The password, asked for now; None where there is none."""
        value = self.password() if callable(self.password) else self.password
        return value or None
