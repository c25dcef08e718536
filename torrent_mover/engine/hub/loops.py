"""Runs loops side by side: each in a thread with a heartbeat, begun again where it fails, parked where it fails too often."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, runtime_checkable

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.restarts import USUAL, RestartPolicy, Restarts

_log = logging.getLogger(__name__)

_BEAT: Final = 1.0
"""Seconds between two heartbeats of a loop that waits."""

_SIGNS: Final = (2.0, 10.0, 60.0, 300.0)
"""Seconds within which a loop that says itself whether it moves is asked for a sign."""


class Loop(Protocol):
    """Something that looks again and again: a duty, or a part of it. Looks twice at the same time never."""

    @property
    def name(self) -> str:
        """Of its own among all loops."""

    @property
    def duty(self) -> str:
        """Which duty it belongs to."""

    def look(self, stop: threading.Event) -> float:
        """Look once and act; returns the seconds until the next look. Ends early where `stop` is set.

        May raise anything: it is begun again then.
        """


@runtime_checkable
class SeenAlive(Protocol):
    """A loop whose looks may take hours, and which says itself whether it moves."""

    def seen_alive(self, within: float) -> bool:
        """Whether it gave a sign in the last so many seconds."""


@runtime_checkable
class Woken(Protocol):
    """A loop that does more at a look that somebody has asked for."""

    def wake(self) -> None:
        """Look for something to do now, or at the next look."""


@runtime_checkable
class Steered(Protocol):
    """A loop that stays in one look, and hears there that it is paused."""

    def pause(self) -> None:
        """Begin nothing new."""

    def resume(self) -> None:
        """Go on."""


class LoopState(Enum):
    """How a loop is."""

    LOOKING = "looking"
    WAITING = "waiting"
    RESTARTING = "restarting"
    PARKED = "parked"
    PAUSED = "paused"
    STUCK = "stuck"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LoopView:
    """One loop as screens and probes see it. `silent_for` and `next_look_in` in seconds; `error` is the last failure."""

    name: str
    duty: str
    state: LoopState
    silent_for: float
    next_look_in: float | None
    restarts: int
    error: str = ""


class _Runner:
    """The thread of one loop."""

    def __init__(
        self,
        loop: Loop,
        monotonic: Callable[[], float],
        changed: Callable[[LoopView], object],
        policy: RestartPolicy,
        stuck_after: float | None,
    ) -> None:
        self._loop = loop
        self._policy = policy
        self._monotonic = monotonic
        self._stuck_after = stuck_after
        self._paused = False
        self._changed = changed
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._state = LoopState.WAITING
        self._beat = monotonic()
        self._next_at: float | None = None
        self._restarts = Restarts(policy=policy)
        self._error = ""
        self.thread = threading.Thread(target=self._run, name=f"loop {loop.name}", daemon=True)

    def view(self) -> LoopView:
        now = self._monotonic()
        next_in = None if self._next_at is None or self._paused else max(self._next_at - now, 0.0)
        restarts = len(self._restarts.moments)
        return LoopView(
            self._loop.name, self._loop.duty, self._shown(now), self._silent_for(now), next_in, restarts, self._error
        )

    def _silent_for(self, now: float) -> float:
        """Since the last sign: of the loop's beat, or of the loop that says itself whether it moves."""
        silent, loop = now - self._beat, self._loop
        if self._state is LoopState.LOOKING and isinstance(loop, SeenAlive):
            for within in _SIGNS:
                if within < silent and loop.seen_alive(within):
                    return within
        return silent

    def _shown(self, now: float) -> LoopState:
        stuck_after, loop = self._stuck_after, self._loop
        if self._state is LoopState.LOOKING and stuck_after is not None and now - self._beat > stuck_after:
            moves = isinstance(loop, SeenAlive) and loop.seen_alive(stuck_after)
            return LoopState.LOOKING if moves else LoopState.STUCK
        if self._paused and (self._state is not LoopState.LOOKING or isinstance(loop, Steered)):
            return LoopState.PAUSED
        return self._state

    def wake(self) -> None:
        """Look now; a loop that is parked is begun again."""
        if isinstance(self._loop, Woken):
            self._loop.wake()
        self._wake.set()

    def restart(self) -> None:
        """Forget its failures, and look now."""
        self._restarts = Restarts(policy=self._policy)
        self.wake()

    def pause(self) -> None:
        """Let it end its look, and begin no other one."""
        self._paused = True
        if isinstance(self._loop, Steered):
            self._loop.pause()
        self._changed(self.view())

    def resume(self) -> None:
        """Let it look again, now."""
        self._paused = False
        if isinstance(self._loop, Steered):
            self._loop.resume()
        self._wake.set()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            if self._paused:
                self._pause(None)
                continue
            self._enter(LoopState.LOOKING)
            pause: float | None
            try:
                pause = self._loop.look(self._stop)
            except BaseException as error:  # noqa: BLE001  whatever it is, the other loops go on, and this one is seen to have failed
                pause = self._failed(error)
            else:
                self._error = ""
                self._enter(LoopState.WAITING, pause)
            self._pause(pause)
        self._enter(LoopState.ENDED)

    def _failed(self, error: BaseException) -> float | None:
        """Seconds until it is begun again; None: it is parked."""
        self._error = str(error) if isinstance(error, MoverError) else f"{type(error).__name__}: {error}"
        if self._stop.is_set():
            return 0.0
        _log.error("loop %s failed", self._loop.name, exc_info=error)
        following = self._restarts.failed(self._monotonic())
        if following is None:
            self._restarts = Restarts(policy=self._policy)  # whoever wakes it gives it all its tries
            self._enter(LoopState.PARKED)
            return None
        self._restarts = following
        self._enter(LoopState.RESTARTING, self._policy.pause)
        return self._policy.pause

    def _enter(self, state: LoopState, pause: float | None = None) -> None:
        self._beat = self._monotonic()
        self._next_at = None if pause is None else self._beat + pause
        self._state = state
        self._changed(self.view())

    def _pause(self, seconds: float | None) -> None:
        """Wait that long, or (None) until woken or stopped; the heart goes on beating."""
        due = None if seconds is None else self._monotonic() + seconds
        while not self._wake.is_set():
            self._beat = self._monotonic()
            left = _BEAT if due is None else min(due - self._beat, _BEAT)
            if left <= 0:
                return
            self._wake.wait(left)


