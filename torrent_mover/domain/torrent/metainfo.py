"""Reading a .torrent (BEP 3, 47, 52): its files, its piece hashes and its infohashes, checked against each other.

What libtorrent refuses is refused, and so is what nothing proves; anything else that a client seeds is taken. Where its files
lie on disk is the client's to say: here they have the names that the .torrent gives them, cleaned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.bencode import BencodeDocument, Value, decode_document
from torrent_mover.domain.torrent.filenames import Cleaner, clean, is_odd, without_dots
from torrent_mover.domain.torrent.namesakes import Named, resolved
from torrent_mover.domain.torrent.pieces import BLOCK, SHA1_SIZE, SHA256_SIZE, merkle_root, tree_width

Kind: TypeAlias = Literal["v1", "v2", "hybrid"]
Dictionary: TypeAlias = "Mapping[bytes, Value]"

MAX_PIECE_LENGTH: Final = 1 << 29
"""Bytes; libtorrent 2.0 refuses more."""

_V2 = 2
_BITCOMET_PADDING = "_____padding_file_"
_ASK_FOR_LAYERS = (
    "Let the source client recheck the torrent and try again; if that does not help, add its original .torrent file "
    "to the source client in place of the magnet link."
)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One real file: where its first byte lies in the stream of all files with their padding; `root` of its v2 hash tree.

    `link`: what a symbolic link leads to, from the torrent's folder (BEP 47), cleaned; blank for a file that has bytes, or none.
    """

    path: RelativePath
    size: int
    start: int
    root: bytes = b""
    link: str = ""


@dataclass(frozen=True, slots=True)
class FileList:
    """The real files in stream order, and the length of the stream in bytes, padding included.

    `renamed`: what a client calls files whose names collide, by index, from its next start on. `odd`: clients differ about a name.
    """

    entries: tuple[FileEntry, ...]
    length: int
    renamed: Mapping[int, str]
    odd: bool


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


@dataclass(frozen=True, slots=True)
class _Name:
    """The torrent's own name: as it stands there, and as the folder of its files."""

    raw: bytes
    folder: str

    @property
    def odd(self) -> bool:
        return is_odd(self.raw, self.folder)


def read(data: bytes) -> Metainfo:
    """Read a .torrent. Raises UnsafeTorrent, saying what is wrong with it."""
    document = decode_document(data)
    info = document.root.get(b"info")
    if not isinstance(info, dict) or document.info_span is None:
        raise _refused("it has no info dictionary")
    with memoryview(data) as view:
        raw = view[slice(*document.info_span)]
        sha1, sha256 = hashlib.sha1(raw, usedforsecurity=False).hexdigest(), hashlib.sha256(raw).hexdigest()
        raw.release()
    has_v2 = _is_v2(info)
    if document.sloppy and (_integer(info, b"meta version") or 0) > 0:
        raise _refused(f"its info can be read in two ways, which its version does not allow: {document.sloppy}")
    has_v1 = not has_v2 or isinstance(info.get(b"files"), list) or b"length" in info
    piece_length = _piece_length(info, has_v2=has_v2)
    name = _name(info, sha1)
    files, hashes, merkle = _content(document, info, name, piece_length, has_v1=has_v1, has_v2=has_v2)
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
    document: BencodeDocument, info: Dictionary, name: _Name, piece_length: int, *, has_v1: bool, has_v2: bool
) -> tuple[FileList, bytes, bool]:
    """Files and hashes, and whether those are of v2: the stronger proof wins, where the .torrent brings it."""
    if not has_v2:
        flat = _v1_files(info, name)
        return _checked(flat), _v1_hashes(info, flat.length, piece_length), False
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
    if isinstance(info.get(b"file tree"), dict) != (version == _V2):
        raise _refused("its version and its file tree do not go together")
    return version == _V2


def _piece_length(info: Dictionary, *, has_v2: bool) -> int:
    length = _integer(info, b"piece length") or 0
    if not 0 < length <= MAX_PIECE_LENGTH or (has_v2 and (length < BLOCK or length.bit_count() > 1)):
        raise _refused(f"its piece length is impossible ({length})")
    return length


# --- version 1 ---


def _v1_files(info: Dictionary, name: _Name) -> FileList:
    files = info.get(b"files")
    if isinstance(files, list):
        return _in_stream(_v1_members(files), name)
    if not without_dots(name.raw):
        raise _refused("its only file has no name")
    return _in_stream([((name.raw,), info)])


def _v1_members(files: Iterable[Value]) -> Iterator[tuple[tuple[bytes, ...], Dictionary]]:
    for file in files:
        if not isinstance(file, dict):
            raise _refused("an entry of its file list is not a file")
        parts = _path_parts(file)
        if not parts and b"p" not in _attributes(file):
            raise _refused("a file has no path")
        yield parts, file


def _path_parts(file: Dictionary) -> tuple[bytes, ...]:
    """The path in UTF-8 where there is one, else the plain one; empty where it is none."""
    path = file.get(b"path.utf-8")
    if not isinstance(path, list):
        path = file.get(b"path")
    return _strings(path, "a path in it") if isinstance(path, list) else ()


