"""Copies from any file system to any other, hashing every piece on the way. sftp and sftp_upload are this, wired differently."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from torrent_mover.domain.errors import BadAnswer, ConnectionLost, LoginRefused, Unreachable
from torrent_mover.ports.strategy import Sink, TransferJob
from torrent_mover.transfer.lane import Lane
from torrent_mover.transfer.lanes import LaneController, LaneShare, in_order
from torrent_mover.transfer.progress import Progress
from torrent_mover.transfer.targets import Targets
from torrent_mover.transfer.work import PieceWork

_LOOK_EVERY: Final = 0.1
_WAITING: Final = "waiting for a connection"
_LOST: Final = (ConnectionLost, Unreachable)
_NOT_GIVEN: Final = (*_LOST, LoginRefused, BadAnswer)


class Copying:
    """The strategy: lanes of (reader, writer), each in a thread of its own, taking runs of missing pieces.

    `shares`: of each server that the bytes come from or go to. How many lanes a transfer may use follows the number of torrents
    that share them, and is asked again and again; it is never more than `most`. It begins with `first` of them.
    """

    def __init__(
        self, *shares: LaneShare, most: int = 64, first: int = 1, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._shares = in_order(shares)
        self._most = most
        self._first = first
        self._monotonic = monotonic

    def transfer(self, job: TransferJob, sink: Sink) -> None:
        """See ports.strategy.Strategy."""
        for index, file in enumerate(job.manifest.files):
            if file.size == 0 and job.target.stat(job.target_paths[index]) is None:
                job.target.create(job.target_paths[index], 0)
        if job.missing.count():
            with ExitStack() as stack:
                lanes = [stack.enter_context(share.joined(lambda: sink.beat(_WAITING))) for share in self._shares]

                def most() -> int:
                    return min(self._most, *(of_one() for of_one in lanes))

                _Copy(job, sink, most, self._first, self._monotonic).run()


class _Copy:
    """One transfer under way: starts lanes as the controller wishes; goes on with those that are left when one is lost."""

    def __init__(
        self, job: TransferJob, sink: Sink, max_lanes: Callable[[], int], first: int, monotonic: Callable[[], float]
    ) -> None:
        self._job = job
        self._sink = sink
        self._max_lanes = max_lanes
        self._monotonic = monotonic
        self._work = PieceWork(job.manifest, job.missing)
        self._targets = Targets(job.manifest, job.target_paths)
        self._progress = Progress(job.manifest, job.missing, sink)
        limit = max_lanes()
        self._controller = LaneController(limit=limit, wanted=min(first, limit))
        self._lanes: list[Lane] = []
        self._changed = threading.Condition()
        self._ended: list[tuple[Lane, BaseException | None]] = []
        self._aborted = False

    def run(self) -> None:
        take_back = self._sink.on_abort(self._abort)
        try:
            for _ in range(self._controller.wanted):
                self._open_lane()
            while self._lanes and not self._work.done:
                with self._changed:
                    self._changed.wait_for(lambda: self._ended, _LOOK_EVERY)
                self._bury()
                self._adjust()
        except BaseException:
            self._abort()
            raise
        finally:
            take_back()
            self._leave()
        if not self._work.done:
            raise ConnectionLost("The lanes ended before all pieces had come.", kept="What arrived is kept.")

    def _bury(self) -> None:
        """Take note of the lanes that ended. Raises what ended one, unless it was only its connection and others go on.

        What keeps a further lane from opening is nothing more: some servers count logins, and refuse one too many in any words.
        """
        with self._changed:
            ended, self._ended = self._ended, []
        for lane, error in ended:
            self._lanes.remove(lane)
            if error is None:
                continue
            only_its_own = isinstance(error, _LOST if lane.opened else _NOT_GIVEN)
            if self._aborted or not self._lanes or not only_its_own:
                raise error
            self._controller.lost(self._monotonic(), len(self._lanes))

    def _adjust(self) -> None:
        controller = self._controller
        controller.limit = self._max_lanes()
        controller.round_trip = max(self._job.source.round_trip, self._job.target.round_trip)
        staying = [lane for lane in self._lanes if not lane.leaving]
        working = sum(lane.working for lane in staying)
        wanted = controller.observe(self._monotonic(), self._progress.moved, self._progress.left, working)
        for lane in staying[wanted:]:
            lane.leaving = True
        if self._lanes and self._work.waiting:
            for _ in range(wanted - len(self._lanes)):
                self._open_lane()

    def _open_lane(self) -> None:
        lane = Lane(self._job, self._sink, self._work, self._targets, self._progress, self._monotonic, self._note_end)
        self._lanes.append(lane)
        lane.start()

    def _note_end(self, lane: Lane, error: BaseException | None) -> None:
        with self._changed:
            self._ended.append((lane, error))
            self._changed.notify_all()

    def _abort(self) -> None:
        self._aborted = True
        for lane in list(self._lanes):
            lane.abort()

    def _leave(self) -> None:
        """Let nothing of this transfer go on behind its end."""
        for lane in self._lanes:
            lane.leaving = True
        for lane in self._lanes:
            lane.join_if_open()
