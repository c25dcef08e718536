"""Where a run keeps what is its own: the journal, and the locks that keep two runs apart."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from torrent_mover.adapters.lockfile import Claims, hold, holder, lock_paths, possible_lock_paths, shared_folder
from torrent_mover.adapters.process.this_user import home_folder
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.settings.reading import OwnPlaces
from torrent_mover.domain.settings.settings import Settings


def state_folder(settings: Settings | OwnPlaces) -> Path:
    """The folder of the journal and of what a run publishes."""
    return Path(str(settings.state_dir))


def journal_path(settings: Settings | OwnPlaces) -> Path:
    """The journal's file."""
    return state_folder(settings) / "journal.sqlite3"


def journal_as_it_is(settings: Settings, stack: ExitStack) -> SqliteJournal | None:
    """The journal to look into, until `stack` ends; None where no run was ever made."""
    path = journal_path(settings)
    if not path.exists():
        return None
    journal = SqliteJournal.open_readonly(path)
    stack.callback(journal.close)
    return journal


def locked(settings: Settings) -> AbstractContextManager[None]:
    """Holds the locks of a run. Raises AlreadyRunning, NotWritable."""
    return hold(lock_paths(state_folder(settings), _shared_folder(), *_pair(settings)))


def active_run(settings: Settings | OwnPlaces) -> str:
    """Who holds the locks of such a run, as `process 4711, since 2026-11-20 03:00:01`; empty: nobody. Makes nothing."""
    pair = (settings.clients or ("", "")) if isinstance(settings, OwnPlaces) else _pair(settings)
    return holder(possible_lock_paths(state_folder(settings), _shared_folder(), *pair))


def claims(settings: Settings) -> Claims:
    """What keeps two runs from bringing the same torrent to the same client."""
    return Claims(shared_folder(state_folder(settings), _shared_folder()), settings.destination_client.url)


def _pair(settings: Settings) -> tuple[str, str]:
    return settings.source_client.url, settings.destination_client.url


def _shared_folder() -> Path:
    """The state folder of a user who does not choose one: the same for all configs of that user."""
    home = os.environ.get("XDG_STATE_HOME", "")
    base = Path(home) if home.startswith("/") else home_folder() / ".local" / "state"
    return base / "torrent-mover"
