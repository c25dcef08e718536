"""One run of rsync, followed to its end: counts what it reports, and tells rsync at work from rsync that hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import Stalled
from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath
from torrent_mover.domain.rsync_exit import KEPT, RsyncRoute, explain
from torrent_mover.ports.rsync import Activity, Direction, RsyncCall, RsyncProgram, RsyncResult
from torrent_mover.ports.strategy import Sink
from torrent_mover.transfer.rsync_command import options
from torrent_mover.transfer.rsync_ledger import LegLedger
from torrent_mover.transfer.rsync_progress import Counted, FileAt, FileBegun, RsyncOutput

_PROGRESS_EVERY: Final = 2.0
"""rsync reports once a second while bytes come."""
_SETTLED: Final = 30.0
"""Seconds that a run gets before a changed limit starts it again; twice as many each time, since it compares first."""
_OUTGROWN: Final = 1.5
_WINDOW: Final = 10.0
_WORKING_CPU: Final = 0.1
_WORKING_BYTES: Final = 16 * 1024
"""In ten seconds: keep-alives of ssh and rsync stay far below, comparing even on a slow disk far above."""


@dataclass(frozen=True, slots=True)
class RsyncTuning:
    """What all legs have in common: the user's options that were accepted, and rsync_timeout in seconds."""

    options: tuple[str, ...] = ()
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class LegPlan:
    """What one run brings: files by index of the manifest, with their names below `remote` and `local`.

    `delta`: compare with what lies there. `limit`: bytes a second, or None. `leg`: as which the bytes are counted.
    """

    direction: Direction
    remote: HostPath
    local: LocalPath
    names: dict[int, RelativePath]
    delta: bool
    limit: Callable[[], int | None]
    leg: int
    other_mode: str = "sftp"
    """What messages offer where rsync cannot work."""


class LegRun:
    """A run under way: the RsyncWatcher that feeds the sink."""

    def __init__(
        self,
        program: RsyncProgram,
        plan: LegPlan,
        tuning: RsyncTuning,
        ledger: LegLedger,
        sink: Sink,
        monotonic: Callable[[], float],
    ) -> None:
        self._program = program
        self._plan = plan
        self._tuning = tuning
        self._ledger = ledger
        self._sink = sink
        self._output = RsyncOutput()
        self._monotonic = monotonic
        self._files = {bytes(name): index for index, name in plan.names.items()}
        self._left = dict(plan.names)
        self._file: int | None = None
        self._literal: int | None = None
        self._settled = _SETTLED
        self._begin()

    def _begin(self) -> None:
        self._limit = self._plan.limit()
        self._begun = self._monotonic()
        self._life = LifeSigns(self._monotonic)

    def run(self) -> None:
        """Bring it all. Raises what the exit code means, Stalled after silence, and what the sink raises."""
        result = self._attempt(delta=self._plan.delta)
        while result is None:
            self._settled *= 2
            self._begin()
            result = self._attempt(delta=True)
        self._sink.beat("")  # where the watchdog ended rsync, this says why
        if result.code:
            raise explain(result.code, result.complaints, self._route())
        sent, found = self._ledger.finish(self._literal)
        self._advance(sent)
        if found:
            self._sink.reuse(found, self._plan.leg)

    def _attempt(self, *, delta: bool) -> RsyncResult | None:
        """One process; None where it was ended because the limit has changed, which rsync takes only when it starts."""
        plan, tuning = self._plan, self._tuning
        wanted = options(delta=delta, timeout=tuning.timeout, limit=self._limit, extra=tuning.options)
        call = RsyncCall(plan.direction, wanted, plan.remote, plan.local, list(self._left.values()))
        try:
            return self._program.run(call, self, self._sink.on_abort)
        except _LimitChanged:
            self._literal = None
            return None

    def output(self, data: bytes) -> None:
        """See ports.rsync.RsyncWatcher."""
        self._life.heard()
        for said in self._output.feed(data):
            match said:
                case FileBegun(name):
                    self._file = self._files.get(name)
                case FileAt(offset, done):
                    self._passed(offset, done=done)
                case Counted(literal=True, count=count):
                    self._literal = count
        self._sink.beat("")

    def tick(self, activity: Activity) -> None:
        """See ports.rsync.RsyncWatcher."""
        if self._life.works(activity):
            moved = self._advance(self._ledger.carried(activity.wire))
            if not moved and self._life.silence() > _PROGRESS_EVERY:
                self._sink.beat("comparing")
        elif self._life.idle() > self._tuning.timeout:
            raise Stalled(
                f"rsync did nothing for {self._tuning.timeout:.0f} s, with {self._program.server} at the other end.",
                kept=KEPT,
                remedy="It is tried again; if it comes back, look at the disks and the load there, or raise rsync_timeout.",
                server=self._route().host,
            )
        if self._monotonic() - self._begun > self._settled and _unfit(self._limit, self._plan.limit()):
            raise _LimitChanged

    def _passed(self, offset: int, *, done: bool) -> None:
        if self._file is None:
            return
        self._advance(self._ledger.at(self._file, offset))
        self._sink.working_on(self._file, offset)
        if done:
            self._left.pop(self._file, None)

    def _advance(self, count: int) -> int:
        if count:
            self._sink.advance(count, self._plan.leg)
        return count

    def _route(self) -> RsyncRoute:
        there, here = f"{self._plan.remote} on {self._program.server}", str(self._plan.local)
        if self._plan.direction is Direction.PULL:
            return RsyncRoute(there, here, self._program.server, self._plan.other_mode)
        return RsyncRoute(here, there, self._program.server, self._plan.other_mode)


class LifeSigns:
    """Whether rsync does something: it speaks, or it and its ssh use CPU or move bytes. Times in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._heard = self._worked = monotonic()
        self._window: tuple[float, Activity] | None = None

    def heard(self) -> None:
        """It wrote something."""
        self._heard = self._monotonic()

    def works(self, activity: Activity) -> bool:
        """Whether it worked, by what it has done up to now compared with a moment ago."""
        now = self._monotonic()
        if self._window is None:
            self._window = (now, activity)
            return False
        begun, before = self._window
        moved = (activity.moved or 0) - (before.moved or 0)
        if activity.cpu - before.cpu >= _WORKING_CPU or moved >= _WORKING_BYTES:
            self._worked = now
            self._window = (now, activity)
            return True
        if now - begun >= _WINDOW:
            self._window = (now, activity)
        return False

    def silence(self) -> float:
        """How long it has written nothing."""
        return self._monotonic() - self._heard

    def idle(self) -> float:
        """How long it has neither written nor worked."""
        return self._monotonic() - max(self._heard, self._worked)


class _LimitChanged(Exception):
    """Ends a run, to be started again with another limit."""


def _unfit(given: int | None, now: int | None) -> bool:
    """Whether rsync would go on far too slow, or without any bound of its own. Below its bound the sink holds it back."""
    if given is None or now is None:
        return given is not now
    return now > given * _OUTGROWN
