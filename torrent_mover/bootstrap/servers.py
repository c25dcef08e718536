"""The clients, SSH servers and traces of this process, one of each, made from the settings of all of its routes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields
from typing import Final, Protocol

from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.adapters.clients.rtorrent import RTorrentClient, RTorrentSettings
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.local.traces import TraceFiles
from torrent_mover.adapters.process.surroundings import open_files
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.tunnel import Tunnel
from torrent_mover.bootstrap.state import HasState, state_folder
from torrent_mover.domain.open_files import Allowance, allowance
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.settings.clients import ClientSettings, ClientType
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.delivery.space import Disks
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.engine.proof.recheck import Turns
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.ssh import Login, SshTarget
from torrent_mover.transfer.lanes import LaneShare


class Common(HasState, Protocol):
    """What the making of clients and connections needs of a config, whichever duty it is for."""

    @property
    def general(self) -> GeneralSettings:
        """Timeouts and limits."""


def ssh_target(server: ServerSettings, settings: Common) -> SshTarget:
    """How to reach one SSH server."""
    return SshTarget(
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password.reveal if server.password else None,
        key_file=server.key_file,
        known_hosts=server.known_hosts,
        own_known_hosts=settings.state_dir / "known_hosts",
        shared_connection=settings.state_dir / f"ssh-{_short(f'{server.username}@{server.host}:{server.port}')}",
        host_key_policy=server.host_key_policy,
        proxy_jump=server.proxy_jump,
        transport=server.ssh_transport,
        connect_timeout=settings.general.connect_timeout,
    )


def _short(text: str) -> str:
    """A name for a socket, whose path the system allows no more than 107 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def log_in(server: ServerSettings, settings: Settings) -> Login:
    """Log in to one SSH server, and tell how that went. Raises what logging in raises."""
    with ExitStack() as stack, closing(Servers([settings], stack).pool(server, settings)) as pool:
        return SshAccounts(pool).login()


OpenFiles = Callable[[ClientPath], FileSystem]
"""The files below a folder, given as a client sees it, for clients that delete no data themselves."""


class _Shareable(TorrentClient, Protocol):
    """A client that several routes may share."""

    def for_route(self, clock: Clock, files: OpenFiles | None = None) -> TorrentClient:
        """The same client, whose waits end with another clock."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a client is made of. `local`: it runs on this machine, whose files we see as it does, apart from its path map."""

    section: str
    settings: ClientSettings
    timeout: float
    clock: Clock
    tunnel: Tunnel | None
    files: OpenFiles | None
    local: bool


_Maker = Callable[[_Wanted], _Shareable]


@contextmanager
def one_client(section: str, wanted: ClientSettings, settings: Settings) -> Iterator[TorrentClient]:
    """One client alone, for who asks it a question or two."""
    with ExitStack() as stack:
        there = settings.source_server if wanted is settings.source_client else settings.destination_server
        yield Servers([settings], stack).client(section, wanted, settings, SystemClock(), there)


