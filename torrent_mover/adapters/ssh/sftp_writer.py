"""A lane of writing over SFTP: a window of writes in flight, a few handles kept open, each error told for its own file."""

from __future__ import annotations

from collections import OrderedDict, deque
from functools import partial
from typing import Final, Protocol

from torrent_mover.adapters.ssh import sftp_looks
from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_errors import collision, write_error
from torrent_mover.adapters.ssh.sftp_protocol import LENGTH, NO_ATTRIBUTES, OFFSET, Code, Open, Packet, Status
from torrent_mover.adapters.ssh.sftp_session import Handler, SftpSession, ignore
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import HostPath, RelativePath
from torrent_mover.ports.filesystem import FileKind, FileStat

WINDOW: Final = 8 << 20
"""Bytes taken from the caller and not acknowledged."""

_MOST_HANDLES: Final = 96
# For reading as well, because opening a planted pipe for writing alone would block the server.
_EXISTING: Final = LENGTH.pack(Open.READ | Open.WRITE) + NO_ATTRIBUTES
# Without a mode the server asks for 0666, and its umask or a default ACL decides; some set a mode that is named as it is.
_NEW: Final = LENGTH.pack(Open.READ | Open.WRITE | Open.CREATE | Open.EXCLUSIVE) + NO_ATTRIBUTES


class Locate(Protocol):
    """Makes sure that the folders above a path are real, or makes them, and says where the path lies on the server."""

    def __call__(self, path: RelativePath, session: SftpSession, *, make: bool) -> HostPath:
        """Raises Collision and NotWritable."""


class _File:
    """A file being written: `head` is its handle as it travels, once it is open. `size` is what it must have, where we make it.

    `looks`: answers still due that say what lies there; nothing is written before.
    """

    __slots__ = ("head", "in_flight", "looks", "path", "size", "waiting")

    def __init__(self, path: HostPath, size: int | None) -> None:
        self.path = path
        self.size = size
        self.head: bytes | None = None
        self.looks = 0
        self.in_flight = 0  # writes
        self.waiting: list[tuple[_Write, bytes]] = []


class _Write:
    """One WRITE: its file, place, size, and whether the server took it."""

    __slots__ = ("count", "done", "file", "offset")

    def __init__(self, file: _File, offset: int, count: int) -> None:
        self.file = file
        self.offset = offset
        self.count = count
        self.done = False


