"""The loops of a process by turns: each looks when its time has come on the simulated clock, in the thread that drives it all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.engine.fuse import Killed
from tests.longrun.clockwork import Process
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.domain.restarts import USUAL, RestartPolicy, Restarts
from torrent_mover.engine.hub.loops import Loop, LoopState, LoopView, Steered

WAITING = (MoveStatus.QUEUED, MoveStatus.RETRYING)
PATIENCE = 30.0
"""Real seconds that the moves may be busy before the driver goes on all the same."""


@dataclass
class Seat:
    """One loop and when it looks next (monotonic seconds of the simulated clock); None: it is parked, or has its own thread."""

    loop: Loop
    due: float | None
    restarts: Restarts
    stop: threading.Event = field(default_factory=threading.Event)
    state: LoopState = LoopState.WAITING
    error: str = ""
    looks: int = 0
    thread: threading.Thread | None = None


class TurnSupervisor:
    """Stands for engine.hub.loops.Supervisor: it begins no thread but for what looks on without end (the moves)."""

    seats: ClassVar[list[Seat]] = []
    """Of the process that runs now, all supervisors together."""
    failures: ClassVar[list[tuple[str, BaseException]]] = []
    """What ended a look and is no MoverError: a fault of the program."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        changed: Callable[[LoopView], object] = lambda _view: None,
        policy: RestartPolicy = USUAL,
        *,
        stuck_after: float | None = None,
    ) -> None:
        del monotonic, stuck_after
        self._changed = changed
        self._policy = policy
        self._seats: dict[str, Seat] = {}

    @staticmethod
    def _now() -> float:
        return Process.now.clock.monotonic()

    def start(self, loop: Loop) -> None:
        """See the real one."""
        if loop.name in self._seats:
            raise ValueError(f"there is a loop {loop.name!r} already")
        seat = self._seats[loop.name] = Seat(loop, self._now(), Restarts(policy=self._policy))
        TurnSupervisor.seats.append(seat)
        if isinstance(loop, Steered) and hasattr(loop, "_watch"):
            seat.due = None
            seat.thread = threading.Thread(target=self._stay, args=(seat,), name=f"loop {loop.name}", daemon=True)
            seat.thread.start()

    def _stay(self, seat: Seat) -> None:
        """The moves: begun again where a fault ends them."""
        while not seat.stop.is_set():
            try:
                seat.looks += 1
                seat.loop.look(seat.stop)
            except Killed:
                return
            except MoverError as error:
                seat.error = str(error)
                time.sleep(0.01)
            except BaseException as error:  # noqa: BLE001  told at the end of the run
                TurnSupervisor.failures.append((seat.loop.name, error))
                return

    def take_turn(self, seat: Seat) -> None:
        """Let a loop look. Raises Killed where the process dies meanwhile."""
        seat.looks += 1
        try:
            pause: float | None = seat.loop.look(seat.stop)
            seat.error, seat.state = "", LoopState.WAITING
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001  as the real one
            if not isinstance(error, MoverError):
                TurnSupervisor.failures.append((seat.loop.name, error))
            seat.error = str(error)
            following = seat.restarts.failed(self._now())
            seat.state = LoopState.RESTARTING if following else LoopState.PARKED
            seat.restarts = following or Restarts(policy=self._policy)
            pause = self._policy.pause if following else None
        seat.due = None if pause is None else self._now() + pause
        self._changed(self._view(seat))

    def end(self, name: str, within: float | None = None) -> bool:
        """See the real one."""
        seat = self._seats.pop(name, None)
        if seat is not None:
            TurnSupervisor.seats.remove(seat)
            seat.stop.set()
            if seat.thread is not None:
                seat.thread.join(within)
                return not seat.thread.is_alive()
        return True

    def stop(self, within: float | None = None) -> bool:
        """See the real one."""
        ended = [self.end(name, within) for name in list(self._seats)]
        return all(ended)

    def wake(self, name: str) -> bool:
        """See the real one."""
        if name in self._seats and self._seats[name].thread is None:
            loop: Any = self._seats[name].loop
            if hasattr(loop, "wake"):
                loop.wake()
            self._seats[name].due = self._now()
        return name in self._seats

    restart = wake
    resume = wake

    def pause(self, name: str) -> bool:
        """See the real one: nobody pauses here."""
        return name in self._seats

    def views(self) -> Sequence[LoopView]:
        """See the real one."""
        return [self._view(seat) for seat in list(self._seats.values())]

    def _view(self, seat: Seat) -> LoopView:
        left = None if seat.due is None else max(seat.due - self._now(), 0.0)
        restarts = len(seat.restarts.moments)
        return LoopView(seat.loop.name, seat.loop.duty, seat.state, 0.0, left, restarts, seat.error)

    def owns(self, seat: Seat) -> bool:
        """Whether the loop is one of its own."""
        return seat in self._seats.values()


class MovesGo:
    """Lets the moves go round while somebody waits for them, and at no other time: so the load changes nothing."""

    now = threading.Event()
    now.set()


def settle(watch: Any, patience: float = PATIENCE) -> bool:
    """Wait until the moves have nothing to do at this moment of the simulated clock; False where they are busy for too long."""
    ends, calm = time.monotonic() + patience, 0
    MovesGo.now.set()
    try:
        while time.monotonic() < ends and not Process.now.fuse.dead:
            calm = calm + 1 if _calm(watch) else 0
            if calm >= 2:
                return True
            time.sleep(0.003)
        return Process.now.fuse.dead
    finally:
        MovesGo.now.clear()


def _calm(watch: Any) -> bool:
    run = watch._run
    if watch._resting:
        return True
    members = run.members
    return bool(members) and all(_at_rest(each) for each in members)


def _at_rest(run: Any) -> bool:
    now = Process.now.clock.monotonic()
    if run._exit_code is not None:
        return not run.replaced  # it has ended: its group begins another one when the time has come
    rounds = run._rounds
    if rounds is None or rounds._look_at is None or run._phase not in (Phase.WATCHING, Phase.RUNNING):
        return False
    roster = run._engine.roster
    for row in roster.rows():
        if row.standing is MoveStatus.ACTIVE:
            return False
        if row.standing in WAITING and row.ready_at <= now:
            with roster._changed:
                roster._changed.notify_all()
            return False
    if rounds._moving is not None and not any(row.standing in WAITING for row in roster.rows()):
        return False
    soonest = rounds._soonest()
    return soonest is None or soonest > now
