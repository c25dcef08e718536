"""Several runs, one after the other, as the one run that a front end sees: each begins where the settings have changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from torrent_mover.domain.errors import ExitCode, MoverError, Unexpected
from torrent_mover.domain.report.events import Event, Level, RunEnded
from torrent_mover.domain.report.snapshot import HistoryView, LogLine, MoveDetail, Phase, Snapshot
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.publisher import Listeners
from torrent_mover.engine.run.run import Run

_log = logging.getLogger(__name__)


class Watch:
    """Implements ports.control.Control over the run that goes on. `following` makes the next one; raises MoverError.

    `execute` is called by one thread; everything else from any. The numbers of log lines go on over all runs.
    """

    def __init__(self, first: Run, following: Callable[[], Run]) -> None:
        self._run = first
        self._following = following
        self._listeners = Listeners()
        self._lock = threading.Lock()
        self._lines_before = 0
        self._stopped = False
        self._interrupted_by = ExitCode.INTERRUPTED
        self._ended_by: MoverError | None = None
        first.subscribe(self._forward)

    @property
    def interrupted_by(self) -> ExitCode:
        """What a stopped run returns."""
        return self._interrupted_by

    @interrupted_by.setter
    def interrupted_by(self, code: ExitCode) -> None:
        self._interrupted_by = self._run.interrupted_by = code

    def execute(self) -> ExitCode:
        """All runs to the last one's end; returns its exit code."""
        while True:
            code = self._run.execute()
            if not self._run.replaced or self._stopped:
                return code
            try:
                following = self._following()
                following.take_over(self._run)
                self._begin(following)
            except MoverError as error:
                return self._give_up(error)
            except BaseException as error:  # noqa: BLE001  whoever looks on waits for an end
                _log.exception("the next run could not begin")
                return self._give_up(Unexpected.of(error))

    def _begin(self, run: Run) -> None:
        numbers = [line.number for line in self._run.log()]
        with self._lock:
            self._lines_before += max(numbers, default=0)
            self._run = run
        run.interrupted_by = self._interrupted_by
        run.subscribe(self._forward)
        if self._stopped:  # while there was no run to stop
            run.stop()

    def _give_up(self, error: MoverError) -> ExitCode:
        self._ended_by = error
        now = self._run.snapshot().at
        self._listeners.tell(RunEnded(now, "", 0, 0, 0, 0.0, error.exit_code, str(error)))
        return error.exit_code

    def alive(self, within: float) -> bool:
        """Whether the run was seen alive in the last so many seconds."""
        return self._run.seen_alive(within)

    def notice(self, level: Level, text: str) -> None:
        """Publish a line about the run."""
        self._run.notice(level, text)

    # -- looking -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """See ports.control.Control. Between two runs it is one that starts."""
        run = self._run
        picture = run.snapshot()
        if self._ended_by is not None:
            return replace(picture, phase=Phase.ENDED, exit_code=int(self._ended_by.exit_code))
        if run.replaced and not self._stopped:
            return replace(picture, phase=Phase.STARTING, exit_code=None)
        return picture

    def detail(self, torrent: InfoHash) -> MoveDetail | None:
        """See ports.control.Control."""
        return self._run.detail(torrent)

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See ports.control.Control."""
        with self._lock:
            run, before = self._run, self._lines_before
        return [replace(line, number=line.number + before) for line in run.log(max(after - before, 0))]

    def history(self) -> HistoryView:
        """See ports.control.Control. Empty for the moment between two runs."""
        with suppress(MoverError):
            return self._run.history()
        return HistoryView((), ())

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control."""
        return self._listeners.subscribe(listener)

    def _forward(self, event: Event) -> None:
        """The end of a run that another one follows is nothing that a front end should end for."""
        if not (isinstance(event, RunEnded) and self._run.replaced and not self._stopped):
            self._listeners.tell(event)

    # -- steering ------------------------------------------------------------------------------------------------------

    def stop(self, *, now: bool = False) -> None:
        """See ports.control.Control."""
        self._stopped = True
        self._run.stop(now=now)

    def pause(self, torrent: InfoHash | None = None) -> None:
        """See ports.control.Control."""
        self._run.pause(torrent)

    def resume(self, torrent: InfoHash | None = None) -> None:
        """See ports.control.Control."""
        self._run.resume(torrent)

    def retry(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._run.retry(torrent)

    def dismiss(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._run.dismiss(torrent)

    def skip(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._run.skip(torrent)

    def cancel(self, torrent: InfoHash) -> None:
        """See ports.control.Control."""
        self._run.cancel(torrent)

    def reorder(self, torrent: InfoHash, places: int) -> None:
        """See ports.control.Control."""
        self._run.reorder(torrent, places)

    def limit(self, bytes_per_second: float | None) -> None:
        """See ports.control.Control."""
        self._run.limit(bytes_per_second)

    def rescan(self) -> None:
        """See ports.control.Control."""
        self._run.rescan()

    def accept(self, check: str) -> None:
        """See ports.control.Control."""
        self._run.accept(check)

    def check_again(self) -> None:
        """See ports.control.Control."""
        self._run.check_again()
