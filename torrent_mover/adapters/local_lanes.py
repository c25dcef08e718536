"""Lanes of reading and writing on this machine: pread and pwrite, with a few descriptors kept open."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local_errors import read_error, too_short, write_error
from torrent_mover.domain.errors import ConnectionLost
from torrent_mover.domain.paths import RelativePath
from torrent_mover.ports.filesystem import Deliver, Span

_CHUNK: Final = 1 << 20
_MOST_OPEN: Final = 32


class _Descriptors:
    """The descriptors of the files used last."""

    def __init__(self, open_file: Callable[[RelativePath], int]) -> None:
        self._open_file = open_file
        self._open: OrderedDict[RelativePath, int] = OrderedDict()

    def of(self, path: RelativePath) -> int:
        """The descriptor of a file, opened where it is not yet. Raises OSError."""
        descriptor = self._open.get(path)
        if descriptor is None:
            descriptor = self._open[path] = self._open_file(path)
            if len(self._open) > _MOST_OPEN:
                os.close(self._open.popitem(last=False)[1])
        else:
            self._open.move_to_end(path)
        return descriptor

    def close(self) -> None:
        """Close them all. Never raises."""
        while self._open:
            with suppress(OSError):
                os.close(self._open.popitem()[1])


class LocalReader:
    """See ports.filesystem.Reader."""

    def __init__(self, open_file: Callable[[RelativePath], int], full: Callable[[RelativePath], Path]) -> None:
        self._files = _Descriptors(open_file)
        self._full = full
        self._buffer = memoryview(bytearray(_CHUNK))
        self._aborted = False

    def read(self, spans: Iterable[Span], deliver: Deliver) -> None:
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

    def _read(self, span: Span, deliver: Deliver) -> None:
        at, end = span.offset, span.offset + span.length
        while at < end:
            _stop_if(self._aborted)
            wanted = self._buffer[: end - at]
            try:
                count = os.preadv(self._files.of(span.path), [wanted], at)
                size = 0 if count else os.fstat(self._files.of(span.path)).st_size
            except OSError as error:
                raise read_error(error, self._full(span.path)) from error
            if count == 0:
                raise too_short(self._full(span.path), end, size)
            deliver(span, at, wanted[:count])
            at += count


class LocalWriter:
    """See ports.filesystem.Writer. What `write` took, the kernel has: nothing is in flight afterwards."""

    def __init__(
        self,
        create: Callable[[RelativePath, int], None],
        open_file: Callable[[RelativePath], int],
        full: Callable[[RelativePath], Path],
    ) -> None:
        self._create = create
        self._files = _Descriptors(open_file)
        self._full = full
        self._accepted = 0
        self._aborted = False

    def create(self, path: RelativePath, size: int) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        self._create(path, size)

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)
        try:
            descriptor = self._files.of(path)
            while data:
                count = os.pwrite(descriptor, data, offset)
                self._accepted += count
                offset += count
                data = data[count:]
        except OSError as error:
            raise write_error(error, self._full(path), "write") from error

    def accepted(self) -> int:
        """See ports.filesystem.Writer."""
        return self._accepted

    def flush(self) -> None:
        """See ports.filesystem.Writer."""
        _stop_if(self._aborted)

    def close(self) -> None:
        """See ports.filesystem.Writer."""
        self._files.close()

    def abort(self) -> None:
        """See ports.filesystem.Writer."""
        self._aborted = True


def _stop_if(aborted: bool) -> None:  # noqa: FBT001  it is the whole question
    if aborted:
        raise ConnectionLost("Reading or writing here was cut by us, as asked.")
