"""The journal in SQLite: a `ports.journal.Journal` whose every save is on stable storage when it returns."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.store.certificates import certificate_json
from torrent_mover.adapters.store.database import Database, Row, Statement, open_database, open_view, text_of
from torrent_mover.adapters.store.statistics import StatisticsTables
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.redact import hide_known_shapes
from torrent_mover.domain.report.timing import Task, Timing
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.journal import Attempt, ChangedMode, RunRecord

NOTES_KEPT: Final = 100_000
"""Lines for `log HASH`; older ones go when a run begins."""

TIMINGS_KEPT: Final = 2000
"""Of the last five hundred moves; older ones go when a run begins."""

_NOTES_BUFFERED: Final = 50

_MOVE_COLUMNS: Final = (
    "id, name, size, stage, started_at, updated_at, attempts, next_try_at, error_code, error, remedy, mark, source"
)
_HISTORY_COLUMNS: Final = (
    "torrent, name, size, started_at, ended_at, outcome, sent, reused, pieces, repaired, run, detail, "
    "not_carried, confirmed, took, source, destination"
)
_RUN_COLUMNS: Final = "id, started_at, ended_at, moved, failed, sent, exit_code"


class SqliteJournal(StatisticsTables):
    """One file; `path` is made with mode 0600 where it is missing.

    A damaged file is set aside and begun anew: `notices` says so. `redact` takes secrets out of every text that came from
    outside. Raises ConfigError (newer version), NotWritable, DiskFull, ProvisioningError.
    """

    def __init__(self, path: Path, clock: Clock, redact: Callable[[str], str] = hide_known_shapes) -> None:
        database, notices = open_database(path, clock.now(), _read_moves)
        self._begin(database, redact, notices)

    @classmethod
    def open_readonly(cls, path: Path) -> Self:
        """Look on while a run writes, or before any run was made; saving raises NotWritable."""
        journal = cls.__new__(cls)
        journal._begin(open_view(path, _read_moves), hide_known_shapes, ())
        return journal

    def _begin(self, database: Database, redact: Callable[[str], str], notices: tuple[str, ...]) -> None:
        self.notices = notices
        self._database = database
        self._redact = redact
        self._notes: list[Statement] = []
        self._notes_lock = threading.Lock()

    def _save(self, *statements: Statement) -> None:
        """Write them in one transaction, and the notes that wait with them."""
        with self._notes_lock:
            notes, self._notes = self._notes, []
        self._database.write([*notes, *statements])

    def moves(self) -> Sequence[MoveRecord]:
        """Moves that have begun and not ended, and those with a mark, oldest first."""
        return _read_moves(self._database)

    def move(self, torrent: InfoHash) -> MoveRecord | None:
        """The record of one move."""
        rows = self._database.read(f"SELECT {_MOVE_COLUMNS} FROM moves WHERE id = ?", (torrent.hex,))  # noqa: S608 - our columns
        return _move(rows[0]) if rows else None

    def save_move(self, record: MoveRecord) -> None:
        """Write a move's record."""
        self._save(
            (
                f"INSERT INTO moves ({_MOVE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) "  # noqa: S608 - our columns
                "ON CONFLICT (id) DO UPDATE SET name = excluded.name, size = excluded.size, stage = excluded.stage, "
                "started_at = excluded.started_at, updated_at = excluded.updated_at, attempts = excluded.attempts, "
                "next_try_at = excluded.next_try_at, error_code = excluded.error_code, error = excluded.error, "
                "remedy = excluded.remedy, mark = excluded.mark, source = excluded.source",
                (
                    record.id.hex,
                    record.name,
                    record.size,
                    record.stage.value,
                    record.started_at,
                    record.updated_at,
                    record.attempts,
                    record.next_try_at,
                    record.error_code,
                    self._redact(record.error),
                    self._redact(record.remedy),
                    record.mark.value if record.mark else None,
                    record.source,
                ),
            )
        )

    def forget_move(self, torrent: InfoHash) -> None:
        """Drop the record, pieces, attempts and adopted files; history stays, and so do modes that are still to be put back."""
        self._save(
            ("DELETE FROM adopted WHERE torrent = ?", (torrent.hex,)),
            ("DELETE FROM attempts WHERE torrent = ?", (torrent.hex,)),
            ("DELETE FROM moves WHERE id = ?", (torrent.hex,)),
        )

    def pieces(self, torrent: InfoHash) -> bytes | None:
        """The bitfield of verified pieces whose data is on stable storage, as Bitfield.to_bytes made it."""
        rows = self._database.read("SELECT bitfield FROM pieces WHERE move = ?", (torrent.hex,))
        return bytes(rows[0][0]) if rows else None

    def save_pieces(self, torrent: InfoHash, bitfield: bytes) -> None:
        """Replace it. Raises LookupError where the move is not (or no longer) known: its data may be gone."""
        try:
            self._save(
                (
                    "INSERT INTO pieces (move, bitfield) VALUES (?, ?) "
                    "ON CONFLICT (move) DO UPDATE SET bitfield = excluded.bitfield",
                    (torrent.hex, bitfield),
                )
            )
        except sqlite3.IntegrityError as error:
            raise LookupError(f"the journal has no move {torrent}: save_move comes first") from error

    def forget_pieces(self, torrent: InfoHash) -> None:
        """Nothing is verified any more."""
        self._save(("DELETE FROM pieces WHERE move = ?", (torrent.hex,)))

    def save_adopted(self, torrent: InfoHash, paths: Sequence[str]) -> None:
        """See the port."""
        insert = "INSERT OR IGNORE INTO adopted (torrent, path) VALUES (?, ?)"
        self._save(*((insert, (torrent.hex, path)) for path in paths))

    def adopted(self, torrent: InfoHash) -> Sequence[str]:
        """See the port."""
        rows = self._database.read("SELECT path FROM adopted WHERE torrent = ? ORDER BY path", (torrent.hex,))
        return [text_of(row[0]) for row in rows]

    def save_certificate(self, certificate: Certificate, at: float) -> None:
        """Write down every item of the gate (Unix seconds `at`) before the source is removed."""
        self._save(
            (
                "INSERT INTO certificates (torrent, at, content) VALUES (?, ?, ?)",
                (certificate.torrent.hex, at, certificate_json(certificate, at)),
            )
        )

    def certificate_text(self, torrent: InfoHash) -> str | None:
        """The last certificate of a torrent as JSON text, for people and audits."""
        rows = self._database.read(
            "SELECT content FROM certificates WHERE torrent = ? ORDER BY number DESC LIMIT 1", (torrent.hex,)
        )
        return text_of(rows[0][0]) if rows else None

    def add_history(self, entry: HistoryEntry) -> None:
        """Write an ended move."""
        self._save(
            (
                f"INSERT INTO history ({_HISTORY_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - our columns
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
                    self._redact(entry.detail),
                    entry.not_carried,
                    entry.confirmed,
                    entry.took,
                    entry.source,
                    entry.destination,
                ),
            )
        )

    def confirm_history(self, torrent: InfoHash) -> None:
        """The last entry of the torrent came true: the source is gone."""
        self._save(
            (
                "UPDATE history SET confirmed = 1 WHERE number = (SELECT max(number) FROM history WHERE torrent = ?)",
                (torrent.hex,),
            )
        )

    def history(self, limit: int = 1000) -> Sequence[HistoryEntry]:
        """Ended moves, newest first."""
        rows = self._database.read(
            f"SELECT {_HISTORY_COLUMNS} FROM history ORDER BY number DESC LIMIT ?",  # noqa: S608 - our columns
            (limit,),
        )
        return [_entry(row) for row in rows]

    def brought(self, source: str, destination: str) -> frozenset[InfoHash]:
        """See the port."""
        rows = self._database.read(
            "SELECT torrent FROM history WHERE source = ? AND destination = ? AND outcome != ? AND number IN "
            "(SELECT max(number) FROM history GROUP BY torrent)",
            (source, destination, Outcome.FAILED.value),
        )
        return frozenset(InfoHash(text_of(row[0])) for row in rows)

    def known(self, beginning: str) -> list[InfoHash]:
        """Torrents with a move, a history or a line here, whose infohash begins so (hexadecimal, small letters)."""
        rows = self._database.read(
            "SELECT id FROM moves WHERE id GLOB ?1 UNION SELECT torrent FROM history WHERE torrent GLOB ?1 "
            "UNION SELECT torrent FROM notes WHERE torrent GLOB ?1 ORDER BY 1",
            (f"{beginning}*",),
        )
        return [InfoHash(text_of(row[0])) for row in rows]

    def add_attempt(self, attempt: Attempt) -> None:
        """Write one try."""
        self._save(
            (
                "INSERT INTO attempts (torrent, number, started_at, ended_at, sent, ended) VALUES (?,?,?,?,?,?)",
                (
                    attempt.torrent.hex,
                    attempt.number,
                    attempt.started_at,
                    attempt.ended_at,
                    attempt.sent,
                    self._redact(attempt.ended),
                ),
            )
        )

    def attempts(self, torrent: InfoHash) -> Sequence[Attempt]:
        """The tries of one move, oldest first."""
        rows = self._database.read(
            "SELECT number, started_at, ended_at, sent, ended FROM attempts WHERE torrent = ? ORDER BY rowid",
            (torrent.hex,),
        )
        return [
            Attempt(torrent, number, started_at, ended_at, sent, text_of(ended))
            for number, started_at, ended_at, sent, ended in rows
        ]

    def save_mode(self, changed: ChangedMode) -> None:
        """Remember a mode before it is changed.

        The first one remembered for a path wins, whichever torrent asks: what a second one sees was changed already.
        """
        self._save(
            (
                "INSERT INTO modes (place, path, torrent, mode) VALUES (?,?,?,?) ON CONFLICT (place, path) DO NOTHING",
                (changed.place, changed.path, changed.torrent.hex, changed.mode),
            )
        )

    def modes(self, torrent: InfoHash | None = None) -> Sequence[ChangedMode]:
        """Modes still to put back: of one move, or of all."""
        rows = self._database.read("SELECT torrent, place, path, mode FROM modes ORDER BY place, path")
        changed = [ChangedMode(InfoHash(row[0]), text_of(row[1]), text_of(row[2]), row[3]) for row in rows]
        return [mode for mode in changed if torrent is None or mode.torrent == torrent]

    def forget_mode(self, changed: ChangedMode) -> None:
        """It was put back."""
        self._save(("DELETE FROM modes WHERE place = ? AND path = ?", (changed.place, changed.path)))

    def save_stopped(self, torrent: InfoHash) -> None:
        """See the port."""
        self._save(("INSERT OR IGNORE INTO stopped (torrent) VALUES (?)", (torrent.hex,)))

    def stopped(self) -> Sequence[InfoHash]:
        """See the port."""
        return [InfoHash(row[0]) for row in self._database.read("SELECT torrent FROM stopped ORDER BY torrent")]

    def forget_stopped(self, torrent: InfoHash) -> None:
        """See the port."""
        self._save(("DELETE FROM stopped WHERE torrent = ?", (torrent.hex,)))

    def breaker(self, server: str) -> Breaker:
        """The breaker of one server; a closed one if nothing is known."""
        rows = self._database.read("SELECT failures, opened_at, open_until FROM breakers WHERE server = ?", (server,))
        return Breaker(*rows[0]) if rows else Breaker()

    def breakers(self) -> dict[str, Breaker]:
        """The breakers of all servers that ever failed, by name."""
        rows = self._database.read("SELECT server, failures, opened_at, open_until FROM breakers ORDER BY server")
        return {text_of(server): Breaker(*rest) for server, *rest in rows}

    def save_breaker(self, server: str, breaker: Breaker) -> None:
        """Write it."""
        self._save(
            (
                "INSERT OR REPLACE INTO breakers (server, failures, opened_at, open_until) VALUES (?,?,?,?)",
                (server, breaker.failures, breaker.opened_at, breaker.open_until),
            )
        )

    def begin_run(self, run: str, at: float) -> None:
        """A run begins; notes beyond the newest NOTES_KEPT go, and timings beyond TIMINGS_KEPT."""
        self._save(
            (
                "DELETE FROM notes WHERE number <= (SELECT coalesce(max(number), 0) FROM notes) - ?",
                (NOTES_KEPT,),
            ),
            (
                "DELETE FROM timings WHERE number <= (SELECT coalesce(max(number), 0) FROM timings) - ?",
                (TIMINGS_KEPT,),
            ),
            (f"INSERT OR REPLACE INTO runs ({_RUN_COLUMNS}) VALUES (?,?,0,0,0,0,0)", (run, at)),  # noqa: S608 - our columns
        )

    def end_run(self, record: RunRecord) -> None:
        """A run ends."""
        self._save(
            (
                f"INSERT OR REPLACE INTO runs ({_RUN_COLUMNS}) VALUES (?,?,?,?,?,?,?)",  # noqa: S608 - our columns
                (
                    record.id,
                    record.started_at,
                    record.ended_at,
                    record.moved,
                    record.failed,
                    record.sent,
                    record.exit_code,
                ),
            )
        )

    def runs(self, limit: int = 100) -> Sequence[RunRecord]:
        """Runs, newest first."""
        rows = self._database.read(
            f"SELECT {_RUN_COLUMNS} FROM runs ORDER BY started_at DESC, id DESC LIMIT ?",  # noqa: S608 - our columns
            (limit,),
        )
        return [RunRecord(text_of(row[0]), *row[1:]) for row in rows]

    def add_timings(self, timings: Sequence[Timing]) -> None:
        """How long the parts of a move took."""
        self._save(
            *(
                (
                    "INSERT INTO timings (task, way, size, took, at) VALUES (?,?,?,?,?)",
                    (each.task.value, each.way, each.size, each.took, each.at),
                )
                for each in timings
            )
        )

    def timings(self, limit: int = 1000) -> Sequence[Timing]:
        """How long parts of former moves took, newest first."""
        rows = self._database.read(
            "SELECT task, way, size, took, at FROM timings ORDER BY number DESC LIMIT ?", (limit,)
        )
        return [Timing(Task(task), text_of(way), *rest) for task, way, *rest in rows]

    def add_note(self, at: float, torrent: InfoHash | None, level: str, text: str) -> None:
        """A line that `log HASH` shows later; it rides along with the next save, or with some more notes."""
        statement = (
            "INSERT INTO notes (at, torrent, level, text) VALUES (?,?,?,?)",
            (at, torrent.hex if torrent else None, level, self._redact(text)),
        )
        with self._notes_lock:
            self._notes.append(statement)
            full = len(self._notes) >= _NOTES_BUFFERED
        if full:
            self._save()

    def notes(self, torrent: InfoHash, limit: int = 1000) -> Sequence[tuple[float, str, str]]:
        """(Unix seconds, level, text) of one torrent, oldest first; of more than `limit`, the newest."""
        if self._notes:
            self._save()
        rows = self._database.read(
            "SELECT at, level, text FROM notes WHERE torrent = ? ORDER BY number DESC LIMIT ?", (torrent.hex, limit)
        )
        return [(at, level, text_of(text)) for at, level, text in reversed(rows)]

    def close(self) -> None:
        """Finish. Never raises."""
        if self._notes:
            with contextlib.suppress(MoverError, sqlite3.Error):
                self._save()
        self._database.close()


