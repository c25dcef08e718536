"""Where the destination's qBittorrent keeps what it counts, and how it is stopped and started, made from the settings."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torrent_mover.adapters.clients.qbittorrent.resume_folder import ResumeFolder
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.process import orders
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.domain.paths import HostPath
from torrent_mover.domain.settings.clients import DestinationClientSettings
from torrent_mover.ports.clock import Clock

_HOLDER: Final = "statistics"

_LOCKS: Final = ("../lockfile", "../../config/lockfile", "../../../../.config/qBittorrent/lockfile")
"""Where the lock of the profile lies, seen from BT_backup: one folder for all (containers), `--profile`, and the XDG folders."""


def resume_folder(
    client: DestinationClientSettings, destination: SessionPool | None, clock: Clock
) -> ResumeFolder | None:
    """What can be written there; None where nobody wants that. `destination`: the connections to a client on another machine."""
    folder = client.resume_folder
    if not client.carry_statistics or folder is None:
        return None
    stop, start = client.stop_command, client.start_command
    if destination is not None:
        there = HostPath(str(folder))
        return ResumeFolder(
            SftpFileSystem(destination, there, holder=_HOLDER),
            SftpFileSystem(destination, there.parent, holder=_HOLDER),
            orders.there(destination, stop, "stop_command"),
            orders.there(destination, start, "start_command"),
            clock,
        )
    return ResumeFolder(
        LocalFileSystem(folder),
        LocalFileSystem(folder.parent),
        orders.here(stop, "stop_command"),
        orders.here(start, "start_command", leave=True),
        clock,
        profile_lock(Path(str(folder))),
    )


def profile_lock(folder: Path) -> Callable[[], bool]:
    """Whether a running client holds the lock of the profile to which a BT_backup belongs; False where it cannot be asked.

    qBittorrent holds it by fcntl(2) for as long as it runs, also from within a container of this machine. Asking takes it for
    an instant, which a client that is running does not notice.
    """

    def locked() -> bool:
        for place in _LOCKS:
            try:
                with (folder / place).open("r+b") as file:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                continue
        return False

    return locked
