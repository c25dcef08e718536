"""A proxy before rTorrent's socket, which can answer badly: what faults/watchman.py is for a Web API."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

HANG_UP = b""
"""In place of an answer: the stream is closed."""


class RpcWatchman:
    """Listens on `path`. `answer(method)` may give another document than rTorrent's, or HANG_UP; None: it is asked."""

    def __init__(self, target: Path, path: Path) -> None:
        self.path = path
        self.answer: Callable[[str], bytes | None] = lambda _method: None
        self._target = target
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> RpcWatchman:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake who waits in accept.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self._listening.accept()
                threading.Thread(target=self._one, args=(stream,), daemon=True).start()

    def _one(self, stream: socket.socket) -> None:
        with stream, contextlib.suppress(OSError):
            asked = _request(stream)
            method = re.search(rb"<methodName>(.*?)</methodName>", asked)
            bad = self.answer(method[1].decode() if method else "")
            if bad is None:
                stream.sendall(self._passed_on(asked))
            elif bad is not HANG_UP:
                head = b"Status: 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(bad)
                stream.sendall(head + bad)

    def _passed_on(self, asked: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(str(self._target))
            upstream.sendall(asked)
            return b"".join(iter(lambda: upstream.recv(1 << 16), b""))


def _request(stream: socket.socket) -> bytes:
    """All of an SCGI request, as it came."""
    received = b""
    while True:
        begun = re.match(rb"(\d+):CONTENT_LENGTH\0(\d+)\0", received)
        if begun and len(received) >= len(begun[1]) + 1 + int(begun[1]) + 1 + int(begun[2]):
            return received
        chunk = stream.recv(1 << 16)
        if not chunk:
            return received
        received += chunk
