"""Both ends of the moves: their clients, servers and files, made from the settings."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Final

from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.adapters.clients.qbittorrent.statistics import resume_folder
from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.local.traces import TraceFiles
from torrent_mover.adapters.process.surroundings import open_files
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.ssh.shared_files import SharedFiles
from torrent_mover.adapters.ssh.tunnel import Tunnel
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.domain.open_files import Allowance, allowance, require
from torrent_mover.domain.paths import ClientPath, HostPath
from torrent_mover.domain.settings.settings import ClientSettings, ServerSettings, Settings
from torrent_mover.duties.moving.checks import Reach
from torrent_mover.engine.delivery.places import Destination, Source
from torrent_mover.engine.preflight.source import SourceTree
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.ssh import Login, SshTarget
from torrent_mover.transfer.reaching import Reaching

_log = logging.getLogger(__name__)


def client(
    section: str, settings: ClientSettings, timeout: float, clock: Clock, tunnel: Tunnel | None = None
) -> TorrentClient:
    """The client that a section describes, through a tunnel where one is given. Connects when first asked something."""
    return QBittorrentClient(
        QBittorrentSettings(
            url=settings.url,
            username=settings.username,
            password=settings.password,
            verify_cert=settings.verify_cert,
            api_key=settings.api_key,
            basic_auth=settings.basic_auth,
            ca_file=str(settings.ca_file) if settings.ca_file else "",
            proxy=settings.proxy,
            through=tunnel.through if tunnel else "",
            timeout=timeout,
            section=section,
        ),
        clock,
        tunnel.dial if tunnel else None,
    )


def tunnel_to(settings: ClientSettings, pool: SessionPool | None, stack: ExitStack) -> Tunnel | None:
    """The tunnel to a client, through the server of `pool`; None where it needs none. Let go by `stack`."""
    if not settings.tunnel or pool is None:
        return None
    tunnel = Tunnel(pool)
    stack.callback(tunnel.close)
    return tunnel


def ssh_target(server: ServerSettings, settings: Settings) -> SshTarget:
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


def allowed(settings: Settings) -> Allowance:
    """What the limit of open files of this process leaves room for."""
    servers = [server for server in (settings.source_server, settings.destination_server) if server]
    used = servers if settings.moving.transfer_mode.uploads else servers[:1]
    most = max(server.max_concurrent_ssh_sessions for server in used)
    return allowance(open_files(), len(used), most)


def session_pool(server: ServerSettings, settings: Settings, *, tunnel: bool = False) -> SessionPool:
    """Connections to one SSH server, `tunnel` less the one that a tunnel takes. Connects when first asked something."""
    return SessionPool(
        connect(ssh_target(server, settings)),
        limit=max(min(server.max_concurrent_ssh_sessions, allowed(settings).sessions) - tunnel, 1),
        wait_timeout=settings.general.pool_wait_timeout,
        request_size=settings.general.sftp_request_size,
    )


def log_in(server: ServerSettings, settings: Settings) -> Login:
    """Log in to one SSH server, and tell how that went. Raises what logging in raises."""
    with closing(session_pool(server, settings)) as pool:
        return SshAccounts(pool).login()


class Ends:
    """Both ends of the moves. What it opens is let go by `stack`; nothing connects before it is asked."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        stack: ExitStack,
        say: Callable[[str], None] = _log.info,
        *,
        run: bool = False,
    ) -> None:
        """`say` gets lines for people. In a run nothing is made anywhere that could not be written down before."""
        self._settings = settings
        self._stack = stack
        self._say = say
        self.traces: Final = TraceFiles(state_folder(settings), must=run)
        stack.callback(self.traces.close)
        moving = settings.moving
        self.source_pool = self._pool(settings.source_server, tunnel=settings.source_client.tunnel)
        uploads, there = moving.transfer_mode.uploads, settings.destination_server
        behind = self._pool(there, tunnel=settings.destination_client.tunnel) if there else None
        self.destination_pool = behind if uploads else None
        self.look = SharedFiles(self.source_pool, settings.source_map)
        source = self._client(moving.source_client_section, settings.source_client, clock, self.source_pool)
        self.source = Source(settings.source_server.host, source, self._open_source, self.look.real)
        torrents = self._client(moving.destination_client_section, settings.destination_client, clock, behind)
        self.destination = self._remote(torrents, behind) if uploads and behind else self._local(torrents)
        self.statistics = resume_folder(settings, self.destination_pool, clock)

    @property
    def pools(self) -> tuple[SessionPool, ...]:
        """The connections to each server: the source first."""
        return (self.source_pool, self.destination_pool) if self.destination_pool else (self.source_pool,)

    @property
    def rsyncs(self) -> tuple[RsyncProcess, ...]:
        """The rsync program with each server that the mode has: the source first."""
        settings = self._settings
        servers = (settings.source_server, settings.destination_server if self.destination_pool else None)
        return tuple(RsyncProcess(ssh_target(server, settings)) for server in servers if server)

    def reach(self, config: Callable[[], str], second_run: Callable[[], str]) -> Reach:
        """What checks ask beside clients and files."""
        settings = self._settings

        def anywhere(folder: HostPath) -> SftpFileSystem:
            return SftpFileSystem(self.source_pool, folder, holder="check", follow_symlinks=True)

        home, section = SshAccounts(self.source_pool).home, settings.moving.source_client_section
        return Reach(
            config=config,
            ssh=tuple(SshAccounts(pool) for pool in self.pools),
            rsync=self.rsyncs if settings.moving.transfer_mode.by_rsync else (),
            tree=SourceTree(anywhere, home, settings.source_map.to_host, section),
            own_files=LocalFileSystem(settings.state_dir),
            second_run=second_run,
            statistics=self.statistics.check if self.statistics else None,
            open_files=lambda: require(open_files()),
        )

    def _client(self, section: str, settings: ClientSettings, clock: Clock, pool: SessionPool | None) -> TorrentClient:
        tunnel = tunnel_to(settings, pool, self._stack)
        torrents = client(section, settings, self._settings.general.connect_timeout, clock, tunnel)
        self._stack.callback(torrents.close)
        return torrents

    def _pool(self, server: ServerSettings, *, tunnel: bool) -> SessionPool:
        pool = session_pool(server, self._settings, tunnel=tunnel)
        self._stack.callback(pool.close)
        return pool

    def _open_source(self, save_path: ClientPath) -> SftpFileSystem:
        root = self._settings.source_map.to_host(save_path)
        return SftpFileSystem(self.source_pool, root, holder=str(save_path), follow_symlinks=True)

    def _carefully(self, files: FileSystem, *, proves: bool) -> FileSystem:
        """What is made in it for a moment is written down, and a rename that cannot reach is done by copy and proof."""
        return Reaching(files, self.traces, self._say, proves=proves)

    def _local(self, torrents: TorrentClient) -> Destination:
        root = self._settings.local_destination
        save_path = self._settings.local_destination_map.to_client(root)
        files = self._carefully(LocalFileSystem(root, most_open=allowed(self._settings).files), proves=True)
        return Destination(torrents.name, torrents, files, save_path, local=True, accounts=LocalAccounts())

    def _remote(self, torrents: TorrentClient, pool: SessionPool) -> Destination:
        settings = self._settings
        root = settings.remote_destination
        save_path = settings.remote_destination_map.to_client(root)
        there = self._carefully(SftpFileSystem(pool, root, holder="destination"), proves=False)
        accounts, section = SshAccounts(pool), "DESTINATION_SERVER"
        return Destination(pool.name, torrents, there, save_path, local=False, accounts=accounts, section=section)
