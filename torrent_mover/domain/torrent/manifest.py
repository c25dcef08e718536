"""The manifest: what a torrent consists of, and which bytes of which file each piece proves."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent import metainfo as reading
from torrent_mover.domain.torrent.metainfo import Kind, Metainfo
from torrent_mover.domain.torrent.pieces import (
    BLOCK,
    SHA1_SIZE,
    SHA256_SIZE,
    Bitfield,
    FileSpan,
    FlatHasher,
    MerkleHasher,
    PieceHasher,
    tree_width,
)
from torrent_mover.domain.torrent.torrent import InfoHash


@dataclass(frozen=True, slots=True)
class InfoHashes:
    """The full infohashes in lower-case hex: `v1` 40 digits (BEP 3), `v2` 64 (BEP 52). At least one is there."""

    v1: str | None
    v2: str | None

    @property
    def client_id(self) -> InfoHash:
        """How clients that know v2 name the torrent: by its v2 hash, cut, where it has one, else by its v1 hash."""
        return InfoHash((self.v2 or self.v1 or "")[:40])

    @property
    def v1_id(self) -> InfoHash | None:
        """How clients that know v1 alone name it: by its v1 hash; None: they cannot hold it."""
        return InfoHash(self.v1) if self.v1 else None


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One real file: `index` counts real files only, as clients list them; `path` starts with the torrent's own folder, if any.

    The path is the metainfo's: a client may know the file by another name (renames, content layout). Size in bytes. `link`: it
    is a symbolic link (BEP 47), leads there, and has no bytes; clients make it themselves.
    """

    index: int
    path: RelativePath
    size: int
    link: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """A torrent's files and pieces. Piece numbers are the client's: in v2 each file begins a new piece, in v1 padding counts.

    `total_size` counts real bytes. Spans and hashers are made when asked for; besides the files it holds one hash a piece.
    `wanted` are the pieces that matter: all of them, unless `only` says otherwise for a torrent of which files are not selected.
    `renamed`: what clients call files whose names collide, from their next start on, by index, unless they were given other
    names. `odd_names`: clients do not agree about some of the paths, so that only asking tells how one calls its files.
    """

    hashes: InfoHashes
    kind: Kind
    name: str
    piece_length: int
    piece_count: int
    private: bool
    total_size: int
    files: tuple[ManifestFile, ...] = field(repr=False)
    renamed: Mapping[int, str] = field(repr=False)
    odd_names: bool
    _starts: array[int] = field(repr=False)
    """Where each file's first byte lies in the stream of all files with their padding."""
    _ends: array[int] = field(repr=False)
    _length: int = field(repr=False)
    """Of the stream."""
    _piece_hashes: bytes = field(repr=False)
    _merkle: bool = field(repr=False)
    wanted: Bitfield = field(repr=False)

    @classmethod
    def parse(cls, metainfo: bytes) -> Self:
        """Read a .torrent. Raises UnsafeTorrent where it is broken, or its names cannot lie safely below a folder."""
        return cls._of(reading.read(metainfo))

    def named(self, torrent: InfoHash) -> Self:
        """The same for a client that lists it by this one of its infohashes: a hybrid torrent has two names."""
        if torrent == self.hashes.client_id or torrent != self.hashes.v1_id:
            return self
        return replace(self, hashes=InfoHashes(self.hashes.v1, None))

    @classmethod
    def _of(cls, said: Metainfo) -> Self:
        entries = said.files.entries
        count = -(-said.files.length // said.piece_length)
        return cls(
            hashes=InfoHashes(said.v1, said.v2),
            kind=said.kind,
            name=said.name,
            piece_length=said.piece_length,
            piece_count=count,
            private=said.private,
            total_size=sum(entry.size for entry in entries),
            files=tuple(ManifestFile(index, each.path, each.size, each.link) for index, each in enumerate(entries)),
            renamed=said.files.renamed,
            odd_names=said.files.odd or bool(said.files.renamed),
            _starts=array("q", [entry.start for entry in entries]),
            _ends=array("q", [entry.start + entry.size for entry in entries]),
            _length=said.files.length,
            _piece_hashes=said.hashes,
            _merkle=said.merkle,
            wanted=Bitfield.full(count),
        )

    def only(self, wanted: Bitfield) -> Self:
        """The same torrent with these pieces `wanted`; the others are part of no file."""
        return replace(self, wanted=wanted)

    def piece_size(self, index: int) -> int:
        """Bytes of the piece as clients count them: with padding, also the padding between the files of a v2 torrent."""
        self._check(index)
        return min(self.piece_length, self._length - index * self.piece_length)

    def real_size(self, index: int) -> int:
        """Bytes of the piece that lie in files: what `spans(index, index)` have together."""
        if self._is_padded:
            return sum(span.length for span in self.spans(index, index))
        return self.piece_size(index)

    @property
    def _is_padded(self) -> bool:
        return self.total_size != self._length

    def spans(self, first: int, last: int) -> tuple[FileSpan, ...]:
        """Where the real bytes of pieces `first` to `last` (both included) lie: in stream order, at most one span a file."""
        self._check(first)
        self._check(last)
        begin = first * self.piece_length
        end = (last + 1) * self.piece_length
        found = []
        for file in range(bisect_right(self._ends, begin), len(self.files)):
            start = self._starts[file]
            if start >= end:
                break
            low, high = max(start, begin), min(self._ends[file], end)
            if low < high:
                found.append(FileSpan(file, low - start, high - low))
        return tuple(found)

    def size_of(self, pieces: Bitfield) -> int:
        """Real bytes of these pieces, without padding."""
        return sum(span.length for run in pieces.runs(value=True) for span in self.spans(run[0], run[-1]))

    def pieces_of(self, file: int) -> Sequence[int]:
        """The wanted pieces that hold bytes of the file; empty for a file of no bytes."""
        first = self._starts[file] // self.piece_length
        if not self.files[file].size:
            return range(first, first)
        pieces = range(first, (self._ends[file] - 1) // self.piece_length + 1)
        return pieces if self.wanted.is_full() else [piece for piece in pieces if self.wanted.test(piece)]

    def place(self, file: int, offset: int) -> tuple[int, int]:
        """In which piece a byte of a file lies, and how many bytes after the piece's begin, padding counted."""
        return divmod(self._starts[file] + offset, self.piece_length)

    def files_of(self, piece: int) -> Sequence[int]:
        """Indices of the files that have bytes in the piece."""
        return tuple(span.file for span in self.spans(piece, piece))

    def hasher(self, piece: int) -> PieceHasher:
        """A judge for one piece, to be fed the bytes of `spans(piece, piece)` in order."""
        if self._merkle:
            return self._merkle_hasher(piece, self.spans(piece, piece)[0])
        size = self.piece_size(piece)
        expected = self._piece_hashes[piece * SHA1_SIZE : (piece + 1) * SHA1_SIZE]
        if not self._is_padded:
            return FlatHasher(expected, size)
        spans = self.spans(piece, piece)
        real = sum(span.length for span in spans)
        return FlatHasher(expected, real, () if real == size else self._gaps(piece, spans))

    def _merkle_hasher(self, piece: int, span: FileSpan) -> PieceHasher:
        expected = self._piece_hashes[piece * SHA256_SIZE : (piece + 1) * SHA256_SIZE]
        size = self.files[span.file].size
        # A file of one piece has its own root there, over just its blocks; larger ones have roots of whole pieces.
        width = tree_width(-(-size // BLOCK)) if size <= self.piece_length else self.piece_length // BLOCK
        return MerkleHasher(expected, span.length, width)

    def _gaps(self, piece: int, spans: Sequence[FileSpan]) -> list[tuple[int, int]]:
        """Padding inside the piece: (real bytes of the piece before it, zeros)."""
        position = piece * self.piece_length
        end = position + self.piece_size(piece)
        gaps = []
        real = 0
        for span in spans:
            start = self._starts[span.file] + span.offset
            if start > position:
                gaps.append((real, start - position))
            real += span.length
            position = start + span.length
        if end > position:
            gaps.append((real, end - position))
        return gaps

    def _check(self, piece: int) -> None:
        if not 0 <= piece < self.piece_count:
            raise IndexError(f"piece {piece} of {self.piece_count}")
