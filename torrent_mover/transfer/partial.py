"""Torrents of which not all files are selected: file systems that read and write the missing files' bytes in the part file.

For whoever copies, proves and settles, every file of the torrent seems to be there. At the source the unselected ones keep
their paths; at the target they are names in a folder that is called like the part file, and is that file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.errors import Collision, SourceUnreadable
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.partfile import PartFile, header_size, part_file_name
from torrent_mover.domain.torrent.portion import Portion
from torrent_mover.ports.filesystem import (
    ByteSpan,
    Deliver,
    FileKind,
    FileStat,
    FileSystem,
    ReadableFiles,
    Reader,
    Writer,
)
from torrent_mover.transfer.through import ReadingThrough, Through


@dataclass(frozen=True, slots=True)
class _Slice(ByteSpan):
    """A stretch of the part file that stands for bytes of `whole`; `shift` leads from an offset here to one there."""

    whole: ByteSpan
    shift: int


class _Slices:
    """Where bytes of a file lie in a part file."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def cut(self, file: int, offset: int, length: int) -> Iterator[tuple[int, int, int, int]]:
        """(piece, offset within it, offset in the file, length), at most one for each piece."""
        while length > 0:
            piece, within = self._manifest.place(file, offset)
            count = min(length, self._manifest.piece_length - within)
            yield piece, within, offset, count
            offset, length = offset + count, length - count


# -- the source --------------------------------------------------------------------------------------------------------


class PartedSource(ReadingThrough):
    """The source's files below the save path; of unselected ones, what lies in the part file is read there.

    The torrent's symbolic links (`links`, by index) are not there: nothing of them is read, or judged by what they lead to.
    """

    def __init__(
        self,
        files: ReadableFiles,
        manifest: Manifest,
        layout: Sequence[RelativePath],
        unselected: Iterable[int],
        links: Iterable[int] = (),
    ) -> None:
        super().__init__(files)
        self._manifest = manifest
        self._layout = tuple(layout)
        self._links = {self._layout[index] for index in links}
        self._slices = _Slices(manifest)
        self._part_path = RelativePath((part_file_name(manifest.hashes.client_id),))
        self._part = _read_header(files, self._part_path, manifest)
        self._unselected = {self._layout[index]: index for index in unselected}
        self._sizes = {index: self._size(self._layout[index]) for index in self._unselected.values()}

    def stat(self, path: RelativePath) -> FileStat | None:
        """See the port."""
        return None if path in self._links else self._files.stat(path)

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """See the port."""
        looks = iter(self._files.stats([path for path in paths if path not in self._links]))
        return [None if path in self._links else next(looks) for path in paths]

    def lies_whole(self, file: int) -> bool:
        """Whether an unselected file lies there in its full size."""
        return self._sizes[file] == self._manifest.files[file].size

    def at_hand(self, piece: int) -> bool:
        """Whether all bytes of a piece of unselected files lie somewhere, good or not."""
        return all(
            piece in self._part.slots or self._sizes.get(span.file, -1) >= span.offset + span.length
            for span in self._manifest.spans(piece, piece)
        )

    def reader(self) -> Reader:
        """See the port."""
        return _SlicedReader(self._files.reader(), self._cut)

    def _cut(self, span: ByteSpan) -> Iterator[ByteSpan]:
        index = self._unselected.get(span.path)
        if index is None:
            yield span
            return
        for piece, within, offset, count in self._slices.cut(index, span.offset, span.length):
            if piece in self._part.slots:
                start = self._part.offset(piece, within)
                yield _Slice(self._part_path, start, count, span, offset - start)
            else:
                yield _Slice(span.path, offset, count, span, 0)

    def _size(self, path: RelativePath) -> int:
        found = self._files.stat(path)
        return found.size if found is not None and found.kind is FileKind.FILE else -1


# -- the target --------------------------------------------------------------------------------------------------------


