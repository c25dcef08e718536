"""The jobs of one kind, source client and route, in the journal's file: a `ports.journal.JobJournal`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from torrent_mover.adapters.store.certificates import certificate_json
from torrent_mover.adapters.store.database import Statement
from torrent_mover.adapters.store.file import SharedTables
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.adapters.store.rows import HISTORY_COLUMNS
from torrent_mover.adapters.store.scope import JobReader, Scope
from torrent_mover.adapters.store.statistics import StatisticsTables
from torrent_mover.domain.move import HistoryEntry, MoveRecord
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt, ChangedMode

if TYPE_CHECKING:
    from torrent_mover.ports.journal import Journal

_OF_A_JOB: Final = ("adopted", "attempts", "stopped", "statistics", "certificates", "history", "notes")
"""Tables of what belongs to a job by kind, client, torrent and route."""

_JOB: Final = "(SELECT id FROM jobs WHERE kind = ? AND client = ? AND infohash = ? AND route = ?)"


class SqliteJobJournal(SharedTables, JobReader, StatisticsTables):
    """See ports.journal.JobJournal. Made by SqliteJournal.scoped."""

    def __init__(self, file: JournalFile, whole: Journal, kind: str, client: str, route: str) -> None:
        super().__init__(file)
        self.whole: Final = whole
        self._kind = kind
        self._client = client
        self._route = route
        self._scope = Scope(kind, client, route)
        self._unowned = self._without_client() if client else frozenset()

    def _without_client(self) -> frozenset[str]:
        """Infohashes of jobs that a journal of before has written without the name of their client."""
        rows = self._file.read(
            "SELECT infohash FROM jobs WHERE kind = ? AND route = ? AND client = ''", (self._kind, self._route)
        )
        return frozenset(row[0] for row in rows)

    def _owned(self, torrent: InfoHash) -> list[Statement]:
        """What makes a job ours that has no client yet, with all that is known of it; nothing where there is none."""
        if torrent.hex not in self._unowned:
            return []
        ours = (self._client, self._kind, self._route, torrent.hex)
        return [
            (
                "UPDATE OR IGNORE jobs SET client = ? WHERE kind = ? AND route = ? AND infohash = ? AND client = ''",
                ours,
            ),
            *(
                (
                    f"UPDATE OR IGNORE {table} SET client = ? "
                    "WHERE kind = ? AND route = ? AND torrent = ? AND client = ''",
                    ours,
                )
                for table in _OF_A_JOB
            ),
        ]

    def _key(self, torrent: InfoHash) -> tuple[str, str, str, str]:
        return self._kind, self._client, torrent.hex, self._route

    def save_move(self, record: MoveRecord) -> None:
        """See the port."""
        self._file.save(
            *self._owned(record.id),
            (
                "INSERT INTO jobs (kind, client, infohash, route, name, size, stage, started_at, updated_at, attempts, "
                "next_try_at, error_code, error, remedy, mark) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                "ON CONFLICT (kind, client, infohash, route) DO UPDATE SET name = excluded.name, size = excluded.size, "
                "stage = excluded.stage, started_at = excluded.started_at, updated_at = excluded.updated_at, "
                "attempts = excluded.attempts, next_try_at = excluded.next_try_at, error_code = excluded.error_code, "
                "error = excluded.error, remedy = excluded.remedy, mark = excluded.mark",
                (
                    *self._key(record.id),
                    record.name,
                    record.size,
                    record.stage.value,
                    record.started_at,
                    record.updated_at,
                    record.attempts,
                    record.next_try_at,
                    record.error_code,
                    self._file.redact(record.error),
                    self._file.redact(record.remedy),
                    record.mark.value if record.mark else None,
                ),
            ),
        )

    def forget_move(self, torrent: InfoHash) -> None:
        """Drop the record, pieces, attempts and adopted files; history stays, and so do modes that are still to be put back."""
        gone = self._scope.values(torrent.hex)
        self._file.save(
            (f"DELETE FROM adopted {self._scope.where('torrent = ?')}", gone),
            (f"DELETE FROM attempts {self._scope.where('torrent = ?')}", gone),
            (f"DELETE FROM jobs {self._scope.where('infohash = ?')}", gone),
        )

    def save_pieces(self, torrent: InfoHash, bitfield: bytes) -> None:
        """Replace it. Raises LookupError where the move is not (or no longer) known: its data may be gone."""
        try:
            self._file.save(
                *self._owned(torrent),
                (
                    f"INSERT INTO pieces (job, bitfield) VALUES ({_JOB}, ?) "
                    "ON CONFLICT (job) DO UPDATE SET bitfield = excluded.bitfield",
                    (*self._key(torrent), bitfield),
                ),
            )
        except sqlite3.IntegrityError as error:
            raise LookupError(f"the journal has no move {torrent}: save_move comes first") from error

    def forget_pieces(self, torrent: InfoHash) -> None:
        """See the port."""
        condition = self._scope.where("infohash = ?")
        self._file.save(
            (
                f"DELETE FROM pieces WHERE job IN (SELECT id FROM jobs {condition})",
                self._scope.values(torrent.hex),
            )
        )

    def save_adopted(self, torrent: InfoHash, paths: Sequence[str]) -> None:
        """See the port."""
        insert = "INSERT OR IGNORE INTO adopted (kind, client, torrent, route, path) VALUES (?,?,?,?,?)"
        self._file.save(*((insert, (*self._key(torrent), path)) for path in paths))

    def save_certificate(self, certificate: Certificate, at: float) -> None:
        """See the port."""
        self._file.save(
            (
                "INSERT INTO certificates (kind, client, torrent, route, at, content) VALUES (?,?,?,?,?,?)",
                (*self._key(certificate.torrent), at, certificate_json(certificate, at)),
            )
        )

    def add_history(self, entry: HistoryEntry) -> None:
        """See the port."""
        self._file.save(
            (
                f"INSERT INTO history ({HISTORY_COLUMNS}, kind) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    entry.id.hex,
                    entry.name,
                    entry.size,
                    entry.started_at,
                    entry.ended_at,
                    entry.outcome.value,
                    entry.sent,
                    entry.reused,
                    entry.pieces,
                    entry.repaired,
                    entry.run,
                    self._file.redact(entry.detail),
                    entry.not_carried,
                    entry.confirmed,
                    entry.took,
                    self._client,
                    entry.destination,
                    self._route,
                    self._kind,
                ),
            )
        )

    def confirm_history(self, torrent: InfoHash) -> None:
        """See the port."""
        last = f"(SELECT max(number) FROM history {self._scope.where('torrent = ?')})"
        self._file.save((f"UPDATE history SET confirmed = 1 WHERE number = {last}", self._scope.values(torrent.hex)))

    def add_attempt(self, attempt: Attempt) -> None:
        """See the port."""
        self._file.save(
            (
                "INSERT INTO attempts (kind, client, torrent, route, number, started_at, ended_at, sent, ended) "
                "VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    *self._key(attempt.torrent),
                    attempt.number,
                    attempt.started_at,
                    attempt.ended_at,
                    attempt.sent,
                    self._file.redact(attempt.ended),
                ),
            )
        )

    def save_mode(self, changed: ChangedMode) -> None:
        """Remember a mode before it is changed.

        The first one remembered for a path wins, whichever job asks: what a second one sees was changed already.
        """
        self._file.save(
            (
                "INSERT INTO modes (kind, client, torrent, route, place, path, mode) VALUES (?,?,?,?,?,?,?) "
                "ON CONFLICT (place, path) DO NOTHING",
                (*self._key(changed.torrent), changed.place, changed.path, changed.mode),
            )
        )

    def forget_mode(self, changed: ChangedMode) -> None:
        """See the port."""
        self._file.save(("DELETE FROM modes WHERE place = ? AND path = ?", (changed.place, changed.path)))

    def save_stopped(self, torrent: InfoHash) -> None:
        """See the port."""
        self._file.save(
            ("INSERT OR IGNORE INTO stopped (kind, client, torrent, route) VALUES (?,?,?,?)", self._key(torrent))
        )

    def forget_stopped(self, torrent: InfoHash) -> None:
        """See the port."""
        self._file.save((f"DELETE FROM stopped {self._scope.where('torrent = ?')}", self._scope.values(torrent.hex)))

    def add_note(self, at: float, torrent: InfoHash | None, level: str, text: str) -> None:
        """See the port: it rides along with the next save, or with some more notes."""
        self._file.note(
            (
                "INSERT INTO notes (kind, client, torrent, route, at, level, text) VALUES (?,?,?,?,?,?,?)",
                (
                    self._kind,
                    self._client,
                    torrent.hex if torrent else None,
                    self._route,
                    at,
                    level,
                    self._file.redact(text),
                ),
            )
        )
