import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.errors import Cancelled
from torrent_mover.transfer.lanes import LaneController, LaneShare

LOOK = 0.1
ENOUGH = 1 << 40
MIB = 1 << 20


def ran(controller, rate_of, seconds, *, left=ENOUGH, at=0.0, connecting=3):
    """Looks of a transfer whose rate follows the number of lanes; returns the lanes wanted after each look.

    New lanes bring nothing for `connecting` looks.
    """
    moved, seen, working, since = 0.0, [], controller.wanted, 0
    for step in range(round(seconds / LOOK)):
        moved += rate_of(working) * LOOK
        wanted = controller.observe(at + step * LOOK, int(moved), left, working)
        since = since + 1 if working != wanted else 0
        if since > connecting or working > wanted:
            working, since = wanted, 0
        seen.append(wanted)
    return seen


def test_a_line_that_one_lane_fills_keeps_one():
    seen = ran(LaneController(limit=8), lambda _lanes: 20 * MIB, 15)
    assert max(seen) == 2
    assert seen[-1] == 1


def test_a_far_server_gets_as_many_lanes_as_help():
    seen = ran(LaneController(limit=8), lambda lanes: 35 * MIB * lanes, 15)
    assert seen[-1] == 8


def test_a_machine_that_two_lanes_fill_keeps_two():
    seen = ran(LaneController(limit=8), lambda lanes: min(lanes, 2) * 400 * MIB, 15)
    assert seen[-1] == 2


def test_lanes_that_make_it_slower_are_taken_back():
    rates = {1: 20 * MIB, 2: 15 * MIB, 4: 8 * MIB, 8: 4 * MIB}
    assert ran(LaneController(limit=8), rates.__getitem__, 15)[-1] == 1


def test_the_limit_is_never_passed_even_where_it_is_no_power_of_two():
    seen = ran(LaneController(limit=7), lambda lanes: 10 * MIB * lanes, 15)
    assert seen[-1] == max(seen) == 7


def test_a_lower_limit_holds_at_once_and_a_higher_one_is_used_soon():
    controller = LaneController(limit=8)
    ran(controller, lambda lanes: 10 * MIB * lanes, 15)
    controller.limit = 3
    assert controller.observe(20.0, 1 << 35, ENOUGH, 8) == 3
    controller.limit = 8
    assert ran(controller, lambda lanes: 10 * MIB * lanes, 10, at=20.1)[-1] == 8


def test_little_work_is_not_worth_another_connection():
    assert ran(LaneController(limit=8), lambda lanes: 100 * MIB * lanes, 10, left=50 * MIB)[-1] == 1


def test_more_is_tried_again_after_a_while():
    controller = LaneController(limit=8)
    assert ran(controller, lambda _lanes: 20 * MIB, 10)[-1] == 1
    assert ran(controller, lambda lanes: 20 * MIB * lanes, 30, at=10.0)[-1] == 8


def test_a_lost_lane_is_not_replaced_at_once():
    controller = LaneController(limit=8)
    ran(controller, lambda lanes: 20 * MIB * lanes, 15)
    controller.lost(15.0, 5)
    assert ran(controller, lambda lanes: 20 * MIB * lanes, 5, at=15.0)[-1] == 5


@given(
    limits=st.lists(st.integers(1, 12), min_size=1, max_size=20),
    rates=st.lists(st.integers(0, 500 * MIB), min_size=12, max_size=12),
    working=st.data(),
)
def test_whatever_happens_there_is_one_lane_and_never_more_than_allowed(limits, rates, working):
    controller = LaneController(limit=limits[0])
    moved, now = 0, 0.0
    for limit in limits:
        controller.limit = limit
        for _ in range(8):
            wanted = controller.observe(now, moved, ENOUGH, working.draw(st.integers(0, 12)))
            assert 1 <= wanted <= limit
            moved += int(rates[wanted - 1] * LOOK)
            now += LOOK


@given(limit=st.integers(1, 20), transfers=st.integers(1, 20))
def test_the_shares_use_all_lanes_and_no_more(limit, transfers):
    share = LaneShare(limit)
    running = min(limit, transfers)
    joined = [share.joined(lambda: None) for _ in range(running)]
    shares = [each.__enter__() for each in joined]
    counts = [each() for each in shares]
    assert sum(counts) == limit
    assert max(counts) - min(counts) <= 1
    for each in joined:
        each.__exit__(None, None, None)


def test_when_one_leaves_the_others_get_its_lanes():
    share = LaneShare(4)
    with share.joined(lambda: None) as first:
        with share.joined(lambda: None) as second:
            assert (first(), second()) == (2, 2)
        assert first() == 4


def test_who_waits_for_a_lane_may_give_up():
    share = LaneShare(1)

    def stop():
        raise Cancelled("Stopped.")

    with share.joined(lambda: None), pytest.raises(Cancelled), share.joined(stop):
        pass


def test_who_waits_gets_the_lane_that_becomes_free():
    share, entered = LaneShare(1), threading.Event()

    def join():
        with share.joined(lambda: None):
            entered.set()

    thread = threading.Thread(target=join)
    with share.joined(lambda: None):
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join(10)
