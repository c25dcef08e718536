"""A stream of the built-in library as a socket, for programs that want one (TLS does): two threads pass the bytes on."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import paramiko

_CHUNK: Final = 64 << 10


def as_socket(channel: paramiko.Channel) -> socket.socket:
    """A socket that speaks for the channel. Closing it closes the channel, and the other way round."""
    ours, theirs = socket.socketpair()

    def inward() -> None:
        with suppress(OSError, EOFError):
            while data := channel.recv(_CHUNK):
                theirs.sendall(data)
        with suppress(OSError):
            theirs.shutdown(socket.SHUT_WR)

    def outward() -> None:
        with suppress(OSError, EOFError):
            while data := theirs.recv(_CHUNK):
                channel.sendall(data)
        with suppress(
            Exception
        ):  # paramiko's close may raise whatever its socket does: the connection may just end, too
            channel.close()
        reader.join()
        theirs.close()

    reader = threading.Thread(target=inward, name="tunnel-in", daemon=True)
    reader.start()
    threading.Thread(target=outward, name="tunnel-out", daemon=True).start()
    return ours
