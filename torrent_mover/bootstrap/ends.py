"""Both ends of a route: its clients, servers and files, borrowed from what this process has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torrent_mover.adapters.clients.qbittorrent.statistics import resume_folder
from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.local.mounts import mount_point
from torrent_mover.adapters.process.surroundings import open_files
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.adapters.ssh.accounts import SshAccounts
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.ssh.shared_files import SharedFiles
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.placements import Placements
from torrent_mover.bootstrap.servers import Servers, ssh_target
from torrent_mover.domain.open_files import require
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.duties.moving.checks import Reach
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.delivery.places import Destination, Source
from torrent_mover.engine.preflight.mount import DestinationDisk, RemembersMounts
from torrent_mover.engine.preflight.source import SourceTree
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem, ReadableFiles
from torrent_mover.transfer.reaching import Reaching
from torrent_mover.transfer.through import ReadingThrough

_log = logging.getLogger(__name__)


class Ends:
    """Both ends of one route. Nothing connects before it is asked."""

    def __init__(
        self, settings: Settings, servers: Servers, clock: Clock, say: Callable[[str], None] = _log.info
    ) -> None:
        """`say` gets lines for people; `clock` ends the waits of this route alone."""
        self._settings = settings
        self._servers = servers
        self._say = say
        moving, there = settings.moving, settings.destination_server
        self.source_pool = servers.pool(settings.source_server, settings)
        uploads = moving.transfer_mode.uploads
        self.destination_pool = servers.pool(there, settings) if uploads and there else None
        self.look = SharedFiles(self.source_pool, settings.source_map)
        source = servers.client(
            moving.source_client_section,
            settings.source_client,
            settings,
            clock,
            settings.source_server,
            self._files_of_client,
        )
        folder = settings.source_client.torrent_folder
        self.source = Source(settings.source_server.host, source, self._open_source, self.look.real, folder)
        torrents = servers.client(
            moving.destination_client_section,
            settings.destination_client,
            settings,
            clock,
            there,
            self._files_at_destination,
        )
        remote = self.destination_pool
        self.destination = self._remote(torrents, remote) if remote is not None else self._local(torrents)
        self.statistics = resume_folder(settings.destination_client, self.destination_pool, clock)

    def placed(self, journal: SqliteJournal) -> Destination:
        """The destination, and where other duties of this machine have put what came there."""
        if self.destination_pool is not None:
            return self.destination
        to_host = self._settings.local_destination_map.to_host
        return replace(self.destination, elsewhere=Placements(journal, to_host, self._local_files))

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

    def reach(
        self,
        config: Callable[[], str],
        second_run: Callable[[], str],
        mounts: RemembersMounts | None,
        *,
        learns: bool = False,
    ) -> Reach:
        """What checks ask beside clients and files. `mounts`: where the disks of destinations are remembered, if anywhere."""
        settings = self._settings

        def anywhere(folder: HostPath) -> ReadableFiles:
            return self._read_only(folder, "check")

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
            disk=None if self.destination_pool else self._disk(mounts, learns=learns).ask,
        )

    def _disk(self, mounts: RemembersMounts | None, *, learns: bool) -> DestinationDisk:
        folder = Path(str(self._settings.local_destination))
        return DestinationDisk(folder, mount_point, mounts, writes=learns)

    def _files_of_client(self, save_path: ClientPath) -> FileSystem:
        """For a source client that deletes no data itself: it, and nobody else, removes there what a certificate names."""
        return SftpFileSystem(self.source_pool, self._settings.source_map.to_host(save_path), holder=str(save_path))

    def _files_at_destination(self, save_path: ClientPath) -> FileSystem:
        """For a destination client that wants more on disk than the files of a torrent."""
        pool = self.destination_pool
        if pool is None:
            return LocalFileSystem(self._settings.local_destination_map.to_host(save_path))
        return SftpFileSystem(pool, self._settings.remote_destination_map.to_host(save_path), holder="destination")

    def _open_source(self, save_path: ClientPath) -> ReadableFiles:
        return self._read_only(self._settings.source_map.to_host(save_path), str(save_path))

    def _read_only(self, root: HostPath, holder: str) -> ReadableFiles:
        """Files of the source's server. The engine is given no way to write there."""
        return ReadingThrough(SftpFileSystem(self.source_pool, root, holder=holder, follow_symlinks=True))

    def _carefully(self, files: FileSystem, *, proves: bool) -> FileSystem:
        """What is made in it for a moment is written down, and a rename that cannot reach is done by copy and proof."""
        return Reaching(files, self._servers.traces, self._say, proves=proves)

    def _local(self, torrents: TorrentClient) -> Destination:
        root = self._settings.local_destination
        save_path = self._settings.local_destination_map.to_client(root)
        return Destination(
            torrents.name, torrents, self._local_files(root), save_path, local=True, accounts=LocalAccounts()
        )

    def _local_files(self, root: LocalPath) -> FileSystem:
        return self._carefully(LocalFileSystem(root, most_open=self._servers.allowed.files), proves=True)

    def _remote(self, torrents: TorrentClient, pool: SessionPool) -> Destination:
        settings = self._settings
        root = settings.remote_destination
        save_path = settings.remote_destination_map.to_client(root)
        there = self._carefully(SftpFileSystem(pool, root, holder="destination"), proves=False)
        accounts, section = SshAccounts(pool), "DESTINATION_SERVER"
        return Destination(pool.name, torrents, there, save_path, local=False, accounts=accounts, section=section)
