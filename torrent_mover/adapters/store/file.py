"""The journal's open file, as all scopes of a process share it: statements with the notes that wait, and what all jobs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torrent_mover.adapters.store.database import text_of
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.move import MOVE, Outcome
from torrent_mover.domain.report.timing import Task, Timing
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import RunRecord

TIMINGS_KEPT: Final = 2000
"""Of the last five hundred moves; older ones go when a run begins."""

RUNS_KEPT: Final = 20_000
"""Two months of a run every five minutes; older ones go when a run begins. What they moved stays in the history."""

_RUN_COLUMNS: Final = "id, started_at, ended_at, moved, failed, sent, exit_code"


class SharedTables:
    """See ports.journal.SharedRecords."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file

    def brought(self, source: str, destination: str) -> frozenset[InfoHash]:
        """See the port."""
        rows = self._file.read(
            "SELECT torrent FROM history WHERE client = ? AND destination = ? AND outcome != ? AND number IN "
            "(SELECT max(number) FROM history WHERE kind = ? GROUP BY torrent)",
            (source, destination, Outcome.FAILED.value, MOVE),
        )
        return frozenset(InfoHash(text_of(row[0])) for row in rows)

    def breaker(self, server: str) -> Breaker:
        """See the port."""
        rows = self._file.read("SELECT failures, opened_at, open_until FROM breakers WHERE server = ?", (server,))
        return Breaker(*rows[0]) if rows else Breaker()

    def breakers(self) -> dict[str, Breaker]:
        """The breakers of all servers that ever failed, by name."""
        rows = self._file.read("SELECT server, failures, opened_at, open_until FROM breakers ORDER BY server")
        return {text_of(server): Breaker(*rest) for server, *rest in rows}

    def save_breaker(self, server: str, breaker: Breaker) -> None:
        """See the port."""
        self._file.save(
            (
                "INSERT OR REPLACE INTO breakers (server, failures, opened_at, open_until) VALUES (?,?,?,?)",
                (server, breaker.failures, breaker.opened_at, breaker.open_until),
            )
        )

    def begin_run(self, run: str, at: float) -> None:
        """A run begins; timings beyond TIMINGS_KEPT go, and runs beyond RUNS_KEPT."""
        self._file.save(
            (
                "DELETE FROM runs WHERE started_at < "
                "(SELECT started_at FROM runs ORDER BY started_at DESC LIMIT 1 OFFSET ?)",
                (RUNS_KEPT - 1,),
            ),
            (
                "DELETE FROM timings WHERE number <= (SELECT coalesce(max(number), 0) FROM timings) - ?",
                (TIMINGS_KEPT,),
            ),
            (f"INSERT OR REPLACE INTO runs ({_RUN_COLUMNS}) VALUES (?,?,0,0,0,0,0)", (run, at)),
        )

    def end_run(self, record: RunRecord) -> None:
        """See the port."""
        self._file.save(
            (
                f"INSERT OR REPLACE INTO runs ({_RUN_COLUMNS}) VALUES (?,?,?,?,?,?,?)",
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
        """See the port."""
        rows = self._file.read(
            f"SELECT {_RUN_COLUMNS} FROM runs ORDER BY started_at DESC, id DESC LIMIT ?",
            (limit,),
        )
        return [RunRecord(text_of(row[0]), *row[1:]) for row in rows]

    def add_timings(self, timings: Sequence[Timing]) -> None:
        """See the port."""
        self._file.save(
            *(
                (
                    "INSERT INTO timings (task, way, size, took, at) VALUES (?,?,?,?,?)",
                    (each.task.value, each.way, each.size, each.took, each.at),
                )
                for each in timings
            )
        )

    def timings(self, limit: int = 1000) -> Sequence[Timing]:
        """See the port."""
        rows = self._file.read("SELECT task, way, size, took, at FROM timings ORDER BY number DESC LIMIT ?", (limit,))
        return [Timing(Task(task), text_of(way), *rest) for task, way, *rest in rows]
