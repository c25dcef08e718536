"""Loops of one process: each on its own, begun again where it fails, parked where it fails too often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.servers import eventually
from torrent_mover.domain.errors import TransferError
from torrent_mover.domain.restarts import RestartPolicy
from torrent_mover.engine.hub.loops import LoopState, LoopView, Supervisor


class Ticking:
    """A loop that does what the test says at each look, and counts them."""

    duty = "testing"

    def __init__(self, name: str, act: Callable[[threading.Event], float]) -> None:
        self.name = name
        self.looks = 0
        self._act = act

    def look(self, stop: threading.Event) -> float:
        self.looks += 1
        return self._act(stop)


class Quick:
    """A monotonic clock that a test can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock():
    return Quick()


@pytest.fixture
def supervisor(clock):
    supervisor = Supervisor(clock)
    yield supervisor
    assert supervisor.stop(20)


def state(supervisor: Supervisor, name: str) -> LoopView:
    return next(view for view in supervisor.views() if view.name == name)


def refuse(_stop: threading.Event) -> float:
    raise TransferError("The server is away.")


def fail_until_parked(supervisor: Supervisor, clock: Quick, name: str) -> None:
    def parked() -> bool:
        if state(supervisor, name).state is LoopState.RESTARTING:
            clock.ahead += 6.0
            supervisor.wake(name)
        return state(supervisor, name).state is LoopState.PARKED

    assert eventually(parked)


def test_a_loop_looks_again_after_the_seconds_that_it_says(supervisor, clock):
    loop = Ticking("a", lambda _stop: 3600.0)
    supervisor.start(loop)
    assert eventually(lambda: state(supervisor, "a").state is LoopState.WAITING)
    assert loop.looks == 1
    clock.ahead += 3600.0
    assert eventually(lambda: loop.looks == 2)


def test_a_loop_that_is_woken_looks_now(supervisor):
    loop = Ticking("a", lambda _stop: 3600.0)
    supervisor.start(loop)
    assert eventually(lambda: state(supervisor, "a").state is LoopState.WAITING)
    assert supervisor.wake("a")
    assert eventually(lambda: loop.looks == 2)
    assert not supervisor.wake("nobody")


def test_one_that_fails_too_often_is_parked_with_its_error_and_the_others_go_on(supervisor, clock):
    bad, good = Ticking("bad", refuse), Ticking("good", lambda _stop: 0.01)
    supervisor.start(bad)
    supervisor.start(good)
    fail_until_parked(supervisor, clock, "bad")

    assert bad.looks == 6
    assert "The server is away." in state(supervisor, "bad").error
    before = good.looks
    assert eventually(lambda: good.looks > before)


def test_a_parked_loop_goes_on_when_somebody_wakes_it(supervisor, clock):
    answers: list[Callable[[threading.Event], float]] = [refuse] * 6 + [lambda _stop: 3600.0]
    supervisor.start(Ticking("a", lambda stop: answers.pop(0)(stop)))  # noqa: PLW0108  one answer a look
    fail_until_parked(supervisor, clock, "a")
    assert supervisor.wake("a")
    assert eventually(lambda: state(supervisor, "a").state is LoopState.WAITING)
    assert state(supervisor, "a").error == ""


def test_something_that_is_no_error_of_ours_does_not_end_the_thread_unseen(supervisor, clock):
    def break_down(_stop: threading.Event) -> float:
        raise SystemExit(3)

    supervisor.start(Ticking("a", break_down))
    fail_until_parked(supervisor, clock, "a")
    assert "SystemExit" in state(supervisor, "a").error


def test_the_heart_of_one_that_hangs_stops_and_of_one_that_waits_goes_on(supervisor, clock):
    go = threading.Event()
    supervisor.start(Ticking("hangs", lambda _stop: float(go.wait(60))))
    supervisor.start(Ticking("waits", lambda _stop: 3600.0))
    assert eventually(lambda: state(supervisor, "waits").state is LoopState.WAITING)
    clock.ahead += 100.0
    assert eventually(lambda: state(supervisor, "waits").silent_for < 50)
    assert state(supervisor, "hangs").silent_for >= 100
    go.set()


def test_ending_one_does_not_stop_what_another_waits_for(supervisor):
    stopped: list[str] = []

    def hold(name: str) -> Callable[[threading.Event], float]:
        def act(stop: threading.Event) -> float:
            assert stop.wait(60)
            stopped.append(name)
            return 0.0

        return act

    supervisor.start(Ticking("one", hold("one")))
    supervisor.start(Ticking("two", hold("two")))
    assert eventually(lambda: all(view.state is LoopState.LOOKING for view in supervisor.views()))
    assert supervisor.end("one", 20)
    assert stopped == ["one"]
    assert [view.name for view in supervisor.views()] == ["two"]


