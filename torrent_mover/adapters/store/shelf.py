"""The records of duties alone, for a process that reads or writes a few and ends. Light: hooks wait for it."""

from __future__ import annotations

from pathlib import Path

from torrent_mover.adapters.store.database import Database, open_database
from torrent_mover.adapters.store.documents import SqliteDocuments
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.domain.redact import hide_known_shapes


class Shelf:
    """The journal's file, opened as SqliteJournal does it. `now` in Unix seconds. Raises what it raises."""

    def __init__(self, path: Path, now: float) -> None:
        database, _ = open_database(path, now, _sound)
        self._file = JournalFile(database, hide_known_shapes)

    def documents(self, duty: str, section: str) -> SqliteDocuments:
        """The records that a duty keeps for one of its sections."""
        return SqliteDocuments(self._file, duty, section)

    def close(self) -> None:
        """Finish. Never raises."""
        self._file.close()


def _sound(_database: Database) -> None:
    """Whoever works looks into the rows; a hook only adds one."""
