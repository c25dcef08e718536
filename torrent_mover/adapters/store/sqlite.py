"""The journal in SQLite: a `ports.journal.Journal` whose every save is on stable storage when it returns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from torrent_mover.adapters.store.database import Database, open_database, open_view, text_of
from torrent_mover.adapters.store.documents import SqliteDocuments
from torrent_mover.adapters.store.file import SharedTables
from torrent_mover.adapters.store.handovers import HandoverTables
from torrent_mover.adapters.store.jobs import SqliteJobJournal
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.adapters.store.scope import JobReader, Scope, read_records
from torrent_mover.domain.move import MOVE, MoveRecord
from torrent_mover.domain.redact import hide_known_shapes
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.clock import Clock


class SqliteJournal(SharedTables, JobReader, HandoverTables):
    """One file, for all jobs of a state folder; `path` is made with mode 0600 where it is missing.

    Its own reads are of moves, of all sources and routes; `scoped` gives the jobs of one scope, to read and to write. It is a
    `ports.handovers.HandoverJournal` too. Several processes may have it open at once: a write waits some seconds for another one's.

    A damaged file is set aside, and a new one begun: `notices` says so. `redact` takes secrets out of every text that came from
    outside. Raises ConfigError (newer version), NotWritable, DiskFull, ProvisioningError.
    """

    def __init__(self, path: Path, clock: Clock, redact: Callable[[str], str] = hide_known_shapes) -> None:
        database, notices = open_database(path, clock.now(), _check)
        self._begin(database, redact, notices)

    @classmethod
    def open_readonly(cls, path: Path) -> Self:
        """Look on while a run writes, or before any run was made; saving raises NotWritable."""
        journal = cls.__new__(cls)
        journal._begin(open_view(path, _check), hide_known_shapes, ())
        return journal

    def _begin(self, database: Database, redact: Callable[[str], str], notices: tuple[str, ...]) -> None:
        super().__init__(JournalFile(database, redact))
        self.notices = notices
        self._scope = Scope()

    def scoped(self, kind: str, client: str, route: str) -> SqliteJobJournal:
        """See the port."""
        return SqliteJobJournal(self._file, self, kind, client, route)

    def documents(self, duty: str, section: str) -> SqliteDocuments:
        """The records that a duty keeps for one of its sections."""
        return SqliteDocuments(self._file, duty, section)

    def sections(self, duty: str) -> list[str]:
        """The sections of a duty that keep records here, whether or not the config still has them."""
        rows = self._file.read("SELECT DISTINCT section FROM documents WHERE duty = ? ORDER BY section", (duty,))
        return [text_of(row[0]) for row in rows]

    def of(self, record: MoveRecord) -> SqliteJobJournal:
        """See the port."""
        return self.scoped(MOVE, record.source, record.route)

    def known(self, beginning: str) -> list[InfoHash]:
        """Torrents with a job, a history or a line here, whose infohash begins so (hexadecimal, small letters)."""
        rows = self._file.read(
            "SELECT infohash FROM jobs WHERE infohash GLOB ?1 UNION SELECT torrent FROM history WHERE torrent GLOB ?1 "
            "UNION SELECT torrent FROM notes WHERE torrent GLOB ?1 ORDER BY 1",
            (f"{beginning}*",),
        )
        return [InfoHash(text_of(row[0])) for row in rows]

    def add_note(self, at: float, torrent: InfoHash | None, level: str, text: str) -> None:
        """See the port: a line that belongs to no one job."""
        self._file.note(
            (
                "INSERT INTO notes (kind, client, torrent, route, at, level, text) VALUES (?,'',?,'',?,?,?)",
                (MOVE, torrent.hex if torrent else None, at, level, self._file.redact(text)),
            )
        )

    def close(self) -> None:
        """See the port."""
        self._file.close()


def _check(database: Database) -> None:
    """Whether the rows make sense. Raises ValueError."""
    read_records(JournalFile(database, hide_known_shapes), Scope())
