"""Opening, checking and guarding the journal's file: damage is set aside, a newer version is refused, errors get a remedy."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from torrent_mover.adapters.store.migrations import APPLICATION_ID, VERSION, migrate
from torrent_mover.domain.errors import ConfigError, DiskFull, MoverError, NotWritable, ProvisioningError

Row: TypeAlias = tuple[Any, ...]
Statement: TypeAlias = tuple[str, Sequence[object]]

_BUSY_SECONDS: Final = 10.0
_PRIMARY_CODE: Final = 0xFF
_SIDES: Final = ("-wal", "-shm")


class Damaged(Exception):
    """The file is no sound database."""


class Database:
    """One connection for all threads of a process, one statement at a time. Every write is durable when it returns."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._lock = threading.RLock()

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows. Raises ProvisioningError's children."""
        with self._lock, explained(self._name):
            return self._connection.execute(sql, _bound(parameters)).fetchall()

    def write(self, statements: Sequence[Statement]) -> None:
        """All of the statements or none of them. Raises ProvisioningError's children, or sqlite3.IntegrityError."""
        with self._lock, explained(self._name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for sql, parameters in statements:
                    self._connection.execute(sql, _bound(parameters))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file. Never raises."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()


def open_database(path: Path, now: float, check: Callable[[Database], object]) -> tuple[Database, tuple[str, ...]]:
    """Open the file for a run, making or mending it first; also says what was mended.

    A file that is no sound database, or one whose rows `check` cannot read (ValueError), is set aside with its side files
    (`now`, Unix seconds, goes into the name) and a fresh one is made. Raises ConfigError for a newer version or a database of
    another program, and leaves that file as it is.
    """
    with explained(str(path)):
        _make_folder(path.parent)
        if not path.exists():
            _create(path)
        try:
            return _open_sound(path, check), ()
        except Damaged as damage:
            kept = _set_aside(path, now)
            _create(path)
            notice = (
                f"The journal {path} was damaged ({damage}). It was set aside as {kept.name} and a new one was begun: moves "
                "under way are found again by looking at both clients; marks and history of before are in the old file."
            )
            return _open_sound(path, check), (notice,)


def _open_sound(path: Path, check: Callable[[Database], object]) -> Database:
    database = Database(_open_checked(path), str(path))
    try:
        check(database)
    except ValueError as error:
        database.close()
        raise Damaged(str(error)) from error
    return database


def open_view(path: Path, check: Callable[[Database], object]) -> Database:
    """Look on, changing nothing, perhaps while a run writes. Where there is no file, everything is empty.

    Raises ConfigError for a newer version, ProvisioningError for a damaged file (also one that `check` cannot read).
    """
    with explained(str(path)):
        if not path.exists():
            return _empty_view(path)
        connection = _connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True)
        try:
            if _version_of(connection, path) < VERSION:
                connection = _migrated_copy(connection)
            database = Database(connection, str(path))
            check(database)
        except BaseException as error:
            connection.close()
            if isinstance(error, (Damaged, ValueError)):
                raise _damaged_error(str(path), str(error)) from error
            raise
        return database


def _empty_view(path: Path) -> Database:
    connection = _connect(":memory:")
    migrate(connection)
    connection.execute("PRAGMA query_only = ON")
    return Database(connection, str(path))


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """What an older version wrote, as this one reads it, without touching the file."""
    copy = _connect(":memory:")
    connection.backup(copy)
    connection.close()
    migrate(copy)
    copy.execute("PRAGMA query_only = ON")
    return copy


def _connect(target: str | Path, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri)


