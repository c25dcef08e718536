"""What former moves promise for the next one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.report.timing import Task, Timing, usual_rate, usual_time

GIB = 1024**3


def took(size: int, seconds: float) -> Timing:
    return Timing(Task.CHECK, "nas", size, seconds, 0.0)


def test_nothing_known_promises_nothing():
    assert usual_rate([]) == 0.0
    assert usual_time([]) is None
    assert usual_rate([took(0, 5.0)]) == 0.0


def test_one_bad_night_changes_nothing():
    usual = [took(GIB, 10.0) for _ in range(6)]

    assert usual_rate([*usual, took(GIB, 9000.0)]) == GIB / 10
    assert usual_time([*usual, took(GIB, 9000.0)]) == 10.0


def test_small_torrents_which_are_all_waiting_do_not_slow_the_promise_for_a_large_one():
    assert usual_rate([took(50 * GIB, 100.0), *(took(1024, 3.0) for _ in range(15))]) == GIB / 2


def test_less_than_a_second_is_no_measure_of_speed():
    assert usual_rate([took(1024, 0.001)]) == 1024


@given(st.lists(st.tuples(st.integers(1, 10**13), st.floats(0, 10**6)), min_size=1))
def test_the_usual_is_one_that_was_seen(parts):
    timings = [took(size, seconds) for size, seconds in parts]

    assert any(usual_rate(timings) == pytest.approx(size / max(seconds, 1.0)) for size, seconds in parts)
    assert min(seconds for _, seconds in parts) <= usual_time(timings) <= max(seconds for _, seconds in parts)
