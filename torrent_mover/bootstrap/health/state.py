"""Where the loops keep what is their own: their records in the journal, the lock of the worker that stays."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.lockfile import holder
from torrent_mover.adapters.store.database import is_there
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.state import journal_path, state_folder
from torrent_mover.duties.health.health_journal import DUTY, KeptHealthJournal
from torrent_mover.ports.documents import Documents

_LOOPS: Final = "loops"


def lock_of(setup: HealthSetup) -> Path:
    """The lock of whoever looks again and again for a loop. Makes nothing."""
    return state_folder(setup) / f"health-{setup.name}.lock"


def running(setup: HealthSetup) -> str:
    """Who looks after a loop, as `process 4711, since 2026-11-20 03:00:01`; blank: nobody."""
    return holder([lock_of(setup)])


def open_journal(setup: HealthSetup, stack: ExitStack, *, writes: bool) -> SqliteJournal | None:
    """The journal, until `stack` ends; None: it only looks, and there is none yet."""
    path = journal_path(setup)
    if writes:
        journal = SqliteJournal(path, SystemClock(), redactor_of((setup.client, *setup.arrs.values(), setup.general)))
    elif is_there(path):
        journal = SqliteJournal.open_readonly(path)
    else:
        return None
    stack.callback(journal.close)
    return journal


def records_of(setup: HealthSetup, journal: SqliteJournal | None) -> KeptHealthJournal:
    """The records of one loop; those of a journal that does not exist are empty."""
    documents = UnwrittenDocuments(None) if journal is None else journal.documents(DUTY, setup.name)
    return KeptHealthJournal(documents, grace=setup.settings.grace)


class LoopStates:
    """How the loops of a process that stays are, for those that look on."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def save(self, state: str, at: float, error: str) -> None:
        """Write down how it is since `at` (Unix seconds)."""
        self._documents.put(_LOOPS, "state", {"state": state, "at": at, "error": error})

    def read(self) -> tuple[str, float, str]:
        """State, since when, and the error; blank where none was ever there."""
        found = self._documents.get(_LOOPS, "state") or {}
        return str(found.get("state", "")), float(found.get("at", 0.0)), str(found.get("error", ""))
