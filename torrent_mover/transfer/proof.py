"""Judges bytes by the torrent's hashes: as they stream past, or read back from where they lie."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield, PieceHasher
from torrent_mover.ports.filesystem import ByteSpan, ReadableFiles


@dataclass(frozen=True, slots=True)
class PieceSpan(ByteSpan):
    """A span that remembers which file of the manifest it belongs to; `alone`: all of that file is asked for in one go."""

    file: int
    alone: bool


class PieceStream:
    """Cuts a stream of real bytes into pieces and judges each. Not for use by two threads at once."""

    def __init__(self, manifest: Manifest, paths: Sequence[RelativePath]) -> None:
        self._manifest = manifest
        self._paths = paths
        self._pending: deque[tuple[int, int]] = deque()  # (piece, real bytes) expected and not complete
        self._hasher: PieceHasher | None = None
        self._left = 0

    @property
    def pending(self) -> tuple[int, ...]:
        """Pieces that were expected and have not wholly come."""
        return tuple(piece for piece, _ in self._pending)

    def expect(self, pieces: range) -> Iterator[PieceSpan]:
        """The spans to read for these pieces, in the order in which their bytes must be fed."""
        self._pending.extend((piece, self._manifest.real_size(piece)) for piece in pieces)
        for span in self._manifest.spans(pieces[0], pieces[-1]):
            alone = span.length == self._manifest.files[span.file].size or self._asks_for_all(span.file, pieces)
            yield PieceSpan(self._paths[span.file], span.offset, span.length, span.file, alone)

    def _asks_for_all(self, file: int, pieces: range) -> bool:
        """Whether these are all pieces of the file that are wanted."""
        own = self._manifest.pieces_of(file)
        return pieces[0] <= own[0] and own[-1] <= pieces[-1]

    def feed(self, data: memoryview) -> list[tuple[int, bool]]:
        """Take the next bytes; returns (piece, good) for each piece that they complete."""
        judged: list[tuple[int, bool]] = []
        while data:
            if self._hasher is None:
                piece, self._left = self._pending[0]
                self._hasher = self._manifest.hasher(piece)
            chunk = data[: self._left]
            self._hasher.update(chunk)
            self._left -= len(chunk)
            data = data[len(chunk) :]
            if self._left == 0:
                piece, _ = self._pending.popleft()
                good = self._hasher.good()
                self._hasher = None
                judged.append((piece, good))
        return judged


def read_back(
    manifest: Manifest,
    fs: ReadableFiles,
    paths: Sequence[RelativePath],
    pieces: Bitfield,
    progress: Callable[[int], None],
) -> Bitfield:
    """Read these pieces from where they lie and say which are good. All files must have the bytes asked for.

    `progress` gets the bytes of each chunk read; it may raise to end it. Raises SourceUnreadable, ConnectionLost.
    """
    good = Bitfield(manifest.piece_count)
    stream = PieceStream(manifest, paths)

    def spans() -> Iterator[ByteSpan]:
        for run in pieces.runs(value=True):
            for first in range(run.start, run.stop, _RUN):
                yield from stream.expect(range(first, min(first + _RUN, run.stop)))

    def deliver(_span: ByteSpan, _offset: int, data: memoryview) -> None:
        progress(len(data))
        for piece, fine in stream.feed(data):
            if fine:
                good.set(piece)

    reader = fs.reader()
    try:
        reader.read(spans(), deliver)
    finally:
        reader.close()
    return good


_RUN = 64
"""Pieces asked for at a time: keeps what is expected short in a torrent of many thousand pieces."""


def digest(files: ReadableFiles, path: RelativePath, size: int, progress: Callable[[int], None]) -> bytes:
    """SHA-256 of the first `size` bytes of a file; `progress` hears of every chunk. Raises SourceUnreadable, ConnectionLost."""
    hasher = hashlib.sha256()

    def deliver(_span: ByteSpan, _offset: int, data: memoryview) -> None:
        progress(len(data))
        hasher.update(data)

    reader = files.reader()
    try:
        reader.read([ByteSpan(path, 0, size)], deliver)
    finally:
        reader.close()
    return hasher.digest()
