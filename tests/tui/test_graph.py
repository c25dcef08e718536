"""What the graphs' arithmetic promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.snapshots import AT, MIB, a_snapshot, a_wire
from torrent_mover.tui.moving.net_graph import GraphView, plot, time_axis, title
from torrent_mover.tui.moving.piece_strip import fold, pieces_per_cell
from torrent_mover.tui.shell.graph import (
    SHRINK_AFTER,
    ZOOMS,
    Scale,
    buckets,
    dots,
    ladder,
    limit_row,
    rows,
    samples_per_cell,
)
from torrent_mover.tui.shell.ink import Tone, plain, width
from torrent_mover.tui.shell.look import ASCII_GLYPHS, GraphKind, Look

rate = st.floats(0, 1e12, allow_nan=False)
samples = st.lists(rate, max_size=400)
kinds = st.sampled_from(GraphKind)


@given(rate)
def test_the_ladder_is_the_smallest_step_that_holds_the_peak(peak: float):
    top = ladder(peak)

    assert top >= peak
    assert top == 1024 or ladder(top * 0.999) == top
    mantissa = top
    while mantissa >= 1024:
        mantissa /= 1024
    assert mantissa in (1, 2, 5, 10, 20, 50, 100, 200, 500)


def test_a_scale_grows_at_once_and_shrinks_after_half_a_minute():
    scale = Scale(0, 0).following(60 * MIB, 100)
    assert scale.top == 100 * MIB

    assert scale.following(600 * MIB, 101).top == 1024 * MIB
    assert scale.following(3 * MIB, 100 + SHRINK_AFTER - 1).top == 100 * MIB
    assert scale.following(3 * MIB, 100 + SHRINK_AFTER).top == 5 * MIB


def test_a_peak_now_and_then_keeps_the_scale():
    scale = Scale(0, 0)
    for second in range(200):
        scale = scale.following(60 * MIB if second % 20 == 0 else 3 * MIB, second)
        assert scale.top == 100 * MIB


@given(samples, st.sampled_from(ZOOMS), st.integers(0, 10**9), st.integers(1, 200))
def test_buckets_keep_the_peak_and_never_invent_one(values, zoom, at, count):
    shown = buckets(values, zoom, at, count)

    assert len(shown) <= count
    assert all(value in values for value in shown)
    assert not values or shown[-1] >= values[-1]
    if len(shown) < count:
        assert max(shown, default=0.0) == max(values, default=0.0)


@given(st.lists(rate, min_size=90, max_size=200), st.integers(0, 10**6))
def test_a_full_bucket_keeps_its_value_while_time_goes_on(values, at):
    zoom = 5
    before = buckets(values, zoom, at, 10)
    after = buckets([*values[1:], 0.0], zoom, at + 1, 10)

    same = before[1:-1]
    shifted = after[1:-1] if (at + 1) % zoom else after[:-2]
    assert same == shifted or same == shifted[: len(same)]


@given(samples, kinds, st.integers(1, 60), st.integers(1, 12), st.floats(1, 1e12))
def test_a_picture_has_exactly_its_size(values, kind, columns, height, top):
    picture = rows(kind, values, top, columns, height)

    assert len(picture) == height
    assert all(len(row) == columns for row in picture)


@given(kinds, st.integers(1, 12))
def test_steady_traffic_is_a_filled_area(kind, height):
    picture = rows(kind, [50.0] * 100, 50.0, 10, height)

    assert len(set("".join(picture))) == 1
    assert " " not in picture[0]


@given(kinds, st.integers(2, 12))
def test_any_traffic_shows_and_none_shows_nothing(kind, height):
    per_cell = samples_per_cell(kind)

    assert rows(kind, [1.0] * 10 * per_cell, 1e9, 10, height)[-1].strip(" ")
    assert not "".join(rows(kind, [0.0] * 10 * per_cell, 1e9, 10, height)).strip(" ")


@given(rate, rate, st.floats(1, 1e12), st.integers(1, 100))
def test_more_traffic_is_never_drawn_lower(a, b, top, levels):
    low, high = sorted((a, b))

    assert 0 <= dots(low, top, levels) <= dots(high, top, levels) <= levels


def test_the_newest_sample_is_at_the_right():
    assert rows(GraphKind.BLOCK, [0.0, 0.0, 8.0], 8.0, 5, 1) == ["    █"]
    assert rows(GraphKind.ASCII, [2.0, 4.0, 6.0, 8.0], 8.0, 4, 1) == [".:|#"]
    assert rows(GraphKind.BRAILLE, [4.0, 8.0], 8.0, 1, 1) == ["⣼"]


def test_the_limit_lies_where_its_rate_would():
    assert limit_row(100.0, 100.0, 4) == 0
    assert limit_row(50.0, 100.0, 4) == 2
    assert limit_row(1.0, 100.0, 4) == 3
    assert limit_row(200.0, 100.0, 4) is None
    assert limit_row(None, 100.0, 4) is None


@pytest.mark.parametrize("kind", GraphKind)
@pytest.mark.parametrize("size", [(20, 2), (39, 4), (90, 12)])
def test_every_line_of_a_graph_is_as_wide_as_the_graph(kind: GraphKind, size: tuple[int, int]):
    look = Look(ASCII_GLYPHS if kind is GraphKind.ASCII else Look().glyphs, kind)
    wire = a_wire(limit=40.0 * MIB)
    drawn = [
        *plot(wire, AT, GraphView(1, 50.0 * MIB), Tone.IN, look, *size),
        time_axis(GraphView(1, 50.0 * MIB), look, size[0]),
    ]

    assert [width(one) for one in drawn] == [size[0]] * (size[1] + 1)


def test_a_title_names_now_average_peak_and_limit_in_one_unit():
    wire = a_wire(now=25.6 * MIB, average=512 * 1024.0, peak=81.2 * MIB, limit=40.0 * MIB)

    shown = plain(title(wire, "in", a_snapshot_glyph(), Look(), 70))

    assert shown.split() == ["▼", "in", "now", "25.6", "avg", "0.5", "peak", "81.2", "limit", "40.0", "MiB/s"]


def a_snapshot_glyph():
    from torrent_mover.tui.shell.ink import Span

    assert replace(a_snapshot()).incoming.used
    return Span("▼", Tone.IN)


@given(st.integers(1, 100_000), st.integers(1, 5000))
def test_all_pieces_fit_into_the_strip(count: int, room: int):
    per_cell = pieces_per_cell(count, room)

    assert -(-count // per_cell) <= room
    assert per_cell == 1 or -(-count // (per_cell - 1)) > room


def test_a_cell_shows_its_worst_piece():
    from torrent_mover.domain.report.snapshot import PieceMark

    missing, arrived, verified, bad = PieceMark.MISSING, PieceMark.ARRIVED, PieceMark.VERIFIED, PieceMark.BAD

    assert fold([verified, verified, verified, arrived, missing, verified, verified, bad], 2) == [
        verified,
        arrived,
        missing,
        bad,
    ]
