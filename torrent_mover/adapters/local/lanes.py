"""Lanes of reading and writing on this machine: pread and pwrite, with a few descriptors kept open."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from torrent_mover.adapters.local.errors import read_error, too_short, write_error
from torrent_mover.domain.errors import ConnectionLost
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
    """What a writer asks of its file system. All raise OSError and MoverError."""

    def open_folder_for_writing(self, folder: RelativePath, *, make: bool) -> int:
        """A descriptor of a folder, all above it seen to be real; made where it is missing and `make` says so."""

    def create_in(self, folder: int, path: RelativePath, size: int) -> int:
        """As FileSystem.create, in the folder with this descriptor. Returns one of the file."""

    def open_in(self, folder: int, path: RelativePath) -> int:
        """Open an existing file for writing, in the folder with this descriptor."""

    def full(self, path: RelativePath) -> Path:
        """How messages call it."""


class LocalReader:
    """See ports.filesystem.Reader."""

    def __init__(
        self, open_file: Callable[[RelativePath], int], full: Callable[[RelativePath], Path], most_open: int = MOST_OPEN
    ) -> None:
        self._files = _Descriptors(most_open)
        self._open_file = open_file
        self._full = full
        self._buffer = memoryview(bytearray(_CHUNK))
        self._aborted = False

    def read(self, spans: Iterable[ByteSpan], deliver: Deliver) -> None:
        """See ports.filesystem.Reader."""
        try:
            for span in spans:
                self._read(span, deliver)
        finally:
            self._files.close()

    def close(self) -> None:
        """See ports.filesystem.Reader."""
        self._files.close()

    def abort(self) -> None:
        """See ports.filesystem.Reader."""
        self._aborted = True

    def _read(self, span: ByteSpan, deliver: Deliver) -> None:
        at, end = span.offset, span.offset + span.length
        while at < end:
            _stop_if(self._aborted)
            wanted = self._buffer[: end - at]
            try:
                count = os.preadv(self._files.of(span.path, self._open_file), [wanted], at)
                size = 0 if count else os.fstat(self._files.of(span.path, self._open_file)).st_size
            except OSError as error:
                raise read_error(error, self._full(span.path)) from error
            if count == 0:
                raise too_short(self._full(span.path), end, size)
            deliver(span, at, wanted[:count])
            at += count


class LocalWriter:
    """See ports.filesystem.Writer. What `write` took, the kernel has: nothing is in flight afterwards.

    The folder used last stays open: of many files in one folder, each costs one open.
    """

    def __init__(self, places: Places, most_open: int = MOST_OPEN) -> None:
        self._places = places
        self._files = _Descriptors(most_open)
        self._folder: tuple[RelativePath, int] | None = None
        self._accepted = 0
        self._aborted = False

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        try:
            self._files.keep(path, self._places.create_in(self._folder_of(path, make=True), path, size))
        except OSError as error:
            raise write_error(error, self._places.full(path), "create") from error

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        try:
            descriptor = self._files.of(path, self._open)
            while data:
                count = os.pwrite(descriptor, data, offset)
                self._accepted += count
                offset += count
                data = data[count:]
        except OSError as error:
            raise write_error(error, self._places.full(path), "write") from error

    def accepted(self) -> int:
        """See ports.filesystem.Writer."""
        return self._accepted

    def flush(self) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)

    def close(self) -> None:
        """See ports.filesystem.Writer."""
        self._files.close()
        self._leave_folder()

    def abort(self) -> None:
        """See ports.filesystem.Writer."""
        self._aborted = True

    def _open(self, path: RelativePath) -> int:
        return self._places.open_in(self._folder_of(path, make=False), path)

    def _folder_of(self, path: RelativePath, *, make: bool) -> int:
        folder = path.parent
        if self._folder is None or self._folder[0] != folder:
            self._leave_folder()
            self._folder = (folder, self._places.open_folder_for_writing(folder, make=make))
        return self._folder[1]

    def _leave_folder(self) -> None:
        if self._folder is not None:
            os.close(self._folder[1])
            self._folder = None


def _stop_if(aborted: bool) -> None:  # noqa: FBT001  it is the whole question
    if aborted:
        raise ConnectionLost("Reading or writing here was cut by us, as asked.")
