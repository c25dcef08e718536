"""Torrents that no program would make today, and clients seed: names that lead elsewhere, collide, or are symbolic links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torrent_mover.demo.torrents import info_hash
from torrent_mover.domain.torrent.bencode import encode

PIECE = 16 * 1024


@dataclass(frozen=True)
class Odd:
    """A v1 torrent of these files: path as the .torrent has it -> bytes, or where a symbolic link leads."""

    name: bytes
    files: tuple[tuple[tuple[bytes, ...], bytes | tuple[bytes, ...]], ...]

    @property
    def contents(self) -> list[bytes | None]:
        """Of each file its bytes; None for a symbolic link."""
        return [said if isinstance(said, bytes) else None for _, said in self.files]

    @property
    def metainfo(self) -> bytes:
        """The .torrent."""
        stream = b"".join(filter(None, self.contents))
        pieces = (stream[at : at + PIECE] for at in range(0, len(stream), PIECE))
        return encode(
            {
                b"info": {
                    b"files": [_file(path, said) for path, said in self.files],
                    b"name": self.name,
                    b"piece length": PIECE,
                    b"pieces": b"".join(hashlib.sha1(piece, usedforsecurity=False).digest() for piece in pieces),
                }
            }
        )

    @property
    def info_hash(self) -> str:
        """As clients call it."""
        return info_hash(self.metainfo)

    def write(self, folder: Path, listed: Iterable[Mapping]) -> dict[str, bytes]:
        """Put its files where a client lists them; path -> bytes of each."""
        found = {}
        for one, data in zip(sorted(listed, key=lambda each: each["index"]), self.contents, strict=True):
            if data is not None:
                path = folder / one["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                found[one["name"]] = data
        return found


def odd(name: bytes, *files: tuple[str | bytes | tuple, int | tuple]) -> Odd:
    """Each file: its path (cut at slashes, or its parts), and its size or the path that it leads to."""
    return Odd(
        name,
        tuple((_parts(path), _parts(said) if not isinstance(said, int) else noise(said, path)) for path, said in files),
    )


def noise(size: int, seed: object) -> bytes:
    """Bytes that look like anything, the same for the same seed."""
    return hashlib.shake_128(repr(seed).encode()).digest(size)


def _parts(path: str | bytes | tuple) -> tuple[bytes, ...]:
    raw = path.encode() if isinstance(path, str) else path
    return tuple(raw.split(b"/")) if isinstance(raw, bytes) else raw


def _file(path: tuple[bytes, ...], said: bytes | tuple[bytes, ...]) -> dict:
    if isinstance(said, bytes):
        return {b"length": len(said), b"path": list(path)}
    return {b"attr": b"l", b"length": 0, b"path": list(path), b"symlink path": list(said)}
