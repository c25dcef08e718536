"""The role of a file system: this machine's, or an SSH server's, seen from one root that nothing can leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from torrent_mover.domain.paths import RelativePath


class FileKind(Enum):
    """What lies at a path, symbolic links not followed."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    OTHER = "special file"


@dataclass(frozen=True, slots=True)
class FileStat:
    """Size in bytes, `mode` the permission bits (0o7777), `mtime` in Unix seconds.

    `links` and `identity` (device, inode) are None where the file system does not tell (SFTP version 3 does not).
    """

    kind: FileKind
    size: int
    mode: int
    mtime: float
    uid: int
    gid: int
    links: int | None = None
    identity: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """Bytes and inodes that we may still use, and the size of the whole.

    `disk` is the same for two folders of one file system, and for no others; blank where that is not told.
    """

    free: int
    total: int
    free_inodes: int | None = None
    disk: str = ""


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """`length` bytes of the file at `path`, from `offset` on."""

    path: RelativePath
    offset: int
    length: int


Deliver = Callable[[ByteSpan, int, memoryview], None]
"""Takes (the span asked for, offset in the file, bytes). The bytes are only valid during the call."""


class Reader(Protocol):
    """One lane of reading: for SSH, one connection. Not for use by two threads at once."""

    def read(self, spans: Iterable[ByteSpan], deliver: Deliver) -> None:
        """Read the spans, many requests in flight; `deliver` gets the bytes in the order asked for, in chunks of any size.

        `spans` is pulled lazily, no more than a window ahead, from the calling thread. Raises SourceUnreadable (a file that
        is missing, too short or not ours to read), ConnectionLost, or whatever `deliver` or `spans` raise; afterwards the
        lane may be used again, unless the connection is lost.
        """

    def close(self) -> None:
        """Give the lane back. Never raises."""

    def abort(self) -> None:
        """From another thread: break a blocked `read`, which then raises ConnectionLost. Never blocks, never raises."""


class Writer(Protocol):
    """One lane of writing into files that exist. Not for use by two threads at once."""

    def create(self, path: RelativePath, size: int) -> None:
        """As FileSystem.create, in this lane: may return before it is done, so that many small files cost no round trips.

        Writing to the path may follow at once. What goes wrong is raised by a later `write` or by `flush`.
        """

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """Write `data`; may return before it is acknowledged, but is done with the buffer. Bounded memory: blocks when full."""

    def accepted(self) -> int:
        """Bytes of this lane that the target has surely taken, counted in the order of writing. Never blocks."""

    def flush(self) -> None:
        """Wait until all that was written is accepted. Raises DiskFull, NotWritable, ConnectionLost for any write before."""

    def close(self) -> None:
        """Give the lane back without waiting. Never raises."""

    def abort(self) -> None:
        """From another thread: break a blocked call, which then raises ConnectionLost. Never blocks, never raises."""


class ReadableFiles(Protocol):
    """Files below one root that are only looked at and read. Paths are relative and cannot leave it.

    Errors: SourceUnreadable, NotWritable (in doubt what lies there), ConnectionLost, Unreachable. `stat` answers None only for
    a certain "not there", never for a doubt.
    """

    @property
    def name(self) -> str:
        """How messages call it: `nas:/mnt/data` or `/mnt/data`."""

    @property
    def round_trip(self) -> float:
        """Seconds from a question to its answer; 0 on this machine, and where nothing was asked yet."""

    def stat(self, path: RelativePath) -> FileStat | None:
        """What lies there (links not followed), or None if surely nothing."""

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """`stat` of many, in their order, in few round trips."""

    def listdir(self, path: RelativePath) -> Sequence[str]:
        """Names in a folder, unordered, without `.` and `..`; raises SourceUnreadable where there is no such folder."""

    def names_of(self, paths: Sequence[RelativePath]) -> Sequence[int | None]:
        """How many names (hard links) each of these regular files has; None where that is not told, or it is not there."""

    def space(self) -> FreeSpace:
        """What is free below the root. Raises ServerTooOld where the server cannot tell."""

    def reader(self) -> Reader:
        """Open a lane for reading."""

    def close(self) -> None:
        """Let go of everything. Never raises."""


class FileSystem(ReadableFiles, Protocol):
    """Files below one root that are written as well. Symbolic links below the root are never written through.

    Errors: those of reading, and NotWritable (permission, read-only, a missing parent), DiskFull (space, quota),
    Collision (something is in the way).
    """

    def make_folders(self, path: RelativePath, mode: int = 0o777) -> None:
        """Create the folder and its parents below the root; existing ones stay as they are. Refuses symbolic links on the way.

        `mode` as in mkdir(2): the umask or a default ACL of the place takes away from it.
        """

    def create(self, path: RelativePath, size: int) -> None:
        """Make a regular file of exactly `size` bytes: created new (never through a link), or an existing one kept and resized.

        Parents are made as needed. Content already there stays. The place decides the modes of what is new, as with
        any other program: its umask, or the default ACL of the folder.
        """

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """Move within this file system, never replacing: raises Collision where `new` exists. Parents of `new` must exist."""

    def unlink(self, path: RelativePath) -> None:
        """Remove one file or link; a missing one is fine."""

    def remove_folder(self, path: RelativePath) -> bool:
        """Remove one folder if it is empty; False where it is not (or is not there)."""

    def chmod(self, path: RelativePath, mode: int) -> None:
        """Set permission bits; refuses symbolic links."""

    def chown(self, path: RelativePath, user: str, group: str) -> None:
        """Give to a user and/or group by name or number; blank leaves that part. Never follows a link."""

    def resemble(self, folder: RelativePath, example: RelativePath) -> bool:
        """Have what is made in `folder` get the group and the default ACL that it would get in the folder `example`.

        False where that is not ours to do. Over SFTP it is done for the group alone.
        """

    def link(self, existing: RelativePath, new: RelativePath) -> bool:
        """Make a hard link; False where the file system or server cannot."""

    def clone(self, existing: RelativePath, new: RelativePath) -> bool:
        """Make a file of its own with the same content that shares its blocks until either changes (reflink).

        False where the file system or server cannot. Parents of `new` must exist; raises Collision where `new` does.
        """

    def copy(self, existing: RelativePath, new: RelativePath, progress: Callable[[int], None]) -> bool:
        """As `clone`, every byte copied, where that crosses no network: False where it would.

        `progress` gets the bytes of each chunk. What was half copied is removed.
        """

    def sync(self, paths: Iterable[RelativePath]) -> None:
        """Bring the content of these files, and the folders that name them, to stable storage, where `can_sync`."""

    def can_sync(self) -> bool:
        """Whether it can be told to bring anything to stable storage. Some SFTP servers cannot."""

    def largest_file(self) -> int | None:
        """Bytes of the largest file that can be made below the root; None where only trying would tell. Changes nothing."""

    def writer(self) -> Writer:
        """Open a lane for writing."""
