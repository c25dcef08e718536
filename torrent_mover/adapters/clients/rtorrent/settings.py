"""How one rTorrent is reached, and how its labels are written."""

from __future__ import annotations

from dataclasses import dataclass

from torrent_mover.adapters.clients.rtorrent.address import RpcAddress, RpcWay
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.clients import LabelStyle


@dataclass(frozen=True, slots=True)
class RTorrentSettings:
    """`url`: a socket's path, `scgi://host:port`, `http(s)://host/RPC2`, or `ssh:///path` for a socket on the SSH server.

    `username` and `password` are for the web server in front (basic auth); rTorrent itself has no login. `label_field` is
    custom1 to custom5, or the key of a custom field. `session_folder` is rTorrent's session folder as this machine sees it, where
    it does: else its files are read through rTorrent. `proxy`, `verify_cert` and `ca_file` are for a web server: see
    adapters/proxies.py for the first. `through` names the SSH server that leads there. `timeout` in seconds for each answer.
    `section` names the config section in remedies.
    """

    url: str
    username: str = ""
    password: Secret | None = None
    label_field: str = "custom1"
    label_style: LabelStyle = LabelStyle.RUTORRENT
    session_folder: str = ""
    timeout: float = 30.0
    proxy: Secret | None = None
    verify_cert: bool = True
    ca_file: str = ""
    through: str = ""
    section: str = "CLIENT"

    @property
    def address(self) -> RpcAddress:
        """Raises ConfigError for a `url` that is none."""
        return RpcAddress.parse(self.url, self.section)

    @property
    def place(self) -> str:
        """For messages; never a password."""
        address = self.address
        through = self.through or ("SSH" if address.way is RpcWay.SSH_SOCKET else "")
        return f"{address.place}{f' through {through}' if through else ''}"
