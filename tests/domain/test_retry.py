import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.errors import ConnectionLost, HostKeyChanged, Stalled
from torrent_mover.domain.retry import Backoff, count_failure

BACKOFF = Backoff(base=10, cap=60, jitter=0.2, attempts=5)


def test_waits_double_up_to_the_cap():
    assert [BACKOFF.delay(failures, 0.5) for failures in (1, 2, 3, 4, 5, 5000)] == [10, 20, 40, 60, 60, 60]


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_jitter_stays_within_its_part(failures, random):
    plain = BACKOFF.delay(failures, 0.5)
    assert plain * 0.8 - 1e-6 <= BACKOFF.delay(failures, random) <= plain * 1.2 + 1e-6


@pytest.mark.parametrize("random", [0.0, 1.0])
def test_the_jitter_is_used_in_full(random):
    assert BACKOFF.delay(1, random) == pytest.approx(8 if random == 0 else 12)


def test_what_a_person_must_change_is_never_tried_again():
    assert BACKOFF.next_delay(HostKeyChanged("changed"), 1, 0.5) is None


def test_a_stall_waits_first():
    assert BACKOFF.next_delay(Stalled("stalled"), 1, 0.5) == 10


def test_a_lost_connection_is_tried_at_once_and_then_waits():
    lost = ConnectionLost("lost")
    assert [BACKOFF.next_delay(lost, failures, 0.5) for failures in (1, 2, 3, 4)] == [0, 10, 20, 40]


def test_gives_up_after_the_last_attempt():
    assert BACKOFF.next_delay(ConnectionLost("lost"), 5, 0.5) is None


def test_an_attempt_that_brought_something_counts_as_the_first():
    assert count_failure(4, progressed=True) == 1
    assert count_failure(4, progressed=False) == 5
