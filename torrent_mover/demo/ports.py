"""Free TCP ports on loopback."""

from __future__ import annotations

import os
import secrets
import socket
from collections import deque
from contextlib import suppress

LOOPBACK = "127.0.0.1"

_LOWEST, _HIGHEST = 15_000, 32_000
# Below the range that Linux hands to outgoing connections (32768 and up), so that a server which is stopped and
# started again finds its port still free.

_CLAIMS_KEPT = 64
"""Of how many ports the claim is kept: by then the server of an older one has long bound it, or never will."""

_claims: deque[int] = deque()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now, and that no other call has returned lately, in any process.

    A server that is being started binds its port seconds later on a busy machine. Until then the name of an abstract socket
    (unix(7)) says that the port is taken; the kernel forgets it when this process ends.
    """
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        with suppress(OSError), socket.socket(socket.AF_UNIX) as claim:
            claim.bind(f"\0torrent_mover demo port {port}")
            with socket.socket() as probe:
                probe.bind((LOOPBACK, port))
            _claims.append(claim.detach())
            if len(_claims) > _CLAIMS_KEPT:
                os.close(_claims.popleft())
            return port
