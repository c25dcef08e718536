"""Finds out where rTorrent sees a canary: programs that it starts look for the file, and read it.

Not by a torrent over it, as with other clients: rTorrent's check makes an empty file in place of one that is missing.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.spelling import is_exact
from torrent_mover.adapters.clients.rtorrent.xml_rpc import RpcFault
from torrent_mover.domain.errors import ClientMayNotRead, MissingProgram
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.torrent import Torrent

_AT_A_TIME: Final = 16
"""Folders asked about with one canary."""


class FolderSearch:
    """Asks one client; `torrents` lists what it has. Nothing is made, here or there."""

    def __init__(self, session: RpcSession, torrents: Callable[[], Sequence[Torrent]]) -> None:
        self._session = session
        self._torrents = torrents

    def folders(self) -> Sequence[ClientPath]:
        """See the port."""
        default = str(self._session.read("directory.default"))
        plain = default.startswith("/") and ".." not in default.split("/") and is_exact(default)
        used = (torrent.save_path for torrent in self._torrents())
        return tuple(dict.fromkeys([*([ClientPath(default)] if plain else []), *used]))

    def locate(self, canary: Canary, folders: Sequence[ClientPath]) -> ClientPath | None:
        """See the port."""
        self._refuse_without_programs()
        unreadable: ClientPath | None = None
        for folder in tuple(folders)[:_AT_A_TIME]:
            file = folder / canary.name
            if not self._is_there(str(file)):
                continue
            if self._content(str(file)) == canary.content:
                return folder
            unreadable = unreadable or file
        if unreadable is not None:
            raise ClientMayNotRead(f"rTorrent at {self._session.name} may not read a file that we made: {unreadable}.")
        return None

    def _refuse_without_programs(self) -> None:
        if not self._is_there("/") or self._run_capture("base64", "-w0", "/dev/null") is None:
            raise MissingProgram(
                f"rTorrent at {self._session.name} cannot start the programs test and base64 to look for a file.",
                kept="Nothing was changed.",
                remedy="Install coreutils (or busybox) where rTorrent runs.",
            )

    def _is_there(self, path: str) -> bool:
        try:
            return bool(self._session.tried("execute.nothrow", "", "test", "-e", path) == 0)
        except RpcFault as fault:
            raise self._session.trouble.fault(fault, "look for a file") from fault

    def _content(self, path: str) -> bytes | None:
        said = self._run_capture("base64", "-w0", path)
        try:
            return b64decode(said, validate=True) if said is not None else None
        except (binascii.Error, ValueError):
            return None

    def _run_capture(self, *command: str) -> str | None:
        """What a program says; None where it fails."""
        try:
            return str(self._session.tried("execute.capture", "", *command))
        except RpcFault as fault:
            if fault.untrusted:
                raise self._session.trouble.untrusted("look for a file") from fault
            return None
