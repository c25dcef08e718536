"""A folder in which .torrent files lie by their infohash, as clients and indexers' programs keep them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash

_LARGEST: Final = 32 << 20
"""Bytes; no true .torrent is larger."""


class TorrentFolder:
    """Only looked at, when it is asked. Whose a file is says its content, which the caller checks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, torrent: InfoHash) -> bytes | None:
        """The bytes of the file that has the name of this infohash; None where there is none that can be read."""
        for name in (torrent.hex, torrent.hex.upper()):
            with suppress(OSError):
                file = os.open(self._folder / f"{name}.torrent", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                with os.fdopen(file, "rb") as opened:
                    status = os.fstat(opened.fileno())
                    if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
                        return opened.read(_LARGEST)
        return None
