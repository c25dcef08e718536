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
)

VERSION: Final = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an empty or older database up to VERSION, each step whole or not at all. Raises sqlite3.Error."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number in range(version, VERSION):
        connection.execute("BEGIN EXCLUSIVE")
        try:
            for statement in _MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
