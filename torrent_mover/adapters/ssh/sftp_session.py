"""One SFTP connection: numbers requests, keeps many in flight, hands each reply to whoever asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_protocol import HEADER, Code, Packet, Status
from torrent_mover.adapters.ssh.transport import Channel
from torrent_mover.domain.errors import BadAnswer, MoverError, ServerTooOld
from torrent_mover.ports.ssh import Login

Handler = Callable[[int, memoryview, Any], None]
"""Takes (packet type, body after the request id, whatever was registered). The body is only valid during the call."""

Reply = tuple[int, bytes]
"""Packet type and body after the request id."""

_BUFFER: Final = 2 << 20
_LARGEST_PACKET: Final = 1 << 20
_LIMITS: Final = "limits@openssh.com"
_FIRST_ID: Final = 16
"""Above any version number, which stands where the id does in the greeting's reply."""

_ID_MASK: Final = 0xFFFFFFFF


class SftpSession:
    """Speaks SFTP version 3 over a channel. One thread at a time; `abort` from any.

    `name` is how messages call the server; `request_size` is the most bytes to read or write with one request, where not what
    the server allows shall count. Raises, while connecting, what Channel.pump raises, and BadAnswer or ServerTooOld
    for a server that speaks something else.
    """

    def __init__(self, channel: Channel, name: str, request_size: int | None = None) -> None:
        self.name = name
        self.limits = wire.SMALLEST
        self.extensions: dict[str, bytes] = {}
        self.round_trip = 0.0
        """Seconds from the first question to its answer."""
        self._channel = channel
        self._buffer = memoryview(bytearray(_BUFFER))
        self._start = 0
        self._end = 0
        self._out = bytearray()
        self._unsent: list[memoryview] = []
        self._pending: dict[int, tuple[Handler, Any]] = {}
        self._next_id = _FIRST_ID
        self._timeout: float | None = None
        self._request_size = request_size
        self._broken = False
        self.was_cut = False
        """Whether we have broken it ourselves: a move was paused, or the run ends."""
        try:
            self._greet()
        except BaseException:
            channel.close()
            raise

    @property
    def login(self) -> Login:
        """How we came in."""
        return self._channel.login

    def is_open(self) -> bool:
        """Whether it can still be used. Does not block."""
        return not self._broken and self._channel.is_open()

    def abort(self) -> None:
        """From any thread: break a blocked call, which then raises ConnectionLost."""
        self.was_cut = self.was_cut or self.is_open()
        self._channel.abort()

    def close(self) -> None:
        """Hang up. Never raises."""
        self._broken = True
        self._channel.close()

    def ask(self, packet: int, body: bytes, handler: Handler, argument: Any = None) -> int:  # noqa: ANN401
        """Queue a request; it leaves with the next `pump`. Returns its id."""
        ident = self._register(handler, argument)
        self._out += HEADER.pack(5 + len(body), packet, ident)
        self._out += body
        return ident

    def push(self, packet: int, head: bytes, data: memoryview, handler: Handler, argument: Any = None) -> None:  # noqa: ANN401
        """Send a request that ends in `data`; returns when all of it is out, taking replies meanwhile."""
        ident = self._register(handler, argument)
        self._out += HEADER.pack(5 + len(head) + len(data), packet, ident)
        self._out += head
        self._unsent += [memoryview(bytes(self._out)), data]
        self._out.clear()
        while self._unsent:
            self.pump()

    def redirect(self, ident: int, handler: Handler, argument: Any = None) -> None:  # noqa: ANN401
        """Let another handler have the reply to a request that is still in flight."""
        if ident in self._pending:
            self._pending[ident] = (handler, argument)

    def pump(self, *, block: bool = True) -> None:
        """Move bytes in both directions and hand out the replies that are complete. What a handler raises is raised here."""
        if self._dispatch():
            return
        if self._out:
            self._unsent.append(memoryview(bytes(self._out)))
            self._out.clear()
        self._make_room()
        try:
            sent, received = self._channel.pump(
                self._unsent, self._buffer[self._end :], block=block, timeout=self._timeout
            )
        except BaseException:
            self._broken = True
            raise
        if sent:
            self._forget_sent(sent)
        self._end += received
        self._dispatch()

    def call(self, packet: int, body: bytes, timeout: float | None = None) -> Reply:
        """One request and its reply. `timeout` in seconds replaces the usual one between two signs of life."""
        return self.call_all([(packet, body)], timeout)[0]

    def call_all(self, requests: Iterable[tuple[int, bytes]], timeout: float | None = None) -> list[Reply]:
        """Many requests in one go; the replies in the order of asking."""
        asked = list(requests)
        replies: dict[int, Reply] = {}
        for index, (packet, body) in enumerate(asked):
            self.ask(packet, body, _keep, (replies, index))
        self._timeout = timeout
        try:
            while len(replies) < len(asked):
                self.pump()
        finally:
            self._timeout = None
        return [replies[index] for index in range(len(asked))]

    def extended(self, name: str, body: bytes, timeout: float | None = None) -> Reply | None:
        """Call an extension; None where the server does not offer it."""
        if name not in self.extensions:
            return None
        return self.call(Packet.EXTENDED, wire.string(name.encode()) + body, timeout)

    def _register(self, handler: Handler, argument: object) -> int:
        ident = self._next_id
        self._next_id = (ident + 1) & _ID_MASK or _FIRST_ID
        self._pending[ident] = (handler, argument)
        return ident

    def _dispatch(self) -> bool:
        """Hand out the complete replies that are in the buffer; whether there was any."""
        any_reply = False
        buffer, pending, unpack, head = self._buffer, self._pending, HEADER.unpack_from, HEADER.size
        while self._end - self._start >= head:
            start = self._start
            length, packet, ident = unpack(buffer, start)
            if not head - 4 <= length <= _LARGEST_PACKET:
                raise self._nonsense(start)
            stop = start + 4 + length
            if stop > self._end:
                break
            # Moved on first: a handler may raise, and the next call goes on behind this packet.
            self._start = stop
            entry = pending.pop(ident, None)
            if entry is None:
                raise self._nonsense(start)
            entry[0](packet, buffer[start + head : stop], entry[1])
            any_reply = True
        return any_reply

    def _make_room(self) -> None:
        if self._start == self._end:
            self._start = self._end = 0
        elif _BUFFER - self._end < _LARGEST_PACKET >> 1:
            rest = self._end - self._start
            self._buffer[:rest] = self._buffer[self._start : self._end]
            self._start, self._end = 0, rest

    def _forget_sent(self, count: int) -> None:
        unsent = self._unsent
        while unsent and count >= len(unsent[0]):
            count -= len(unsent.pop(0))
        if count:
            unsent[0] = unsent[0][count:]

    def _greet(self) -> None:
        greeting: list[bytes] = []
        self._pending[wire.VERSION_3] = (_keep_version, greeting)
        self._out += wire.LENGTH.pack(5) + bytes([Packet.INIT]) + wire.LENGTH.pack(wire.VERSION_3)
        while not greeting:
            self.pump()
        self._channel.established()
        cursor = wire.Cursor(greeting[0])
        while cursor.more():
            name, value = cursor.string(), cursor.string()
            self.extensions[name.decode("ascii", "replace")] = value
        asked_at = time.monotonic()
        reply = self.extended(_LIMITS, b"") or self.call(Packet.REALPATH, wire.string(b"."))
        self.round_trip = time.monotonic() - asked_at
        if reply[0] == Packet.EXTENDED_REPLY:
            self.limits = wire.parse_limits(reply[1])
        if self._request_size is not None:
            self.limits = self.limits.at_most(self._request_size)

    def _nonsense(self, start: int) -> MoverError:
        self._broken = True
        raw = bytes(self._buffer[start : min(self._end, start + 60)])
        if wire.VERSION_3 in self._pending and raw[4:5] == bytes([Packet.VERSION]):
            return ServerTooOld(
                f"The sftp server of {self.name} speaks an old version of the protocol, not version 3.",
                remedy="Update the server's OpenSSH.",
                server=self.name,
            )
        return BadAnswer(
            f"{self.name} sends something that is not SFTP: {raw!r}.",
            kept="Nothing was changed.",
            remedy="A login script there (.bashrc, .profile) may print text: it must stay silent without a terminal."
            " Or the account has no shell that could start the sftp server. With this line in its sshd_config neither matters:"
            " Subsystem sftp internal-sftp",
            server=self.name,
        )


def ok(reply: Reply) -> bool:
    """Whether a reply is the status OK."""
    return reply[0] == Packet.STATUS and Status.parse(reply[1]).code == Code.OK


def ignore(_packet: int, _body: memoryview, _argument: object) -> None:
    """The handler of replies that nobody waits for."""


def _keep(packet: int, body: memoryview, argument: tuple[dict[int, Reply], int]) -> None:
    replies, index = argument
    replies[index] = (packet, bytes(body))


def _keep_version(packet: int, body: memoryview, greeting: list[bytes]) -> None:
    if packet == Packet.VERSION:
        greeting.append(bytes(body))
