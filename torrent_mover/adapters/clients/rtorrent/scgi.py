"""SCGI (python.ca/scgi/protocol.txt): one request over one stream, as rTorrent answers it."""

from __future__ import annotations

import socket
import time
from typing import Final

_CHUNK: Final = 256 << 10
_LONGEST_HEAD: Final = 64 << 10
_LARGEST: Final = 512 << 20
"""Bytes of an answer. A list of 10,000 torrents takes some 20 MiB."""


class CutOff(Exception):
    """The stream ended before the answer did. `received`: how many bytes had come."""

    def __init__(self, received: int) -> None:
        super().__init__(f"the stream ended after {received} bytes")
        self.received = received


class NotScgi(Exception):
    """What answers there speaks something else. `begins`: its first bytes."""

    def __init__(self, begins: bytes) -> None:
        super().__init__("no SCGI answer")
        self.begins = begins


def ask(stream: socket.socket, document: bytes, timeout: float) -> bytes:
    """Send an XML-RPC document, return the one that is answered. The caller closes the stream.

    `timeout` in seconds for the whole answer. Raises TimeoutError, OSError, CutOff, NotScgi.
    """
    deadline = time.monotonic() + timeout
    _send(stream, request(document), deadline)
    head, _, body = _receive_head(stream, deadline).partition(b"\r\n\r\n")
    length = _content_length(head)
    received = bytearray(body)
    while length is None or len(received) < length:
        chunk = _receive(stream, deadline)
        if not chunk:
            if length is None:
                break
            raise CutOff(len(received))
        received += chunk
        if len(received) > _LARGEST:
            raise NotScgi(bytes(received[:60]))
    return bytes(received if length is None else received[:length])


def request(document: bytes) -> bytes:
    """The netstring of headers, CONTENT_LENGTH first as the protocol wants it, and the document."""
    headers = {
        b"CONTENT_LENGTH": str(len(document)).encode(),
        b"SCGI": b"1",
        b"REQUEST_METHOD": b"POST",
        b"REQUEST_URI": b"/RPC2",
        b"CONTENT_TYPE": b"text/xml",
    }
    packed = b"".join(name + b"\0" + value + b"\0" for name, value in headers.items())
    return b"%d:%s,%s" % (len(packed), packed, document)


def _send(stream: socket.socket, data: bytes, deadline: float) -> None:
    view = memoryview(data)
    while view:
        stream.settimeout(_left(deadline))
        view = view[stream.send(view[:_CHUNK]) :]


def _receive_head(stream: socket.socket, deadline: float) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = _receive(stream, deadline)
        if not chunk:
            raise NotScgi(received[:60]) if received else CutOff(0)
        received += chunk
        if not received.startswith(b"Status:"[: len(received)]) or len(received) > _LONGEST_HEAD + _CHUNK:
            raise NotScgi(received[:60])
    return received


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None


def _receive(stream: socket.socket, deadline: float) -> bytes:
    stream.settimeout(_left(deadline))
    return stream.recv(_CHUNK)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left
