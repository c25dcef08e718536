"""Streams to ports and sockets as a machine sees them, over one SSH connection, made when needed and again when it was lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.way import SshWay
from torrent_mover.domain.errors import ConnectionLost, MoverError


class Tunnel:
    """Leads through the server of a pool, by the pool's rules for logins. Safe from any thread."""

    def __init__(self, pool: SessionPool) -> None:
        self.through = pool.transport.target.label
        self._pool = pool
        self._lock = threading.Lock()
        self._way: SshWay | None = None

    def dial(self, host: str, port: int) -> socket.socket:
        """A stream to a port as the server sees it. Raises what logging in raises, and what SshWay.dial raises."""
        return self._dialled(lambda way: way.dial(host, port))

    def dial_socket(self, path: str) -> socket.socket:
        """A stream to a Unix socket as the server sees it. Raises the same; or it ends at once, and `why_refused` tells why."""
        return self._dialled(lambda way: way.dial_socket(path))

    def why_refused(self, path: str) -> MoverError | None:
        """Why the stream to a socket ended before it began; None where the server has said nothing against it."""
        with self._lock:
            return self._way.why_refused(path) if self._way is not None else None

    def close(self) -> None:
        """Hang up. Never raises."""
        with self._lock:
            self._let_go()

    def _dialled(self, dial: Callable[[SshWay], socket.socket]) -> socket.socket:
        with self._lock:
            try:
                return dial(self._open())
            except ConnectionLost:
                self._let_go()
            return dial(self._open())

    def _open(self) -> SshWay:
        if self._way is not None and not self._way.is_open():
            self._let_go()
        if self._way is None:
            self._way = self._pool.open_way()
        return self._way

    def _let_go(self) -> None:
        way, self._way = self._way, None
        if way is not None:
            way.close()