def _open_checked(path: Path) -> sqlite3.Connection:
    """A connection to a sound database of this version. Raises Damaged."""
    if path.stat().st_size == 0:
        raise Damaged("it is empty")  # we publish only complete files: something cut it off
    connection = _connect(path)
    try:
        _version_of(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _check_sound(connection)
        migrate(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
            raise Damaged(str(error)) from error
        raise
    return connection


def _check_sound(connection: sqlite3.Connection) -> None:
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise Damaged(" ".join(str(finding).split()))


def _version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a database that is ours. Raises Damaged or ConfigError."""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise Damaged(str(error)) from error
        raise
    if application != APPLICATION_ID:
        if not tables:
            raise Damaged("it holds nothing")
        raise ConfigError(
            f"{path} is a database of another program.",
            kept="It was not touched.",
            remedy="Set state_dir in [General] to a folder of torrent-mover's own.",
        )
    if version > VERSION:
        raise ConfigError(
            f"The journal {path} was written by a newer torrent-mover (format {version}, this one knows {VERSION}).",
            kept="It was not touched, and nothing was moved.",
            remedy="Run the newer torrent-mover, or set another state_dir in [General].",
        )
    return int(version)


def _make_folder(folder: Path) -> None:
    """Make the folder for us alone. One that exists keeps its mode: it may be shared on purpose."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(
            f"The state folder {folder} cannot be made: {error.strerror}.",
            kept="Nothing was started.",
            remedy=f"Make it (install -d -m 700 {shlex.quote(str(folder))}), or set state_dir in [General].",
        ) from error


def _create(path: Path) -> None:
    """Make an empty journal under another name and publish it whole: a kill never leaves half a file under the real one."""
    building = path.with_name(f".{path.name}.new-{os.getpid()}-{threading.get_ident()}")
    try:
        building.unlink(missing_ok=True)
        os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(_connect(building)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
        _publish(building, path)
    except OSError as error:
        raise NotWritable(
            f"The journal {path} cannot be made: {error.strerror}.",
            kept="Nothing was started.",
            remedy=f"Give us the folder (chown {os.getuid()} {shlex.quote(str(path.parent))}), or set state_dir in [General].",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            building.unlink(missing_ok=True)


def _publish(building: Path, path: Path) -> None:
    try:
        path.hardlink_to(building)
    except FileExistsError:
        pass  # another process was faster: its file is as good
    except OSError:  # a file system without hard links
        if not path.exists():
            building.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_aside(path: Path, now: float) -> Path:
    """Rename the file and its side files, never over an older one that was set aside."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for side in _SIDES:
        beside = path.with_name(path.name + side)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + side))
    path.rename(kept)
    return kept


def _bound(parameters: Sequence[object]) -> list[object]:
    return [_storable(value) if isinstance(value, str) else value for value in parameters]


def _storable(text: str) -> str | bytes:
    """A name may hold lone surrogates, which SQLite cannot store as text: such a one is stored as bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_of(stored: str | bytes) -> str:
    """What `_storable` was given."""
    return stored.decode("utf-8", "surrogatepass") if isinstance(stored, bytes) else stored


def _is_damage(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE


@contextlib.contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn SQLite's errors, and those of the file system below it, into ours, with what helps."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise _translated(error, name) from error
    except OSError as error:
        raise NotWritable(
            f"The journal {name} cannot be reached: {error.strerror}.",
            kept="It was not touched.",
            remedy=f"Look at its folder (namei -l {shlex.quote(name)}), or set state_dir in [General].",
        ) from error


def _translated(error: sqlite3.Error, name: str) -> MoverError:
    kept = "The step that was to be noted is not taken; what was noted before is safe."
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(
            f"There is no space left for the journal {name}.",
            kept=kept,
            remedy=f"Free some space there (df -h {shlex.quote(str(Path(name).parent))}) and start again.",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ProvisioningError(
            f"Another program has locked the journal {name} for more than {_BUSY_SECONDS:.0f} s.",
            kept=kept,
            remedy=f"End that program (fuser -v {shlex.quote(name)} shows it) and start again.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return NotWritable(
            f"The journal {name} cannot be opened or written: {error}.",
            kept=kept,
            remedy=f"Give it to the user that runs torrent-mover (chown {os.getuid()} {shlex.quote(name)}*), or set state_dir.",
        )
    if _is_damage(error):
        return _damaged_error(name, str(error))
    return ProvisioningError(
        f"The journal {name} cannot be used: {error}.",
        kept=kept,
        remedy=f"Look at the disk that holds it (dmesg | tail; df -h {shlex.quote(str(Path(name).parent))}), then start again.",
    )


def _damaged_error(name: str, why: str) -> ProvisioningError:
    return ProvisioningError(
        f"The journal {name} is damaged: {why}.",
        kept="Torrents and their data are not touched by that.",
        remedy="Start a run: it sets the file aside, begins a new one, and finds moves under way by looking at both clients.",
    )
