"""Opens the journal for commands that only read, whether or not a run is active or was ever made."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from torrent_mover.adapters.outlets import run_state
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.state import active_run, journal_path, state_folder
from torrent_mover.commands.configured import own_places_of
from torrent_mover.domain.text import pad, safe

NO_RUN = "No run has been made with this config. To see what one would move: torrent-mover --dry-run\n"


@dataclass(frozen=True, slots=True)
class JournalView:
    """What there is to look at. `path` is the journal's file, `active` names the process of a run that goes on, or is empty."""

    path: Path
    journal: SqliteJournal
    active: str
    published: Mapping[str, Any]
    """What that run says of itself (adapters/outlets/run_state.py); empty where it says nothing."""

    @property
    def empty(self) -> bool:
        """Whether no run was ever made."""
        return not self.path.exists()


@contextmanager
def looking_on(arguments: argparse.Namespace) -> Iterator[JournalView]:
    """The journal, read-only. Raises ConfigError, ProvisioningError."""
    places = own_places_of(arguments)
    path, active = journal_path(places), active_run(places)
    journal = SqliteJournal.open_readonly(path)
    try:
        yield JournalView(path, journal, active, _published(state_folder(places), journal) if active else {})
    finally:
        journal.close()


def _published(folder: Path, journal: SqliteJournal) -> Mapping[str, Any]:
    """What the newest run has published. A killed run leaves its file behind: then it is not about the one that goes on."""
    data = run_state.published(folder / run_state.FILE_NAME) or {}
    newest = next(iter(journal.runs(1)), None)
    return data if newest is not None and data.get("run") == newest.id and not newest.ended_at else {}


def name_cells(stream: TextIO, cells: int) -> int | None:
    """How long a name may be: `cells` on a terminal, any length in a pipe or a file, where programs read."""
    return cells if stream.isatty() else None


def name_cell(name: str, cells: int | None) -> str:
    """A torrent's name as a cell of a table, padded, and cut where `name_cells` says so."""
    told = safe(name)
    return told if cells is None else pad(told, cells)


def zone(unix: float) -> str:
    """The zone of `at`, as `UTC+01:00`."""
    offset = datetime.fromtimestamp(unix).astimezone().strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"


def at(unix: float) -> str:
    """A time for people, in the zone of this machine: `2026-11-20 03:00:03`."""
    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d %H:%M:%S")
