"""One run of rsync, followed to its end: counts what it reports, and tells rsync at work from rsync that hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import Stalled
from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath
from torrent_mover.domain.rsync_exit import KEPT, RsyncRoute, explain
from torrent_mover.ports.rsync import Activity, Direction, RsyncCall, RsyncProgram
from torrent_mover.ports.strategy import Sink
from torrent_mover.transfer.rsync_command import options
from torrent_mover.transfer.rsync_ledger import LegLedger
from torrent_mover.transfer.rsync_progress import Counted, FileAt, FileBegun, RsyncOutput

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

    `delta`: compare with what lies there. `limit` in bytes a second. `leg`: as which the bytes are counted.
    """

    direction: Direction
    remote: HostPath
    local: LocalPath
    names: dict[int, RelativePath]
    delta: bool
    limit: int | None
    leg: int


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
        self._files = {bytes(name): index for index, name in plan.names.items()}
        self._file: int | None = None
        self._literal: int | None = None
        self._life = LifeSigns(tuning.timeout, monotonic)

    def run(self) -> None:
        """Bring it all. Raises what the exit code means, Stalled after silence, and what the sink raises."""
        plan, tuning = self._plan, self._tuning
        wanted = options(delta=plan.delta, timeout=tuning.timeout, limit=plan.limit, extra=tuning.options)
        call = RsyncCall(plan.direction, wanted, plan.remote, plan.local, list(plan.names.values()))
        result = self._program.run(call, self, self._sink.on_abort)
        self._sink.beat("")  # where the watchdog ended rsync, this says why
        if result.code:
            raise explain(result.code, result.complaints, self._route())
        sent, found = self._ledger.finish(self._literal)
        self._advance(sent)
        if found:
            self._sink.reuse(found, plan.leg)

    def output(self, data: bytes) -> None:
        """See ports.rsync.RsyncWatcher."""
        self._life.heard()
        for said in self._output.feed(data):
            match said:
                case FileBegun(name):
                    self._file = self._files.get(name)
                case FileAt(offset):
                    self._passed(offset)
                case Counted(literal=True, count=count):
                    self._literal = count
        self._sink.beat("")

    def tick(self, activity: Activity) -> None:
        """See ports.rsync.RsyncWatcher."""
        if activity.wire is not None:
            self._advance(self._ledger.carried(activity.wire))
        if self._life.seen(activity):
            self._sink.beat("comparing")
        elif self._life.silent_too_long():
            raise Stalled(
                f"rsync did nothing for {self._tuning.timeout:.0f} s, with {self._program.server} at the other end.",
                kept=KEPT,
                remedy="It is tried again; if it comes back, look at the disks and the load there, or raise rsync_timeout.",
            )

    def _passed(self, offset: int) -> None:
        if self._file is None:
            return
        self._advance(self._ledger.at(self._file, offset))
        self._sink.working_on(self._file, offset)

    def _advance(self, count: int) -> None:
        if count:
            self._sink.advance(count, self._plan.leg)

    def _route(self) -> RsyncRoute:
        there, here = f"{self._plan.remote} on {self._program.server}", str(self._plan.local)
        if self._plan.direction is Direction.PULL:
            return RsyncRoute(there, here, self._program.server)
        return RsyncRoute(here, there, self._program.server, "sftp_upload")


class LifeSigns:
    """Whether rsync does something: it speaks, or it and its ssh use CPU or move bytes. `patience` in seconds."""

    def __init__(self, patience: float, monotonic: Callable[[], float]) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._last = monotonic()
        self._window: tuple[float, Activity] | None = None

    def heard(self) -> None:
        """It wrote something."""
        self._last = self._monotonic()

    def seen(self, activity: Activity) -> bool:
        """Whether it worked, by what it has done up to now compared with a moment ago."""
        now = self._monotonic()
        if self._window is None:
            self._window = (now, activity)
            return False
        begun, before = self._window
        moved = (activity.moved or 0) - (before.moved or 0)
        if activity.cpu - before.cpu >= _WORKING_CPU or moved >= _WORKING_BYTES:
            self._last = now
            self._window = (now, activity)
            return True
        if now - begun >= _WINDOW:
            self._window = (now, activity)
        return False

    def silent_too_long(self) -> bool:
        """Whether the last sign of life is longer ago than the patience."""
        return self._monotonic() - self._last > self._patience