def _strings(values: Iterable[Value], what: str) -> tuple[bytes, ...]:
    parts = []
    for part in values:
        if not isinstance(part, bytes):
            raise _refused(f"{what} has a part that is no name")
        parts.append(part)
    return tuple(parts)


def _in_stream(members: Iterable[tuple[tuple[bytes, ...], Dictionary]], name: _Name | None = None) -> FileList:
    """Lay files and padding one after the other; only the files are kept. `name`: of the folder in which all of them are."""
    entries: list[FileEntry] = []
    named: list[Named] = []
    position = 0
    cleaner = Cleaner()
    above = (name.folder,) if name else ()
    for raw, file in members:
        size = _size(file)
        parts = (*above, *cleaner.parts(raw)) if raw else (".pad", str(size))
        text = "/".join(parts)
        padding = (b"attr" in file and b"p" in _attributes(file)) or _BITCOMET_PADDING in text
        named.append(Named(text, size, None if padding else len(entries)))
        if not padding:
            entries.append(FileEntry(RelativePath(parts), size, position, link=_link(file)))
        position += size
    return FileList(tuple(entries), position, resolved(named), cleaner.odd or (name is not None and name.odd))


def _v1_hashes(info: Dictionary, length: int, piece_length: int) -> bytes:
    hashes = info.get(b"pieces")
    if not isinstance(hashes, bytes) or len(hashes) != _ceil(length, piece_length) * SHA1_SIZE:
        raise _refused("its piece hashes do not fit its length")
    return hashes


# --- version 2 ---


def _v2_files(info: Dictionary, name: _Name, piece_length: int) -> FileList:
    tree = info.get(b"file tree")
    if not isinstance(tree, dict):
        raise _refused("its file tree is no tree")
    single = (
        len(tree) == 1 and _leaf(next(iter(tree.values()))) is not None and not isinstance(info.get(b"files"), list)
    )
    entries: list[FileEntry] = []
    position = 0
    cleaner = Cleaner()
    for raw, file in _leaves(tree, ()):
        size = _size(file)
        if b"p" in _attributes(file):
            raise _refused("a file of its v2 tree is marked as padding")
        parts = cleaner.parts(raw) if single else (name.folder, *cleaner.parts(raw))
        root = _root(file) if size else b""
        entries.append(FileEntry(RelativePath(parts), size, position, root, _link(file)))
        position += _ceil(size, piece_length) * piece_length
    named = (Named(str(entry.path), entry.size, index) for index, entry in enumerate(entries))
    return FileList(tuple(entries), position, resolved(named), cleaner.odd or (not single and name.odd))


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


def _v2_hashes(layers: Value | None, entries: Iterable[FileEntry], piece_length: int) -> bytes | None:
    """One hash a piece, each proven by its file's root; None where a file's layer is missing."""
    hashes: list[bytes] = []
    known = layers if isinstance(layers, dict) else {}
    entries = tuple(entries)
    if known.keys() - {entry.root for entry in entries if entry.size > piece_length}:
        raise _refused("it has v2 piece hashes that belong to no file of it")
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
    return FileList(tree.entries, flat.length, tree.renamed, tree.odd or flat.odd)


def _checked(files: FileList) -> FileList:
    """Refuse a list that has nothing to move."""
    if not any(entry.size for entry in files.entries):
        raise _refused("it holds no bytes")
    return files


def _size(file: Dictionary) -> int:
    """Bytes of a file; what is marked as a symbolic link has none, whatever it says."""
    if b"attr" in file and b"l" in _attributes(file):
        return 0
    size = _integer(file, b"length")
    if size is None or size < 0:
        raise _refused("a file has no length")
    return size


def _link(file: Dictionary) -> str:
    """Where a symbolic link leads; blank for what is none. One that says nothing of it is a file without bytes."""
    path = file.get(b"symlink path")
    if not isinstance(path, list) or b"l" not in _attributes(file):
        return ""
    return "/".join(map(clean, _strings(path, "a symbolic link in it")))


def _attributes(file: Dictionary) -> bytes:
    found = file.get(b"attr")
    return found if isinstance(found, bytes) else b""


def _integer(info: Dictionary, key: bytes) -> int | None:
    found = info.get(key)
    return found if isinstance(found, int) else None


def _name(info: Dictionary, sha1: str) -> _Name:
    """The name in UTF-8 where there is one, else the plain one; where nothing of it is left, the folder is called by the hash."""
    for key in (b"name.utf-8", b"name"):
        name = info.get(key)
        if isinstance(name, bytes):
            return _Name(name, without_dots(name) or (sha1 if name else clean(name)))
    raise _refused("it has no name")


def _ceil(count: int, size: int) -> int:
    return -(-count // size)


def _refused(reason: str, remedy: str = "Move this torrent by hand; others go on.") -> UnsafeTorrent:
    return UnsafeTorrent(
        f"The .torrent is refused: {clause(reason)}.",
        kept="Nothing was written; the source is untouched.",
        remedy=remedy,
    )
