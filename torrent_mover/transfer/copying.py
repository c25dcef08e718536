"""Copies from any file system to any other, hashing every piece on the way. sftp and sftp_upload are this, wired differently."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from torrent_mover.domain.errors import Cancelled, ConnectionLost
from torrent_mover.ports.filesystem import Reader, Span, Writer
from torrent_mover.ports.strategy import Sink, TransferJob
from torrent_mover.transfer.lanes import LaneController, LaneShare
from torrent_mover.transfer.proof import FileSpan, PieceStream
from torrent_mover.transfer.work import Work

_LOOK_EVERY = 0.1


class Copying:
    """The strategy: lanes of (reader, writer), each in a thread of its own, taking runs of missing pieces.

    `lanes` is asked again and again: what a transfer may use follows the number of torrents that share the connections.
    """

    def __init__(self, lanes: LaneShare, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._share = lanes
        self._monotonic = monotonic

    def transfer(self, job: TransferJob, sink: Sink) -> None:
        """See ports.strategy.Strategy."""
        for index, file in enumerate(job.manifest.files):
            if file.size == 0 and job.target.stat(job.target_paths[index]) is None:
                job.target.create(job.target_paths[index], 0)
        if job.missing.count():
            with self._share.joined():
                _Copy(job, sink, self._share.each, self._monotonic).run()


class _Copy:
    """One transfer under way: starts lanes as the controller wishes, ends with the first error of any."""

    def __init__(
        self, job: TransferJob, sink: Sink, max_lanes: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._job = job
        self._sink = sink
        self._max_lanes = max_lanes
        self._monotonic = monotonic
        self._work = Work(job.manifest, job.missing)
        self._lanes: list[_Lane] = []
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._progress = _Progress(job, sink)

    def run(self) -> None:
        take_back = self._sink.on_abort(self._abort)
        controller = LaneController(limit=max(1, self._max_lanes()))
        try:
            self._open_lane()
            while self._running():
                controller.limit = max(1, self._max_lanes())
                wanted = min(controller.observe(self._monotonic(), self._progress.moved), controller.limit)
                self._adjust(wanted)
        finally:
            take_back()
            self._end_lanes()
        if self._error is not None:
            raise self._error
        if not self._work.done:
            raise ConnectionLost("The lanes ended before all pieces had come.", kept="What arrived is kept.")

    def _running(self) -> bool:
        with self._changed:
            self._changed.wait(_LOOK_EVERY)
            self._lanes = [lane for lane in self._lanes if lane.is_alive()]
            return self._error is None and bool(self._lanes)

    def _adjust(self, wanted: int) -> None:
        staying = [lane for lane in self._lanes if not lane.leaving]
        for lane in staying[wanted:]:
            lane.leaving = True
        if len(staying) < wanted and len(self._lanes) <= wanted:
            # A server that gives no further connection does not end the transfer: the lanes that run go on.
            with suppress(ConnectionLost):
                self._open_lane()

    def _open_lane(self) -> None:
        lane = _Lane(self._job, self._sink, self._work, self._progress, self._ended)
        self._lanes.append(lane)
        lane.start()

    def _ended(self, error: BaseException | None) -> None:
        with self._changed:
            if error is not None and (self._error is None or isinstance(self._error, ConnectionLost)):
                self._error = self._error if isinstance(error, ConnectionLost) and self._error else error
            self._changed.notify_all()

    def _abort(self) -> None:
        for lane in list(self._lanes):
            lane.abort()

    def _end_lanes(self) -> None:
        for lane in self._lanes:
            lane.leaving = True
            if self._error is not None:
                lane.abort()
        for lane in self._lanes:
            lane.join()


class _Progress:
    """What all lanes of a transfer share: target files made, bytes brought of each file."""

    def __init__(self, job: TransferJob, sink: Sink) -> None:
        self.moved = 0
        self._job = job
        self._sink = sink
        self._lock = threading.Lock()
        self._there: dict[int, int] = {}

    def make(self, file: int) -> None:
        """Make the target file before its first byte is written."""
        with self._lock:
            if file in self._there:
                return
            self._job.target.create(self._job.target_paths[file], self._job.manifest.files[file].size)
            self._there[file] = self._present(file)

    def count(self, file: int, count: int) -> None:
        """`count` more bytes of a file were written."""
        with self._lock:
            self.moved += count
            self._there[file] += count
            there = self._there[file]
        self._sink.working_on(file, min(there, self._job.manifest.files[file].size))

    def _present(self, file: int) -> int:
        manifest, missing = self._job.manifest, self._job.missing
        absent = 0
        for piece in manifest.pieces_of(file):
            if missing.test(piece):
                absent += sum(span.length for span in manifest.spans(piece, piece) if span.file == file)
        return manifest.files[file].size - absent


class _Lane(threading.Thread):
    """One reader, one writer, one thread: reads runs of pieces, writes and hashes the bytes as they come."""

    def __init__(
        self,
        job: TransferJob,
        sink: Sink,
        work: Work,
        progress: _Progress,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        super().__init__(name="copy-lane", daemon=True)
        self.leaving = False
        self._job = job
        self._sink = sink
        self._work = work
        self._progress = progress
        self._ended = ended
        self._reader: Reader | None = None
        self._writer: Writer | None = None
        self._aborted = False
        self._stream = PieceStream(job.manifest, job.source_paths)
        self._written = 0
        self._unconfirmed: deque[tuple[int, int]] = deque()  # (piece, bytes written by this lane when it was complete)

    def run(self) -> None:
        error: BaseException | None = None
        try:
            self._copy()
        except BaseException as raised:  # noqa: BLE001  handed to the thread that runs the transfer, which raises it
            error = raised
        finally:
            for lane_end in (self._reader, self._writer):
                if lane_end is not None:
                    lane_end.close()
            self._give_back()
            self._ended(error)

    def abort(self) -> None:
        """Break whatever blocks, from another thread."""
        self._aborted = True
        for lane_end in (self._reader, self._writer):
            if lane_end is not None:
                lane_end.abort()

    def _copy(self) -> None:
        self._reader = self._job.source.reader()
        self._writer = self._job.target.writer()
        if self._aborted:
            raise Cancelled("The transfer was stopped.")
        while not self.leaving:
            unit = self._work.next_unit()
            if unit is None:
                return
            self._reader.read(self._spans(unit), self._deliver)
            self._writer.flush()
            self._confirm()

    def _give_back(self) -> None:
        for piece in (*(piece for piece, _ in self._unconfirmed), *self._stream.pending):
            self._work.give_back(range(piece, piece + 1))

    def _spans(self, unit: range | None) -> Iterator[Span]:
        """Spans of this unit and of those that follow; the reader pulls them a window ahead."""
        while unit is not None:
            yield from self._stream.expect(unit)
            unit = None if self.leaving else self._work.next_unit()

    def _deliver(self, span: Span, offset: int, data: memoryview) -> None:
        assert isinstance(span, FileSpan)  # noqa: S101  the reader hands back the spans that it was given
        self._sink.advance(len(data))
        self._write(span.file, offset, data)
        for piece, good in self._stream.feed(data):
            if good:
                self._unconfirmed.append((piece, self._written))
            else:
                self._work.bad(piece)
        self._progress.count(span.file, len(data))
        self._confirm()

    def _write(self, file: int, offset: int, data: memoryview) -> None:
        assert self._writer is not None  # noqa: S101  made before the first span is asked for
        self._progress.make(file)
        self._writer.write(self._job.target_paths[file], offset, data)
        self._written += len(data)

    def _confirm(self) -> None:
        """Report pieces only once the target has taken all their bytes: what is reported may be journaled after a sync."""
        assert self._writer is not None  # noqa: S101  as in _write
        if not self._unconfirmed:
            return
        accepted = self._writer.accepted()
        while self._unconfirmed and self._unconfirmed[0][1] <= accepted:
            piece, _ = self._unconfirmed.popleft()
            self._work.good()
            self._sink.landed(piece)
