"""Words of SFTP version 3 on the wire: draft-ietf-secsh-filexfer-02 and the extensions of OpenSSH's PROTOCOL file, section 4."""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from torrent_mover.domain.errors import BadAnswer
from torrent_mover.ports.filesystem import FileKind, FileStat, FreeSpace

VERSION_3: Final = 3


class Packet(IntEnum):
    """Message types (draft section 3)."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Code(IntEnum):
    """Status codes (draft section 7)."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    OP_UNSUPPORTED = 8


class Open(IntFlag):
    """How to open a file (draft section 6.3)."""

    READ = 0x01
    WRITE = 0x02
    CREATE = 0x08
    EXCLUSIVE = 0x20


class Attribute(IntFlag):
    """Which attributes follow (draft section 5)."""

    SIZE = 0x01
    OWNER = 0x02
    MODE = 0x04
    TIMES = 0x08
    EXTENDED = 0x80000000


# Struct objects: parsing one packet takes one call.
HEADER: Final = struct.Struct(">IBI")
"""Length of what follows, type, request id."""
LENGTH: Final = struct.Struct(">I")
OFFSET_AND_COUNT: Final = struct.Struct(">QI")
OFFSET: Final = struct.Struct(">Q")
_STATVFS: Final = struct.Struct(">11Q")
_LIMITS: Final = struct.Struct(">4Q")
_PAIR: Final = struct.Struct(">II")

_LEAST_REQUEST: Final = 4 << 10
NO_ATTRIBUTES: Final = LENGTH.pack(0)
_READ_ONLY: Final = 0x1
"""SSH_FXE_STATVFS_ST_RDONLY."""


def string(raw: bytes) -> bytes:
    """A string as it travels: its length, then it."""
    return LENGTH.pack(len(raw)) + raw


def mode_attributes(mode: int) -> bytes:
    """ATTRS with permission bits only."""
    return _PAIR.pack(Attribute.MODE, mode)


def owner_attributes(uid: int, gid: int) -> bytes:
    """ATTRS with user and group only."""
    return LENGTH.pack(Attribute.OWNER) + _PAIR.pack(uid, gid)


def size_attributes(size: int) -> bytes:
    """ATTRS with the size only."""
    return LENGTH.pack(Attribute.SIZE) + OFFSET.pack(size)


class Cursor:
    """Reads one packet's body field by field. Raises BadAnswer where it ends too early."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self) -> int:
        """A uint32."""
        return self._unpack(LENGTH)

    def quad(self) -> int:
        """A uint64."""
        return self._unpack(OFFSET)

    def string(self) -> bytes:
        """A length and as many bytes."""
        length = self.number()
        if self._at + length > len(self._body):
            raise _cut_short()
        raw = self._body[self._at : self._at + length]
        self._at += length
        return raw

    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._body)

    def attributes(self) -> FileStat:
        """ATTRS; what the server leaves out is 0."""
        flags = self.number()
        size = self.quad() if flags & Attribute.SIZE else 0
        uid, gid = (self.number(), self.number()) if flags & Attribute.OWNER else (0, 0)
        mode = self.number() if flags & Attribute.MODE else 0
        _, mtime = (self.number(), self.number()) if flags & Attribute.TIMES else (0, 0)
        if flags & Attribute.EXTENDED:
            for _ in range(self.number()):
                self.string()
                self.string()
        return FileStat(kind_of(mode), size, stat.S_IMODE(mode), float(mtime), uid, gid)

    def _unpack(self, form: struct.Struct) -> int:
        try:
            (value,) = form.unpack_from(self._body, self._at)
        except struct.error as error:
            raise _cut_short() from error
        self._at += form.size
        return int(value)


def kind_of(mode: int) -> FileKind:
    """What st_mode says lies there."""
    if stat.S_ISREG(mode):
        return FileKind.FILE
    if stat.S_ISDIR(mode):
        return FileKind.FOLDER
    if stat.S_ISLNK(mode):
        return FileKind.SYMLINK
    return FileKind.OTHER


@dataclass(frozen=True, slots=True)
class Status:
    """An SSH_FXP_STATUS: the code and the server's words."""

    code: int
    message: str

    @classmethod
    def parse(cls, body: bytes) -> Status:
        """From the body after the request id. Some servers leave the message out."""
        cursor = Cursor(body)
        code = cursor.number()
        message = cursor.string() if cursor.more() else b""
        return cls(code, message.decode("utf-8", "replace")[:200])


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest data of one READ and of one WRITE, in bytes, and of open handles (limits@openssh.com)."""

    read: int
    write: int
    handles: int

    def at_most(self, size: int) -> Limits:
        """The same with requests of `size` bytes or fewer, but 4 KiB at least."""
        size = max(size, _LEAST_REQUEST)
        return Limits(min(self.read, size), min(self.write, size), self.handles)


# 255 KiB leave room for the packet's head below the 256 KiB that OpenSSH takes; 32 KiB is what any server must take.
LARGEST: Final = Limits(255 << 10, 255 << 10, 512)
SMALLEST: Final = Limits(32 << 10, 32 << 10, 64)


def parse_limits(body: bytes) -> Limits:
    """The reply to limits@openssh.com; 0 means that the server does not say."""
    _, read, write, handles = _unpack_all(_LIMITS, body)
    return Limits(
        min(read, LARGEST.read) or SMALLEST.read,
        min(write, LARGEST.write) or SMALLEST.write,
        min(handles, LARGEST.handles) or SMALLEST.handles,
    )


@dataclass(frozen=True, slots=True)
class FileSystemState:
    """The reply to statvfs@openssh.com."""

    space: FreeSpace
    read_only: bool


def parse_statvfs(body: bytes) -> FileSystemState:
    """From the body: block and fragment size, blocks (all, free, ours), inodes (all, free, ours), id, flags, longest name."""
    _, fragment, blocks, _, available, inodes, _, free_inodes, disk, flags, _ = _unpack_all(_STATVFS, body)
    space = FreeSpace(
        fragment * available, fragment * blocks, free_inodes if inodes else None, f"{disk:x}" if disk else ""
    )
    return FileSystemState(space, read_only=bool(flags & _READ_ONLY))


def _unpack_all(form: struct.Struct, body: bytes) -> tuple[int, ...]:
    try:
        return form.unpack_from(body)
    except struct.error as error:
        raise _cut_short() from error


def _cut_short() -> BadAnswer:
    return BadAnswer("The sftp server sent a reply that is too short.", remedy="Update the server's sftp program.")
