"""Several runs, one after the other, as the one run that a front end sees: each begins where the settings have changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from torrent_mover.domain.errors import ExitCode, MoverError, Unexpected
from torrent_mover.domain.report.events import Event, Level, RunEnded
from torrent_mover.domain.report.snapshot import HistoryView, LogLine, MoveDetail, Phase, Snapshot
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.publisher import Listeners
from torrent_mover.engine.run.run import HasMembers, Run
from torrent_mover.ports.control import Control

_log = logging.getLogger(__name__)

_NAP: Final = 1.0


class Execution(Control, Protocol):
    """A run of one route, or a group of them."""

    interrupted_by: ExitCode
    """What it returns once it was stopped."""

    @property
    def members(self) -> tuple[Run, ...]:
        """The run of each route."""

    @property
    def replaced(self) -> bool:
        """Whether it ends for another one to follow."""

    @property
    def rest(self) -> float | None:
        """Once it has ended by itself: seconds until another one may begin; None: when somebody asks."""

    @property
    def faulty(self) -> bool:
        """Whether something that nobody foresaw has ended it."""

    def execute(self) -> ExitCode:
        """Do it, to the end; returns the exit code, raises nothing."""

    def take_over(self, former: HasMembers) -> None:
        """Before `execute`: go on where another one has given way."""

    def seen_alive(self, within: float) -> bool:
        """Whether it was seen alive in the last so many seconds."""

    def notice(self, level: Level, text: str) -> None:
        """Publish a line about it."""


class Watch:
    """Implements ports.control.Control over the run that goes on. `following` makes the next one; raises MoverError.

    With `changed` it stays also where a run was refused or its server is away: another one begins after some time, when
    somebody asks, or when `changed` says that there are other settings. What nobody foresaw ends it; executed again, it goes on.
    `execute` is called by one thread; everything else from any. The numbers of log lines go on over all runs.
    """

    def __init__(
        self, first: Execution, following: Callable[[], Execution], changed: Callable[[], bool] | None = None
    ) -> None:
        self._run = first
        self._following = following
        self._changed = changed
        self._used = False
        self._rests_until: float | None = None
        self._resting = False
        self._wanted = threading.Event()
        self._listeners = Listeners()
        self._lock = threading.Lock()
        self._lines_before = 0
        self._stopped = False
        self._interrupted_by = ExitCode.INTERRUPTED
        self._ended_by: MoverError | None = None
        first.subscribe(self._forward)

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked it to end."""
        return self._stopped

    @property
    def ended_by(self) -> MoverError | None:
        """What kept the next run from beginning."""
        return self._ended_by

    @property
    def interrupted_by(self) -> ExitCode:
        """What a stopped run returns."""
        return self._interrupted_by

    @interrupted_by.setter
    def interrupted_by(self, code: ExitCode) -> None:
        self._interrupted_by = self._run.interrupted_by = code

    def execute(self) -> ExitCode:
        """All runs to the last one's end; returns its exit code."""
        if self._used and (failed := self._begin_next()) is not None:
            return failed
        while True:
            self._used = True
            code = self._run.execute()
            if self._stopped or not (self._run.replaced or self._rest()):
                return code
            if (failed := self._begin_next()) is not None:
                return failed

    def _begin_next(self) -> ExitCode | None:
        """Make the next run; an exit code where that cannot be."""
        self._ended_by = None
        try:
            following = self._following()
            following.take_over(self._run)
            self._begin(following)
        except MoverError as error:
            return self._give_up(error)
        except BaseException as error:  # noqa: BLE001  whoever looks on waits for an end
            _log.exception("the next run could not begin")
            return self._give_up(Unexpected.of(error))
        return None

    def _rest(self) -> bool:
        """After a run that has ended by itself: wait until another one makes sense; False where none does."""
        if self._changed is None or self._run.faulty:
            return False
        rest = self._run.rest
        due = None if rest is None else time.monotonic() + rest
        when = "when you ask, or the config changes" if rest is None else f"in {rest:,.0f} s"
        self._wanted.clear()
        self._rests_until, self._resting = due, True
        self._run.notice(Level.WARN, f"moves are tried again {when}")
        try:
            while not self._stopped and not self._changed() and (due is None or time.monotonic() < due):
                if self._wanted.wait(_NAP):
                    self._wanted.clear()
                    break
        finally:
            self._resting = False
        return not self._stopped

    def _begin(self, run: Execution) -> None:
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
        if self._resting:
            left = None if self._rests_until is None else max(self._rests_until - time.monotonic(), 0.0)
            return replace(picture, phase=Phase.REFUSED, exit_code=None, ended_at=None, next_scan_in=left)
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
        goes_on = self._run.replaced or (self._changed is not None and not self._run.faulty)
        if not (isinstance(event, RunEnded) and goes_on and not self._stopped):
            self._listeners.tell(event)

    # -- steering ------------------------------------------------------------------------------------------------------

    def stop(self, *, now: bool = False) -> None:
        """See ports.control.Control."""
        self._stopped = True
        self._wanted.set()
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
        self._wanted.set()
        self._run.rescan()

    def accept(self, check: str) -> None:
        """See ports.control.Control."""
        self._run.accept(check)

    def check_again(self) -> None:
        """See ports.control.Control."""
        self._wanted.set()
        self._run.check_again()
