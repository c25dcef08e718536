import threading
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.errors import Cancelled
from torrent_mover.transfer.lanes import LaneController, LaneShare, in_order

LOOK = 0.1
ENOUGH = 1 << 40
MIB = 1 << 20


class Transfer:
    """One that goes on under a controller; new lanes bring nothing for some looks, while they connect."""

    def __init__(self, limit, *, left=ENOUGH, connecting=3, round_trip=0.0):
        self.controller = LaneController(limit=limit, round_trip=round_trip)
        self.now = 0.0
        self._left = left
        self._connecting = connecting
        self._moved = 0.0
        self._working = 1
        self._waited = 0

    def run(self, rate_of, seconds):
        """`rate_of(lanes)` in bytes/s. Returns the lanes wanted after each look."""
        seen = []
        for _ in range(round(seconds / LOOK)):
            self.now += LOOK
            self._moved += rate_of(self._working) * LOOK
            wanted = self.controller.observe(self.now, int(self._moved), self._left, self._working)
            self._waited = self._waited + 1 if wanted > self._working else 0
            if self._waited > self._connecting or wanted < self._working:
                self._working = wanted
            seen.append(wanted)
        return seen


def test_a_line_that_one_lane_fills_keeps_one():
    seen = Transfer(8).run(lambda _lanes: 20 * MIB, 300)
    assert max(seen) == 2
    assert seen.count(2) < len(seen) / 20


def test_a_far_server_gets_as_many_lanes_as_help():
    seen = Transfer(8).run(lambda lanes: 35 * MIB * lanes, 15)
    assert seen[-1] == 8


def test_a_machine_that_two_lanes_fill_keeps_two():
    seen = Transfer(8).run(lambda lanes: min(lanes, 2) * 400 * MIB, 300)
    assert seen.count(2) > len(seen) * 9 / 10


def test_lanes_that_make_it_slower_are_taken_back():
    rates = {1: 20 * MIB, 2: 15 * MIB, 4: 8 * MIB, 8: 4 * MIB}
    seen = Transfer(8).run(rates.__getitem__, 300)
    assert seen.count(1) > len(seen) * 19 / 20


def test_the_limit_is_never_passed_even_where_it_is_no_power_of_two():
    seen = Transfer(7).run(lambda lanes: 10 * MIB * lanes, 15)
    assert seen[-1] == max(seen) == 7


def test_a_lower_limit_holds_at_once_and_a_higher_one_is_used_soon():
    transfer = Transfer(8)
    transfer.run(lambda lanes: 10 * MIB * lanes, 15)
    transfer.controller.limit = 3
    assert transfer.run(lambda lanes: 10 * MIB * lanes, 1)[0] == 3
    transfer.controller.limit = 8
    assert transfer.run(lambda lanes: 10 * MIB * lanes, 10)[-1] == 8


def test_little_work_is_not_worth_another_connection():
    assert Transfer(8, left=50 * MIB).run(lambda lanes: 100 * MIB * lanes, 10)[-1] == 1


@pytest.mark.parametrize(
    ("limit", "left", "lanes"), [(8, ENOUGH, 4), (3, ENOUGH, 3), (8, 20 * MIB, 2), (8, 7 * MIB, 1)]
)
def test_a_far_server_gets_lanes_from_the_start_where_there_is_work_for_them(limit, left, lanes):
    assert Transfer(limit, left=left, round_trip=0.05).run(lambda _lanes: 0, LOOK) == [lanes]


def test_a_slow_far_line_keeps_the_lanes_of_its_start():
    seen = Transfer(8, round_trip=0.05).run(lambda _lanes: 20 * MIB, 300)
    assert min(seen) == 4
    assert seen.count(8) < len(seen) / 10


def test_a_far_server_that_takes_a_lane_away_is_left_alone():
    transfer = Transfer(8, round_trip=0.05)
    transfer.run(lambda _lanes: 20 * MIB, 1)
    transfer.controller.lost(transfer.now, 2)
    assert max(transfer.run(lambda _lanes: 20 * MIB, 9)) == 2


def test_more_is_tried_again_after_a_while():
    transfer = Transfer(8)
    assert transfer.run(lambda _lanes: 20 * MIB, 10)[-1] == 1
    assert transfer.run(lambda lanes: 20 * MIB * lanes, 30)[-1] == 8


def test_lanes_chosen_in_a_lucky_start_are_chosen_again_when_the_rate_falls():
    transfer = Transfer(8)
    assert transfer.run(lambda _lanes: 10 * MIB, 4)[-1] == 1
    assert transfer.run(lambda lanes: 1.4 * MIB * lanes, 15)[-1] == 8


def test_a_lost_lane_is_not_replaced_at_once():
    transfer = Transfer(8)
    transfer.run(lambda lanes: 20 * MIB * lanes, 15)
    transfer.controller.lost(transfer.now, 5)
    assert transfer.run(lambda lanes: 20 * MIB * lanes, 9)[-1] == 5
    assert transfer.run(lambda lanes: 20 * MIB * lanes, 9)[-1] == 8


@given(
    limits=st.lists(st.integers(1, 12), min_size=1, max_size=20),
    rates=st.lists(st.integers(0, 500 * MIB), min_size=12, max_size=12),
    working=st.data(),
    round_trip=st.sampled_from([0.0, 0.1]),
)
def test_whatever_happens_there_is_one_lane_and_never_more_than_allowed(limits, rates, working, round_trip):
    controller = LaneController(limit=limits[0], round_trip=round_trip)
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


def test_transfers_that_go_both_ways_between_two_servers_never_wait_for_each_other():
    here, there = LaneShare(1), LaneShare(1)

    def transfers(*shares):
        for _ in range(200):
            with ExitStack() as stack:
                for share in in_order(shares):
                    stack.enter_context(share.joined(lambda: None))

    threads = [threading.Thread(target=transfers, args=pair, daemon=True) for pair in ((here, there), (there, here))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_one_server_at_both_ends_is_joined_once():
    only = LaneShare(1)

    assert in_order((only, only)) == [only]