class PartedTarget(Through):
    """The destination's files; a path with the part file's name in it means that file, or the bytes of one file in it.

    A file of which no piece is wanted seems to be there, whole: nothing of it will be asked for.
    """

    def __init__(self, files: FileSystem, manifest: Manifest, portion: Portion) -> None:
        super().__init__(files)
        self._manifest = manifest
        self._portion = portion
        self._name: Final = part_file_name(manifest.hashes.client_id)
        self._slices = _Slices(manifest)
        self._headers: dict[RelativePath, PartFile] = {}
        self._lock = threading.RLock()

    def layout(self, layout: Sequence[RelativePath]) -> tuple[RelativePath, ...]:
        """The paths of all files, those of the parted ones below the part file's name."""
        parted = self._portion.parted
        return tuple(
            RelativePath((self._name, str(index))) if index in parted else path for index, path in enumerate(layout)
        )

    def real(self, path: RelativePath) -> RelativePath:
        """The path of the file or folder that it really is."""
        found = self._split(path)
        return path if found is None else found[0]

    @property
    def part_path(self) -> RelativePath:
        """Where the part file will lie."""
        return RelativePath((self._name,))

    @property
    def part_size(self) -> int:
        """Bytes of the part file; 0 where none is needed."""
        return self._portion.part.size if self._needed else 0

    @property
    def _needed(self) -> bool:
        return bool(self._portion.part.slots)

    def _split(self, path: RelativePath) -> tuple[RelativePath, int | None] | None:
        """(the part file, which file of the torrent), or None for a path that is what it seems."""
        if self._name not in path.parts:
            return None
        end = path.parts.index(self._name) + 1
        below = path.parts[end:]
        return RelativePath(path.parts[:end]), int(below[0]) if below else None

    def stat(self, path: RelativePath) -> FileStat | None:
        """See the port."""
        split = self._split(path)
        if split is None:
            return self._files.stat(path)
        real, index = split
        if not self._needed:
            return _pretended(FileKind.FOLDER) if index is None else _pretended(FileKind.FILE, self._file_size(index))
        found = self._files.stat(real)
        if found is None or found.kind is not FileKind.FILE:
            return found
        if index is None:
            return replace(found, kind=FileKind.FOLDER)
        holds = self._portion.part.slots.keys() <= self._header(real).slots.keys() and found.size >= header_size(
            self._manifest.piece_count
        )
        return replace(found, size=self._file_size(index) if holds else 0)

    def stats(self, paths: Sequence[RelativePath]) -> Sequence[FileStat | None]:
        """See the port."""
        return [self.stat(path) for path in paths]

    def _file_size(self, index: int) -> int:
        return self._manifest.files[index].size

    def _header(self, real: RelativePath) -> PartFile:
        with self._lock:
            if real not in self._headers:
                header = _read_header(self._files, real, self._manifest)
                if not header.slots:
                    return header
                self._headers[real] = header
            return self._headers[real]

    def make_folders(self, path: RelativePath, mode: int = 0o777) -> None:
        """See the port."""
        split = self._split(path)
        self._files.make_folders(path if split is None else split[0].parent, mode)

    def create(self, path: RelativePath, size: int) -> None:
        """See the port."""
        split = self._split(path)
        if split is None:
            self._files.create(path, size)
        elif self._needed:
            self._make(split[0])

    def _make(self, real: RelativePath) -> None:
        """The part file with its header; what lies in its slots stays."""
        part = self._portion.part
        with self._lock:
            if self._headers.get(real) == part:
                return
            self._files.create(real, part.size)
            writer = self._files.writer()
            try:
                writer.write(real, 0, memoryview(part.encode()))
                writer.flush()
            finally:
                writer.close()
            self._headers[real] = part

    def rename(self, old: RelativePath, new: RelativePath) -> None:
        """See the port. The first of the files in a part file takes the others with it."""
        left, right = self._split(old), self._split(new)
        if left is None or right is None:
            self._files.rename(old, new)
            return
        if not self._needed:
            return
        with self._lock:
            if left[1] is None or self._files.stat(left[0]) is not None:
                self._files.rename(left[0], right[0])
            self._headers.pop(left[0], None)

    def unlink(self, path: RelativePath) -> None:
        """See the port. The bytes of one file alone cannot be removed: they are written over, or go with the whole."""
        if self._split(path) is None:
            self._files.unlink(path)

    def names_of(self, paths: Sequence[RelativePath]) -> Sequence[int | None]:
        """See the port. Of what lies in a part file it is not told."""
        whole = [path for path in paths if self._split(path) is None]
        names = dict(zip(whole, self._files.names_of(whole), strict=True))
        return [names.get(path) for path in paths]

    def remove_folder(self, path: RelativePath) -> bool:
        """See the port. The part file itself goes when the folder goes for which it stands."""
        split = self._split(path)
        if split is None:
            return self._files.remove_folder(path)
        self._files.unlink(split[0])
        self._headers.pop(split[0], None)
        return True

    def chown(self, path: RelativePath, user: str, group: str) -> None:
        """See the port."""
        if self._split(path) is None or self._needed:
            self._files.chown(self.real(path), user, group)

    def chmod(self, path: RelativePath, mode: int) -> None:
        """See the port."""
        if self._split(path) is None or self._needed:
            self._files.chmod(self.real(path), mode)

    def resemble(self, folder: RelativePath, example: RelativePath) -> bool:
        """See the port. The folder for which the part file stands is none."""
        return self._split(folder) is not None or self._files.resemble(folder, example)

    def sync(self, paths: Iterable[RelativePath]) -> None:
        """See the port."""
        kept = [path for path in paths if self._needed or self._split(path) is None]
        self._files.sync(dict.fromkeys(map(self.real, kept)))

    def reader(self) -> Reader:
        """See the port."""
        return _SlicedReader(self._files.reader(), self._cut)

    def writer(self) -> Writer:
        """See the port."""
        return _SlicedWriter(self._files.writer(), self)

    def _cut(self, span: ByteSpan) -> Iterator[ByteSpan]:
        split = self._split(span.path)
        if split is None or split[1] is None:
            yield span
            return
        if not self._needed:
            return
        real, index = split[0], split[1]
        header = self._header(real)
        for piece, within, offset, count in self._slices.cut(index, span.offset, span.length):
            if piece not in header.slots:
                raise Collision(
                    f"{self._files.name}/{real} is in the way: a part file of this torrent with other pieces in it.",
                    kept="It was not touched, and the source is whole.",
                    remedy="Rename it, if no other program works on it, then run again.",
                )
            start = header.offset(piece, within)
            yield _Slice(real, start, count, span, offset - start)

    def pieces_written(
        self, path: RelativePath, offset: int, data: memoryview
    ) -> Iterator[tuple[RelativePath, int, memoryview]]:
        """Where bytes for a path really go: (path, offset, bytes)."""
        split = self._split(path)
        if split is None or split[1] is None:
            yield path, offset, data
            return
        part, done = self._portion.part, 0
        for piece, within, _, count in self._slices.cut(split[1], offset, len(data)):
            yield split[0], part.offset(piece, within), data[done : done + count]
            done += count


