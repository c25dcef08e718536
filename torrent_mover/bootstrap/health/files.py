"""The files of a loop's client: on this machine, or on that of its [MACHINE] over SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, PathMap
from torrent_mover.duties.health.model import DiskRoom
from torrent_mover.ports.filesystem import FileSystem


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """See needs.HealthFiles, and acting.bin.ReachesFiles. `pool`: the connections to the machine that has them; None: this one.

    `promised`: folders of that machine, and the bytes that moves will still bring there.
    """

    pairs: tuple[tuple[ClientPath, HostPath | LocalPath], ...]
    pool: SessionPool | None = None
    promised: Callable[[], Iterable[tuple[LocalPath | HostPath, int]]] = tuple

    def here(self, path: ClientPath) -> LocalPath | None:
        """See needs.HealthFiles."""
        return self._local(path) if self.pool is None else None

    def disk(self, path: ClientPath) -> DiskRoom | None:
        """See needs.HealthFiles. A folder that is not there yet is on the file system of the nearest one above it."""
        at = path
        while True:
            try:
                with closing(self.below(at)) as there:
                    space = there.space()
            except Cancelled:
                raise
            except MoverError:
                if at.parent == at:
                    return None
                at = at.parent
                continue
            name = f"{self.pool.name if self.pool is not None else ''}:{space.disk or at}"
            return DiskRoom(name, space.free, self._reserved(space.disk))

    def _reserved(self, disk: str) -> int:
        """Bytes that are promised to moves on a file system; none of a folder that cannot be asked."""
        reserved = 0
        for folder, count in self.promised() if disk else ():
            try:
                with closing(self._files_of(folder)) as there:
                    reserved += count if there.space().disk == disk else 0
            except Cancelled:
                raise
            except MoverError:
                continue
        return reserved

    def below(self, folder: ClientPath) -> FileSystem:
        """See acting.bin.ReachesFiles."""
        if self.pool is None:
            return self._files_of(self._local(folder))
        pairs = tuple((theirs, HostPath(str(ours))) for theirs, ours in self.pairs)
        return self._files_of(PathMap(HostPath, pairs).to_host(folder), str(folder))

    def _files_of(self, folder: LocalPath | HostPath, holder: str = "") -> FileSystem:
        if isinstance(folder, LocalPath) or self.pool is None:
            return LocalFileSystem(LocalPath(str(folder)))
        return SftpFileSystem(self.pool, folder, holder=holder or str(folder))

    def _local(self, path: ClientPath) -> LocalPath:
        return PathMap(LocalPath, tuple((theirs, LocalPath(str(ours))) for theirs, ours in self.pairs)).to_host(path)
