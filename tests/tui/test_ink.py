"""Lines are exactly as wide as asked, numbers say no more than is true, filters find what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.snapshots import GIB, MIB, a_move
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.text import safe
from torrent_mover.tui.moving.move_table import heading, move_row
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell import ink
from torrent_mover.tui.shell.ink import Part, Span, line, plain, width
from torrent_mover.tui.shell.lines import ascii_only
from torrent_mover.tui.shell.look import GraphKind, Look, Units, look_for
from torrent_mover.tui.shell.query import Query

words = st.text(max_size=60).map(safe)


@given(words, st.integers(0, 80))
def test_columns_are_exactly_as_wide_as_asked(text: str, size: int):
    assert ink.cells(ink.left(text, size)) == size
    assert ink.cells(ink.right(text, size)) == size
    assert ink.cells(ink.prose(text, size)) == size
    assert width(ink.crop(line(text, Span(text)), size)) == size
    assert width(ink.rule(text, text, size, "─")) == size


@given(words, words, st.integers(0, 80))
def test_two_ends_share_a_line(start: str, end: str, size: int):
    assert width(ink.spread(line(start), line(end), size)) == size
    assert width(ink.squeeze([Part(line(start))], [Part(line(end), 1)], size)) == size


@given(words, st.integers(2, 40))
def test_wrapping_loses_nothing(text: str, size: int):
    pieces = ink.wrap(text, size)

    assert all(ink.cells(piece) <= size for piece in pieces)
    assert "".join(pieces).replace(" ", "") == ink.steady(text).replace(" ", "")


@pytest.mark.parametrize("name", ["हिन्दी फ़िल्म", "Love ❤️", "👍🏽 ok", "拥抱", "\u0bbe"])
def test_names_are_as_wide_as_terminals_count_them(name: str):
    shown = ink.left(name, 12)

    assert sum(map(ink.cells, shown)) == 12  # character by character, as tmux and xterm do
    assert not set("\ufe0f\U0001f3fd") & set(shown)


def test_a_crowded_line_drops_what_matters_least():
    parts = [Part(line("route")), Part(line("version"), 2), Part(line("mode"), 1)]

    assert plain(ink.squeeze(parts, [], 20, 1)).split() == ["route", "version", "mode"]
    assert plain(ink.squeeze(parts, [], 12, 1)).split() == ["route", "mode"]
    assert plain(ink.squeeze(parts, [], 6, 1)).split() == ["route"]


@given(st.floats(0, 1, exclude_max=True))
def test_only_what_is_done_is_a_hundred_percent(fraction: float):
    done = 1 - 1e-9
    if fraction < done:
        assert fmt.percent(fraction) != "100%"
    assert fmt.percent(1.0) == "100%"


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_as_wide_as_asked_and_full_only_at_the_end(fraction: float, reused: float, size: int):
    for drawn in (fmt.bar(fraction, reused, size, Look().glyphs), fmt.broad_bar(fraction, size, Look().glyphs)):
        assert width(drawn) == size
        full = sum(one in "█━╍" for one in plain(drawn))
        assert full <= fraction * size + 1e-6
        assert fraction < 1 or full == size


def test_what_was_there_already_is_drawn_apart():
    assert plain(fmt.bar(0.5, 0.25, 8, Look().glyphs)) == "╍╍━━────"


def test_amounts_are_short_and_have_units():
    assert fmt.size(58.1 * GIB) == "58.1 GiB"
    assert fmt.size(1023.97 * 1024) == "1.0 MiB"
    assert fmt.size(1800 * GIB) == "1.76 TiB"
    assert fmt.size(10**9, Units.SI) == "1.0 GB"
    assert fmt.rate(10**6, Units.BITS) == "8.0 Mbit/s"
    assert fmt.pair(93.8 * GIB, 214.6 * GIB) == "93.8/214.6 GiB"
    assert fmt.rates((25.6 * MIB, 900.0)) == (("25.6", "0.0"), "MiB/s")
    assert [fmt.compact(value) for value in (0, 900, 15.9 * MIB, 210 * MIB, 50 * MIB)] == [
        "0",
        "900",
        "15.9M",
        "210M",
        "50M",
    ]
    assert [fmt.span(value) for value in (None, 38, 865, 4407)] == ["-", "0:38", "14:25", "1:13:27"]
    assert [fmt.ago(value) for value in (5, 1200, 32400, 259200)] == ["5 s", "20 min", "9 h", "3 d"]


@given(st.integers(0, 2**60))
def test_a_compact_rate_fits_its_column(value: int):
    assert len(fmt.compact(float(value))) <= 6


@given(words)
def test_what_ascii_terminals_get_is_as_wide_and_harmless(text: str):
    assert len(ascii_only(text)) == ink.cells(text)
    assert all(one.isascii() and one.isprintable() for one in ascii_only(text))


def test_ascii_terminals_get_the_letters_without_their_accents():
    assert ascii_only("Épisode 01 – “Début” … ½ 拥") == 'Episode 01 - "Debut" ~ ? ??'


def test_a_terminal_without_unicode_gets_ascii():
    assert look_for("auto", "iec", encoding="UTF-8", term="xterm-256color").graph is GraphKind.BRAILLE
    for encoding, term in (("ANSI_X3.4-1968", "xterm"), ("utf-8", "linux"), ("iso-8859-1", "xterm")):
        look = look_for("braille", "iec", encoding=encoding, term=term)
        assert look.ascii
        assert look.graph is GraphKind.ASCII


def test_filters_find_and_exclude():
    query = Query("retry !conn")

    assert query.finds("Retry 2/5")
    assert not query.finds("retry after CONNECTION loss")
    assert not Query("")
    assert Query("").finds("anything")


def test_filters_know_state_and_tracker():
    move = a_move(name="Sintel [1080p]", standing=MoveStatus.RETRYING, trackers=("nyaa.example",))

    assert Query("state:retry").finds_move(move)
    assert Query("tracker:nyaa sintel").finds_move(move)
    assert not Query("!tracker:nyaa").finds_move(move)
    assert not Query("state:queued").finds_move(move)
    assert Query(move.id.short).finds_move(move)


@given(words, st.sampled_from(MoveStatus), st.integers(20, 240), st.floats(0, 1))
def test_rows_of_the_table_keep_their_width_and_columns(name: str, standing: MoveStatus, size: int, fraction: float):
    move = a_move(name=name, standing=standing, fraction=fraction, retry_in=38.0)

    assert width(move_row(move, size, Look())) == size
    assert width(heading(size)) <= size
