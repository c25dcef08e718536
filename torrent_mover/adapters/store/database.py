"""Opening, checking and guarding the journal's file: damage is set aside, a newer version is refused, errors get a remedy."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from torrent_mover.adapters.store.migrations import APPLICATION_ID, VERSION, migrate, version_of
from torrent_mover.adapters.store.presence import Presence
from torrent_mover.domain.errors import (
    ConfigError,
    DiskFull,
    JournalDamaged,
    JournalLocked,
    MoverError,
    NotWritable,
    ProvisioningError,
)
from torrent_mover.domain.text import clause

Row: TypeAlias = tuple[Any, ...]
Statement: TypeAlias = tuple[str, Sequence[object]]

_BUSY_SECONDS: Final = 10.0
_PRIMARY_CODE: Final = 0xFF
_SIDES: Final = ("-wal", "-shm")
_HEADER: Final = 100
"""Bytes of a database's header; its write and read format (1, or 2 with a log) stand at _FORMATS: sqlite.org, fileformat2."""
_FORMATS: Final = slice(18, 20)


class Damaged(Exception):
    """The file is no sound database."""


class Database:
    """One connection for all threads of a process, one statement at a time. Every write is durable when it returns."""

    def __init__(self, connection: sqlite3.Connection, name: str, presence: Presence | None = None) -> None:
        self._connection = connection
        self._name = name
        self._presence = presence
        self._lock = threading.RLock()

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows. Raises ProvisioningError's children."""
        with self._lock, explained(self._name):
            return self._connection.execute(sql, _bound(parameters)).fetchall()

    def write(self, statements: Sequence[Statement]) -> int:
        """All of the statements or none of them; returns how many rows the last one has changed.

        Raises ProvisioningError's children, or sqlite3.IntegrityError.
        """
        changed = 0
        with self._lock, explained(self._name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for sql, parameters in statements:
                    changed = self._connection.execute(sql, _bound(parameters)).rowcount
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return changed

    def close(self) -> None:
        """Let go of the file. Never raises."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()
        if self._presence is not None:
            self._presence.leave()


def open_database(path: Path, now: float, check: Callable[[Database], object]) -> tuple[Database, tuple[str, ...]]:
    """Open the file for a run, making or mending it first; also says what was mended.

    A file that is no sound database, or one whose rows `check` cannot read (ValueError), is set aside with its side files
    (`now`, Unix seconds, goes into the name) and a fresh one is made; not while another process has it open, for that one would
    go on writing into the old file: then JournalDamaged is raised. Raises ConfigError for a newer version or a database of
    another program, and leaves that file as it is.
    """
    with explained(str(path)):
        _make_folder(path.parent)
        presence = Presence(path.parent)
        presence.enter()
        try:
            database, notices = _open_or_begin(path, now, check, presence)
        except BaseException:
            presence.leave()
            raise
        return database, notices


def _open_or_begin(
    path: Path, now: float, check: Callable[[Database], object], presence: Presence
) -> tuple[Database, tuple[str, ...]]:
    if not path.exists():
        _create(path)
    with contextlib.suppress(Damaged):
        return _open_sound(path, check, presence), ()
    if not presence.be_alone():
        raise open_elsewhere(path)
    try:
        return _open_sound(path, check, presence), ()  # whoever met the same damage may have been faster
    except Damaged as damage:
        kept = _set_aside(path, now)
        _create(path)
        notice = (
            f"The journal {path} was damaged ({damage}). It was set aside as {kept.name} and a new one was begun: moves "
            "under way are found again by looking at both clients; marks and history of before are in the old file."
        )
        return _open_sound(path, check, presence), (notice,)
    finally:
        presence.share()


def open_elsewhere(path: Path) -> JournalDamaged:
    """A damaged file is not put away under another process that has it open."""
    return JournalDamaged(
        f"The journal {path} is damaged, and another process has it open.",
        kept="It was not touched.",
        remedy=f"End that process (fuser -v {shlex.quote(str(path))} shows it) and start again.",
    )


def _open_sound(path: Path, check: Callable[[Database], object], presence: Presence) -> Database:
    connection = open_checked(path)
    try:
        check(Database(connection, str(path)))
    except BaseException as error:
        connection.close()
        if isinstance(error, ValueError):
            raise Damaged(str(error)) from error
        raise
    return Database(connection, str(path), presence)


def open_view(path: Path, check: Callable[[Database], object]) -> Database:
    """Look on, changing nothing, perhaps while a run writes. Where there is no file, everything is empty.

    Raises ConfigError for a newer version, ProvisioningError for a damaged file (also one that `check` cannot read).
    """
    with explained(str(path)):
        if not path.exists():
            return _empty_view(path)
        connection: sqlite3.Connection | None = None
        try:
            connection = view_of(path)
            if version_of(connection) < VERSION:
                connection = _migrated_copy(connection)
            database = Database(connection, str(path))
            check(database)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, (Damaged, ValueError)):
                raise damaged_error(str(path), str(error)) from error
            raise
        return database


def view_of(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, to a journal of ours of any version up to this one. Raises Damaged, ConfigError.

    It sees what others write while it is open, if they had opened the file before.
    """
    connection = _picture_of(path) or connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True)
    try:
        _version_of(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _picture_of(path: Path) -> sqlite3.Connection | None:
    """The file as it is, in memory, where nobody has it open: SQLite itself would leave files beside it.

    None where somebody has, or where the file cannot be read: SQLite says why.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        before, open_before = path.stat(), log.exists()
        data = bytearray() if open_before else bytearray(path.read_bytes())
        after = path.stat()
    except OSError:
        return None
    if log.exists() or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return None
    if len(data) < _HEADER:
        return None
    data[_FORMATS] = b"\x01\x01"  # no log: memory has none
    connection = connect(":memory:")
    connection.deserialize(bytes(data))
    connection.execute("PRAGMA query_only = ON")
    return connection


def _empty_view(path: Path) -> Database:
    connection = connect(":memory:")
    migrate(connection)
    connection.execute("PRAGMA query_only = ON")
    return Database(connection, str(path))


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """What an older version wrote, as this one reads it, without touching the file."""
    copy = connect(":memory:")
    connection.backup(copy)
    connection.close()
    migrate(copy)
    copy.execute("PRAGMA query_only = ON")
    return copy


def connect(target: str | Path, *, uri: bool = False) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time, and that waits some seconds for others. Begins no transaction."""
    return sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri)


