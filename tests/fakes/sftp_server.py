"""An SFTP version 3 server in memory behind a Channel, with the manners of servers that are not OpenSSH."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torrent_mover.adapters.ssh.sftp_protocol import Code, Cursor, Open, Packet, string
from torrent_mover.domain.errors import ConnectionLost
from torrent_mover.ports.ssh import SshTarget

FILE_MODE = 0o100644
FOLDER_MODE = 0o040755
LINK_MODE = 0o120777


@dataclass(slots=True)
class Manners:
    """How this server behaves.

    `dribble`: most bytes of a reply stream given at a time. `shuffle`: replies of one batch in random order. `late`: it
    answers only who waits. `most_read`: most bytes it gives for one READ. `extensions`: what it announces. `limits`: its reply
    to limits@openssh.com. `statvfs`: free blocks of 4 KiB and flags. `write_code`: status of every WRITE. `greeting`: bytes
    instead of a proper greeting. `replaces`: RENAME replaces, as POSIX does (paramiko 5.1's sample server). `follows`: LSTAT,
    RENAME and RMDIR work on what a link leads to (ProFTPD 1.3.8, mod_sftp). `read_only`: every change is refused before it is
    looked at (OpenSSH 9.2, internal-sftp -R). `denies`: making anything new is refused for want of permission. `hides`: a
    folder that lets nobody look below it.
    """

    dribble: int | None = None
    shuffle: bool = False
    late: bool = False
    most_read: int = 1 << 30
    extensions: tuple[str, ...] = ()
    limits: tuple[int, int, int, int] = (262144, 261120, 261120, 1000)
    statvfs: tuple[int, int] = (1000, 0)
    write_code: int = Code.OK
    greeting: bytes | None = None
    replaces: bool = False
    follows: bool = False
    read_only: bool = False
    denies: bool = False
    hides: bytes | None = None


@dataclass(slots=True)
class Served:
    """What the server did: largest READ asked for, most bytes asked for at once and not given, open handles."""

    largest_read: int = 0
    largest_write: int = 0
    most_asked: int = 0
    most_handles: int = 0
    requests: list[int] = field(default_factory=list)


class SftpServerChannel:
    """See adapters.ssh.transport.Channel. `files` is the whole tree: name -> content; `/` and `/data` are folders.

    `links`: name -> the name that it leads to.
    """

    def __init__(
        self, files: dict[bytes, bytearray], manners: Manners | None = None, links: dict[bytes, bytes] | None = None
    ) -> None:
        self.files = files
        self.links = links if links is not None else {}
        self.folders = {b"/", b"/data", *(name for name in self.links.values() if name not in files)}
        self.manners = manners or Manners()
        self.served = Served()
        self.aborted = False
        self.closed = False
        self.on_pump: Callable[[], None] = lambda: None
        self._in = bytearray()
        self._out = bytearray()
        self._waiting: list[tuple[int, bytes]] = []  # (bytes of data, reply)
        self._handles: dict[bytes, bytes] = {}
        self._next_handle = 0
        self._random = random.Random(3)  # noqa: S311  an order, not a secret

    @property
    def handles(self) -> int:
        """How many are open now."""
        return len(self._handles)

    def pump(
        self, outgoing: Sequence[memoryview], incoming: memoryview, *, block: bool = True, timeout: float | None = None
    ) -> tuple[int, int]:
        """See Channel. Blocking with nothing to come would be a hang: it fails instead."""
        del timeout
        self.on_pump()
        if self.aborted or self.closed:
            raise ConnectionLost("The fake server was cut.")
        sent = 0
        for part in outgoing:
            self._in += part
            sent += len(part)
        self._serve()
        if not self._out and (block or not self.manners.late):
            self._reply()
        if block and not sent and not self._out:
            raise AssertionError("a client that waits for a reply which will never come")
        count = min(len(self._out), len(incoming), self.manners.dribble or len(self._out))
        incoming[:count] = self._out[:count]
        del self._out[:count]
        return sent, count

    def established(self) -> None:
        """See Channel."""

    def is_open(self) -> bool:
        """See Channel."""
        return not (self.aborted or self.closed)

    def abort(self) -> None:
        """See Channel."""
        self.aborted = True

    def close(self) -> None:
        """See Channel."""
        self.closed = True

    def _serve(self) -> None:
        while len(self._in) >= 4:
            (length,) = struct.unpack_from(">I", self._in)
            if len(self._in) < 4 + length:
                return
            packet, body = self._in[4], bytes(self._in[5 : 4 + length])
            del self._in[: 4 + length]
            if packet == Packet.INIT:
                self._greet()
            else:
                self.served.requests.append(packet)
                ident, cursor = body[:4], Cursor(body[4:])
                kind, reply = self._answer(packet, cursor)
                size = len(reply) if kind == Packet.DATA else 0
                self._waiting.append((size, struct.pack(">IB", 5 + len(reply), kind) + ident + reply))
        self.served.most_asked = max(self.served.most_asked, sum(size for size, _ in self._waiting))

    def _reply(self) -> None:
        if self.manners.shuffle:
            self._random.shuffle(self._waiting)
        for _, reply in self._waiting:
            self._out += reply
        self._waiting.clear()

    def _greet(self) -> None:
        if self.manners.greeting is not None:
            self._out += self.manners.greeting
            return
        body = struct.pack(">BI", Packet.VERSION, 3)
        for name in self.manners.extensions:
            body += string(name.encode()) + string(b"1")
        self._out += string(body)

    def _answer(self, packet: int, cursor: Cursor) -> tuple[int, bytes]:
        acts: dict[int, Callable[[Cursor], tuple[int, bytes]]] = {
            Packet.OPEN: self._open,
            Packet.CLOSE: self._close,
            Packet.READ: self._read,
            Packet.WRITE: self._write,
            Packet.LSTAT: self._lstat,
            Packet.STAT: self._stat,
            Packet.FSTAT: self._fstat,
            Packet.FSETSTAT: self._resize,
            Packet.READLINK: self._readlink,
            Packet.RENAME: self._rename,
            Packet.MKDIR: self._mkdir,
            Packet.RMDIR: self._rmdir,
            Packet.EXTENDED: self._extended,
        }
        act = acts.get(packet)
        if self.manners.read_only and packet in _CHANGES:
            return _status(Code.PERMISSION_DENIED)
        return act(cursor) if act else _status(Code.OP_UNSUPPORTED)

    def _open(self, cursor: Cursor) -> tuple[int, bytes]:
        name, flags = self._led(cursor.string()), cursor.number()
        changes = flags & (Open.WRITE | Open.CREATE)
        if changes and (self.manners.read_only or (self.manners.denies and name not in self.files)):
            return _status(Code.PERMISSION_DENIED)
        there = name in self.files or name in self.folders
        if there and flags & Open.EXCLUSIVE:
            return _status(Code.FAILURE)
        if not there and not flags & Open.CREATE:
            return _status(Code.NO_SUCH_FILE)
        if not there:
            self.files[name] = bytearray()
        self._next_handle += 1
        handle = b"handle-%d" % self._next_handle
        self._handles[handle] = name
        self.served.most_handles = max(self.served.most_handles, len(self._handles))
        return Packet.HANDLE, string(handle)

    def _close(self, cursor: Cursor) -> tuple[int, bytes]:
        return _status(Code.OK if self._handles.pop(cursor.string(), None) else Code.FAILURE)

    def _read(self, cursor: Cursor) -> tuple[int, bytes]:
        handle, offset, count = cursor.string(), cursor.quad(), cursor.number()
        self.served.largest_read = max(self.served.largest_read, count)
        data = self.files[self._handles[handle]][offset : offset + min(count, self.manners.most_read)]
        return (Packet.DATA, string(bytes(data))) if data else _status(Code.EOF)

    def _write(self, cursor: Cursor) -> tuple[int, bytes]:
        handle, offset, data = cursor.string(), cursor.quad(), cursor.string()
        self.served.largest_write = max(self.served.largest_write, len(data))
        if handle not in self._handles:
            return _status(Code.FAILURE)
        if self.manners.write_code == Code.OK:
            content = self.files[self._handles[handle]]
            content.extend(bytes(max(0, offset + len(data) - len(content))))
            content[offset : offset + len(data)] = data
        return _status(self.manners.write_code)

    def _resize(self, cursor: Cursor) -> tuple[int, bytes]:
        content = self.files[self._handles[cursor.string()]]
        size = cursor.attributes().size
        del content[size:]
        content.extend(bytes(size - len(content)))
        return _status(Code.OK)

    def _stat(self, cursor: Cursor) -> tuple[int, bytes]:
        return self._attributes(self._led(cursor.string()))

    def _lstat(self, cursor: Cursor) -> tuple[int, bytes]:
        name = cursor.string()
        if name in self.links and not self.manners.follows:
            return Packet.ATTRS, struct.pack(">IQI", 5, 0, LINK_MODE)
        return self._attributes(self._led(name))

    def _readlink(self, cursor: Cursor) -> tuple[int, bytes]:
        name = cursor.string()
        if name not in self.links:
            return _status(Code.FAILURE if name in self.files or name in self.folders else Code.NO_SUCH_FILE)
        return Packet.NAME, struct.pack(">I", 1) + 2 * string(self.links[name]) + struct.pack(">I", 0)

    def _led(self, name: bytes) -> bytes:
        return self.links.get(name, name)

    def _mkdir(self, cursor: Cursor) -> tuple[int, bytes]:
        name = cursor.string()
        if name in self.folders or name in self.files:
            return _status(Code.FAILURE)
        if self.manners.denies:
            return _status(Code.PERMISSION_DENIED)
        self.folders.add(name)
        return _status(Code.OK)

    def _rmdir(self, cursor: Cursor) -> tuple[int, bytes]:
        name = cursor.string()
        if self.manners.follows:
            name = self._led(name)
        if name not in self.folders:
            return _status(Code.NO_SUCH_FILE)
        self.folders.remove(name)
        return _status(Code.OK)

    def _fstat(self, cursor: Cursor) -> tuple[int, bytes]:
        return self._attributes(self._handles[cursor.string()])

    def _attributes(self, name: bytes) -> tuple[int, bytes]:
        if self.manners.hides and name.startswith(self.manners.hides + b"/"):
            return _status(Code.PERMISSION_DENIED)
        if name in self.folders:
            return Packet.ATTRS, struct.pack(">IQI", 5, 0, FOLDER_MODE)
        if name in self.files:
            return Packet.ATTRS, struct.pack(">IQI", 5, len(self.files[name]), FILE_MODE)
        return _status(Code.NO_SUCH_FILE)

    def _rename(self, cursor: Cursor) -> tuple[int, bytes]:
        old, new = cursor.string(), cursor.string()
        if old in self.links and not self.manners.follows:
            self.links[new] = self.links.pop(old)
            return _status(Code.OK)
        old = self._led(old)
        if new in self.files and not self.manners.replaces:
            return _status(Code.FAILURE)
        self.files[new] = self.files.pop(old)
        return _status(Code.OK)

    def _extended(self, cursor: Cursor) -> tuple[int, bytes]:
        name = cursor.string().decode()
        if name not in self.manners.extensions:
            return _status(Code.OP_UNSUPPORTED)
        if name == "limits@openssh.com":
            return Packet.EXTENDED_REPLY, struct.pack(">4Q", *self.manners.limits)
        if name == "statvfs@openssh.com":
            free, flags = self.manners.statvfs
            return Packet.EXTENDED_REPLY, struct.pack(">11Q", 4096, 4096, 9999, free, free, 99, 50, 50, 1, flags, 255)
        return _status(Code.OK)


_CHANGES = (Packet.WRITE, Packet.SETSTAT, Packet.FSETSTAT, Packet.REMOVE, Packet.MKDIR, Packet.RMDIR, Packet.RENAME)


class FakeTransport:
    """See adapters.ssh.transport.Transport: every connection is a server of its own over the same files."""

    def __init__(
        self,
        files: dict[bytes, bytearray] | None = None,
        manners: Manners | None = None,
        links: dict[bytes, bytes] | None = None,
    ) -> None:
        self.target = SshTarget(host="nas")
        self.files = files if files is not None else {}
        self.links = links if links is not None else {}
        self.manners = manners or Manners()
        self.channels: list[SftpServerChannel] = []
        self.errors: list[Exception] = []
        self.opening: Callable[[], None] = lambda: None

    def open_sftp(self) -> SftpServerChannel:
        """See Transport. Raises the next of `errors`, if any; calls `opening` first."""
        self.opening()
        if self.errors:
            raise self.errors.pop(0)
        self.channels.append(SftpServerChannel(self.files, self.manners, self.links))
        return self.channels[-1]

    def execute(self, command: str, stdin: bytes, timeout: float) -> NoShell:
        """See Transport. There is no shell."""
        del command, stdin, timeout
        return NoShell()


@dataclass(frozen=True, slots=True)
class NoShell:
    """The answer of an account without a shell."""

    code: int = 1
    stdout: bytes = b"This service allows sftp connections only.\n"
    stderr: bytes = b""


def _status(code: int) -> tuple[int, bytes]:
    return Packet.STATUS, struct.pack(">I", code) + string(b"Words of the server") + string(b"")
