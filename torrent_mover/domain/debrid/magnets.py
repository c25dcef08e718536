"""What a debrid service is given to add a torrent by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.torrent.bencode import decode_document, encode
from torrent_mover.domain.torrent.torrent import InfoHash


@dataclass(frozen=True, slots=True)
class Magnet:
    """A torrent by its SHA-1 infohash alone: no name and no tracker, so that nothing but the hash decides what is added."""

    hash: InfoHash

    @property
    def uri(self) -> str:
        """The magnet link (BEP 9)."""
        return f"magnet:?xt=urn:btih:{self.hash.hex}"


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """A torrent by the bytes of its .torrent, and the infohash that they have."""

    hash: InfoHash
    data: bytes = field(repr=False)


def file_of(torrent: InfoHash, data: bytes) -> TorrentFile | None:
    """What is handed on of a .torrent: what its infohash is made of, no tracker, no passkey. None: it is another torrent's."""
    try:
        document = decode_document(data)
    except UnsafeTorrent:
        return None
    if document.info_span is None:
        return None
    info = data[slice(*document.info_span)]
    if hashlib.sha1(info, usedforsecurity=False).hexdigest() != torrent.hex:
        return None
    layers = document.root.get(b"piece layers")
    rest = b"12:piece layers" + encode(layers) if isinstance(layers, dict) else b""
    return TorrentFile(torrent, b"d4:info" + info + rest + b"e")
