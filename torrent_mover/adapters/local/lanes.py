"""Lanes of reading and writing on this machine: pread and pwrite, with a few descriptors kept open."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from torrent_mover.adapters.local.errors import read_error, too_short, write_error
from torrent_mover.domain.errors import ConnectionLost, MoverError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import ByteSpan, Deliver

_CHUNK: Final = 1 << 20
MOST_OPEN: Final = 32
"""Files that one lane keeps open, where the process may have many."""


class _Descriptors:
    """The descriptors of the files used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: OrderedDict[RelativePath, int] = OrderedDict()

    def of(self, path: RelativePath, open_file: Callable[[RelativePath], int]) -> int:
        """The descriptor of a file, opened where it is not yet. Raises OSError."""
        descriptor = self._open.get(path)
        if descriptor is None:
            return self.keep(path, open_file(path))
        self._open.move_to_end(path)
        return descriptor

    def keep(self, path: RelativePath, descriptor: int) -> int:
        """Take over a descriptor that somebody opened."""
        self.close_one(path)
        self._open[path] = descriptor
        if len(self._open) > self._most:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    def close_one(self, path: RelativePath) -> None:
        """Close a file's, if it is open."""
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Close them all. Never raises."""
        while self._open:
            with suppress(OSError):
                os.close(self._open.popitem()[1])


class Places(Protocol):
    """What lanes ask of their file system. All raise OSError and MoverError."""

    def open_folder_for_reading(self, folder: RelativePath) -> int:
        """A descriptor of a folder, all above it seen to be real; of the root where links are followed."""

    def open_for_reading(self, folder: int, path: RelativePath) -> int:
        """Open a regular file, with the descriptor of `open_folder_for_reading`."""

    def open_folder_for_writing(self, folder: RelativePath, *, make: bool) -> int:
        """A descriptor of a folder, all above it seen to be real; made where it is missing and `make` says so."""

    def create_in(self, folder: int, path: RelativePath) -> tuple[int, int]:
        """As FileSystem.create, in the folder with this descriptor, without the size: one of the file, and the size that it has."""

    def open_in(self, folder: int, path: RelativePath) -> int:
        """Open an existing file for writing, in the folder with this descriptor."""

    def full(self, path: RelativePath) -> Path:
        """How messages call it."""


class _Folder:
    """The folder used last, kept open: of many files in one folder, each costs one open."""

    def __init__(self) -> None:
        self._open: tuple[tuple[str, ...], int] | None = None

    def of(self, path: RelativePath, open_folder: Callable[[RelativePath], int]) -> int:
        """The descriptor of the folder that holds `path`, as `open_folder` gives it. Raises OSError."""
        parts = path.parts[:-1]
        if self._open is None or self._open[0] != parts:
            self.close()
            self._open = (parts, open_folder(path.parent))
        return self._open[1]

    def close(self) -> None:
        """Let go of it. Never raises."""
        if self._open is not None:
            (_, descriptor), self._open = self._open, None
            with suppress(OSError):
                os.close(descriptor)


class LocalReader:
    """See ports.filesystem.Reader."""

    def __init__(self, places: Places, most_open: int = MOST_OPEN) -> None:
        self._places = places
        self._files = _Descriptors(most_open)
        self._folder = _Folder()
        self._buffer = memoryview(bytearray(_CHUNK))
        self._aborted = False

    def read(self, spans: Iterable[ByteSpan], deliver: Deliver) -> None:
        """See ports.filesystem.Reader."""
        try:
            for span in spans:
                if span.offset == 0 and 0 < span.length < _CHUNK:
                    self._read_small(span, deliver)
                else:
                    self._read(span, deliver)
        finally:
            self.close()

    def close(self) -> None:
        """See ports.filesystem.Reader."""
        self._files.close()
        self._folder.close()

    def abort(self) -> None:
        """See ports.filesystem.Reader."""
        self._aborted = True

    def _read_small(self, span: ByteSpan, deliver: Deliver) -> None:
        """The beginning of a file, most often all of it: read in one call, nothing kept open for what will not come."""
        _stop_if(self._aborted)
        wanted = self._buffer[: span.length]
        try:
            descriptor = self._open(span.path)
            try:
                count = os.readv(descriptor, [wanted])
            finally:
                os.close(descriptor)
        except OSError as error:
            raise read_error(error, self._places.full(span.path)) from error
        if count == span.length:
            deliver(span, 0, wanted)
        else:
            self._read(span, deliver)  # which tells how much too short the file is, if it is

    def _read(self, span: ByteSpan, deliver: Deliver) -> None:
        at, end = span.offset, span.offset + span.length
        while at < end:
            _stop_if(self._aborted)
            wanted = self._buffer[: end - at]
            try:
                count = os.preadv(self._files.of(span.path, self._open), [wanted], at)
                size = 0 if count else os.fstat(self._files.of(span.path, self._open)).st_size
            except OSError as error:
                raise read_error(error, self._places.full(span.path)) from error
            if count == 0:
                raise too_short(self._places.full(span.path), end, size)
            deliver(span, at, wanted[:count])
            at += count

    def _open(self, path: RelativePath) -> int:
        return self._places.open_for_reading(self._folder.of(path, self._places.open_folder_for_reading), path)


class LocalWriter:
    """See ports.filesystem.Writer. What `write` took, the kernel has: nothing is in flight afterwards.

    A file that was made gets its size when it is not written whole at once, by the next call that is not that write.
    """

    def __init__(self, places: Places, most_open: int = MOST_OPEN) -> None:
        self._places = places
        self._files = _Descriptors(most_open)
        self._folder = _Folder()
        self._made: tuple[RelativePath, int, int, int] | None = None
        """What was made last and has no size yet: its path, descriptor, the size that it shall have, and the one that it has."""
        self._accepted = 0
        self._aborted = False

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        self._settle()
        self._files.close_one(path)
        try:
            descriptor, found = self._places.create_in(self._folder.of(path, self._made_folder), path)
        except OSError as error:
            raise write_error(error, self._places.full(path), "create") from error
        self._made = (path, descriptor, size, found)

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        if self._made is not None:
            made, descriptor, size, found = self._made
            if made == path and offset == 0 and found <= len(data) == size:
                self._write_whole(path, descriptor, data)
                return
            self._settle()
        try:
            descriptor = self._files.of(path, self._open)
            self._write(descriptor, offset, data)
        except OSError as error:
            raise write_error(error, self._places.full(path), "write") from error

    def accepted(self) -> int:
        """See ports.filesystem.Writer."""
        return self._accepted

    def flush(self) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        self._settle()

    def close(self) -> None:
        """See ports.filesystem.Writer."""
        with suppress(MoverError):
            self._settle()
        self._files.close()
        self._folder.close()

    def abort(self) -> None:
        """See ports.filesystem.Writer."""
        self._aborted = True

    def _write_whole(self, path: RelativePath, descriptor: int, data: memoryview) -> None:
        """All of a file that was just made, which then needs no descriptor any more."""
        self._made = None
        try:
            try:
                self._write(descriptor, 0, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise write_error(error, self._places.full(path), "write") from error

    def _write(self, descriptor: int, offset: int, data: memoryview) -> None:
        while data:
            count = os.pwrite(descriptor, data, offset)
            self._accepted += count
            offset += count
            data = data[count:]

    def _settle(self) -> None:
        """Give the file that was made last its size."""
        if self._made is None:
            return
        (path, descriptor, size, found), self._made = self._made, None
        try:
            self._files.keep(path, descriptor)
            if found != size:
                os.ftruncate(descriptor, size)
        except OSError as error:
            raise write_error(error, self._places.full(path), "create") from error

    def _open(self, path: RelativePath) -> int:
        return self._places.open_in(self._folder.of(path, self._found_folder), path)

    def _made_folder(self, folder: RelativePath) -> int:
        return self._places.open_folder_for_writing(folder, make=True)

    def _found_folder(self, folder: RelativePath) -> int:
        return self._places.open_folder_for_writing(folder, make=False)


def _stop_if(aborted: bool) -> None:  # noqa: FBT001  it is the whole question
    if aborted:
        raise ConnectionLost("Reading or writing here was cut by us, as asked.")
