"""A TCP proxy that breaks connections the way networks do: reset, end, silence, a flipped bit, a slow line."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass

from torrent_mover.demo.ports import LOOPBACK

_CHUNK = 32 * 1024
_WINDOW = 64 * 1024


@dataclass
class Trouble:
    """What happens to connections, once `after` bytes have come from the server over all of them together.

    kind: `rst`, `fin`, `silence` (nothing passes any more, both ends stay open), `flip` (one bit, once). `connections`: of how
    many at a time; 0: of all that are open then. `times`: how often it happens, each `after` bytes further on.
    """

    kind: str
    after: int
    connections: int = 0
    times: int = 1


@dataclass(eq=False)
class _Pair:
    client: socket.socket
    server: socket.socket
    silent: bool = False
    flip: bool = False
    done: bool = False


class ChaosProxy:
    """Listens on `port` and passes on to `target`, a port of this machine. `received` counts bytes from the server.

    `rate`: bytes a second from the server over all connections together, or None.
    """

    def __init__(self, target: int, *, rate: float | None = None) -> None:
        self.target = target
        self.rate = rate
        self.received = 0
        self.sent = 0
        self.accepted = 0
        self.happened = 0
        self.refusing = False
        self._trouble: Trouble | None = None
        self._next_at = 0
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._paid_until = 0.0
        self._closed = threading.Event()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> ChaosProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        # A blocked accept does not notice that its socket is closed.
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), 1):
            pass
        self._listener.close()
        self.cut()

    def plan(self, trouble: Trouble) -> None:
        """From now on, this will happen."""
        with self._lock:
            self._trouble, self._next_at = trouble, self.received + trouble.after

    def cut(self, kind: str = "rst") -> None:
        """Do it to all connections that are open, now."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._harm(pair, kind)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._closed.is_set() or self.refusing:
                _reset(client)
                continue
            self.accepted += 1
            try:
                server = socket.socket()
                # Small buffers: what is under way when a connection ends is little, as on a real line.
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WINDOW)
                server.connect((LOOPBACK, self.target))
            except OSError:
                _reset(client)
                continue
            pair = _Pair(client, server)
            with self._lock:
                self._pairs.append(pair)
            threading.Thread(target=self._pass_on, args=(pair,), daemon=True).start()

    def _pass_on(self, pair: _Pair) -> None:
        selector = selectors.DefaultSelector()
        try:
            selector.register(pair.client, selectors.EVENT_READ, pair.server)
            selector.register(pair.server, selectors.EVENT_READ, pair.client)
            while not (pair.done or self._closed.is_set()):
                for key, _ in selector.select(0.2):
                    if pair.silent:
                        time.sleep(0.05)  # both ends stay open, and nothing is read
                        continue
                    data = key.fileobj.recv(_CHUNK)
                    if not data:
                        return
                    if key.fileobj is pair.server:
                        data = self._from_server(pair, data)
                    else:
                        self.sent += len(data)
                    if data and not pair.silent:
                        key.data.sendall(data)
        except OSError:
            return
        finally:
            selector.close()
            with self._lock:
                if pair in self._pairs:
                    self._pairs.remove(pair)
            for end in (pair.client, pair.server):
                end.close()

    def _from_server(self, pair: _Pair, data: bytes) -> bytes:
        if self.rate:
            with self._lock:
                now = time.monotonic()
                self._paid_until = max(self._paid_until, now - 0.05) + len(data) / self.rate
                wait = self._paid_until - now
            if wait > 0:
                time.sleep(wait)
        victims: list[_Pair] = []
        with self._lock:
            self.received += len(data)
            trouble = self._trouble
            if trouble is not None and trouble.times > 0 and self.received >= self._next_at:
                trouble.times -= 1
                self._next_at = self.received + trouble.after
                self.happened += 1
                others = [each for each in self._pairs if each is not pair]
                victims = [pair, *others][: trouble.connections or len(self._pairs)]
        for victim in victims:
            self._harm(victim, trouble.kind)
        if pair.flip:
            pair.flip = False
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]
        return b"" if pair.done or pair.silent else data

    def _harm(self, pair: _Pair, kind: str) -> None:
        if kind == "silence":
            pair.silent = True
        elif kind == "flip":
            pair.flip = True
        else:
            pair.done = True
            for end in (pair.client, pair.server):
                if kind == "rst":
                    _linger_nothing(end)
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _linger_nothing(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset(end: socket.socket) -> None:
    _linger_nothing(end)
    end.close()