class Servers:
    """Whoever needs a client or a server borrows it here. Nothing connects before it is asked; all is let go by `stack`."""

    def __init__(
        self, routes: Sequence[Settings], stack: ExitStack, *, common: Common | None = None, run: bool = False
    ) -> None:
        """In a `run` nothing is made anywhere that could not be written down before.

        `common`: what is not a route's own, where there is no route.
        """
        self._routes = tuple(routes)
        self._stack = stack
        self._pools: list[tuple[ServerSettings, SessionPool]] = []
        self._clients: list[tuple[tuple[object, ...], _Shareable]] = []
        self._lanes: dict[int, LaneShare] = {}
        self._waiting: dict[str, tuple[Pulse, Turns]] = {}
        self.disks: Final = Disks()
        self.traces: Final = TraceFiles(state_folder(common or self._routes[0]), must=run)
        stack.callback(self.traces.close)

    @property
    def allowed(self) -> Allowance:
        """What the limit of open files of this process leaves room for."""
        used: list[ServerSettings] = []
        for settings in self._routes:
            there = settings.destination_server if settings.moving.transfer_mode.uploads else None
            used += [server for server in (settings.source_server, there) if server and server not in used]
        most = max((server.max_concurrent_ssh_sessions for server in used), default=1)
        return allowance(open_files(), max(len(used), 1), most)

    def pool(self, server: ServerSettings, settings: Common) -> SessionPool:
        """Connections to one SSH server, less the one that a tunnel takes."""
        known = next((pool for other, pool in self._pools if other == server), None)
        if known is not None:
            return known
        sessions = min(server.max_concurrent_ssh_sessions, self.allowed.sessions) - self._is_tunnelled(server)
        pool = SessionPool(
            connect(ssh_target(server, settings)),
            limit=max(sessions, 1),
            wait_timeout=settings.general.pool_wait_timeout,
            request_size=settings.general.sftp_request_size,
        )
        self._stack.callback(pool.close)
        self._pools.append((server, pool))
        return pool

    def _is_tunnelled(self, server: ServerSettings) -> bool:
        return any(
            client.is_tunnelled and through == server
            for settings in self._routes
            for client, through in (
                (settings.source_client, settings.source_server),
                (settings.destination_client, settings.destination_server),
            )
        )

    def client(
        self,
        section: str,
        wanted: ClientSettings,
        settings: Common,
        clock: Clock,
        server: ServerSettings | None,
        files: OpenFiles | None = None,
    ) -> TorrentClient:
        """The client that a section describes; `clock` ends the waits of whoever borrows it. `server` leads to it, by a tunnel.

        `files`: those of its machine, where this program may delete there what a certificate names.
        """
        same = _identity(wanted, server)
        known = next((client for other, client in self._clients if other == same), None)
        if known is not None:
            return known.for_route(clock, files)
        tunnel = self._tunnel(wanted, settings, server)
        made = _CLIENTS[wanted.type](
            _Wanted(section, wanted, settings.general.connect_timeout, clock, tunnel, files, local=server is None)
        )
        self._stack.callback(made.close)
        self._clients.append((same, made))
        return made

    def _tunnel(self, wanted: ClientSettings, settings: Common, server: ServerSettings | None) -> Tunnel | None:
        if not wanted.is_tunnelled or server is None:
            return None
        tunnel = Tunnel(self.pool(server, settings))
        self._stack.callback(tunnel.close)
        return tunnel

    def waiting_at(self, client: TorrentClient, clock: Clock) -> tuple[Pulse, Turns]:
        """What all share who wait at one client: one listing a second, and as many checks as it can answer for."""
        known = self._waiting.get(client.name)
        if known is None:
            pulse = Pulse(client, clock)
            known = self._waiting[client.name] = pulse, Turns(pulse, clock)
            return known
        pulse = known[0].for_route(client, clock)
        return pulse, known[1].for_route(pulse, clock)

    def lanes(self, pool: SessionPool) -> LaneShare:
        """How many lanes may go through these connections to a server at a time, over all routes that use them."""
        return self._lanes.setdefault(id(pool), LaneShare(pool.lanes))


def _identity(wanted: ClientSettings, server: ServerSettings | None) -> tuple[object, ...]:
    """What makes two sections the same client: how it is reached, whatever a route does with it."""
    reached = tuple(getattr(wanted, field.name) for field in fields(ClientSettings))
    return (*reached, server if wanted.is_tunnelled else None)


def _qbittorrent(asked: _Wanted) -> QBittorrentClient:
    wanted, tunnel = asked.settings, asked.tunnel
    return QBittorrentClient(
        QBittorrentSettings(
            url=wanted.url,
            username=wanted.username,
            password=wanted.password,
            verify_cert=wanted.verify_cert,
            api_key=wanted.api_key,
            basic_auth=wanted.basic_auth,
            ca_file=str(wanted.ca_file) if wanted.ca_file else "",
            proxy=wanted.proxy,
            through=tunnel.through if tunnel else "",
            timeout=asked.timeout,
            section=asked.section,
        ),
        asked.clock,
        tunnel.dial if tunnel else None,
    )


def _rtorrent(asked: _Wanted) -> RTorrentClient:
    wanted, tunnel = asked.settings, asked.tunnel
    return RTorrentClient(
        RTorrentSettings(
            url=wanted.url,
            username=wanted.username,
            password=wanted.password,
            label_field=wanted.label_field,
            label_style=wanted.label_style,
            session_folder=str(wanted.session_folder) if wanted.session_folder and asked.local else "",
            timeout=wanted.timeout,
            proxy=wanted.proxy,
            verify_cert=wanted.verify_cert,
            ca_file=str(wanted.ca_file) if wanted.ca_file else "",
            through=tunnel.through if tunnel else "",
            section=asked.section,
        ),
        asked.clock,
        tunnel,
        asked.files,
    )


_CLIENTS: Final[Mapping[ClientType, _Maker]] = {
    ClientType.QBITTORRENT: _qbittorrent,
    ClientType.RTORRENT: _rtorrent,
}
