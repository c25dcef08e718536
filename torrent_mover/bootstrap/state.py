"""Where a run keeps what is its own: the journal, and the locks that keep two runs apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.lockfile import hold, holder, lock_paths, possible_lock_paths, shared_folder
from torrent_mover.adapters.process.this_user import home_folder
from torrent_mover.adapters.store.database import is_there
from torrent_mover.adapters.store.jobs import SqliteJobJournal
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.move import MOVE
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.clients import ClientSettings
from torrent_mover.domain.settings.reading import OwnPlaces
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.settings import Settings


class HasState(Protocol):
    """Whatever names the folder for our own files."""

    @property
    def state_dir(self) -> LocalPath:
        """The folder."""


def state_folder(settings: HasState) -> Path:
    """The folder of the journal and of what a run publishes."""
    return Path(str(settings.state_dir))


def journal_path(settings: HasState) -> Path:
    """The journal's file."""
    return state_folder(settings) / "journal.sqlite3"


def journal_as_it_is(settings: Settings, stack: ExitStack) -> SqliteJournal | None:
    """The journal to look into, until `stack` ends; None where no run was ever made."""
    path = journal_path(settings)
    if not is_there(path):
        return None
    journal = SqliteJournal.open_readonly(path)
    stack.callback(journal.close)
    return journal


def locked(routes: Iterable[Settings]) -> AbstractContextManager[None]:
    """Holds the locks of a run of these routes. Raises AlreadyRunning, NotWritable."""
    paths = [path for each in routes for path in lock_paths(state_folder(each), _shared_folder(), *_pair(each))]
    return hold(tuple(dict.fromkeys(paths)))


def jobs_of(journal: SqliteJournal, source: str, route: str) -> SqliteJobJournal:
    """The moves of a route in the journal; `source` names the client that they leave (`host:port`)."""
    return journal.scoped(MOVE, source, route)


def alone(places: OwnPlaces) -> AbstractContextManager[None]:
    """Holds the lock of the state folder, so that no run begins meanwhile. Raises AlreadyRunning, NotWritable."""
    return hold(lock_paths(state_folder(places), _shared_folder(), "", "")[:1])


def active_run(settings: Settings | OwnPlaces) -> str:
    """Who holds the locks of such a run, as `process 4711, since 2026-11-20 03:00:01`; empty: nobody. Makes nothing."""
    pair = (settings.clients or ("", "")) if isinstance(settings, OwnPlaces) else _pair(settings)
    return holder(possible_lock_paths(state_folder(settings), _shared_folder(), *pair))


def claims(settings: Settings, source: str, destination: str) -> Callable[[InfoHash], AbstractContextManager[None]]:
    """What holds a torrent at both ends of a move, against everybody else. `source`, `destination`: as messages call them."""
    ends = (
        end_of(settings.source_client, settings.source_server),
        end_of(settings.destination_client, settings.destination_server),
    )
    leases = KernelLeases(lease_folder(settings), dict(zip(ends, (source, destination), strict=True)))
    return lambda torrent: leases.hold([(end, torrent) for end in ends], settings.route)


def lease_folder(settings: HasState, *, looks: bool = False) -> Path:
    """Where the leases lie that all configs and duties of a user share. `looks`: nothing is leased, and no folder is made."""
    if looks:
        shared = _shared_folder()
        try:
            usable = not shared.exists() or os.access(shared, os.W_OK)
        except OSError:  # a folder above may not be entered, so nobody leases there
            usable = False
        return shared if usable else state_folder(settings)
    return shared_folder(state_folder(settings), _shared_folder())


def end_of(client: ClientSettings, server: ServerSettings | None) -> str:
    """One client, by the same name in every config: behind a tunnel, another server has another one under the same address."""
    return f"{client.url} through {server.host}:{server.port}" if client.is_tunnelled and server else client.url


def _pair(settings: Settings) -> tuple[str, str]:
    return settings.source_client.url, settings.destination_client.url


def _shared_folder() -> Path:
    """The state folder of a user who does not choose one: the same for all configs of that user."""
    home = os.environ.get("XDG_STATE_HOME", "")
    base = Path(home) if home.startswith("/") else home_folder() / ".local" / "state"
    return base / "torrent-mover"
