"""A lane of writing over SFTP: a window of writes in flight, a few handles kept open, each error told for its own file."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_errors import collision, write_error
from torrent_mover.adapters.ssh.sftp_protocol import LENGTH, NO_ATTRIBUTES, OFFSET, Code, Open, Packet, Status
from torrent_mover.adapters.ssh.sftp_session import SftpSession, ignore
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import HostPath, RelativePath
from torrent_mover.ports.filesystem import FileKind

WINDOW: Final = 8 << 20
"""Bytes taken from the caller and not acknowledged."""

_MOST_HANDLES: Final = 48


class _File:
    """A file being written: `head` is its handle as it travels, once it is open."""

    __slots__ = ("head", "in_flight", "path", "waiting")

    def __init__(self, path: HostPath) -> None:
        self.path = path
        self.head: bytes | None = None
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
    """See ports.filesystem.Writer, without close and abort. `locate` checks a path's folders and says where it lies."""

    def __init__(self, session: SftpSession, locate: Callable[[RelativePath], HostPath]) -> None:
        self._session = session
        self._locate = locate
        self._files: OrderedDict[RelativePath, _File] = OrderedDict()
        self._order: deque[_Write] = deque()
        self._in_flight = 0  # bytes
        self._accepted = 0
        self._failure: tuple[_File, Status] | None = None
        self._wrong_kind: HostPath | None = None

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
        while self._order and not self._has_failed():
            self._session.pump()
        self._raise_failure()

    def release(self) -> None:
        """Let go of the handles, without waiting."""
        for file in self._files.values():
            if file.head is not None:
                self._session.ask(Packet.CLOSE, file.head, ignore)
        self._files.clear()
        self._session.pump(block=False)

    def _file(self, path: RelativePath) -> _File:
        file = self._files.get(path)
        if file is not None:
            self._files.move_to_end(path)
            return file
        file = self._files[path] = _File(self._locate(path))
        name = wire.string(bytes(file.path))
        # Replies come in order of asking: the look at what lies there is back before the handle, at no extra round trip.
        self._session.ask(Packet.LSTAT, name, self._looked, file)
        # For reading as well, because opening a planted pipe for writing alone would block the server.
        self._session.ask(Packet.OPEN, name + LENGTH.pack(Open.READ | Open.WRITE) + NO_ATTRIBUTES, self._opened, file)
        self._close_oldest()
        return file

    def _close_oldest(self) -> None:
        if len(self._files) <= _MOST_HANDLES:
            return
        for path, file in self._files.items():
            if file.in_flight == 0 and file.head is not None:
                self._session.ask(Packet.CLOSE, file.head, ignore)
                del self._files[path]
                return

    def _send(self, file: _File, offset: int, data: memoryview) -> None:
        write = _Write(file, offset, len(data))
        self._order.append(write)
        file.in_flight += 1
        self._in_flight += write.count
        if file.head is None:
            file.waiting.append((write, bytes(data)))
        else:
            head = file.head + OFFSET.pack(offset) + LENGTH.pack(write.count)
            self._session.push(Packet.WRITE, head, data, self._taken, write)

    def _looked(self, packet: int, body: memoryview, file: _File) -> None:
        if packet == Packet.ATTRS and wire.Cursor(bytes(body)).attributes().kind is not FileKind.FILE:
            self._wrong_kind = self._wrong_kind or file.path

    def _opened(self, packet: int, body: memoryview, file: _File) -> None:
        if packet != Packet.HANDLE:
            self._failure = self._failure or (file, Status.parse(bytes(body)))
            return
        file.head = bytes(body)
        if self._wrong_kind is not None:
            return
        for write, data in file.waiting:
            request = file.head + OFFSET.pack(write.offset) + wire.string(data)
            self._session.ask(Packet.WRITE, request, self._taken, write)
        file.waiting = []

    def _taken(self, packet: int, body: memoryview, write: _Write) -> None:
        status = Status.parse(bytes(body)) if packet == Packet.STATUS else Status(Code.BAD_MESSAGE, f"reply {packet}")
        if status.code != Code.OK:
            self._failure = self._failure or (write.file, status)
            return
        write.done = True
        write.file.in_flight -= 1
        self._in_flight -= write.count
        while self._order and self._order[0].done:
            self._accepted += self._order.popleft().count

    def _has_failed(self) -> bool:
        return self._failure is not None or self._wrong_kind is not None

    def _raise_failure(self) -> None:
        if self._has_failed():
            raise self._explain()

    def _explain(self) -> MoverError:
        if self._wrong_kind is not None:
            return collision(self._session.name, self._wrong_kind, "not a regular file")
        assert self._failure is not None  # noqa: S101  _has_failed said so
        file, status = self._failure
        return write_error(self._session, self._session.name, file.path, "write", status)
