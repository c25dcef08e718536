"""Durations, rates, timetables and modes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.quantities import (
    MINUTES_A_DAY,
    PAUSE,
    Timetable,
    UnlockMode,
    format_duration,
    format_rate,
    parse_duration,
    parse_rate,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5s", 1.5), ("5m", 300), ("1h30m", 5400), ("1h 30m", 5400), ("2d", 172800), ("0", 0)],
)
def test_a_duration_is_seconds_or_has_units(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5x", "-3", "5 minutes", "1e3", "m5", "٣s", "99999999999d"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"duration|century"):
        parse_duration(text)


@given(st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000))
def test_a_written_duration_reads_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("512K", 512 << 10),
        ("5M", 5 << 20),
        ("1.5m", 3 << 19),
        ("2 GiB/s", 2 << 30),
        ("7B", 7),
        ("off", None),
        ("pause", PAUSE),
    ],
)
def test_rates_are_in_units_of_1024(text, rate):
    assert parse_rate(text) == rate


def test_a_rate_without_a_unit_is_asked_for_one():
    with pytest.raises(ValueError, match="5 of what"):
        parse_rate("5")


@pytest.mark.parametrize("text", ["0", "0M", "0.0", "0 KiB/s", "0.2B"])
def test_a_zero_is_refused_with_both_words_that_it_could_mean(text):
    with pytest.raises(ValueError, match="off for no limit, or pause"):
        parse_rate(text)
    with pytest.raises(ValueError, match="off for no limit, or pause"):
        Timetable.parse(f"08:00,{text.replace(' ', '')} 23:00,off")


@given(st.none() | st.integers(0, 1 << 45))
def test_a_written_rate_reads_back(rate):
    assert parse_rate(format_rate(rate)) == rate


def test_a_timetable_holds_each_limit_until_the_next_and_over_midnight():
    table = Timetable.parse("08:00,5M 23:00,off 12:30, 1M")
    assert [table.limit_at(minute) for minute in (0, 479, 480, 749, 750, 1379, 1380, 1439)] == [
        None, None, 5 << 20, 5 << 20, 1 << 20, 1 << 20, None, None,
    ]  # fmt: skip


def test_one_rate_holds_all_day_and_an_empty_timetable_never_limits():
    assert {Timetable.parse("5M").limit_at(minute) for minute in range(MINUTES_A_DAY)} == {5 << 20}
    assert Timetable.parse(" ").limit_at(600) is None


@pytest.mark.parametrize(
    "text", ["8", "25:00,5M", "08:60,5M", "08:00", "08:00,5M 08:00,off", "08:00;5M", "Mon-08:00,5M"]
)
def test_what_is_no_timetable_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        Timetable.parse(text)


@given(st.dictionaries(st.integers(0, MINUTES_A_DAY - 1), st.none() | st.integers(0, 1 << 40), max_size=6))
def test_a_written_timetable_reads_back(slots):
    table = Timetable(tuple(sorted(slots.items())))
    assert Timetable.parse(str(table)) == table


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        ("u+rwx", 0o555, 0o755),
        ("u+rwx", 0o40500, 0o700),
        ("ug+w", 0o2555, 0o2775),
        ("u+rwx,o+x", 0o600, 0o701),
        ("a+r", 0o000, 0o444),
        ("0777", 0o500, 0o777),
        ("777", 0o2750, 0o2777),
    ],
)
def test_a_mode_adds_bits_or_sets_them_and_keeps_the_setgid_of_a_folder(mode, before, after):
    assert UnlockMode.parse(mode).apply(before) == after


@pytest.mark.parametrize("text", ["", "rwx", "u-w", "u+z", "0888", "77", "u+rwx;reboot"])
def test_what_is_no_mode_is_refused(text):
    with pytest.raises(ValueError, match="mode"):
        UnlockMode.parse(text)
