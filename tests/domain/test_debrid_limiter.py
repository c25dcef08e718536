"""How quickly a debrid account is asked, whatever it answers: the two promises of the limiter, and how it slows and recovers."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.debrid import MOST, beside_another_client
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.limiter import (
    BURST,
    FLOOR,
    LONGEST_PAUSE,
    AccountPace,
    Bucket,
    ask,
    ceiling_of,
    heard,
    kept,
    resumed,
)

USUAL = ceiling_of(200, 0.3)
GOOD, PAUSE, AGAIN = AnswerClass.GOOD, AnswerClass.PAUSE, AnswerClass.AGAIN

answers = st.sampled_from([GOOD] * 12 + [AnswerClass.REFUSED, AnswerClass.DEAD_LINK, AGAIN, PAUSE])
steps = st.lists(st.tuples(st.floats(0, 3), answers, st.floats(0, 120)), min_size=1, max_size=400)


def drive(script, restarts=()):
    """Ask as quickly as it is allowed, with some rests; the moments of all requests, and whether each went out as a probe."""
    pace, now, sent, closed = AccountPace.starting(USUAL, 0.0), 0.0, [], []
    for number, (rest, answer, retry_after) in enumerate(script):
        now += rest if number % 7 == 0 else 0.0
        pace, wait = ask(pace, now)
        while wait > 0:
            now += wait
            pace, wait = ask(pace, now)
        sent.append(now)
        closed.append(pace.closed_for(now) > 0)
        pace = heard(pace, now, answer, retry_after)
        if number in restarts:
            pace = resumed(kept(pace, now, 1e9 + now), USUAL, now, 1e9 + now)
    return sent, closed


@settings(max_examples=15)
@given(steps, st.sets(st.integers(0, 600), max_size=5))
def test_no_window_of_a_minute_holds_more_than_210_requests_across_restarts(script, restarts):
    sent, closed = drive(script, restarts)
    window = deque()
    for moment in sent:
        window.append(moment)
        while window[0] < moment - 60:
            window.popleft()
        assert len(window) <= 210
    assert not any(closed)


@given(st.integers(1, 12), st.integers(2, 8))
def test_while_refused_only_one_probe_at_a_time_goes_out(refusals, threads):
    pace, now = AccountPace.starting(USUAL, 0.0), 10.0
    pace = heard(ask(pace, now)[0], now, PAUSE)
    for _ in range(refusals):
        assert all(ask(pace, now + part * pace.closed_for(now))[1] > 0 for part in (0, 0.5, 0.999))
        now += pace.closed_for(now)
        granted = 0
        for _ in range(threads):
            pace, wait = ask(pace, now)
            granted += wait == 0
        assert granted == 1
        pace = heard(pace, now, PAUSE)


def test_pauses_double_to_a_quarter_of_an_hour():
    pace, now, pauses = AccountPace.starting(USUAL, 0.0), 5.0, []
    for _ in range(6):
        pace = heard(ask(pace, now)[0], now, PAUSE)
        pauses.append(pace.closed_for(now))
        now += pauses[-1]
    assert pauses == [60, 120, 240, 480, LONGEST_PAUSE, LONGEST_PAUSE]
    assert pace.rate >= FLOOR


def test_the_service_may_ask_for_a_longer_pause_and_no_pause_is_endless():
    pace = AccountPace.starting(USUAL, 0.0)
    assert heard(pace, 1.0, PAUSE, 90).closed_for(1.0) == 90
    assert heard(pace, 1.0, PAUSE, 86400).closed_for(1.0) == LONGEST_PAUSE


def test_refusals_of_requests_that_were_under_way_together_count_once():
    pace = AccountPace.starting(USUAL, 0.0)
    pace = heard(heard(heard(pace, 9.0, PAUSE), 9.1, PAUSE), 9.2, PAUSE)
    assert (pace.refusals, pace.rate) == (1, pytest.approx(USUAL / 3))


def test_an_answer_to_a_request_of_before_the_refusal_does_not_open_it():
    pace = heard(heard(AccountPace.starting(USUAL, 0.0), 9.0, PAUSE), 9.1, GOOD)
    assert pace.closed_for(9.1) > 59


def test_a_good_probe_opens_it_slowly_and_without_a_burst():
    pace = heard(AccountPace.starting(USUAL, 0.0), 9.0, PAUSE)
    pace, wait = ask(pace, 69.0)
    assert wait == 0
    pace = heard(pace, 69.1, GOOD)
    assert (pace.refusals, pace.tokens, pace.rate) == (0, 0.0, pytest.approx(USUAL / 3))


def test_a_probe_without_an_answer_is_followed_by_another():
    pace = heard(AccountPace.starting(USUAL, 0.0), 9.0, PAUSE)
    pace = heard(ask(pace, 69.0)[0], 70.0, AGAIN)
    assert pace.refusals == 1
    assert ask(pace, 130.0)[1] == 0


@pytest.mark.parametrize(
    "answer", [GOOD, AnswerClass.GONE, AnswerClass.REFUSED, AnswerClass.DEAD_LINK, AnswerClass.FULL]
)
def test_five_answers_in_a_row_make_it_a_tenth_faster_up_to_the_ceiling(answer):
    pace = replace(AccountPace.starting(USUAL, 0.0), rate=1.0)
    for _ in range(4):
        pace = heard(pace, 1.0, answer)
    assert pace.rate == 1.0
    assert heard(pace, 1.0, answer).rate == pytest.approx(1.1)
    for _ in range(500):
        pace = heard(pace, 1.0, answer)
    assert pace.rate == USUAL


def test_no_answer_makes_it_slower_and_never_slower_than_one_in_half_a_minute():
    pace = AccountPace.starting(USUAL, 0.0)
    assert heard(pace, 1.0, AGAIN).rate == pytest.approx(USUAL / 1.5)
    for _ in range(60):
        pace = heard(pace, 1.0, AGAIN)
    assert pace.rate == FLOOR


def test_a_restart_keeps_the_rate_and_the_pause_and_begins_empty():
    pace = heard(replace(AccountPace.starting(USUAL, 0.0), tokens=BURST), 50.0, PAUSE)
    again = resumed(kept(pace, 60.0, 1000.0), USUAL, 7.0, 1020.0)
    assert (again.rate, again.refusals, again.tokens) == (pytest.approx(USUAL / 3), 1, 0.0)
    assert again.closed_for(7.0) == pytest.approx(30)


@pytest.mark.parametrize(
    "record",
    [{}, {"rate": "x", "refusals": 0, "closed_until": 0}, {"rate": -1, "refusals": 0, "closed_until": 0}, {"rate": 1}],
)
def test_a_record_that_makes_no_sense_counts_as_none(record):
    assert resumed(record, USUAL, 3.0, 9.0) == AccountPace.starting(USUAL, 3.0)


def test_a_clock_that_was_set_back_closes_it_for_a_quarter_of_an_hour_at_most():
    record = {"rate": 1.0, "refusals": 2, "closed_until": 9e9}
    assert resumed(record, USUAL, 3.0, 1000.0).closed_for(3.0) == LONGEST_PAUSE


def test_the_ceiling_is_the_smaller_of_both_settings():
    assert ceiling_of(200, 0.3) == pytest.approx(200 / 60)
    assert ceiling_of(200, 1.0) == 1.0
    assert ceiling_of(120, 0.0) == 2.0


def test_lists_have_a_bucket_of_their_own():
    bucket, sent, now = Bucket(1.0, 10.0, 0.0, 0.0), [], 0.0
    while now < 600:
        bucket, wait = bucket.ask(now)
        if wait:
            now += wait
        else:
            sent.append(now)
    assert max(sum(start <= moment < start + 60 for moment in sent) for start in range(540)) <= 75


def test_an_hour_beside_another_client_fills_no_minute_of_the_service():
    """250 requests in 60 s are what Real-Debrid takes; another client sends 40 a minute; ours sends whenever it may."""
    hour = beside_another_client(1)
    assert (hour.refused, hour.fullest <= MOST) == (0, True)
    assert hour.ours > 3600 * 3  # it uses what it may


def test_a_wait_is_never_shorter_than_a_clock_of_months_can_count():
    """Where a wait ends a hair before the bucket has one, the next wait must move the clock on."""
    now, rate = 5_404_387.1, 10 / 3
    bucket = Bucket(rate, BURST, 1 - 2e-9, now)

    _, wait = bucket.ask(now)

    assert now + wait > now
    assert bucket.ask(now + wait)[1] == 0
