"""The one limiter of a token: ranks, lanes, probes, threads that stop, and what a restart knows."""

from __future__ import annotations

import threading

import pytest

from tests.doubles.debrid_house import debrid_house
from tests.doubles.realdebrid import RealDebridDouble
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.debrid.gate import DebridLane, Gate
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.domain.debrid.account import Rank, Rates
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import DebridPaused
from torrent_mover.domain.errors import Cancelled, DiskFull

RATES = Rates(250, lists_a_minute=60, adds_an_hour=60)


def gate_of(clock, records=None, rates=RATES):
    return Gate("The service", 200 / 60, rates, clock, records)


def test_a_rest_allows_ten_at_once_and_then_the_rate():
    clock = FakeClock()
    gate = gate_of(clock)
    clock.advance(3600)
    began = clock.monotonic()
    for _ in range(10):
        gate.enter(Rank.SCAN, None, None)
    assert clock.monotonic() == began
    gate.enter(Rank.SCAN, None, None)
    assert clock.monotonic() - began == pytest.approx(0.3)


def test_lists_and_adds_have_limits_of_their_own_that_hold_up_nothing_else():
    clock = FakeClock()
    gate = gate_of(clock)
    clock.advance(3600)
    began, sent = clock.monotonic(), []
    while clock.monotonic() - began < 60:
        gate.enter(Rank.SCAN, DebridLane.LIST, None)
        sent.append(clock.monotonic())
    assert len(sent) <= 71
    began, sent = clock.monotonic(), []
    while clock.monotonic() - began < 3600:
        gate.enter(Rank.SCAN, DebridLane.ADD, None)
        sent.append(clock.monotonic())
    assert 50 <= len(sent) <= 61
    before = clock.monotonic()
    gate.enter(Rank.LINK_CHECK, None, None)
    assert clock.monotonic() == before


def test_the_rank_decides_who_goes_first():
    clock = FakeClock(blocking=True)
    gate = gate_of(clock)
    order, lock = [], threading.Lock()

    def ask(rank):
        gate.enter(rank, None, None)
        with lock:
            order.append(rank)

    threads = []
    for rank in (Rank.LINK_CHECK, Rank.SCAN, Rank.BY_HAND, Rank.FINISHING):
        threads.append(threading.Thread(target=ask, args=(rank,), daemon=True))
        threads[-1].start()
        assert clock.await_waits(len(threads))
    for _ in range(200):
        count = len(clock.waits)
        clock.advance(0.05)
        if len(order) == 4:
            break
        clock.await_waits(count + 1, 0.05)
    for thread in threads:
        thread.join(60)
    assert order == [Rank.BY_HAND, Rank.FINISHING, Rank.SCAN, Rank.LINK_CHECK]


def test_a_stop_ends_every_wait():
    clock = FakeClock(blocking=True)
    gate = gate_of(clock)
    ended = []

    def ask():
        try:
            gate.enter(Rank.SCAN, None, None)
        except Cancelled:
            ended.append(True)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert clock.await_waits(3)
    clock.stop()
    for thread in threads:
        thread.join(60)
    assert len(ended) == 3
    assert gate.rate > 0


def test_a_restart_goes_on_where_the_last_process_was_closed():
    clock, records = FakeClock(), UnwrittenDocuments(None)
    gate_of(clock, records).heard(AnswerClass.PAUSE, 900)
    clock.advance(100)
    again = gate_of(clock, records)
    assert again.closed_for() == pytest.approx(800)
    assert again.rate == pytest.approx(200 / 60 / 3)
    with pytest.raises(DebridPaused):
        again.enter(Rank.BY_HAND, None, None)


def test_a_rate_that_rises_is_kept_once_a_minute_and_one_that_falls_at_once():
    clock, records = FakeClock(), UnwrittenDocuments(None)
    gate = gate_of(clock, records)
    gate.heard(AnswerClass.AGAIN)
    slow = records.get("pace", "limiter")["rate"]
    for _ in range(10):
        gate.heard(AnswerClass.GOOD)
    assert records.get("pace", "limiter")["rate"] == slow
    clock.advance(61)
    for _ in range(5):
        gate.heard(AnswerClass.GOOD)
    assert records.get("pace", "limiter")["rate"] > slow


def test_a_record_that_cannot_be_written_stops_the_next_request_and_not_the_one_that_is_done():
    class Full(UnwrittenDocuments):
        def put(self, *_):
            raise DiskFull("The disk is full.")

    clock = FakeClock()
    gate = gate_of(clock, Full(None))
    clock.advance(60)
    gate.heard(AnswerClass.AGAIN)
    with pytest.raises(DiskFull):
        gate.enter(Rank.SCAN, None, None)
    gate.enter(Rank.SCAN, None, None)


def test_after_a_pause_a_request_that_changes_something_waits_for_a_probe():
    clock = FakeClock()
    gate = gate_of(clock)
    gate.heard(AnswerClass.PAUSE)
    probes = []

    def probe():
        gate.enter(Rank.BY_HAND, None, None)
        probes.append(clock.monotonic())
        gate.heard(AnswerClass.GOOD)

    began = clock.monotonic()
    gate.enter(Rank.BY_HAND, DebridLane.ADD, probe)
    assert [moment - began for moment in probes] == [pytest.approx(60)]
    assert gate.closed_for() == 0


def test_threads_share_one_gate_and_fill_no_minute_together():
    clock = FakeClock()
    gate = gate_of(clock, rates=Rates(250))
    sent = []

    def ask():
        for _ in range(60):
            gate.enter(Rank.SCAN, None, None)
            sent.append(clock.monotonic())
            gate.heard(AnswerClass.GOOD)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    sent.sort()
    fullest = max(sum(begin <= moment < begin + 60 for moment in sent[at : at + 300]) for at, begin in enumerate(sent))
    assert len(sent) == 240
    assert fullest <= 210 + len(threads)  # time goes on between being let out and being noted


def test_a_storm_of_refusals_is_waited_out():
    with debrid_house(RealDebridDouble, RealDebridAccount, selects=True) as house:
        house.double.other_client(260)
        refused = 0
        for _ in range(40):
            try:
                house.account.standing()
            except DebridPaused as error:
                refused += error.sent
                house.clock.advance(error.until - house.clock.now())
        assert refused == 1
        assert house.account.standing().good


def test_a_clock_that_was_set_back_does_not_park_an_account_for_ever():
    clock = FakeClock()
    gate = gate_of(clock)
    gate.park(clock.now() + 6 * 3600)
    assert gate.parked_until == clock.now() + 6 * 3600
    clock.jump(-30 * 86400)
    assert gate.parked_until is None