def _read_moves(database: Database) -> list[MoveRecord]:
    rows = database.read(f"SELECT {_MOVE_COLUMNS} FROM moves ORDER BY started_at, id")  # noqa: S608 - our columns
    return [_move(row) for row in rows]


def _move(row: Row) -> MoveRecord:
    """Raises ValueError for a row that makes no sense."""
    (
        torrent,
        name,
        size,
        stage,
        started_at,
        updated_at,
        attempts,
        next_try_at,
        error_code,
        error,
        remedy,
        mark,
        source,
    ) = row
    return MoveRecord(
        id=InfoHash(text_of(torrent)),
        name=text_of(name),
        size=size,
        stage=Stage(stage),
        started_at=started_at,
        updated_at=updated_at,
        attempts=attempts,
        next_try_at=next_try_at,
        error_code=error_code,
        error=text_of(error),
        remedy=text_of(remedy),
        mark=Mark(mark) if mark else None,
        source=text_of(source),
    )


def _entry(row: Row) -> HistoryEntry:
    (
        torrent,
        name,
        size,
        started_at,
        ended_at,
        outcome,
        sent,
        reused,
        pieces,
        repaired,
        run,
        detail,
        carried,
        confirmed,
        took,
        source,
        destination,
    ) = row
    return HistoryEntry(
        id=InfoHash(torrent),
        name=text_of(name),
        size=size,
        started_at=started_at,
        ended_at=ended_at,
        outcome=Outcome(outcome),
        sent=sent,
        reused=reused,
        pieces=pieces,
        repaired=repaired,
        run=text_of(run),
        detail=text_of(detail),
        not_carried=text_of(carried),
        confirmed=bool(confirmed),
        took=took,
        source=text_of(source),
        destination=text_of(destination),
    )
