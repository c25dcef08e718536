"""Lanes: a pooled connection lent to one reader or one writer until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp_reader import ReadRun
from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.adapters.ssh.sftp_writer import Locate, WriteLane
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import ByteSpan, Deliver


class _Lane:
    """A borrowed session. An abort that comes after the lane was given back must not hit whoever has the session then."""

    def __init__(self, pool: SessionPool, holder: str) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._session = pool.borrow(holder, lane=True)
        self._open = True
        self._clean = True

    def abort(self) -> None:
        """See ports.filesystem.Reader."""
        with self._lock:
            if self._open:
                self._session.abort()

    def close(self) -> None:
        """See ports.filesystem.Reader."""
        with self._lock:
            if not self._open:
                return
            self._open = False
        with suppress(MoverError):
            self._leave(self._session)
        # A session that still owes megabytes nobody wants would make the next one wait for them.
        self._pool.give_back(self._session, reuse=self._clean)

    def _leave(self, session: SftpSession) -> None:
        """Let go of what is open there."""


class SftpReader(_Lane):
    """See ports.filesystem.Reader."""

    def __init__(self, pool: SessionPool, holder: str, locate: Callable[[RelativePath], bytes]) -> None:
        super().__init__(pool, holder)
        self._locate = locate

    def read(self, spans: Iterable[ByteSpan], deliver: Deliver) -> None:
        """See ports.filesystem.Reader."""
        self._clean = False
        ReadRun(self._session, self._locate, spans, deliver).run()
        self._clean = True


class SftpWriter(_Lane):
    """See ports.filesystem.Writer."""

    def __init__(self, pool: SessionPool, holder: str, locate: Locate) -> None:
        super().__init__(pool, holder)
        self._lane = WriteLane(self._session, locate)

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.Writer."""
        self._clean = False
        self._lane.create(path, size)

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See ports.filesystem.Writer."""
        self._clean = False
        self._lane.write(path, offset, data)

    def accepted(self) -> int:
        """See ports.filesystem.Writer."""
        return self._lane.accepted()

    def flush(self) -> None:
        """See ports.filesystem.Writer."""
        self._lane.flush()
        self._clean = True

    def _leave(self, session: SftpSession) -> None:
        if session.is_open():
            self._lane.release()
