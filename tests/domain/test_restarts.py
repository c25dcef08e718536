"""What fails is begun again five times in five minutes, and then parked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from torrent_mover.domain.restarts import USUAL, Restarts

MOST, WINDOW = USUAL.most, USUAL.window


def test_five_failures_in_a_row_are_begun_again_and_the_sixth_parks():
    restarts = Restarts()
    for second in range(MOST):
        restarts = restarts.failed(float(second))
        assert restarts is not None
    assert restarts.failed(float(MOST)) is None


def test_failures_of_long_ago_do_not_count():
    restarts = Restarts(tuple(float(second) for second in range(MOST)))
    assert restarts.failed(WINDOW + MOST) is not None


@given(some.lists(some.floats(0.1, 2 * WINDOW), max_size=50))
def test_never_more_beginnings_in_a_window_than_allowed(gaps):
    restarts, now = Restarts(), 0.0
    for gap in gaps:
        now += gap
        restarts = restarts.failed(now) or restarts
        assert sum(now - moment < WINDOW for moment in restarts.moments) <= MOST
