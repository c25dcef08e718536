"""A lane of a copy: one reader, one writer, one thread, that reads runs of pieces, writes and hashes the bytes as they come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, TypeVar

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.ports.filesystem import ByteSpan, Reader, Writer
from torrent_mover.ports.strategy import Sink, TransferJob
from torrent_mover.transfer.progress import Progress
from torrent_mover.transfer.proof import PieceSpan, PieceStream
from torrent_mover.transfer.targets import Targets
from torrent_mover.transfer.work import PieceWork

EndT = TypeVar("EndT", Reader, Writer)

_ACCOUNT_BYTES: Final = 1 << 20
_ACCOUNT_SECONDS: Final = 0.05
"""Bytes are accounted for (counted, throttled, a stop noticed) when so many have come, or so long after the last time."""


class Lane(threading.Thread):
    """Works until nothing is left, `leaving` is set, or something fails; then calls `ended` with itself and the error."""

    def __init__(
        self,
        job: TransferJob,
        sink: Sink,
        work: PieceWork,
        targets: Targets,
        progress: Progress,
        monotonic: Callable[[], float],
        ended: Callable[[Lane, BaseException | None], None],
    ) -> None:
        super().__init__(name="copy-lane", daemon=True)
        self.leaving = False
        self.opened = False
        """Whether both ends were open."""
        self.working = False
        """Whether bytes have come."""
        self._job = job
        self._sink = sink
        self._work = work
        self._targets = targets
        self._progress = progress
        self._monotonic = monotonic
        self._ended = ended
        self._ends: list[Reader | Writer] = []
        self._ends_lock = threading.Lock()
        self._writer: Writer
        self._aborted = False
        self._stream = PieceStream(job.manifest, job.source_paths)
        self._made: set[int] = set()
        self._written = 0
        self._unconfirmed: deque[tuple[int, int]] = deque()  # (piece, bytes written by this lane when it was complete)
        self._unaccounted: dict[int, int] = {}  # bytes by file
        self._due = 0
        self._accounted_at = monotonic()

    def run(self) -> None:
        """The thread."""
        error: BaseException | None = None
        try:
            self._copy()
        except BaseException as raised:  # noqa: BLE001  handed to the thread that runs the transfer, which raises it
            error = raised
        finally:
            # Whatever goes wrong in here is handed over as well: the transfer waits for this lane's last word.
            try:
                self._let_go()
            except BaseException as raised:  # noqa: BLE001
                error = error or raised
            self._ended(self, error)

    def _let_go(self) -> None:
        with suppress(MoverError):
            self._account()
        try:
            for lane_end in self._ends:
                lane_end.close()
        finally:
            self._give_back()

    def abort(self) -> None:
        """Break whatever blocks, from another thread."""
        with self._ends_lock:
            self._aborted = True
            ends = list(self._ends)
        for lane_end in ends:
            lane_end.abort()

    def join_if_open(self) -> None:
        """Wait for its end; not for one that still waits for its connection: it will see that it is not needed."""
        if self._ends:
            self.join()

    def _copy(self) -> None:
        reader = self._opened(self._job.source.reader())
        self._writer = self._opened(self._job.target.writer())
        self.opened = True
        while not self.leaving:
            unit = self._work.next_unit()
            if unit is None:
                return
            reader.read(self._spans(unit), self._deliver)
            self._account()
            self._writer.flush()
            self._confirm()

    def _opened(self, lane_end: EndT) -> EndT:
        with self._ends_lock:
            self._ends.append(lane_end)
            if self._aborted:
                raise Cancelled("The transfer was stopped.")
        return lane_end

    def _spans(self, unit: range | None) -> Iterator[ByteSpan]:
        """Spans of this unit and of those that follow; the reader pulls them a window ahead."""
        while unit is not None:
            yield from self._stream.expect(unit)
            unit = None if self.leaving else self._work.next_unit()

    def _deliver(self, span: ByteSpan, offset: int, data: memoryview) -> None:
        assert isinstance(span, PieceSpan)  # noqa: S101  the reader hands back the spans that it was given
        count = len(data)
        self._unaccounted[span.file] = self._unaccounted.get(span.file, 0) + count
        self._due += count
        if self._due >= _ACCOUNT_BYTES or self._monotonic() - self._accounted_at >= _ACCOUNT_SECONDS:
            self._account()
        if span.file not in self._made:
            self._targets.make(span, self._writer)
            self._made.add(span.file)
        self._writer.write(self._job.target_paths[span.file], offset, data)
        self._written += count
        for piece, good in self._stream.feed(data):
            self._judged(piece, good=good)
        self._confirm()

    def _judged(self, piece: int, *, good: bool) -> None:
        if good:
            self._unconfirmed.append((piece, self._written))
            return
        # Another lane may fetch it now: nothing of ours may reach the target behind what it writes.
        self._writer.flush()
        self._work.bad(piece)

    def _confirm(self) -> None:
        """Report pieces only once the target has taken all their bytes: what is reported may be journaled after a sync."""
        if not self._unconfirmed:
            return
        accepted = self._writer.accepted()
        while self._unconfirmed and self._unconfirmed[0][1] <= accepted:
            piece, _ = self._unconfirmed.popleft()
            self._sink.landed(piece)
            self._work.good()

    def _account(self) -> None:
        """Have what came counted, in one go for many chunks; the sink waits here as limits ask, and raises where we are stopped."""
        self._accounted_at = self._monotonic()
        due, brought = self._due, self._unaccounted
        if due:
            self._due, self._unaccounted = 0, {}
            self.working = True
            self._sink.advance(due)
            self._progress.count(brought)

    def _give_back(self) -> None:
        for piece in (*(piece for piece, _ in self._unconfirmed), *self._stream.pending):
            self._work.give_back(range(piece, piece + 1))
