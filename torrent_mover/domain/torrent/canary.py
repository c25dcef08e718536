"""A small file of our own that shows what another party sees: its name is random, and its content follows from the name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash

_PREFIX: Final = "torrent-mover-canary-"
"""Without a dot: clients that list a folder leave out what is hidden (qBittorrent 5)."""
_NAME: Final = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}")
_PIECE_LENGTH: Final = 16 * 1024  # bytes; the smallest that BEP 3 clients take, and more than the content


@dataclass(frozen=True, slots=True)
class Canary:
    """The file. Whoever knows the name can make the content and the infohash again, so that a left-over is surely ours."""

    name: str

    def __post_init__(self) -> None:
        if not self.is_name(self.name):
            raise ValueError(f"not the name of a canary: {self.name!r}")

    @classmethod
    def hatch(cls, chance: bytes) -> Canary:
        """A new one from random bytes (eight or more)."""
        return cls(_PREFIX + hashlib.sha256(chance).hexdigest()[:16])

    @staticmethod
    def is_name(name: str) -> bool:
        """Whether this is what our canaries are called."""
        return _NAME.fullmatch(name) is not None

    @property
    def content(self) -> bytes:
        """The bytes of the file: 32 of them."""
        return hashlib.sha256(self.name.encode()).digest()

    def metainfo(self, salt: int = 0) -> bytes:
        """A private torrent of this one file, without trackers (BEP 3, BEP 27). Each salt gives another infohash."""
        return encode(
            {
                b"info": {
                    b"length": len(self.content),
                    b"name": self.name.encode(),
                    b"piece length": _PIECE_LENGTH,
                    b"pieces": hashlib.sha1(self.content, usedforsecurity=False).digest(),
                    b"private": 1,
                    b"salt": salt,
                }
            }
        )

    def infohash(self, salt: int = 0) -> InfoHash:
        """By which a client knows that torrent."""
        return Manifest.parse(self.metainfo(salt)).hashes.client_id