def test_two_loops_of_one_name_are_refused(supervisor):
    supervisor.start(Ticking("a", lambda _stop: 3600.0))
    with pytest.raises(ValueError, match="already"):
        supervisor.start(Ticking("a", lambda _stop: 3600.0))


def test_a2_a_loop_that_fails_more_often_than_allowed_is_parked_with_its_error_and_others_go_on(clock):
    supervisor = Supervisor(clock, policy=RestartPolicy(pause=0.0, most=2, window=1000.0))
    failing, fine = Ticking("a", refuse), Ticking("b", lambda _stop: 0.0)
    supervisor.start(failing)
    supervisor.start(fine)
    try:
        assert eventually(lambda: state(supervisor, "a").state is LoopState.PARKED)
        assert "The server is away." in state(supervisor, "a").error
        assert state(supervisor, "b").state is not LoopState.PARKED
    finally:
        supervisor.stop(10)


def test_a_loop_that_is_paused_ends_its_look_and_begins_no_other_one_until_it_is_resumed(supervisor):
    loop = Ticking("one", lambda _stop: 0.01)
    supervisor.start(loop)
    eventually(lambda: loop.looks > 2)
    assert supervisor.pause("one")
    eventually(lambda: state(supervisor, "one").state is LoopState.PAUSED)
    looks = loop.looks
    assert state(supervisor, "one").next_look_in is None
    supervisor.wake("one")
    eventually(lambda: state(supervisor, "one").state is LoopState.PAUSED)
    assert loop.looks == looks
    assert supervisor.resume("one")
    eventually(lambda: loop.looks > looks)
    assert not supervisor.pause("another")


def test_who_listens_hears_of_a_pause_and_of_its_end(clock):
    heard = []
    supervisor = Supervisor(clock, lambda view: heard.append(view.state))
    supervisor.start(Ticking("one", lambda _stop: 1000.0))
    try:
        assert eventually(lambda: LoopState.WAITING in heard)
        supervisor.pause("one")
        assert heard[-1] is LoopState.PAUSED
        supervisor.resume("one")
        assert eventually(lambda: LoopState.LOOKING in heard[heard.index(LoopState.PAUSED) :])
    finally:
        supervisor.stop(10)


class Staying(Ticking):
    """A loop that stays in its look, and is asked there."""

    alive = True
    sign = 10.0
    """Seconds since its last one."""

    def __init__(self) -> None:
        super().__init__("stays", self._stay)
        self.asked: list[str] = []

    def _stay(self, stop: threading.Event) -> float:
        stop.wait()
        return 0.0

    def seen_alive(self, within: float) -> bool:
        return self.alive and within >= self.sign

    def wake(self) -> None:
        self.asked.append("wake")

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")


def test_a_look_without_a_sign_is_stuck_unless_the_loop_itself_gives_one(clock):
    supervisor = Supervisor(clock, stuck_after=900.0)
    stays, hangs = Staying(), Ticking("hangs", lambda stop: float(stop.wait()))
    try:
        for loop in (stays, hangs):
            supervisor.start(loop)
        eventually(lambda: all(view.state is LoopState.LOOKING for view in supervisor.views()))
        clock.ahead = 901.0
        assert state(supervisor, "hangs").state is LoopState.STUCK
        assert state(supervisor, "stays").state is LoopState.LOOKING
        assert (state(supervisor, "stays").silent_for, state(supervisor, "hangs").silent_for >= 901.0) == (10.0, True)
        stays.alive = False
        assert state(supervisor, "stays").state is LoopState.STUCK
        assert state(supervisor, "stays").silent_for >= 901.0
    finally:
        assert supervisor.stop(20)


def test_a_loop_that_stays_hears_what_it_is_asked(supervisor):
    loop = Staying()
    supervisor.start(loop)
    eventually(lambda: loop.looks)
    for order in (supervisor.pause, supervisor.resume, supervisor.wake, supervisor.restart):
        assert order("stays")

    assert loop.asked == ["pause", "resume", "wake", "wake"]
    supervisor.pause("stays")
    assert state(supervisor, "stays").state is LoopState.PAUSED


def test_how_often_a_loop_is_begun_again_is_configured(clock):
    supervisor = Supervisor(clock, policy=RestartPolicy(0.0, 1, 300.0))
    loop = Ticking("one", refuse)
    try:
        supervisor.start(loop)
        eventually(lambda: state(supervisor, "one").state is LoopState.PARKED)
        assert loop.looks == 2
        supervisor.restart("one")
        eventually(lambda: loop.looks == 4)
    finally:
        assert supervisor.stop(20)
