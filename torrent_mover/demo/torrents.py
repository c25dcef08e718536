"""Makes .torrent files: v1 (BEP 3), v2 (BEP 52) and hybrids with padding files (BEP 47)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torrent_mover.domain.torrent.bencode import Value, decode_document, encode

Version = Literal["v1", "v2", "hybrid"]

_BLOCK = 16 * 1024  # bytes; the leaves of v2's hash trees
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class _Source:
    """One file of the torrent: `path` is None for padding."""

    parts: tuple[bytes, ...]
    size: int
    path: Path | None


def make_torrent(
    content: Path,
    *,
    version: Version = "v1",
    piece_length: int = 64 * 1024,
    trackers: Sequence[str] = (),
    name: str | None = None,
    private: bool = False,
    source: str | None = None,
) -> bytes:
    """The metainfo of a folder or a single file. `piece_length` in bytes, a power of two of at least 16384.

    Files are listed in the order of the v2 file tree, also for v1. `name` stands in the torrent instead of the content's own.
    """
    title = (name or content.name).encode("utf-8", "surrogateescape")
    files = _files(content, title)
    single = content.is_file()
    info: dict[bytes, Value] = {b"name": title, b"piece length": piece_length}
    document: dict[bytes, Value] = {b"info": info, b"created by": b"torrent_mover"}
    if version != "v2":
        laid_out = list(_padded(files, piece_length)) if version == "hybrid" else files
        info.update(_version_1(laid_out, piece_length, single=single))
    if version != "v1":
        tree, layers = _version_2(files, piece_length)
        info.update({b"meta version": 2, b"file tree": tree})
        document[b"piece layers"] = layers
    if private:
        info[b"private"] = 1
    if source is not None:
        info[b"source"] = source.encode()
    if trackers:
        document[b"announce"] = trackers[0].encode()
        document[b"announce-list"] = [[tracker.encode()] for tracker in trackers]
    return encode(document)


def info_hash(metainfo: bytes) -> str:
    """The 40 hex digits by which clients know the torrent: v1's SHA-1, else the front of v2's SHA-256."""
    document = decode_document(metainfo)
    info = document.root[b"info"]
    if document.info_span is None or not isinstance(info, dict):
        raise ValueError("the metainfo has no info dictionary")
    raw = metainfo[slice(*document.info_span)]
    if b"meta version" in info:
        return hashlib.sha256(raw).hexdigest()[:40]
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()


def v1_hash(metainfo: bytes) -> str:
    """The 40 hex digits of its v1 infohash, by which clients that know no other version call a hybrid torrent too."""
    span = decode_document(metainfo).info_span
    if span is None:
        raise ValueError("the metainfo has no info dictionary")
    return hashlib.sha1(metainfo[slice(*span)], usedforsecurity=False).hexdigest()


def _files(content: Path, title: bytes) -> list[_Source]:
    if content.is_file():
        return [_Source((title,), content.stat().st_size, content)]
    found = [
        _Source(tuple(bytes(Path(part)) for part in path.relative_to(content).parts), path.stat().st_size, path)
        for path in content.rglob("*")
        if path.is_file()
    ]
    return sorted(found, key=lambda file: file.parts)


def _padded(files: Sequence[_Source], piece_length: int) -> Iterator[_Source]:
    """Every file that is not empty begins on a piece: padding goes in front of it."""
    position = 0
    for file in files:
        gap = -position % piece_length
        if gap and file.size:
            yield _Source((b".pad", str(gap).encode()), gap, None)
            position += gap
        yield file
        position += file.size


def _version_1(files: Sequence[_Source], piece_length: int, *, single: bool) -> dict[bytes, Value]:
    pieces = b"".join(hashlib.sha1(piece, usedforsecurity=False).digest() for piece in _pieces(files, piece_length))
    if single:
        return {b"pieces": pieces, b"length": files[0].size}
    return {b"pieces": pieces, b"files": [_entry(file) for file in files]}


def _entry(file: _Source) -> Value:
    entry: dict[bytes, Value] = {b"length": file.size, b"path": list(file.parts)}
    if file.path is None:
        entry[b"attr"] = b"p"
    return entry


def _pieces(files: Sequence[_Source], piece_length: int) -> Iterator[bytes]:
    held = b""
    for file in files:
        for chunk in _chunks(file, piece_length):
            held += chunk
            while len(held) >= piece_length:
                yield held[:piece_length]
                held = held[piece_length:]
    if held:
        yield held


def _chunks(file: _Source, size: int) -> Iterator[bytes]:
    if file.path is None:
        yield bytes(file.size)
        return
    with file.path.open("rb") as stream:
        while chunk := stream.read(size):
            yield chunk


def _version_2(files: Sequence[_Source], piece_length: int) -> tuple[dict[bytes, Value], dict[bytes, Value]]:
    tree: dict[bytes, Value] = {}
    layers: dict[bytes, Value] = {}
    for file in files:
        leaf: dict[bytes, Value] = {b"length": file.size}
        if file.size:
            root, layer = _hash_tree(file, piece_length)
            leaf[b"pieces root"] = root
            if file.size > piece_length:
                layers[root] = b"".join(layer)
        _plant(tree, file.parts, {b"": leaf})
    return tree, layers


def _plant(tree: dict[bytes, Value], parts: Sequence[bytes], leaf: dict[bytes, Value]) -> None:
    branch = tree
    for part in parts[:-1]:
        below = branch.setdefault(part, {})
        if not isinstance(below, dict):
            raise TypeError("a folder of the tree is a dictionary")
        branch = below
    branch[parts[-1]] = leaf


def _hash_tree(file: _Source, piece_length: int) -> tuple[bytes, list[bytes]]:
    """The root of a file's hash tree, and the layer whose hashes each cover one piece."""
    leaves = [hashlib.sha256(block).digest() for block in _chunks(file, _BLOCK)]
    if file.size <= piece_length:
        return _root(leaves, _power_of_two(len(leaves)), _NO_HASH), []
    width = piece_length // _BLOCK
    layer = [_root(leaves[at : at + width], width, _NO_HASH) for at in range(0, len(leaves), width)]
    return _root(layer, _power_of_two(len(layer)), _root([], width, _NO_HASH)), layer


def _root(hashes: Sequence[bytes], width: int, filler: bytes) -> bytes:
    """The root above `hashes`, filled up to `width` (a power of two)."""
    row = [*hashes, *[filler] * (width - len(hashes))]
    while len(row) > 1:
        row = [hashlib.sha256(left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
