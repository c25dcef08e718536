"""The journal's upkeep: a copy of it, whether it is sound, purging what is old, giving back space, rescuing a damaged one."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from torrent_mover.adapters.store import migrations
from torrent_mover.adapters.store.database import (
    Damaged,
    Row,
    building_file,
    connect,
    copy_whole,
    damaged_error,
    explained,
    is_damage,
    open_checked,
    open_elsewhere,
    replace_damaged,
    sync_file,
    view_of,
)
from torrent_mover.adapters.store.presence import Presence
from torrent_mover.adapters.store.rows import JOB_COLUMNS, record_of
from torrent_mover.domain.errors import BackupExists, MoverError, NoJournal, NothingRecovered
from torrent_mover.domain.move import MOVE

_OF_MOVES: Final = "SELECT infohash FROM jobs UNION SELECT torrent FROM stopped UNION SELECT torrent FROM statistics"
_KEPT: Final = f"{_OF_MOVES} UNION SELECT torrent FROM history WHERE confirmed = 0"
"""Torrents of which nothing is purged: their jobs have not ended, or something is still owed."""

_OLD: Final = {
    "history": f"ended_at < ? AND torrent NOT IN ({_KEPT})",
    "certificates": f"at < ? AND torrent NOT IN ({_KEPT})",
    "attempts": f"ended_at < ? AND torrent NOT IN ({_KEPT})",
    "notes": f"at < ? AND (torrent IS NULL OR torrent NOT IN ({_KEPT}))",
    "runs": "ended_at > 0 AND ended_at < ?",
}
"""What is purged of each table: what is older than a time (Unix seconds)."""

_MOST_FINDINGS: Final = 100
_DOCUMENTS: Final = "documents"
"""Where the records of duties are."""

_HEADER: Final = 100
_PAGE_SIZE: Final = slice(16, 18)
_PAGES: Final = slice(28, 32)
_LARGEST_PAGE: Final = 65_536
"""Bytes of a header, where the sizes stand in it, and the page size that is written as 1: sqlite.org, fileformat2."""
_LONGEST: Final = 1 << 34
"""Bytes above which the length that a header tells is not believed: no journal is that long."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look at the whole file found: its format, its size in bytes, the rows of each table; `findings`: what is wrong."""

    version: int
    size: int
    rows: Mapping[str, int]
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spare:
    """Copies of the journal, the newest first, from which a rescue takes the records of `duty` that it could not read."""

    duty: str
    copies: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Rescue:
    """What could be read of a damaged journal: rows of each table, the file that has them, and where the damaged one is.

    `refilled`: how many of these came from the copy `copy`; None: none was needed, or none was sound.
    """

    rows: Mapping[str, int]
    file: Path
    damaged: Path
    refilled: int = 0
    copy: Path | None = None


def backup(path: Path, to: Path) -> int:
    """Write a whole copy, also while a run writes; its size in bytes.

    Raises NoJournal, BackupExists, ProvisioningError's children.
    """
    require(path)
    with explained(str(path)), contextlib.closing(view_of(path)) as connection:
        try:
            copy_whole(connection, to)
        except FileExistsError as error:
            raise BackupExists(
                f"The file {to} exists already.",
                kept="It was not touched.",
                remedy="Name another file: torrent-mover journal backup FILE",
            ) from error
    return to.stat().st_size


def inspect(path: Path) -> Inspection:
    """Read all of it: integrity, references, schema, and whether the records of moves make sense. Changes nothing.

    Raises NoJournal, ConfigError for a newer version, ProvisioningError's children.
    """
    require(path)
    size = path.stat().st_size
    with explained(str(path)):
        try:
            with contextlib.closing(view_of(path)) as connection:
                version = migrations.version_of(connection)
                findings = [*_integrity(connection), *_schema(connection, version)]
                rows = {} if findings else _counts(connection)
                if version == migrations.VERSION and not findings:
                    findings += _senseless(connection)
        except Damaged as damage:
            return Inspection(0, size, {}, (str(damage),))
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return Inspection(0, size, {}, (str(error),))
    return Inspection(version, size, rows, tuple(findings[:_MOST_FINDINGS]))


def purge(path: Path, before: float, *, dry_run: bool) -> dict[str, int]:
    """Let go of what is older than `before` (Unix seconds): rows of each table. With `dry_run`, only count them.

    Of a torrent whose move has not ended, or to which something is owed, all stays. Raises as `backup`.
    """
    require(path)
    with explained(str(path)), contextlib.closing(view_of(path) if dry_run else _opened(path)) as connection:
        connection.execute("BEGIN" if dry_run else "BEGIN IMMEDIATE")
        try:
            return {table: _purged(connection, table, before, dry_run=dry_run) for table in _OLD}
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK" if dry_run else "COMMIT")


