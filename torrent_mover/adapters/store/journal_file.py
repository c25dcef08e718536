"""The journal's file as a process writes it: whole transactions, and lines that ride along. Light: hooks wait for it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.adapters.store.database import Database, Row, Statement
from torrent_mover.domain.errors import MoverError

NOTES_KEPT: Final = 100_000
"""Lines for `log HASH`, of all duties."""

_NOTES_BUFFERED: Final = 50
_NOTES_TRIMMED: Final = 1000
"""After so many lines of a process, and at its first one, those beyond NOTES_KEPT go: no duty's lines grow without end."""

_TRIM: Final[Statement] = (
    "DELETE FROM notes WHERE number <= (SELECT coalesce(max(number), 0) FROM notes) - ?",
    (NOTES_KEPT,),
)


class JournalFile:
    """One for a process and a journal. Safe from any thread. `redact` takes secrets out of texts that came from outside."""

    def __init__(self, database: Database, redact: Callable[[str], str]) -> None:
        self.redact = redact
        self._database = database
        self._notes: list[Statement] = []
        self._noted = 0
        self._notes_lock = threading.Lock()

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows. Raises ProvisioningError's children."""
        return self._database.read(sql, parameters)

    def save(self, *statements: Statement) -> int:
        """Write them in one transaction, and the notes that wait with them; how many rows the last one has changed.

        Raises as Database.write.
        """
        with self._notes_lock:
            notes, self._notes = self._notes, []
        return self._database.write([*notes, *statements])

    def note(self, statement: Statement) -> None:
        """A line that rides along with the next save, or with some more lines."""
        with self._notes_lock:
            if not self._noted % _NOTES_TRIMMED:
                self._notes.append(_TRIM)
            self._noted += 1
            self._notes.append(statement)
            full = len(self._notes) >= _NOTES_BUFFERED
        if full:
            self.save()

    def write_notes(self) -> None:
        """Write down the lines that wait."""
        if self._notes:
            self.save()

    def close(self) -> None:
        """Finish. Never raises."""
        with contextlib.suppress(MoverError, sqlite3.Error):
            self.write_notes()
        self._database.close()