class WriteLane:
    """See ports.filesystem.Writer, without close and abort."""

    def __init__(self, session: SftpSession, locate: Locate) -> None:
        self._session = session
        self._locate = locate
        self._files: OrderedDict[RelativePath, _File] = OrderedDict()
        self._order: deque[_Write] = deque()
        self._in_flight = 0  # bytes
        self._owed = 0  # replies to anything but writes
        self._accepted = 0
        self._failure: tuple[_File, str, Status] | None = None
        self._wrong_kind: tuple[_File, FileStat] | None = None

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.Writer."""
        if path in self._files:
            self.flush()
            self._close(path)
        file = self._files[path] = _File(self._locate(path, self._session, make=True), size)
        self._ask(Packet.OPEN, wire.string(bytes(file.path)) + _NEW, self._created, file)
        self._limit_handles(path)
        self._session.pump(block=False)
        self._raise_failure()

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See ports.filesystem.Writer."""
        file = self._file(path)
        step = self._session.limits.write
        for start in range(0, len(data), step):
            self._send(file, offset + start, data[start : start + step])
        self._session.pump(block=False)
        while self._in_flight > WINDOW and not self._has_failed():
            self._session.pump()
        self._raise_failure()

    def accepted(self) -> int:
        """See ports.filesystem.Writer."""
        return self._accepted

    def flush(self) -> None:
        """See ports.filesystem.Writer."""
        while (self._order or self._owed) and not self._has_failed():
            self._session.pump()
        self._raise_failure()

    def release(self) -> None:
        """Let go of the handles, without waiting."""
        for path in list(self._files):
            self._close(path)
        self._session.pump(block=False)

    def _file(self, path: RelativePath) -> _File:
        file = self._files.get(path)
        if file is not None:
            self._files.move_to_end(path)
            return file
        file = self._files[path] = _File(self._locate(path, self._session, make=False), None)
        name = wire.string(bytes(file.path))
        self._look(file)
        self._ask(Packet.OPEN, name + _EXISTING, self._opened, file)
        self._limit_handles(path)
        return file

    def _ask(self, packet: int, body: bytes, handler: Handler, file: _File) -> None:
        self._owed += 1
        self._session.ask(packet, body, handler, file)

    def _look(self, file: _File, *, further: bool = False) -> None:
        """Ask what lies there; with `further`, what LSTAT alone did not tell."""
        questions = sftp_looks.questions(self._session, [wire.string(bytes(file.path))])
        for packet, name in questions[1:] if further else questions:
            file.looks += 1
            self._ask(packet, name, self._looked, file)

    def _limit_handles(self, wanted: RelativePath) -> None:
        """Close what is idle, except the one that is about to be written."""
        while len(self._files) > _MOST_HANDLES and not self._has_failed():
            files = ((path, file) for path, file in self._files.items() if path != wanted and file.head)
            idle = next((path for path, file in files if not (file.in_flight or file.looks)), None)
            if idle is not None:
                self._close(idle)
            else:
                self._session.pump()

    def _close(self, path: RelativePath) -> None:
        file = self._files.pop(path)
        if file.head is not None:
            self._session.ask(Packet.CLOSE, file.head, ignore)

    def _send(self, file: _File, offset: int, data: memoryview) -> None:
        write = _Write(file, offset, len(data))
        self._order.append(write)
        file.in_flight += 1
        self._in_flight += write.count
        if file.head is None or file.looks:
            file.waiting.append((write, bytes(data)))
        else:
            head = file.head + OFFSET.pack(offset) + LENGTH.pack(write.count)
            self._session.push(Packet.WRITE, head, data, self._taken, write)

    def _created(self, packet: int, body: memoryview, file: _File) -> None:
        if packet == Packet.HANDLE:
            self._opened(packet, body, file)
            return
        self._owed -= 1
        # Something lies there, or it cannot be made: servers use one code for both, so look.
        refused = Status.parse(bytes(body))
        self._ask(Packet.LSTAT, wire.string(bytes(file.path)), partial(self._looked_at_existing, refused), file)

    def _looked_at_existing(self, refused: Status, packet: int, body: memoryview, file: _File) -> None:
        self._owed -= 1
        if packet != Packet.ATTRS:
            self._fail(file, "create", refused)
            return
        look = wire.Cursor(bytes(body)).attributes()
        if look.kind is not FileKind.FILE:
            self._wrong_kind = self._wrong_kind or (file, look)
            return
        if look.size == file.size:
            file.size = None
        self._look(file, further=True)
        self._ask(Packet.OPEN, wire.string(bytes(file.path)) + _EXISTING, self._opened, file)

    def _looked(self, packet: int, body: memoryview, file: _File) -> None:
        self._owed -= 1
        file.looks -= 1
        reply = sftp_looks.A_LINK if packet == Packet.NAME else (packet, bytes(body))
        if reply[0] == Packet.ATTRS:
            look = wire.Cursor(reply[1]).attributes()
            if look.kind is not FileKind.FILE:
                self._wrong_kind = self._wrong_kind or (file, look)
        self._begin(file)

    def _opened(self, packet: int, body: memoryview, file: _File) -> None:
        self._owed -= 1
        if packet != Packet.HANDLE:
            self._fail(file, "open", Status.parse(bytes(body)))
            return
        file.head = bytes(body)
        self._begin(file)

    def _begin(self, file: _File) -> None:
        """Send what waited, once the file is open and seen to be one: answers may come in any order."""
        if file.head is None or file.looks or self._wrong_kind is not None:
            return
        if file.size is not None:
            self._ask(Packet.FSETSTAT, file.head + wire.size_attributes(file.size), self._sized, file)
        for write, data in file.waiting:
            request = file.head + OFFSET.pack(write.offset) + wire.string(data)
            self._session.ask(Packet.WRITE, request, self._taken, write)
        file.waiting = []

    def _sized(self, packet: int, body: memoryview, file: _File) -> None:
        self._owed -= 1
        self._check(packet, body, file, "set the size of")

    def _taken(self, packet: int, body: memoryview, write: _Write) -> None:
        if not self._check(packet, body, write.file, "write"):
            return
        write.done = True
        write.file.in_flight -= 1
        self._in_flight -= write.count
        while self._order and self._order[0].done:
            self._accepted += self._order.popleft().count

    def _check(self, packet: int, body: memoryview, file: _File, doing: str) -> bool:
        status = Status.parse(bytes(body)) if packet == Packet.STATUS else Status(Code.BAD_MESSAGE, f"reply {packet}")
        if status.code != Code.OK:
            self._fail(file, doing, status)
        return status.code == Code.OK

    def _fail(self, file: _File, doing: str, status: Status) -> None:
        self._failure = self._failure or (file, doing, status)

    def _has_failed(self) -> bool:
        return self._failure is not None or self._wrong_kind is not None

    def _raise_failure(self) -> None:
        if self._has_failed():
            raise self._explain()

    def _explain(self) -> MoverError:
        if self._wrong_kind is not None:
            file, look = self._wrong_kind
            return collision(self._session.name, file.path, f"a {look.kind.value}, where a file must be")
        assert self._failure is not None  # noqa: S101  _has_failed said so
        file, doing, status = self._failure
        return write_error(self._session, self._session.name, file.path, doing, status)