def vacuum(path: Path) -> tuple[int, int]:
    """Give back what deleted rows took: the size in bytes before and after. Raises as `backup`."""
    require(path)
    before = path.stat().st_size
    with explained(str(path)), contextlib.closing(_opened(path)) as connection:
        connection.execute("REINDEX")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def give_back(path: Path) -> bool:
    """`vacuum`, where anything is to be given back; whether it was. Raises as `backup`."""
    require(path)
    with explained(str(path)), contextlib.closing(view_of(path)) as connection:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free:
        vacuum(path)
    return bool(free)


def recover(path: Path, now: float, *, in_place: bool, spare: Spare | None = None) -> Rescue:
    """Read what is readable of a damaged journal into a new one.

    `in_place`: the new one takes its name, and the damaged one lies beside it under another (`now`, Unix seconds, is in it);
    else the new one is `path` with `.recovered` behind it. `spare`: what its copy has is taken where the damage has reached the
    records of duties; what was read always wins. Raises NoJournal, BackupExists, NothingRecovered, JournalDamaged where
    another process has it open, ProvisioningError's children; then all is as it was.
    """
    require(path)
    target = path if in_place else path.with_name(f"{path.name}.recovered")
    with explained(str(path)):
        if not in_place and target.exists():
            raise BackupExists(
                f"The file {target} exists already.", kept="It was not touched.", remedy="Move it away, then try again."
            )
        with _alone_with(path), _copy_to_read(path) as damaged, building_file(target) as building:
            rows, whole = _rescued(damaged, building)
            refilled, copy = (0, None) if whole or spare is None else _refilled(building, spare)
            rows = {**rows, _DOCUMENTS: rows.get(_DOCUMENTS, 0) + refilled}
            if not any(rows.values()):
                raise NothingRecovered(
                    f"Nothing in {path} can be read.",
                    kept="It was not touched.",
                    remedy="Start a run: it sets the file aside, begins a new one, and finds moves under way by looking at both"
                    " clients. A copy from before can be put in its place: torrent-mover journal backup makes them.",
                )
            sync_file(building)
            return Rescue(rows, target, replace_damaged(path, target, building, now), refilled, copy)


def default_backup(path: Path, now: float) -> Path:
    """Where a copy goes of which nobody says where: beside the journal."""
    return path.with_name(f"{path.name}.backup-{datetime.fromtimestamp(now, UTC).strftime('%Y%m%dT%H%M%SZ')}")


def require(path: Path) -> None:
    """Raise NoJournal where there is none."""
    with explained(str(path)):
        if not path.exists():
            raise NoJournal(
                f"There is no journal {path}.",
                kept="Nothing was made.",
                remedy="A run makes it; see state_dir in [General].",
            )


def _opened(path: Path) -> sqlite3.Connection:
    """To write; an older format is brought up to date first. Raises ProvisioningError for a damaged one, and leaves it."""
    try:
        return open_checked(path)
    except Damaged as damage:
        raise damaged_error(str(path), str(damage)) from damage


def _integrity(connection: sqlite3.Connection) -> Iterator[str]:
    for (finding,) in connection.execute(f"PRAGMA integrity_check({_MOST_FINDINGS})"):
        if finding != "ok":
            yield " ".join(str(finding).split())
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} belongs to a row of {parent} that is not there"


def _schema(connection: sqlite3.Connection, version: int) -> Iterator[str]:
    """Where its tables are not those that its version makes."""
    with contextlib.closing(connect(":memory:")) as fresh:
        migrations.migrate(fresh, version)
        wanted, found = _objects(fresh), _objects(connection)
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in wanted:
            yield f"{name} is none of ours"
        elif wanted[name] != found[name]:
            yield f"{name} is not as format {version} makes it"


def _objects(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [str(name) for (name,) in rows]


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _tables(connection)}


def _senseless(connection: sqlite3.Connection) -> Iterator[str]:
    for row in connection.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE kind = ?", (MOVE,)):
        try:
            record_of(row)
        except (ValueError, TypeError) as error:
            yield f"the record of a move makes no sense: {error}"


def _purged(connection: sqlite3.Connection, table: str, before: float, *, dry_run: bool) -> int:
    if dry_run:
        return int(connection.execute(f"SELECT count(*) FROM {table} WHERE {_OLD[table]}", (before,)).fetchone()[0])
    return connection.execute(f"DELETE FROM {table} WHERE {_OLD[table]}", (before,)).rowcount


@contextlib.contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    presence = Presence(path.parent)
    presence.enter()
    try:
        if not presence.be_alone():
            raise open_elsewhere(path)
        yield
    finally:
        presence.leave()


