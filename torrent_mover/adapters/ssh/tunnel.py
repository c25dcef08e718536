"""Streams to ports of a machine as it sees them, over one SSH connection that is made when needed and anew when it was lost."""

from __future__ import annotations

import socket
import threading

from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.way import SshWay
from torrent_mover.domain.errors import ConnectionLost


class Tunnel:
    """Leads through the server of a pool, by the pool's rules for logins. Safe from any thread."""

    def __init__(self, pool: SessionPool) -> None:
        self.through = pool.transport.target.label
        self._pool = pool
        self._lock = threading.Lock()
        self._way: SshWay | None = None

    def dial(self, host: str, port: int) -> socket.socket:
        """A stream to a port as the server sees it. Raises what logging in raises, and what SshWay.dial raises."""
        with self._lock:
            try:
                return self._open().dial(host, port)
            except ConnectionLost:
                self._let_go()
            return self._open().dial(host, port)

    def close(self) -> None:
        """Hang up. Never raises."""
        with self._lock:
            self._let_go()

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
