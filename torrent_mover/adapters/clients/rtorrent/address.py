"""Where an rTorrent is asked: the URL of its setting, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from torrent_mover.domain.errors import ConfigError

_WEB_PORTS: Final = {"http": 80, "https": 443}
_FORMS: Final = (
    "/path/of/rpc.socket, scgi://host:port, https://host/RPC2, or ssh:///path/of/rpc.socket for one on the SSH server"
)


class RpcWay(Enum):
    """How requests travel."""

    SOCKET = "a socket of this machine"
    TCP = "a TCP port"
    WEB = "a web server"
    SSH_SOCKET = "a socket of the SSH server"


@dataclass(frozen=True, slots=True)
class RpcAddress:
    """`path` of a socket, `host` and `port` of a TCP port, `url` of a web server; what does not apply is blank."""

    way: RpcWay
    path: str = ""
    host: str = ""
    port: int = 0
    url: str = ""

    @classmethod
    def parse(cls, text: str, section: str = "CLIENT") -> Self:
        """Read a setting: see _FORMS, and `host:port`, `scgi+unix://path`. Raises ConfigError for anything else."""
        wanted = text.strip()
        if wanted.startswith("/"):
            return cls(RpcWay.SOCKET, path=wanted)
        parts = urlsplit(wanted if "://" in wanted else f"scgi://{wanted}")
        if parts.scheme in ("scgi+unix", "unix") and parts.path.startswith("/"):
            return cls(RpcWay.SOCKET, path=unquote(parts.path))
        if parts.scheme == "ssh" and not parts.netloc and parts.path.startswith("/"):
            return cls(RpcWay.SSH_SOCKET, path=unquote(parts.path))
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme == "scgi" and parts.hostname and port:
            return cls(RpcWay.TCP, host=parts.hostname, port=port)
        if parts.scheme in _WEB_PORTS and parts.hostname:
            return cls(
                RpcWay.WEB, host=parts.hostname, port=port or _WEB_PORTS[parts.scheme], url=_without_login(wanted)
            )
        raise ConfigError(
            f"url in [{section}] is no address of an rTorrent: {_without_login(wanted)!r}.",
            kept="Nothing was asked.",
            remedy=f"Use one of: {_FORMS}.",
        )

    @property
    def place(self) -> str:
        """For messages: the socket's path, or `host:port` with the path behind it. Never a password."""
        if self.path:
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}{urlsplit(self.url).path.rstrip('/')}"


def _without_login(url: str) -> str:
    """A URL may hold a login by mistake; it is not repeated anywhere."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url