class Supervisor:
    """The loops of a process. Safe from any thread. `changed` hears of each change of a loop's state; it must not block.

    `stuck_after`: seconds without a sign after which a loop that looks counts as stuck; None: never.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        changed: Callable[[LoopView], object] = lambda _view: None,
        policy: RestartPolicy = USUAL,
        *,
        stuck_after: float | None = None,
    ) -> None:
        self._policy = policy
        self._monotonic = monotonic
        self._changed = changed
        self._stuck_after = stuck_after
        self._lock = threading.Lock()
        self._runners: dict[str, _Runner] = {}
        self._stopped = threading.Event()

    def start(self, loop: Loop) -> None:
        """Begin a loop. Raises ValueError where one of that name goes on already."""
        with self._lock:
            if loop.name in self._runners:
                raise ValueError(f"there is a loop {loop.name!r} already")
            if self._stopped.is_set():
                return
            runner = self._runners[loop.name] = _Runner(
                loop, self._monotonic, self._changed, self._policy, self._stuck_after
            )
        runner.thread.start()

    def end(self, name: str, within: float | None = None) -> bool:
        """Stop one loop and let it go; the others do not notice. False where it did not end within so many seconds."""
        with self._lock:
            runner = self._runners.get(name)
        if runner is None:
            return True
        runner.stop()
        runner.thread.join(within)
        if runner.thread.is_alive():
            return False
        with self._lock:
            self._runners.pop(name, None)
        return True

    def wake(self, name: str) -> bool:
        """Have a loop look now, also one that is parked. False where there is none of that name."""
        return self._tell(name, _Runner.wake)

    def restart(self, name: str) -> bool:
        """As `wake`, and its failures are forgotten."""
        return self._tell(name, _Runner.restart)

    def pause(self, name: str) -> bool:
        """Let a loop end its look, and begin no other one. False where there is none of that name."""
        return self._tell(name, _Runner.pause)

    def resume(self, name: str) -> bool:
        """Let a loop that was paused look again. False where there is none of that name."""
        return self._tell(name, _Runner.resume)

    def _tell(self, name: str, order: Callable[[_Runner], None]) -> bool:
        with self._lock:
            runner = self._runners.get(name)
        if runner is not None:
            order(runner)
        return runner is not None

    def views(self) -> Sequence[LoopView]:
        """All loops, in the order in which they were begun."""
        with self._lock:
            return [runner.view() for runner in self._runners.values()]

    def stop(self, within: float | None = None) -> bool:
        """Stop them all; whether all have ended within so many seconds."""
        with self._lock:
            self._stopped.set()
            runners = list(self._runners.values())
        for runner in runners:
            runner.stop()
        deadline = None if within is None else self._monotonic() + within
        for runner in runners:
            runner.thread.join(None if deadline is None else max(deadline - self._monotonic(), 0.0))
        return not any(runner.thread.is_alive() for runner in runners)