@contextlib.contextmanager
def _copy_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of the file and its log: reading a damaged one may change it."""
    copy = path.with_name(f".{path.name}.reading")
    parts = [(path.with_name(path.name + side), copy.with_name(copy.name + side)) for side in ("", "-wal")]
    try:
        for here, there in parts:
            there.unlink(missing_ok=True)
            if here.exists():
                shutil.copyfile(here, there)
                there.chmod(0o600)
        _fill_up(copy)
        with contextlib.closing(connect(copy)) as connection:
            yield connection
    finally:
        for side in ("", "-wal", "-shm"):
            copy.with_name(copy.name + side).unlink(missing_ok=True)


def _fill_up(copy: Path) -> None:
    """A file that was cut off gets its length back, in zeros: SQLite reads nothing of one that is shorter than it says."""
    with copy.open("rb+") as file:
        header = file.read(_HEADER)
        page, pages = int.from_bytes(header[_PAGE_SIZE], "big"), int.from_bytes(header[_PAGES], "big")
        size = (_LARGEST_PAGE if page == 1 else page) * pages
        if header.startswith(b"SQLite format 3\0") and copy.stat().st_size < size <= _LONGEST:
            file.truncate(size)


def _rescued(damaged: sqlite3.Connection, building: Path) -> tuple[dict[str, int], bool]:
    """Fill the new file with all rows that can be read: how many of each table, and whether all records of duties were."""
    version = migrations.VERSION
    with contextlib.suppress(sqlite3.DatabaseError):
        version = min(migrations.version_of(damaged), migrations.VERSION) or migrations.VERSION
    with contextlib.closing(connect(building)) as fresh:
        migrations.migrate(fresh, version)
        fresh.execute("BEGIN")
        tables = _tables(fresh)
        whole = _DOCUMENTS not in tables  # its format has none: nothing of them is lost
        for table in tables:
            found, complete = _readable(damaged, table)
            whole = complete if table == _DOCUMENTS else whole
            for row in found:
                marks = ",".join("?" * len(row))
                with contextlib.suppress(sqlite3.IntegrityError):
                    fresh.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
        fresh.execute("COMMIT")
        migrations.migrate(fresh)
        for (number,) in fresh.execute("SELECT id FROM jobs").fetchall():
            row = fresh.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (number,)).fetchone()
            try:
                record_of(row)
            except (ValueError, TypeError):
                fresh.execute("DELETE FROM jobs WHERE id = ? AND kind = ?", (number, MOVE))
        fresh.execute("DELETE FROM pieces WHERE job NOT IN (SELECT id FROM jobs)")
        return _counts(fresh), whole


def _refilled(building: Path, spare: Spare) -> tuple[int, Path | None]:
    """Add what the newest sound copy has of the duty, and the new file has not: how many records, and which copy."""
    for copy in spare.copies:
        try:
            found = inspect(copy)
            if found.findings or _DOCUMENTS not in found.rows:  # a format from before duties had records
                continue
            with explained(str(copy)), contextlib.closing(view_of(copy)) as connection:
                rows = connection.execute(
                    "SELECT number, duty, section, tab, key, content FROM documents WHERE duty = ? ORDER BY number",
                    (spare.duty,),
                ).fetchall()
        except MoverError:  # of a newer format, or not to be read: an older copy may do
            continue
        with contextlib.closing(connect(building)) as fresh:
            fresh.execute("BEGIN")
            put = "INSERT OR IGNORE INTO documents (number, duty, section, tab, key, content) VALUES (?,?,?,?,?,?)"
            # At its old place where that is free; else as the last one. A record that was read is left as it is.
            count = sum(
                max(fresh.execute(put, row).rowcount, 0) or max(fresh.execute(put, (None, *row[1:])).rowcount, 0)
                for row in rows
            )
            fresh.execute("COMMIT")
        return count, copy
    return 0, None


def _readable(connection: sqlite3.Connection, table: str) -> tuple[list[Row], bool]:
    """Its rows: from the first one to where the damage is, and from the last one back to it; whether these are all."""
    rows: dict[Row, None] = {}
    whole = False
    for order in _orders(connection, table):
        whole = True
        try:
            for row in connection.execute(f"SELECT * FROM {table}{order}"):
                rows[row] = None
        except sqlite3.DatabaseError:
            whole = False
        if whole:
            break
    return list(rows), whole


def _orders(connection: sqlite3.Connection, table: str) -> Sequence[str]:
    key = "rowid"
    with contextlib.suppress(sqlite3.DatabaseError):
        sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        if sql and "WITHOUT ROWID" in sql[0]:
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            key = ", ".join(f"{column[1]} DESC" for column in sorted(columns, key=lambda each: each[5]) if column[5])
            return "", f" ORDER BY {key}"
    return "", f" ORDER BY {key} DESC"
