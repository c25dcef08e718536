"""Waiting for a recheck: growth, queues and errors are told apart, and each of the three timeouts means what it says."""

from __future__ import annotations

import threading

import pytest

from tests.fakes.clock import FakeClock
from torrent_mover.domain.errors import Cancelled, RecheckFailed
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.pulse import Pulse
from torrent_mover.engine.proof.recheck import RecheckPatience, Turns, recheck
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict

ID = InfoHash("a" * 40)
PATIENCE = RecheckPatience(stuck=60, stopped=15, grace=90)


class Scripted:
    """A client whose recheck shows, `steps`: (seconds, verdict, fraction or (from, to)), one after the other."""

    name = "nas:8080"

    def __init__(self, clock: FakeClock, *steps) -> None:
        self._clock = clock
        self._steps = steps
        self._began = clock.monotonic()

    def recheck(self, _torrent):
        return self

    def lookup(self, _torrents):
        return {}

    def poll(self, _row=None) -> RecheckProgress:
        passed = self._clock.monotonic() - self._began
        for seconds, verdict, fraction in self._steps:
            if passed < seconds:
                return RecheckProgress(verdict, self._grown(fraction, passed / seconds), verdict.name.lower())
            passed -= seconds
        _, verdict, fraction = self._steps[-1]
        return RecheckProgress(verdict, self._grown(fraction, 1.0), verdict.name.lower())

    @staticmethod
    def _grown(fraction, part: float) -> float:
        return fraction if isinstance(fraction, float) else fraction[0] + (fraction[1] - fraction[0]) * part


@pytest.fixture
def clock():
    return FakeClock()


def checked(client: Scripted, clock: FakeClock) -> RecheckProgress:
    return recheck(client, ID, PATIENCE, Pulse(client, clock), clock, lambda _progress: None)


def outcome(clock, *steps) -> tuple[str, float]:
    """How it ends, and after how many seconds."""
    began = clock.monotonic()
    try:
        verdict = checked(Scripted(clock, *steps), clock).verdict.name
    except RecheckFailed:
        verdict = "given up"
    return verdict, clock.monotonic() - began


QUEUED, CHECKING = RecheckVerdict.QUEUED, RecheckVerdict.CHECKING
GOOD, BAD, FAILED = RecheckVerdict.GOOD, RecheckVerdict.BAD, RecheckVerdict.FAILED


def test_a_check_that_grows_may_take_for_ever(clock):
    hours = 6 * 3600.0
    assert outcome(clock, (hours, CHECKING, (0.0, 1.0)), (1, GOOD, 1.0)) == ("GOOD", pytest.approx(hours, abs=2))


def test_a_check_that_stops_growing_is_given_up_after_the_stuck_timeout(clock):
    ended, after = outcome(clock, (100.0, CHECKING, (0.0, 0.4)), (9999.0, CHECKING, 0.4))
    assert (ended, after) == ("given up", pytest.approx(160, abs=2))


def test_a_check_that_has_not_begun_to_grow_gets_the_grace_period_more(clock):
    ended, after = outcome(clock, (9999.0, CHECKING, 0.0))
    assert (ended, after) == ("given up", pytest.approx(150, abs=2))


def test_waiting_in_the_clients_queue_is_not_being_stuck(clock):
    ended, _ = outcome(clock, (3600.0, QUEUED, 0.0), (30.0, CHECKING, (0.0, 1.0)), (1.0, GOOD, 1.0))
    assert ended == "GOOD"


def test_a_wrong_state_is_given_up_after_the_stopped_timeout(clock):
    assert outcome(clock, (9999.0, FAILED, 0.0)) == ("given up", pytest.approx(15, abs=1))


def test_a_wrong_state_that_passes_is_forgiven(clock):
    steps = [(10.0, FAILED, 0.0), (20.0, CHECKING, (0.0, 0.5)), (10.0, FAILED, 0.5), (5.0, CHECKING, (0.5, 1.0))]
    assert outcome(clock, *steps, (1.0, BAD, 1.0))[0] == "BAD"


def test_what_is_given_up_says_where_it_stood_and_which_setting_helps(clock):
    with pytest.raises(RecheckFailed) as failed:
        checked(Scripted(clock, (9999.0, CHECKING, 0.25)), clock)
    assert "25%" in failed.value.what
    assert "recheck_stuck_timeout" in failed.value.remedy
    assert "source" in failed.value.kept


def test_a_stop_ends_the_wait(clock):
    clock.stop()
    with pytest.raises(Cancelled):
        checked(Scripted(clock, (9999.0, QUEUED, 0.0)), clock)


def test_as_many_have_their_turn_as_the_client_can_answer_for():
    clock = FakeClock()
    pulse = Pulse(Scripted(clock, (1.0, QUEUED, 0.0)), clock)
    turns = Turns(pulse, clock)
    quick = turns.limit
    pulse.listings.took = 0.2
    busy = turns.limit
    pulse.listings.took = 30.0
    assert quick > busy > turns.limit == 2


def test_whoever_finds_no_turn_waits_without_looking_dead():
    clock = FakeClock(blocking=True)
    pulse = Pulse(Scripted(clock, (1.0, QUEUED, 0.0)), clock)
    pulse.listings.took = 30.0
    turns = Turns(pulse, clock)
    signs: list[str] = []
    inside = threading.Semaphore(0)
    leave = threading.Event()

    def check() -> None:
        with turns.turn(signs.append):
            inside.release()
            leave.wait(60)

    threads = [threading.Thread(target=check, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=60)
    assert inside.acquire(timeout=60)
    assert clock.await_waits()
    assert not inside.acquire(blocking=False)
    assert signs == ["waits for its turn to be checked"]
    leave.set()
    while not inside.acquire(timeout=0.05):
        clock.advance(0.5)
    for thread in threads:
        thread.join(60)


def test_a_client_that_takes_seconds_to_answer_is_asked_no_more_than_half_of_the_time(clock):
    class Slow(Scripted):
        def lookup(self, torrents):
            clock.advance(4.0)
            return super().lookup(torrents)

    checked(Slow(clock, (40, CHECKING, (0.0, 1.0)), (1, GOOD, 1.0)), clock)

    assert clock.waits
    assert min(clock.waits[1:]) >= 4.0


@pytest.mark.parametrize(
    ("waiting", "took", "beat"),
    [(1, 0.0, 0.25), (1, 0.001, 0.25), (10, 0.001, 0.5), (24, 0.001, 1.0), (1, 0.01, 0.5), (1, 0.2, 1.0)],
)
def test_few_who_wait_at_a_quick_client_are_told_sooner(clock, waiting, took, beat):
    class Answering(Scripted):
        def lookup(self, torrents):
            asked.append((clock.monotonic(), len(torrents)))
            clock.advance(took)
            return super().lookup(torrents)

    asked: list[tuple[float, int]] = []
    pulse = Pulse(Answering(clock, (1.0, QUEUED, 0.0)), clock)
    others = frozenset(InfoHash(f"{number:040x}") for number in range(1, waiting))

    for _ in range(3):
        joined, _leads = pulse._join(ID)
        joined.wanted |= others  # they came while the listing was not due
        pulse._ask(joined)

    (first, many), (second, _), (third, _) = asked
    assert many == waiting
    assert [second - first, third - second] == [pytest.approx(beat)] * 2
