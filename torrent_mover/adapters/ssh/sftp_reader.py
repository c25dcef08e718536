"""A lane of reading over SFTP: many requests in flight, many files open, bytes delivered in the order asked for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_errors import read_error
from torrent_mover.adapters.ssh.sftp_protocol import LENGTH, NO_ATTRIBUTES, OFFSET_AND_COUNT, Code, Open, Packet, Status
from torrent_mover.adapters.ssh.sftp_session import SftpSession, ignore
from torrent_mover.domain.errors import BadAnswer, MoverError, SourceUnreadable
from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import ByteSpan, Deliver

WINDOW: Final = 4 << 20
"""Bytes asked for and not delivered. An SSH channel's own window is 2 MiB: more than twice that would only lie in queues."""

_WIDER: Final = 4
"""So many windows over several files: small files wait for their OPEN first, so that more of them must be under way."""

_LEAST_WINDOW: Final = 512 << 10
_AHEAD: Final = 1.0
"""Seconds of what a slow connection brings that are asked for ahead: what one has asked for, no faster one can take over."""

_MOST_FILES: Final = 500
"""Files open at a time on one connection: a server process usually may have 1024, and says so if it may have fewer."""

_DATA_HEAD: Final = LENGTH.size
_LEAST_REQUEST: Final = 4 << 10


class _File:
    """A file being read: `head` is its handle as it travels, once it is open; `users` counts its undelivered chunks."""

    __slots__ = ("current", "head", "ident", "path", "users", "waiting")

    def __init__(self, path: RelativePath) -> None:
        self.path = path
        self.head: bytes | None = None
        self.ident = 0  # of the OPEN
        self.users = 0
        self.current = True
        self.waiting: list[_Chunk] = []


class _Chunk:
    """A stretch of `size` bytes asked for at once.

    `offset`: the next byte to deliver; `left`: bytes still to come; `held`: what came too early.
    """

    __slots__ = ("error", "file", "held", "ident", "left", "offset", "size", "span")

    def __init__(self, file: _File, span: ByteSpan, offset: int, left: int) -> None:
        self.file = file
        self.span = span
        self.offset = offset
        self.size = left
        self.left = left
        self.ident = 0  # of the READ
        self.held: list[bytes] = []
        self.error: Status | None = None


