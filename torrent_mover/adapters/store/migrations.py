"""The journal's schema, version by version. A released version is never edited: a change is one more entry."""

from __future__ import annotations

import sqlite3
from typing import Final

APPLICATION_ID: Final = 0x746D6A31  # "tmj1": tells our file from a database of another program

_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE moves (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, stage TEXT NOT NULL,
            started_at REAL NOT NULL, updated_at REAL NOT NULL, attempts INTEGER NOT NULL, next_try_at REAL NOT NULL,
            error_code TEXT NOT NULL, error TEXT NOT NULL, remedy TEXT NOT NULL, mark TEXT
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE pieces (
            move TEXT PRIMARY KEY REFERENCES moves (id) ON DELETE CASCADE, bitfield BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE attempts (
            torrent TEXT NOT NULL, number INTEGER NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
            sent INTEGER NOT NULL, ended TEXT NOT NULL
        )
        """,
        "CREATE INDEX attempts_of_torrent ON attempts (torrent)",
        """
        CREATE TABLE certificates (
            number INTEGER PRIMARY KEY, torrent TEXT NOT NULL, at REAL NOT NULL, content TEXT NOT NULL
        )
        """,
        "CREATE INDEX certificates_of_torrent ON certificates (torrent)",
        """
        CREATE TABLE history (
            number INTEGER PRIMARY KEY, torrent TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
            started_at REAL NOT NULL, ended_at REAL NOT NULL, outcome TEXT NOT NULL, sent INTEGER NOT NULL,
            reused INTEGER NOT NULL, pieces INTEGER NOT NULL, repaired INTEGER NOT NULL, run TEXT NOT NULL,
            detail TEXT NOT NULL, not_carried TEXT NOT NULL, confirmed INTEGER NOT NULL
        )
        """,
        "CREATE INDEX history_of_torrent ON history (torrent)",
        """
        CREATE TABLE modes (
            place TEXT NOT NULL, path TEXT NOT NULL, torrent TEXT NOT NULL, mode INTEGER NOT NULL,
            PRIMARY KEY (place, path)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE breakers (
            server TEXT PRIMARY KEY, failures INTEGER NOT NULL, opened_at REAL NOT NULL, open_until REAL NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, started_at REAL NOT NULL, ended_at REAL NOT NULL, moved INTEGER NOT NULL,
            failed INTEGER NOT NULL, sent INTEGER NOT NULL, exit_code INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE notes (
            number INTEGER PRIMARY KEY, at REAL NOT NULL, torrent TEXT, level TEXT NOT NULL, text TEXT NOT NULL
        )
        """,
        "CREATE INDEX notes_of_torrent ON notes (torrent)",
    ),
    ("CREATE TABLE stopped (torrent TEXT PRIMARY KEY) WITHOUT ROWID",),
    (
        """
        CREATE TABLE timings (
            number INTEGER PRIMARY KEY, task TEXT NOT NULL, way TEXT NOT NULL, size INTEGER NOT NULL, took REAL NOT NULL,
            at REAL NOT NULL
        )
        """,
    ),
    (
        "CREATE TABLE statistics (torrent TEXT PRIMARY KEY, content TEXT NOT NULL, tries INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE halted (one INTEGER PRIMARY KEY)",
    ),
    ("ALTER TABLE moves ADD COLUMN source TEXT NOT NULL DEFAULT ''",),
    ("CREATE TABLE adopted (torrent TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (torrent, path)) WITHOUT ROWID",),
    (
        "ALTER TABLE history ADD COLUMN took REAL NOT NULL DEFAULT 0",
        "UPDATE history SET took = max(ended_at - started_at, 0)",
    ),
    (
        "ALTER TABLE history ADD COLUMN source TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE history ADD COLUMN destination TEXT NOT NULL DEFAULT ''",
    ),
    (
        # Jobs in place of moves: what was known by the infohash alone is a move on the route `main`, from the client that
        # the record names, else the last entry of the history; blank where neither knows it.
        """
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, client TEXT NOT NULL, infohash TEXT NOT NULL, route TEXT NOT NULL,
            name TEXT NOT NULL, size INTEGER NOT NULL, stage TEXT NOT NULL, started_at REAL NOT NULL,
            updated_at REAL NOT NULL, attempts INTEGER NOT NULL, next_try_at REAL NOT NULL, error_code TEXT NOT NULL,
            error TEXT NOT NULL, remedy TEXT NOT NULL, mark TEXT, UNIQUE (kind, client, infohash, route)
        )
        """,
        "CREATE INDEX jobs_of_torrent ON jobs (infohash)",
        """
        INSERT INTO jobs (kind, client, infohash, route, name, size, stage, started_at, updated_at, attempts, next_try_at,
            error_code, error, remedy, mark)
        SELECT 'move', source, id, 'main', name, size, stage, started_at, updated_at, attempts, next_try_at,
            error_code, error, remedy, mark FROM moves ORDER BY started_at, id
        """,
        "CREATE TABLE clients (torrent TEXT PRIMARY KEY, client TEXT NOT NULL) WITHOUT ROWID",
        "INSERT INTO clients (torrent, client) SELECT id, source FROM moves",
        """
        INSERT OR IGNORE INTO clients (torrent, client)
        SELECT torrent, source FROM history WHERE number IN (SELECT max(number) FROM history GROUP BY torrent)
        """,
        "CREATE TABLE job_pieces (job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, bitfield BLOB NOT NULL)",
        "INSERT INTO job_pieces (job, bitfield) SELECT jobs.id, bitfield FROM pieces JOIN jobs ON infohash = move",
        "DROP TABLE pieces",
        "ALTER TABLE job_pieces RENAME TO pieces",
        "DROP TABLE moves",
        """
        CREATE TABLE job_adopted (
            kind TEXT NOT NULL, client TEXT NOT NULL, torrent TEXT NOT NULL, route TEXT NOT NULL, path TEXT NOT NULL,
            PRIMARY KEY (torrent, kind, client, route, path)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO job_adopted (kind, client, torrent, route, path)
        SELECT 'move', coalesce((SELECT client FROM clients WHERE clients.torrent = adopted.torrent), ''), torrent, 'main', path
        FROM adopted
        """,
        "DROP TABLE adopted",
        "ALTER TABLE job_adopted RENAME TO adopted",
        """
        CREATE TABLE job_stopped (
            kind TEXT NOT NULL, client TEXT NOT NULL, torrent TEXT NOT NULL, route TEXT NOT NULL,
            PRIMARY KEY (torrent, kind, client, route)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO job_stopped (kind, client, torrent, route)
        SELECT 'move', coalesce((SELECT client FROM clients WHERE clients.torrent = stopped.torrent), ''), torrent, 'main'
        FROM stopped
        """,
        "DROP TABLE stopped",
        "ALTER TABLE job_stopped RENAME TO stopped",
        """
        CREATE TABLE job_statistics (
            kind TEXT NOT NULL, client TEXT NOT NULL, torrent TEXT NOT NULL, route TEXT NOT NULL, content TEXT NOT NULL,
            tries INTEGER NOT NULL, PRIMARY KEY (torrent, kind, client, route)
        ) WITHOUT ROWID
        """,
        """
        INSERT INTO job_statistics (kind, client, torrent, route, content, tries)
        SELECT 'move', coalesce((SELECT client FROM clients WHERE clients.torrent = statistics.torrent), ''), torrent,
            'main', content, tries FROM statistics
        """,
        "DROP TABLE statistics",
        "ALTER TABLE job_statistics RENAME TO statistics",
        """
        CREATE TABLE job_halted (
            kind TEXT NOT NULL, client TEXT NOT NULL, route TEXT NOT NULL, PRIMARY KEY (kind, client, route)
        ) WITHOUT ROWID
        """,
        "INSERT INTO job_halted (kind, client, route) SELECT 'move', '', 'main' FROM halted LIMIT 1",
        "DROP TABLE halted",
        "ALTER TABLE job_halted RENAME TO halted",
        *(
            f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT '{value}'"
            for table in ("attempts", "certificates", "modes", "notes")
            for column, value in (("kind", "move"), ("client", ""), ("route", "main"))
        ),
        "ALTER TABLE history RENAME COLUMN source TO client",
        "ALTER TABLE history ADD COLUMN kind TEXT NOT NULL DEFAULT 'move'",
        "ALTER TABLE history ADD COLUMN route TEXT NOT NULL DEFAULT 'main'",
        *(
            f"UPDATE {table} SET client = (SELECT client FROM clients WHERE clients.torrent = {table}.torrent) "
            "WHERE torrent IN (SELECT torrent FROM clients)"
            for table in ("attempts", "certificates", "modes", "notes")
        ),
        "DROP TABLE clients",
    ),
    (
        """
        CREATE TABLE documents (
            number INTEGER PRIMARY KEY, duty TEXT NOT NULL, section TEXT NOT NULL, tab TEXT NOT NULL, key NOT NULL,
            content TEXT NOT NULL, UNIQUE (duty, section, tab, key)
        )
        """,
    ),
    (
        """
        CREATE TABLE handovers (
            torrent TEXT NOT NULL, arr TEXT NOT NULL, step TEXT NOT NULL, told_at REAL NOT NULL, next_at REAL NOT NULL,
            tries INTEGER NOT NULL, path TEXT, command INTEGER NOT NULL, proof TEXT NOT NULL, trouble TEXT NOT NULL,
            content TEXT NOT NULL, PRIMARY KEY (torrent, arr)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE arr_pairs (
            arr TEXT NOT NULL, ours TEXT NOT NULL, theirs TEXT NOT NULL, PRIMARY KEY (arr, ours)
        ) WITHOUT ROWID
        """,
    ),
)

VERSION: Final = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection, to: int = VERSION) -> None:
    """Bring an empty or older database up to a version, each step whole or not at all. Raises sqlite3.Error.

    Another process may do the same at the same time: what it has done is not done again.
    """
    for number in range(version_of(connection), to):
        connection.execute("BEGIN EXCLUSIVE")
        try:
            if version_of(connection) == number:
                for statement in _MIGRATIONS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a database; 0 for an empty one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
