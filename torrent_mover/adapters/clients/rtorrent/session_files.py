"""The files that rTorrent keeps of its torrents in its session folder, read where this machine sees it, else through rTorrent."""

from __future__ import annotations

import binascii
import errno
import os
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.xml_rpc import RpcFault
from torrent_mover.domain.errors import ServerTooOld, UnsafeTorrent
from torrent_mover.domain.torrent.bencode import decode
from torrent_mover.domain.torrent.torrent import InfoHash

_REPLACED: Final = (errno.ENOENT, errno.ESTALE)
"""What is said of a file that is not there, or, by a network file system, of one that rTorrent has replaced since it was opened."""


class SessionFiles:
    """`folder` is the session folder as this machine sees it; blank where it does not."""

    def __init__(self, session: RpcSession, folder: str) -> None:
        self._session = session
        self._folder = Path(folder) if folder else None

    def torrent(self, torrent: InfoHash) -> bytes | None:
        """`HASH.torrent`: the metainfo as it was loaded. None where there is none."""
        return self._read(f"{torrent.hex.upper()}.torrent")

    def place(self, torrent: InfoHash) -> bytes | None:
        """The directory that is saved: where rTorrent looks after its next start. None where there is none."""
        found = (self.state(torrent) or {}).get(b"directory")
        return found if isinstance(found, bytes) else None

    def state(self, torrent: InfoHash) -> Mapping[bytes, object] | None:
        """`HASH.torrent.rtorrent`: directory, custom fields, stamps. None where there is none, or half of one."""
        raw = self._read(_state_of(torrent))
        if not raw:
            return None
        try:
            saved = decode(raw)
        except UnsafeTorrent:
            return None  # it is being written
        return saved if isinstance(saved, dict) else None

    def stamp(self, torrent: InfoHash) -> str:
        """What changes whenever the torrent's state is saved: rTorrent writes a new file each time. Blank where there is none.

        Blank too where rTorrent's machine has no stat(1), or one that knows no formats.
        """
        name = _state_of(torrent)
        if self._folder is None:
            said = self._captured("stat", "-c", "%i %z", name=name)
            return said if isinstance(said, str) else ""
        try:
            # Opened first: a network file system may say of a mere name what was true some seconds ago.
            with (self._folder / name).open("rb") as file:
                found = os.fstat(file.fileno())
        except OSError as error:
            if error.errno in _REPLACED:
                return ""
            raise
        return f"{found.st_ino} {found.st_ctime_ns}"

    def sync(self, torrent: InfoHash) -> bool:
        """Bring what is saved of the torrent to stable storage; False where this machine does not see it. Raises OSError."""
        if self._folder is None:
            return False
        for name in (f"{torrent.hex.upper()}.torrent", _state_of(torrent), "."):
            handle = os.open(self._folder / name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        return True

    def require(self) -> None:
        """Raises ServerTooOld where rTorrent has no session folder: it forgets every torrent when it ends."""
        if not self._session.known().session_path:
            raise ServerTooOld(
                f"rTorrent at {self._session.name} has no session folder: it keeps nothing over a restart.",
                kept="Nothing was changed.",
                remedy="Set in its rtorrent.rc: session.path.set = /path/of/a/folder, and restart it.",
                server=self._session.name,
            )

    def _read(self, name: str) -> bytes | None:
        if self._folder is not None:
            try:
                return (self._folder / name).read_bytes()
            except OSError as error:
                if error.errno in _REPLACED:
                    return None
                raise
        said = self._captured("base64", "-w0", name=name)
        try:
            return b64decode(said, validate=True) if said else None
        except (binascii.Error, TypeError, ValueError) as error:
            raise self._session.trouble.garbled("something else than the session file that was asked for") from error

    def _captured(self, *command: str, name: str) -> Any:  # noqa: ANN401  whatever rTorrent answers
        """What a program on rTorrent's machine says to one of its session files; None where it refuses, or there is none."""
        self.require()
        path = f"{self._session.known().session_path.rstrip('/')}/{name}"
        try:
            return self._session.tried("execute.capture", "", *command, path)
        except RpcFault as fault:
            if fault.untrusted:
                raise self._session.trouble.untrusted(f"show its session file {name}") from fault
            return None


def _state_of(torrent: InfoHash) -> str:
    return f"{torrent.hex.upper()}.torrent.rtorrent"