# -- lanes -------------------------------------------------------------------------------------------------------------


class _SlicedReader:
    """Reads spans in slices and delivers them as the spans that were asked for."""

    def __init__(self, reader: Reader, cut: Callable[[ByteSpan], Iterator[ByteSpan]]) -> None:
        self._reader = reader
        self._cut = cut

    def read(self, spans: Iterable[ByteSpan], deliver: Deliver) -> None:
        """See the port."""

        def hand_on(span: ByteSpan, offset: int, data: memoryview) -> None:
            if isinstance(span, _Slice):
                deliver(span.whole, offset + span.shift, data)
            else:
                deliver(span, offset, data)

        self._reader.read((part for span in spans for part in self._cut(span)), hand_on)

    def close(self) -> None:
        """See the port."""
        self._reader.close()

    def abort(self) -> None:
        """See the port."""
        self._reader.abort()


class _SlicedWriter:
    """Writes to a PartedTarget."""

    def __init__(self, writer: Writer, target: PartedTarget) -> None:
        self._writer = writer
        self._target = target

    def create(self, path: RelativePath, size: int) -> None:
        """See the port."""
        if self._target.real(path) == path:
            self._writer.create(path, size)
        else:
            self._target.create(path, size)

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See the port."""
        for real, at, part in self._target.pieces_written(path, offset, data):
            self._writer.write(real, at, part)

    def accepted(self) -> int:
        """See the port."""
        return self._writer.accepted()

    def flush(self) -> None:
        """See the port."""
        self._writer.flush()

    def close(self) -> None:
        """See the port."""
        self._writer.close()

    def abort(self) -> None:
        """See the port."""
        self._writer.abort()


def _pretended(kind: FileKind, size: int = 0) -> FileStat:
    return FileStat(kind, size, 0o600, 0.0, 0, 0)


def _read_header(files: ReadableFiles, path: RelativePath, manifest: Manifest) -> PartFile:
    """The part file's header; one without slots where there is no (readable) part file of this torrent."""
    nothing = PartFile(manifest.piece_count, manifest.piece_length, {})
    wanted = header_size(manifest.piece_count)
    found = files.stat(path)
    if found is None or found.kind is not FileKind.FILE or found.size < wanted:
        return nothing
    raw = bytearray()
    reader = files.reader()
    try:
        reader.read([ByteSpan(path, 0, wanted)], lambda _span, _offset, data: raw.extend(data))
        return PartFile.parse(bytes(raw), manifest.piece_count, manifest.piece_length)
    except (ValueError, SourceUnreadable):
        return nothing
    finally:
        reader.close()
