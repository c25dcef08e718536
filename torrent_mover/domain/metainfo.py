"""Reading a .torrent (BEP 3, 47, 52): its files, its piece hashes and its infohashes, checked against each other.

What libtorrent refuses is refused, and so is what would be dangerous on disk; anything else that a client seeds is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from torrent_mover.domain.bencode import Document, Value, decode_document
from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.filenames import Cleaner
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.pieces import BLOCK, SHA1_SIZE, SHA256_SIZE, merkle_root, tree_width

Kind: TypeAlias = Literal["v1", "v2", "hybrid"]
Dictionary: TypeAlias = "Mapping[bytes, Value]"

MAX_PIECE_LENGTH: Final = 1 << 29
"""Bytes; libtorrent 2.0 refuses more."""

_V2 = 2
_BITCOMET_PADDING = b"_____padding_file_"
_ASK_FOR_LAYERS = (
    "Let the source client recheck the torrent and try again; if that does not help, add its original .torrent file "
    "to the source client in place of the magnet link."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One real file: where its first byte lies in the stream of all files with their padding; `root` of its v2 hash tree."""

    path: RelativePath
    size: int
    start: int
    root: bytes = b""


@dataclass(frozen=True, slots=True)
class FileList:
    """The real files in stream order, and the length of the stream in bytes, padding included."""

    entries: tuple[Entry, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Metainfo:
    """What a .torrent says. `hashes` has one hash a piece: SHA-1 of the stream, or where `merkle` the root of the piece's tree."""

    kind: Kind
    v1: str | None
    v2: str | None
    name: str
    piece_length: int
    private: bool
    files: FileList
    hashes: bytes
    merkle: bool


def read(data: bytes) -> Metainfo:
    """Read a .torrent. Raises UnsafeTorrent, saying what is wrong with it."""
    document = decode_document(data)
    info = document.root.get(b"info")
    if not isinstance(info, dict) or document.info_span is None:
        raise _refused("it has no info dictionary")
    with memoryview(data) as view:
        raw = view[document.info_span[0] : document.info_span[1]]
        sha1, sha256 = hashlib.sha1(raw, usedforsecurity=False).hexdigest(), hashlib.sha256(raw).hexdigest()
        raw.release()
    has_v2 = _is_v2(info)
    has_v1 = not has_v2 or isinstance(info.get(b"files"), list) or isinstance(info.get(b"length"), int)
    piece_length = _piece_length(info, has_v2=has_v2)
    files, hashes, merkle = _content(document, info, piece_length, has_v1=has_v1, has_v2=has_v2)
    return Metainfo(
        kind="v1" if not has_v2 else "hybrid" if has_v1 else "v2",
        v1=sha1 if has_v1 else None,
        v2=sha256 if has_v2 else None,
        name=files.entries[0].path.parts[0],
        piece_length=piece_length,
        private=_integer(info, b"private") not in (None, 0),
        files=files,
        hashes=hashes,
        merkle=merkle,
    )


def _content(
    document: Document, info: Dictionary, piece_length: int, *, has_v1: bool, has_v2: bool
) -> tuple[FileList, bytes, bool]:
    """Files and hashes, and whether those are of v2: the stronger proof wins, where the .torrent brings it."""
    name = _name(info)
    if not has_v2:
        flat = _v1_files(info, name)
        return _checked(flat), _v1_hashes(info, flat.length, piece_length), False
    if document.repeated_keys:
        raise _refused("a key stands twice in one dictionary, so its file tree can be read in two ways")
    tree = _checked(_v2_files(info, name, piece_length))
    v1_hashes = None
    if has_v1:
        flat = _v1_files(info, name)
        tree = _agreed(flat, tree, piece_length)
        if isinstance(info.get(b"pieces"), bytes):
            v1_hashes = _v1_hashes(info, flat.length, piece_length)
    layers = _v2_hashes(document.root.get(b"piece layers"), tree.entries, piece_length)
    if layers is not None:
        return tree, layers, True
    if v1_hashes is not None:
        return tree, v1_hashes, False
    raise _refused("its v2 piece hashes are missing (it came from a magnet link without them)", _ASK_FOR_LAYERS)


def _is_v2(info: Dictionary) -> bool:
    version = _integer(info, b"meta version") or 1
    if version > _V2:
        raise _refused(f"it is of version {version}, which is unknown")
    if (b"file tree" in info) != (version == _V2):
        raise _refused("its version and its file tree do not go together")
    return version == _V2


def _piece_length(info: Dictionary, *, has_v2: bool) -> int:
    length = _integer(info, b"piece length") or 0
    if not 0 < length <= MAX_PIECE_LENGTH or (has_v2 and (length < BLOCK or length.bit_count() > 1)):
        raise _refused(f"its piece length is impossible ({length})")
    return length


# --- version 1 ---


def _v1_files(info: Dictionary, name: bytes) -> FileList:
    files = info.get(b"files")
    if not isinstance(files, list):
        return _in_stream([((name,), info)])
    return _in_stream(_v1_members(files, name))


def _v1_members(files: Iterable[Value], name: bytes) -> Iterator[tuple[tuple[bytes, ...], Dictionary]]:
    for file in files:
        if not isinstance(file, dict):
            raise _refused("an entry of its file list is not a file")
        parts = _path_parts(file)
        if not parts and not _is_padding(parts, file):
            raise _refused("a file has no path")
        yield (name, *parts), file


def _path_parts(file: Dictionary) -> tuple[bytes, ...]:
    """The path in UTF-8 where there is one, else the plain one; empty where it is none."""
    path = file.get(b"path.utf-8")
    if not isinstance(path, list):
        path = file.get(b"path")
    if not isinstance(path, list):
        return ()
    parts = tuple(part for part in path if isinstance(part, bytes))
    return parts if len(parts) == len(path) else ()


def _in_stream(members: Iterable[tuple[tuple[bytes, ...], Dictionary]]) -> FileList:
    """Lay files and padding one after the other; only the files are kept."""
    entries: list[Entry] = []
    position = 0
    cleaner = Cleaner()
    for parts, file in members:
        size = _size(file)
        if not _is_padding(parts, file):
            entries.append(Entry(cleaner.path(parts), size, position))
        position += size
    return FileList(tuple(entries), position)


def _is_padding(parts: Iterable[bytes], file: Dictionary) -> bool:
    return b"p" in _attributes(file) or any(_BITCOMET_PADDING in part for part in parts)


def _v1_hashes(info: Dictionary, length: int, piece_length: int) -> bytes:
    hashes = info.get(b"pieces")
    if not isinstance(hashes, bytes) or len(hashes) != _ceil(length, piece_length) * SHA1_SIZE:
        raise _refused("its piece hashes do not fit its length")
    return hashes


# --- version 2 ---


def _v2_files(info: Dictionary, name: bytes, piece_length: int) -> FileList:
    tree = info.get(b"file tree")
    if not isinstance(tree, dict):
        raise _refused("its file tree is no tree")
    single = len(tree) == 1 and _leaf(next(iter(tree.values()))) is not None and b"files" not in info
    entries: list[Entry] = []
    position = 0
    cleaner = Cleaner()
    for parts, file in _leaves(tree, () if single else (name,)):
        size = _size(file)
        if b"p" in _attributes(file):
            raise _refused("a file of its v2 tree is marked as padding")
        entries.append(Entry(cleaner.path(parts), size, position, _root(file) if size else b""))
        position += _ceil(size, piece_length) * piece_length
    return FileList(tuple(entries), position)


def _leaves(tree: Value, above: tuple[bytes, ...]) -> Iterator[tuple[tuple[bytes, ...], Dictionary]]:
    """Paths and properties of all files, in the tree's own order. As deep as bencoding may nest."""
    if not isinstance(tree, dict) or b"" in tree:
        raise _refused("its file tree is no tree")
    for name, below in tree.items():
        file = _leaf(below)
        if file is None:
            yield from _leaves(below, (*above, name))
        elif isinstance(file, dict):
            yield (*above, name), file
        else:
            raise _refused("its file tree is no tree")


def _leaf(node: Value) -> Value | None:
    """The properties in a node that is a file; None for a folder, or what is neither."""
    return node[b""] if isinstance(node, dict) and len(node) == 1 and b"" in node else None


def _root(file: Dictionary) -> bytes:
    root = file.get(b"pieces root")
    if not isinstance(root, bytes) or len(root) != SHA256_SIZE or not any(root):
        raise _refused("a file has no v2 root hash")
    return root


def _v2_hashes(layers: Value | None, entries: Iterable[Entry], piece_length: int) -> bytes | None:
    """One hash a piece, each proven by its file's root; None where a file's layer is missing."""
    hashes: list[bytes] = []
    known = layers if isinstance(layers, dict) else {}
    filler = merkle_root(bytes(SHA256_SIZE), piece_length // BLOCK, bytes(SHA256_SIZE))
    proven: set[tuple[bytes, int]] = set()
    for entry in entries:
        if entry.size <= piece_length:
            hashes.append(entry.root)
            continue
        layer = known.get(entry.root)
        if layer is None:
            return None
        count = _ceil(entry.size, piece_length)
        if not isinstance(layer, bytes) or len(layer) != count * SHA256_SIZE:
            raise _refused(f"the v2 piece hashes of {str(entry.path)!r} do not fit its length")
        if (entry.root, count) not in proven and merkle_root(layer, tree_width(count), filler) != entry.root:
            raise _refused(f"the v2 piece hashes of {str(entry.path)!r} are not those of its root hash")
        proven.add((entry.root, count))
        hashes.append(layer)
    return b"".join(hashes)


# --- both ---


def _agreed(flat: FileList, tree: FileList, piece_length: int) -> FileList:
    """A hybrid torrent says everything twice, and both must say the same: libtorrent refuses it otherwise."""
    if len(flat.entries) != len(tree.entries):
        raise _refused("its v1 and v2 file lists differ in length")
    for one, other in zip(flat.entries, tree.entries, strict=True):
        if (one.path, one.size) != (other.path, other.size) or (one.size and one.start != other.start):
            raise _refused(f"its v1 and v2 file lists differ at {str(other.path)!r}")
    if _ceil(flat.length, piece_length) != _ceil(tree.length, piece_length):
        raise _refused("its v1 and v2 piece counts differ")
    return FileList(tree.entries, flat.length)


def _checked(files: FileList) -> FileList:
    """Refuse lists that cannot lie on one disk: nothing to move, a name twice, a name that is file and folder."""
    if not any(entry.size for entry in files.entries):
        raise _refused("it holds no bytes")
    taken: set[tuple[str, ...]] = set()
    for entry in files.entries:
        if entry.path.parts in taken:
            raise _refused(f"the file {str(entry.path)!r} is in it twice")
        taken.add(entry.path.parts)
    for entry in files.entries:
        for depth in range(1, len(entry.path.parts)):
            if entry.path.parts[:depth] in taken:
                raise _refused(f"{'/'.join(entry.path.parts[:depth])!r} is a file and a folder")
    return files


def _size(file: Dictionary) -> int:
    size = _integer(file, b"length")
    if size is None or size < 0:
        raise _refused("a file has no length")
    if b"l" in _attributes(file):
        raise _refused("a file in it is a symbolic link")
    return size


def _attributes(file: Dictionary) -> bytes:
    found = file.get(b"attr")
    return found if isinstance(found, bytes) else b""


def _integer(info: Dictionary, key: bytes) -> int | None:
    found = info.get(key)
    return found if isinstance(found, int) else None


def _name(info: Dictionary) -> bytes:
    """The name in UTF-8 where there is one, else the plain one."""
    for key in (b"name.utf-8", b"name"):
        name = info.get(key)
        if isinstance(name, bytes):
            return name
    raise _refused("it has no name")


def _ceil(count: int, size: int) -> int:
    return -(-count // size)


def _refused(reason: str, remedy: str = "Move this torrent by hand; others go on.") -> UnsafeTorrent:
    return UnsafeTorrent(
        f"The .torrent is refused: {reason}.", kept="Nothing was written; the source is untouched.", remedy=remedy
    )
