"""Which jobs a reader means: those of one kind, source client and route, or all moves; and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torrent_mover.adapters.store.database import text_of
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.adapters.store.rows import (
    ATTEMPT_COLUMNS,
    HISTORY_COLUMNS,
    JOB_COLUMNS,
    MODE_COLUMNS,
    attempt_of,
    entry_of,
    mode_of,
    record_of,
)
from torrent_mover.domain.move import MOVE, HistoryEntry, MoveRecord
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt, ChangedMode


@dataclass(frozen=True, slots=True)
class Scope:
    """Jobs of one `kind`; with a `route`, only that one's, and with a `client`, only those that leave it.

    What a journal of before wrote without the name of a client is everybody's, until the first one writes it again.
    """

    kind: str = MOVE
    client: str | None = None
    route: str | None = None

    def where(self, *conditions: str, any_client: bool = False) -> str:
        """The condition for a table with the columns kind, client and route, and these conditions before it."""
        parts = [*conditions, "kind = ?"]
        if self.route is not None:
            parts.append("route = ?")
        if self.client is not None and not any_client:
            parts.append("client IN (?, '')")
        return "WHERE " + " AND ".join(parts)

    def values(self, *before: object, any_client: bool = False) -> list[object]:
        """What `where` leaves open, after the values of its conditions."""
        own = [self.kind, self.route, None if any_client else self.client]
        return [*before, *(value for value in own if value is not None)]


class JobReader:
    """See ports.journal.JobRecords."""

    _file: JournalFile
    _scope: Scope

    def moves(self) -> Sequence[MoveRecord]:
        """See the port. Oldest first."""
        return read_records(self._file, self._scope)

    def move(self, torrent: InfoHash) -> MoveRecord | None:
        """See the port."""
        rows = self._file.read(
            f"SELECT {JOB_COLUMNS} FROM jobs {self._scope.where('infohash = ?')} "
            "ORDER BY client = '', started_at, id LIMIT 1",
            self._scope.values(torrent.hex),
        )
        return record_of(rows[0]) if rows else None

    def pieces(self, torrent: InfoHash) -> bytes | None:
        """See the port."""
        rows = self._file.read(
            f"SELECT bitfield FROM pieces JOIN jobs ON id = job {self._scope.where('infohash = ?')} "
            "ORDER BY client = '' LIMIT 1",
            self._scope.values(torrent.hex),
        )
        return bytes(rows[0][0]) if rows else None

    def adopted(self, torrent: InfoHash) -> Sequence[str]:
        """See the port."""
        rows = self._file.read(
            f"SELECT DISTINCT path FROM adopted {self._scope.where('torrent = ?')} ORDER BY path",
            self._scope.values(torrent.hex),
        )
        return [text_of(row[0]) for row in rows]

    def certificate_text(self, torrent: InfoHash) -> str | None:
        """See the port."""
        rows = self._file.read(
            f"SELECT content FROM certificates {self._scope.where('torrent = ?')} ORDER BY number DESC LIMIT 1",
            self._scope.values(torrent.hex),
        )
        return text_of(rows[0][0]) if rows else None

    def history(self, limit: int = 1000) -> Sequence[HistoryEntry]:
        """See the port."""
        rows = self._file.read(
            f"SELECT {HISTORY_COLUMNS} FROM history {self._scope.where()} ORDER BY number DESC LIMIT ?",
            [*self._scope.values(), limit],
        )
        return [entry_of(row) for row in rows]

    def attempts(self, torrent: InfoHash) -> Sequence[Attempt]:
        """See the port."""
        rows = self._file.read(
            f"SELECT {ATTEMPT_COLUMNS} FROM attempts {self._scope.where('torrent = ?')} ORDER BY rowid",
            self._scope.values(torrent.hex),
        )
        return [attempt_of(row) for row in rows]

    def modes(self, torrent: InfoHash | None = None) -> Sequence[ChangedMode]:
        """See the port."""
        rows = self._file.read(
            f"SELECT {MODE_COLUMNS} FROM modes {self._scope.where(any_client=True)} ORDER BY place, path",
            self._scope.values(any_client=True),
        )
        changed = [mode_of(row) for row in rows]
        return [mode for mode in changed if torrent is None or mode.torrent == torrent]

    def stopped(self) -> Sequence[InfoHash]:
        """See the port."""
        rows = self._file.read(
            f"SELECT DISTINCT torrent FROM stopped {self._scope.where()} ORDER BY torrent",
            self._scope.values(),
        )
        return [InfoHash(row[0]) for row in rows]

    def notes(self, torrent: InfoHash, limit: int = 1000) -> Sequence[tuple[float, str, str]]:
        """See the port. Of more than `limit`, the newest."""
        self._file.write_notes()
        rows = self._file.read(
            f"SELECT at, level, text FROM notes {self._scope.where('torrent = ?')} ORDER BY number DESC LIMIT ?",
            [*self._scope.values(torrent.hex), limit],
        )
        return [(at, level, text_of(text)) for at, level, text in reversed(rows)]


def read_records(file: JournalFile, scope: Scope) -> list[MoveRecord]:
    """The records of a scope, oldest first. Raises ValueError for one that makes no sense."""
    rows = file.read(
        f"SELECT {JOB_COLUMNS} FROM jobs {scope.where()} ORDER BY started_at, infohash, id",
        scope.values(),
    )
    return [record_of(row) for row in rows]
