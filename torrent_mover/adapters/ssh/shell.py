"""Runs one command on a server, over either transport, with protected arguments."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from torrent_mover.adapters.ssh.transport import Finished, Transport

_TIMEOUT: Final = 60.0


class RemoteShell:
    """Commands by argument list. The far shell sees each argument quoted; names of files travel on stdin, NUL-separated."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(self, argv: Sequence[str], stdin: bytes = b"", timeout: float = _TIMEOUT) -> Finished:
        """Run it to its end. Raises what logging in raises, and Stalled after `timeout` seconds."""
        return self._transport.execute(shlex.join(argv), stdin, timeout)
