"""Where a torrent lies, byte for byte, also where rTorrent's answers cannot say it."""

from __future__ import annotations

import binascii
import posixpath
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from torrent_mover.adapters.clients.rtorrent.answers import TorrentPlace
from torrent_mover.adapters.clients.rtorrent.layout import LayoutDiffers, name_of
from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.session_files import SessionFiles
from torrent_mover.adapters.clients.rtorrent.spelling import folder_of_that_name, is_exact, may_mean, text
from torrent_mover.domain.errors import ServerError, UnsafeTorrent
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.clock import Clock

EXACT_NAME: Final = "d.name.base64"
"""0.16 has it."""

_AGAIN_AFTER: Final = 30.0  # seconds until a place that could not be told is looked for again
_MOST_KEPT: Final = 20_000


class TorrentPlaces:
    """Remembers what it had to look up in the session folder: a listing asks for all torrents, each second."""

    def __init__(self, session: RpcSession, files: SessionFiles, clock: Clock) -> None:
        self._session = session
        self._files = files
        self._clock = clock
        self._found: dict[tuple[str, str, str], tuple[TorrentPlace, float]] = {}

    def of(self, raw: Mapping[str, Any]) -> TorrentPlace:
        """The place of a row. `sure` is False where nothing says it exactly: then nothing may be done with the torrent."""
        said, name = str(raw["d.directory"]), str(raw["d.name"])
        encoded = raw.get(EXACT_NAME)
        if is_exact(said) and is_exact(name) and encoded is None:
            return self._absolute(said, name, sure=True)
        key = (str(raw["d.hash"]), said, name)
        known = self._found.get(key)
        if known is not None and (known[0].sure or self._clock.monotonic() - known[1] < _AGAIN_AFTER):
            return known[0]
        found = self._looked_up(InfoHash(key[0]), said, name, encoded)
        if len(self._found) >= _MOST_KEPT:
            self._found.clear()
        self._found[key] = (found, self._clock.monotonic())
        return found

    def _looked_up(self, torrent: InfoHash, said: str, name: str, encoded: object) -> TorrentPlace:
        exact_name = self._decoded(encoded) if encoded is not None else self._name(torrent, name)
        if is_exact(said):
            return self._absolute(said, exact_name if exact_name is not None else name, sure=exact_name is not None)
        by_name = folder_of_that_name(said, exact_name) if encoded is not None and exact_name is not None else None
        if by_name is not None:
            return self._absolute(by_name, exact_name or name, sure=True)
        saved = self._place(torrent)
        sure = saved is not None and may_mean(said, saved) and exact_name is not None
        directory = text(saved) if saved is not None and sure else said
        return self._absolute(directory, exact_name if exact_name is not None else name, sure=sure)

    def _name(self, torrent: InfoHash, said: str) -> str | None:
        if is_exact(said):
            return said
        try:
            metainfo = self._files.torrent(torrent)
            return text(name_of(metainfo, said)) if metainfo else None
        except (LayoutDiffers, UnsafeTorrent, ServerError):
            return None

    def _place(self, torrent: InfoHash) -> bytes | None:
        try:
            return self._files.place(torrent)
        except ServerError:
            return None

    def _decoded(self, encoded: object) -> str | None:
        try:
            return text(b64decode(str(encoded), validate=True))
        except (binascii.Error, ValueError):
            return None

    def _absolute(self, directory: str, name: str, *, sure: bool) -> TorrentPlace:
        """RTorrent keeps a path as it was given: below its working folder, or with `..`, which only it could resolve."""
        whole = posixpath.join(self._session.known().working_folder or "/", directory)
        if ".." in whole.split("/") or "\0" in whole:
            return TorrentPlace(posixpath.normpath(whole).replace("\0", "?"), name, sure=False)
        return TorrentPlace(whole, name, sure)
