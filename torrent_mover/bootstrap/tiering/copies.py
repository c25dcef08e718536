"""Brings the bytes of a tier's copies: hashed on the way, holes kept, within a rate, behind whoever else wants the disks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.adapters.process.disk_calls import yield_disks
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.duties.tiering.needs import CopyOrder
from torrent_mover.duties.tiering.proving import good_pieces
from torrent_mover.engine.progress.board import Flow
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem, Reader, Writer
from torrent_mover.ports.strategy import TransferJob
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare
from torrent_mover.transfer.through import Through

_LANES: Final = 2
"""Readers and writers of one copy: one disk head gains nothing from more."""

_FLOWS: Final = frozenset({Flow.IN})
_ZEROS: Final = bytes(1 << 20)
_SMALL: Final = 1 << 20
"""Bytes. Files that are smaller on average cost more calls than bytes: all lanes work on them from the beginning."""


class TierBytes:
    """See needs.CopiesBytes. One for a tier: `rate` (bytes a second, None: no limit) is that of all its copies together."""

    def __init__(self, clock: Clock, rate: int | None) -> None:
        self._clock = clock
        self._throttle = Throttle(clock, lambda _flow: float(rate) if rate else None)

    def bring(self, order: CopyOrder) -> Bitfield:
        """See needs.CopiesBytes."""
        manifest = order.manifest
        good = good_pieces(manifest, order.target, order.target_paths, self._looked)
        missing = Bitfield.full(manifest.piece_count).difference(good)
        kept = frozenset(order.target_paths[index] for index in order.present)
        target = _Copied(order.target.files, kept, order.target_paths)
        job = TransferJob(manifest, order.source.files, order.source_paths, target, order.target_paths, missing)
        sink = _TierSink(order.progress, self._throttle, self._clock, good)
        small = manifest.total_size < _SMALL * len(manifest.files)
        Copying(LaneShare(_LANES), most=_LANES, first=_LANES if small else 1).transfer(job, sink)
        return good

    def _looked(self, _count: int) -> None:
        self._clock.wait(0.0)


class _TierSink:
    """See ports.strategy.Sink."""

    def __init__(self, progress: Callable[[int], None], throttle: Throttle, clock: Clock, good: Bitfield) -> None:
        self._progress = progress
        self._throttle = throttle
        self._clock = clock
        self._good = good
        self._lock = threading.Lock()

    def advance(self, count: int, leg: int = 0) -> None:  # noqa: ARG002  there is one leg
        self._throttle.take(_FLOWS, count)
        self._progress(count)

    def reuse(self, count: int, leg: int = 0) -> None:  # noqa: ARG002
        self._progress(count)

    def beat(self, doing: str) -> None:  # noqa: ARG002  nobody watches: local disks answer or fail
        self._clock.wait(0.0)

    def landed(self, piece: int) -> None:
        with self._lock:
            self._good.set(piece)

    def on_abort(self, act: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002
        return lambda: None

    def working_on(self, file: int, done: int) -> None:
        """Nobody shows it."""


class _Copied(Through):
    """The target: files that are there already are not written, and what is zero in a new file stays a hole."""

    def __init__(self, files: FileSystem, kept: frozenset[RelativePath], paths: Sequence[RelativePath]) -> None:
        super().__init__(files)
        self._kept = kept
        there = zip(paths, files.stats(paths), strict=True)
        self._new = frozenset(path for path, stat in there if stat is None)
        """Files that this copy makes: only in them zeros need not be written. Nobody else makes any in our folder."""

    def reader(self) -> Reader:
        """See the port."""
        yield_disks()
        return self._files.reader()

    def create(self, path: RelativePath, size: int) -> None:
        """See the port."""
        if path not in self._kept:
            self._files.create(path, size)

    def is_kept(self, path: RelativePath) -> bool:
        """Whether nothing may be written to it."""
        return bool(self._kept) and path in self._kept

    def is_new(self, path: RelativePath) -> bool:
        """Whether it reads as zeros where nobody has written."""
        return path in self._new

    def writer(self) -> Writer:
        """See the port. Called in the thread that writes."""
        yield_disks()
        return _SparseWriter(self, self._files.writer())


class _SparseWriter:
    """See ports.filesystem.Writer."""

    def __init__(self, target: _Copied, writer: Writer) -> None:
        self._target = target
        self._writer = writer
        self._skipped = 0
        self._written = 0

    def create(self, path: RelativePath, size: int) -> None:
        if not self._target.is_kept(path):
            self._writer.create(path, size)

    def write(self, path: RelativePath, offset: int, data: memoryview) -> None:
        if self._target.is_kept(path) or (_only_zeros(data) and self._target.is_new(path)):
            self._skipped += len(data)
        else:
            self._written += len(data)
            self._writer.write(path, offset, data)

    def accepted(self) -> int:
        taken = self._writer.accepted()
        return taken + self._skipped if taken == self._written else taken

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.abort()


def _only_zeros(data: memoryview) -> bool:
    if data and (data[0] or data[-1]):
        return False
    return all(
        bytes(data[at : at + len(_ZEROS)]) == _ZEROS[: min(len(_ZEROS), len(data) - at)]
        for at in range(0, len(data), len(_ZEROS))
    )
