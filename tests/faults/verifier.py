"""Says whether a folder holds what a .torrent describes. Shares no code with the program under test: own decoder, own hashing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

_BLOCK = 16384


def bdecode(data: bytes) -> object:
    """The value of a bencoded document."""
    value, end = _value(data, 0)
    if end != len(data):
        raise ValueError("bytes behind the end")
    return value


def _value(data: bytes, at: int) -> tuple[object, int]:
    mark = data[at : at + 1]
    if mark == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if mark == b"l":
        items, at = [], at + 1
        while data[at : at + 1] != b"e":
            item, at = _value(data, at)
            items.append(item)
        return items, at + 1
    if mark == b"d":
        table, at = {}, at + 1
        while data[at : at + 1] != b"e":
            key, at = _value(data, at)
            table[key], at = _value(data, at)
        return table, at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end], end


def faults(metainfo: bytes, save_path: Path, renames: dict[str, str] | None = None) -> list[str]:
    """What is wrong with the data below `save_path`, in words; empty where all of it is right, to the last byte.

    `renames`: path in the .torrent -> path on disk, both below the save path.
    """
    document = bdecode(metainfo)
    info, layers = document[b"info"], document.get(b"piece layers", {})
    found = []
    if b"pieces" in info:
        found += _version_1(info, save_path, renames or {})
    if b"file tree" in info:
        found += _version_2(info, layers, save_path, renames or {})
    return found


def _at(save_path: Path, parts: list[bytes], renames: dict[str, str]) -> Path:
    name = b"/".join(parts).decode("utf-8", "surrogateescape")
    return save_path / renames.get(name, name)


def _wrong(path: Path, size: int) -> str:
    if path.is_symlink() or not path.is_file():
        return f"{path} is no regular file"
    if path.stat().st_size != size:
        return f"{path} has {path.stat().st_size} bytes, not {size}"
    return ""


def _version_1(info: dict, save_path: Path, renames: dict[str, str]) -> list[str]:
    name = info[b"name"]
    entries = (
        [([name, *entry[b"path"]], entry[b"length"], b"p" in entry.get(b"attr", b"")) for entry in info[b"files"]]
        if b"files" in info
        else [([name], info[b"length"], False)]
    )
    found = [
        wrong
        for parts, size, padding in entries
        if not padding and (wrong := _wrong(_at(save_path, parts, renames), size))
    ]
    if found:
        return found
    length, pieces = info[b"piece length"], info[b"pieces"]
    digest, filled, piece = hashlib.sha1(usedforsecurity=False), 0, 0

    def check() -> None:
        nonlocal digest, filled, piece
        if digest.digest() != pieces[20 * piece : 20 * piece + 20]:
            found.append(f"piece {piece} of {name!r} is bad")
        digest, filled, piece = hashlib.sha1(usedforsecurity=False), 0, piece + 1

    for parts, size, padding in entries:
        for chunk in [bytes(size)] if padding else _chunks(_at(save_path, parts, renames)):
            rest = chunk
            while rest:
                part, rest = rest[: length - filled], rest[length - filled :]
                digest.update(part)
                filled += len(part)
                if filled == length:
                    check()
    if filled:
        check()
    if 20 * piece != len(pieces):
        found.append(f"{name!r} has {piece} pieces, not {len(pieces) // 20}")
    return found


def good_pieces(metainfo: bytes, file_at: Callable[[str], Path]) -> dict[int, int]:
    """Pieces of which every byte lies there, unfinished copies included: number -> bytes. `file_at`: path -> where to look."""
    document = bdecode(metainfo)
    info, layers = document[b"info"], document.get(b"piece layers", {})
    return _good_1(info, file_at) if b"pieces" in info else _good_2(info, layers, file_at)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _good_1(info: dict, file_at: Callable[[str], Path]) -> dict[int, int]:
    name, length = info[b"name"], info[b"piece length"]
    entries = (
        [([name, *entry[b"path"]], entry[b"length"], b"p" in entry.get(b"attr", b"")) for entry in info[b"files"]]
        if b"files" in info
        else [([name], info[b"length"], False)]
    )
    # What is not there reads as zeros and is marked so: a piece of zeros that nobody wrote is none.
    data, there = bytearray(), bytearray()
    for parts, size, padding in entries:
        found = bytes(size) if padding else _content(file_at(b"/".join(parts).decode()))[:size]
        data += found.ljust(size, b"\0")
        there += (b"\0" if padding else b"\1") * len(found) + b"\2" * (size - len(found))
    good = {}
    for number in range(len(info[b"pieces"]) // 20):
        at = slice(number * length, (number + 1) * length)
        digest = hashlib.sha1(data[at], usedforsecurity=False).digest()
        if 2 not in there[at] and digest == info[b"pieces"][20 * number : 20 * number + 20]:
            good[number] = there[at].count(1)
    return good


def _good_2(info: dict, layers: dict, file_at: Callable[[str], Path]) -> dict[int, int]:
    tree, length, good, before = info[b"file tree"], info[b"piece length"], {}, 0
    single = len(tree) == 1 and b"" in next(iter(tree.values())) and next(iter(tree)) == info[b"name"]
    for parts, entry in _leaves(tree, []):
        size, root = entry[b"length"], entry.get(b"pieces root", b"")
        name = b"/".join(parts if single else [info[b"name"], *parts]).decode()
        data = _content(file_at(name))[:size]
        for number, at in enumerate(range(0, size, length)):
            piece = data[at : at + length]
            leaves = [hashlib.sha256(piece[each : each + _BLOCK]).digest() for each in range(0, len(piece), _BLOCK)]
            width = length // _BLOCK if size > length else _wide(len(leaves))
            wanted = layers[root][32 * number : 32 * number + 32] if size > length else root
            if len(piece) == min(length, size - at) and _root(leaves, width, bytes(32)) == wanted:
                good[before + number] = len(piece)
        before += -(-size // length)
    return good


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _version_2(info: dict, layers: dict, save_path: Path, renames: dict[str, str]) -> list[str]:
    found = []
    tree = info[b"file tree"]
    single = len(tree) == 1 and b"" in next(iter(tree.values())) and next(iter(tree)) == info[b"name"]
    for parts, entry in _leaves(tree, []):
        path = _at(save_path, parts if single else [info[b"name"], *parts], renames)
        size = entry[b"length"]
        if wrong := _wrong(path, size):
            found.append(wrong)
        elif size:
            root, layer = _tree(path, info[b"piece length"])
            expected = entry[b"pieces root"]
            if root != expected or (size > info[b"piece length"] and layer != layers[expected]):
                found.append(f"{path} has another hash tree")
    return found


def _leaves(tree: dict, above: list[bytes]) -> Iterator[tuple[list[bytes], dict]]:
    for name, below in tree.items():
        if b"" in below:
            yield [*above, name], below[b""]
        else:
            yield from _leaves(below, [*above, name])


def _tree(path: Path, piece_length: int) -> tuple[bytes, bytes]:
    """The root of a file's tree, and the layer of its pieces."""
    leaves = []
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            leaves.append(hashlib.sha256(block).digest())
    per_piece = piece_length // _BLOCK
    if len(leaves) <= per_piece:
        return _root(leaves, _wide(len(leaves)), bytes(32)), b""
    row = [_root(leaves[at : at + per_piece], per_piece, bytes(32)) for at in range(0, len(leaves), per_piece)]
    return _root(row, _wide(len(row)), _root([], per_piece, bytes(32))), b"".join(row)


def _wide(count: int) -> int:
    width = 1
    while width < count:
        width *= 2
    return width


def _root(row: list[bytes], width: int, filler: bytes) -> bytes:
    row = [*row, *[filler] * (width - len(row))]
    while len(row) > 1:
        row = [hashlib.sha256(row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
    return row[0]
