"""Whether a host answers at all: a TCP connection, opened and closed."""

from __future__ import annotations

import socket


def answers(host: str, port: int, patience: float) -> bool:
    """Whether it takes a connection within so many seconds."""
    try:
        with socket.create_connection((host, port), patience):
            return True
    except OSError:
        return False