class ReadRun:
    """One call of `Reader.read` on one session, until everything is delivered or something fails.

    `locate` gives a path as the server must hear it.
    """

    def __init__(
        self, session: SftpSession, locate: Callable[[RelativePath], bytes], spans: Iterable[ByteSpan], deliver: Deliver
    ) -> None:
        self._session = session
        self._locate = locate
        self._spans: Iterator[ByteSpan] | None = iter(spans)
        self._deliver = deliver
        self._request = session.limits.read
        self._most_files = min(_MOST_FILES, max(1, session.limits.handles - 8))
        self._order: deque[_Chunk] = deque()
        self._pulled = 0  # bytes pulled from the caller and not delivered yet
        self._files: dict[RelativePath, _File] = {}
        self._current: _File | None = None
        self._failed: _Chunk | None = None
        self._window = WINDOW
        self._came_since = 0  # bytes
        self._looked_at = time.monotonic()

    def run(self) -> None:
        """See ports.filesystem.Reader.read."""
        try:
            self._fill()
            while self._order:
                self._session.pump()
                self._raise_failure()
                self._fit_window()
                self._fill()
            self._leave_current()
            self._session.pump(block=False)
        except BaseException:
            self._abandon()
            raise

    def _fill(self) -> None:
        while self._spans is not None and self._has_room():
            span = next(self._spans, None)
            if span is None:
                self._spans = None
            elif span.length > 0:
                self._take(span)

    def _has_room(self) -> bool:
        files = len(self._files)
        if self._pulled < self._window:
            return files < self._most_files
        return 1 < files < self._most_files and self._pulled < _WIDER * self._window

    def _fit_window(self) -> None:
        elapsed = time.monotonic() - self._looked_at
        if elapsed >= _AHEAD:
            self._window = min(WINDOW, max(_LEAST_WINDOW, int(_AHEAD * self._came_since / elapsed)))
            self._came_since = 0
            self._looked_at += elapsed

    def _take(self, span: ByteSpan) -> None:
        file = self._current
        if file is None or file.path != span.path:
            self._leave_current()
            file = self._current = self._files.get(span.path) or self._open(span.path)
            file.current = True
        self._pulled += span.length
        end = span.offset + span.length
        for offset in range(span.offset, end, self._request):
            chunk = _Chunk(file, span, offset, min(self._request, end - offset))
            file.users += 1
            self._order.append(chunk)
            if file.head is None:
                file.waiting.append(chunk)
            else:
                self._ask(chunk, file.head, offset)

    def _open(self, path: RelativePath) -> _File:
        file = self._files[path] = _File(path)
        body = wire.string(self._locate(path)) + LENGTH.pack(Open.READ) + NO_ATTRIBUTES
        file.ident = self._session.ask(Packet.OPEN, body, self._opened, file)
        return file

    def _opened(self, packet: int, body: memoryview, file: _File) -> None:
        if packet == Packet.HANDLE:
            head = file.head = bytes(body)
            for chunk in file.waiting:
                self._ask(chunk, head, chunk.offset)
        else:
            status = Status.parse(bytes(body))
            for chunk in file.waiting:
                chunk.error = status
            self._settle()
        file.waiting = []

    def _ask(self, chunk: _Chunk, head: bytes, offset: int) -> None:
        body = head + OFFSET_AND_COUNT.pack(offset, chunk.left)
        chunk.ident = self._session.ask(Packet.READ, body, self._came, chunk)

    def _came(self, packet: int, body: memoryview, chunk: _Chunk) -> None:
        if packet != Packet.DATA:
            chunk.error = Status.parse(bytes(body))
            self._settle()
            return
        count = len(body) - _DATA_HEAD
        if not 0 < count <= chunk.left or LENGTH.unpack_from(body)[0] != count:
            raise BadAnswer(
                f"{self._session.name} sent {count} bytes of {chunk.file.path} where {chunk.left} were due.",
                server=self._session.name,
            )
        chunk.left -= count
        first = self._order[0] is chunk and self._failed is None
        if chunk.left and chunk.file.head is not None:
            self._ask_rest(chunk, chunk.file.head, count)
        if first:
            self._hand_over(chunk, body[_DATA_HEAD:])
            self._settle()
        else:
            chunk.held.append(bytes(body[_DATA_HEAD:]))

    def _ask_rest(self, chunk: _Chunk, head: bytes, came: int) -> None:
        # A short reply is either the end of the file, which the next reply tells, or all that this server gives at a time.
        self._request = max(_LEAST_REQUEST, min(self._request, came))
        behind = sum(len(part) for part in chunk.held) + came
        self._ask(chunk, head, chunk.offset + behind)

    def _hand_over(self, chunk: _Chunk, data: memoryview) -> None:
        at = chunk.offset
        chunk.offset = at + len(data)
        self._came_since += len(data)
        self._deliver(chunk.span, at, data)

    def _settle(self) -> None:
        """Deliver what came too early and is due now; stop at the first chunk that failed."""
        order = self._order
        while order and self._failed is None:
            chunk = order[0]
            for part in chunk.held:
                self._hand_over(chunk, memoryview(part))
            chunk.held = []
            if chunk.error is not None:
                self._failed = chunk
            elif chunk.left == 0:
                order.popleft()
                self._pulled -= chunk.size
                chunk.file.users -= 1
                self._close_unused(chunk.file)
            else:
                return

    def _leave_current(self) -> None:
        if self._current is not None:
            self._current.current = False
            self._close_unused(self._current)
            self._current = None

    def _close_unused(self, file: _File) -> None:
        if file.users == 0 and not file.current and file.head is not None:
            self._session.ask(Packet.CLOSE, file.head, ignore)
            self._files.pop(file.path, None)

    def _abandon(self) -> None:
        """Nobody waits for the replies any more; what is open, or about to be, gets closed."""
        session = self._session
        for chunk in self._order:
            if chunk.ident:
                session.redirect(chunk.ident, ignore)
        for file in self._files.values():
            if file.head is not None:
                session.ask(Packet.CLOSE, file.head, ignore)
            else:
                session.redirect(file.ident, self._close_late)
        self._order.clear()
        self._files.clear()

    def _close_late(self, packet: int, body: memoryview, _argument: object) -> None:
        if packet == Packet.HANDLE:
            self._session.ask(Packet.CLOSE, bytes(body), ignore)

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._explain(self._failed)

    def _explain(self, chunk: _Chunk) -> MoverError:
        path = self._locate(chunk.file.path).decode("utf-8", "surrogateescape")
        status = chunk.error or Status(Code.FAILURE, "")
        if status.code != Code.EOF:
            return read_error(self._session.name, path, status)
        expected = chunk.span.offset + chunk.span.length
        return SourceUnreadable(
            f"The file {path} on {self._session.name} is too short: at least {expected} bytes expected, "
            f"{self._size(chunk)} found.",
            kept="Nothing was changed at the source.",
            remedy="Force a recheck of this torrent in the source client: it is not complete.",
            server=self._session.name,
        )

    def _size(self, chunk: _Chunk) -> int:
        if chunk.file.head is not None:
            packet, body = self._session.call(Packet.FSTAT, chunk.file.head)
            if packet == Packet.ATTRS:
                return wire.Cursor(body).attributes().size
        return chunk.offset
