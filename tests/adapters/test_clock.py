import threading
import time

import pytest

from tests.fakes.clock import FakeClock
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.domain.errors import Cancelled


def test_a_wait_lasts_its_time():
    clock = SystemClock()
    started = clock.monotonic()
    clock.wait(0.02)
    assert clock.monotonic() - started >= 0.02
    clock.wait(-1)


def test_a_stop_ends_a_wait_at_once_and_all_later_ones():
    stop = threading.Event()
    clock = SystemClock(stop)
    threading.Timer(0.02, stop.set).start()
    with pytest.raises(Cancelled):
        clock.wait(3600)  # longer than a test may take
    with pytest.raises(Cancelled):
        clock.wait(0)


def test_the_hours_of_a_machine_that_sleeps_count(monkeypatch):
    clock, slept = SystemClock(), 8 * 3600
    before, awake = clock.monotonic(), time.clock_gettime
    # CLOCK_BOOTTIME goes on while a machine sleeps, CLOCK_MONOTONIC stands (clock_gettime(2)).
    monkeypatch.setattr(
        time, "clock_gettime", lambda which: awake(which) + (slept if which == time.CLOCK_BOOTTIME else 0)
    )
    assert clock.monotonic() - before >= slept


def test_it_tells_unix_time():
    assert abs(SystemClock().now() - time.time()) < 5


def test_the_clock_of_the_tests_moves_both_times_by_a_wait():
    clock = FakeClock(now=100.0, monotonic=5.0)
    clock.wait(10)
    assert (clock.now(), clock.monotonic(), clock.waits) == (110.0, 15.0, [10])
    clock.jump(-50)
    assert (clock.now(), clock.monotonic()) == (60.0, 15.0)
    clock.stop()
    with pytest.raises(Cancelled):
        clock.wait(1)


def test_a_blocking_clock_of_the_tests_waits_until_the_test_lets_time_pass():
    clock = FakeClock(blocking=True)
    waiting = threading.Thread(target=clock.wait, args=(10,))
    waiting.start()
    assert clock.await_waits()
    clock.advance(9)
    waiting.join(0.05)
    assert waiting.is_alive()
    clock.advance(1)
    waiting.join(60)
    assert not waiting.is_alive()
