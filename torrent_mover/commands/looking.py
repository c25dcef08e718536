"""Opens the journal for the commands that only look on, whether or not a run is active or was ever made."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from torrent_mover import bootstrap
from torrent_mover.adapters.lockfile import holder, lock_paths
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.commands.configured import settings_of
from torrent_mover.domain.settings import Settings

NO_RUN = "No run has been made with this config. To see what one would move: torrent-mover --dry-run\n"


@dataclass(frozen=True, slots=True)
class View:
    """What there is to look at. `path` is the journal's file, `active` names the process of a run that goes on, or is empty."""

    settings: Settings
    path: Path
    journal: SqliteJournal
    active: str

    @property
    def empty(self) -> bool:
        """Whether no run was ever made."""
        return not self.path.exists()


@contextmanager
def looking_on(arguments: argparse.Namespace) -> Iterator[View]:
    """The journal, read-only. Raises ConfigError, ProvisioningError."""
    settings, _ = settings_of(arguments, quiet=True)
    path = bootstrap.journal_path(settings)
    folder, shared = Path(str(settings.state_dir)), bootstrap.default_state_folder()
    active = ""
    if folder.is_dir():
        pair = (settings.source_client.url, settings.destination_client.url)
        active = holder(lock_paths(folder, shared, *pair))
    journal = SqliteJournal.open_readonly(path)
    try:
        yield View(settings, path, journal, active)
    finally:
        journal.close()


def at(unix: float) -> str:
    """A time for people, in the zone of this machine: `2026-11-20 03:00:03`."""
    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d %H:%M:%S")