def open_checked(path: Path) -> sqlite3.Connection:
    """A connection to a sound database of this version. Raises Damaged."""
    if path.stat().st_size == 0:
        raise Damaged("it is empty")  # we publish only complete files: something cut it off
    connection = connect(path)
    try:
        _version_of(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _check_sound(connection)
        if version_of(connection) < VERSION:
            _keep_copy(connection, path)
            migrate(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
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
        if is_damage(error):
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
            remedy=f"Run the newer torrent-mover. {_way_back(path, version)}",
        )
    return int(version)


def _way_back(path: Path, version: int) -> str:
    """What somebody does who wants this older program to stay."""
    copy = _copy_of(path, version)
    if copy.exists():
        return f"To stay with this one: move {path.name}* out of {path.parent}, but {copy.name}: rename that one to {path.name}."
    return (
        f"To stay with this one, set another state_dir in [General], or put back {copy.name} if you have it elsewhere."
    )


def _copy_of(path: Path, version: int) -> Path:
    """Where the journal is kept as it was before a version changed it."""
    return path.with_name(f"{path.name}.before-v{version}")


def _keep_copy(connection: sqlite3.Connection, path: Path) -> None:
    """Before an older journal is changed: a whole copy of it beside it, made once and never replaced."""
    copy = _copy_of(path, VERSION)
    connection.execute("BEGIN IMMEDIATE")  # another process may be about to migrate it
    try:
        if not copy.exists() and 0 < version_of(connection) < VERSION:
            with contextlib.closing(connect(path)) as as_it_is:
                copy_whole(as_it_is, copy)
    finally:
        connection.execute("ROLLBACK")


def copy_whole(connection: sqlite3.Connection, to: Path) -> None:
    """Write what the connection sees into a new file, for us alone, durable and whole or not at all.

    Raises FileExistsError where there is such a file, OSError, sqlite3.Error.
    """
    with building_file(to) as building:
        with contextlib.closing(connect(building)) as target:
            connection.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # a copy is one file
        sync_file(building)
        _publish_once(building, to)


@contextlib.contextmanager
def building_file(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, under a name of this thread's own, for us alone; it goes, unless it was given another name."""
    building = path.with_name(f".{path.name}.new-{os.getpid()}-{threading.get_ident()}")
    try:
        building.unlink(missing_ok=True)
        os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield building
    finally:
        for side in ("", *_SIDES):
            with contextlib.suppress(OSError):
                building.with_name(building.name + side).unlink(missing_ok=True)


def replace_damaged(path: Path, target: Path, building: Path, now: float) -> Path:
    """Give what was rescued from `path` its name `target`; where the damaged file lies then.

    Where that is the same name, the damaged file gets another one first, with its log, and loses its own only when the new one
    takes it: a kill in between leaves the damaged file under both names.
    """
    if target != path:
        _publish_once(building, target)
        return path
    kept = _free_name(path, now)
    kept.hardlink_to(path)
    for side in _SIDES:
        beside = path.with_name(path.name + side)
        if beside.exists():
            kept.with_name(kept.name + side).hardlink_to(beside)
    _sync_folder(path.parent)
    for side in _SIDES:  # a log that is left would be taken for the new file's
        path.with_name(path.name + side).unlink(missing_ok=True)
    building.replace(path)
    _sync_folder(path.parent)
    return kept


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
    try:
        with contextlib.closing(connect(":memory:")) as empty, contextlib.suppress(FileExistsError):
            empty.deserialize(_empty())
            copy_whole(empty, path)  # where another process was faster, its file is as good
    except OSError as error:
        raise NotWritable(
            f"The journal {path} cannot be made: {error.strerror}.",
            kept="Nothing was started.",
            remedy=f"Give us the folder (chown {os.getuid()} {shlex.quote(str(path.parent))}), or set state_dir in [General].",
        ) from error


@cache
def _empty() -> bytes:
    """A journal without rows. It is made in memory: on a disk each of its formats would wait for that disk in turn."""
    with contextlib.closing(connect(":memory:")) as connection:
        migrate(connection)
        return connection.serialize()


def _publish_once(building: Path, path: Path) -> None:
    """Give it its name. Raises FileExistsError where somebody has that name already."""
    try:
        path.hardlink_to(building)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        building.rename(path)
    _sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """See that what it holds is on stable storage."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_aside(path: Path, now: float) -> Path:
    """Rename the file and its side files, never over an older one that was set aside."""
    kept = _free_name(path, now)
    for side in _SIDES:
        beside = path.with_name(path.name + side)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + side))
    path.rename(kept)
    return kept


def _free_name(path: Path, now: float) -> Path:
    """A name for a damaged file that nothing has yet."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
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


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong, and not what was asked of it."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE


def is_there(path: Path) -> bool:
    """Whether there is a journal. Raises NotWritable where its folder may not be entered: then nobody knows."""
    with explained(str(path)):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


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
        return JournalLocked(
            f"Another program has locked the journal {name} for more than {_BUSY_SECONDS:.0f} s.",
            kept=kept,
            remedy=f"End that program (fuser -v {shlex.quote(name)} shows it) and start again.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return NotWritable(
            f"The journal {name} cannot be opened or written: {clause(error)}.",
            kept=kept,
            remedy=f"Give it to the user that runs torrent-mover (chown {os.getuid()} {shlex.quote(name)}*), or set state_dir.",
        )
    if is_damage(error):
        return damaged_error(name, str(error))
    return ProvisioningError(
        f"The journal {name} cannot be used: {clause(error)}.",
        kept=kept,
        remedy=f"Look at the disk that holds it (dmesg | tail; df -h {shlex.quote(str(Path(name).parent))}), then start again.",
    )


def damaged_error(name: str, why: str) -> JournalDamaged:
    """What is told of a damaged file that is left as it is."""
    return JournalDamaged(
        f"The journal {name} is damaged: {clause(why)}.",
        kept="Torrents and their data are not touched by that.",
        remedy="Rescue what can be read: torrent-mover journal recover. Or start a run: it sets the file aside, begins a new one,"
        " and finds moves under way by looking at both clients.",
    )
