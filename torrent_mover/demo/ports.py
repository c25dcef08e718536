"""Free TCP ports on loopback."""

from __future__ import annotations

import secrets
import socket

LOOPBACK = "127.0.0.1"

_LOWEST, _HIGHEST = 15_000, 32_000
# Below the range that Linux hands to outgoing connections (32768 and up), so that a server which is stopped and
# started again finds its port still free.


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now, drawn at random so that parallel runs rarely meet."""
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        return port
