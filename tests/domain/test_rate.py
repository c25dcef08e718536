import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.report.rate import KEPT_SECONDS, Meter, eta

MIB = 1024**2


def steady(meter, speed, seconds, start=0.0, step=0.25, total=0):
    steps = int(seconds / step)
    for number in range(1, steps + 1):
        meter.read(int(total + number * step * speed), start + number * step)
    return total + int(seconds * speed), start + seconds


def test_a_steady_flow_is_shown_as_it_is_from_the_first_reading_on():
    meter = Meter(0.0)
    meter.read(25 * MIB, 0.25)
    assert meter.now == pytest.approx(100 * MIB)
    steady(meter, 100 * MIB, 30)
    assert meter.now == pytest.approx(100 * MIB)
    assert meter.minute == pytest.approx(100 * MIB, rel=0.01)
    assert meter.average == pytest.approx(100 * MIB)
    assert meter.peak == pytest.approx(100 * MIB)


def test_half_of_an_old_speed_is_left_after_five_seconds():
    meter = Meter(0.0)
    total, at = steady(meter, 1000, 100)
    for second in range(1, 6):
        meter.read(total, at + second)
    assert meter.now == pytest.approx(500, rel=0.01)


def test_the_interval_of_the_readings_does_not_matter():
    often, seldom = Meter(0.0), Meter(0.0)
    steady(often, 1000, 20, step=0.1)
    steady(seldom, 1000, 20, step=2.5)
    assert often.now == pytest.approx(seldom.now)
    assert often.samples() == pytest.approx(seldom.samples())


def test_the_minute_forgets_what_is_older():
    meter = Meter(0.0)
    total, at = steady(meter, 5000, 100)
    steady(meter, 1000, 60, start=at, total=total)
    assert meter.minute == pytest.approx(1000)
    assert meter.average == pytest.approx((5000 * 100 + 1000 * 60) / 160)
    assert meter.peak == pytest.approx(5000)


def test_samples_are_bytes_of_whole_seconds_oldest_first():
    meter = Meter(100.0)
    meter.read(10, 100.5)
    meter.read(30, 101.5)  # 20 in one second, half of it in the first
    meter.read(30, 103.0)
    assert meter.samples() == pytest.approx((20, 10, 0))
    assert meter.samples(2) == pytest.approx((10, 0))


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0.001, 30)), min_size=1, max_size=60))
def test_no_byte_is_lost_or_invented_in_the_seconds(steps):
    meter = Meter(0.0)
    total, now = 0, 0.0
    for grown, elapsed in steps:
        total, now = total + grown, now + elapsed
        meter.read(total, now)
    whole = int(now) + 1.0
    meter.read(total, whole)
    assert sum(meter.samples(KEPT_SECONDS)) == pytest.approx(total, rel=1e-6, abs=1e-3)
    assert len(meter.samples(KEPT_SECONDS)) == int(whole)


def test_a_night_without_a_reading_keeps_the_last_hour_only():
    meter = Meter(0.0)
    meter.read(36_000_000, 36_000.0)
    assert len(meter.samples(10**6)) == KEPT_SECONDS
    assert meter.samples(1)[0] == pytest.approx(1000)


def test_a_meter_that_keeps_a_minute_knows_as_much_of_a_minute_and_takes_no_more_room():
    whole, brief = Meter(0.0), Meter(0.0, kept=60)
    for meter in (whole, brief):
        total, now = steady(meter, 3 * MIB, 500)
        steady(meter, 5 * MIB, 40, start=now, total=total)
    assert brief.recent(60) == pytest.approx(whole.recent(60))
    assert (brief.now, brief.average, brief.peak) == pytest.approx((whole.now, whole.average, whole.peak))
    assert len(brief.samples(KEPT_SECONDS)) == 60 < len(whole.samples(KEPT_SECONDS))

    brief.read(10**12, now + 40 + 10_000)
    assert len(brief.samples(KEPT_SECONDS)) == 60


def test_two_readings_at_the_same_instant_lose_nothing():
    meter = Meter(0.0)
    meter.read(10, 1.0)
    meter.read(20, 1.0)
    meter.read(20, 2.0)
    assert sum(meter.samples()) == pytest.approx(20)


def test_a_stall_is_counted_from_the_last_growth():
    meter = Meter(0.0)
    meter.read(5, 1.0)
    meter.read(5, 20.0)
    assert meter.stalled_for(43.0) == 42.0
    meter.read(6, 44.0)
    assert meter.stalled_for(44.0) == 0.0


def test_eta_is_unknown_without_a_speed_and_zero_when_nothing_remains():
    assert eta(1000, 10) == 100
    assert eta(1000, 0) is None
    assert eta(0, 0) == 0
