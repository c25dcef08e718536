import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from torrent_mover.domain.text import cells, clock, counted, duration, pad, part, percent, rate, safe, shorten, size

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("two\nlines\r", r"two\x0alines\x0d"),
        ("\x7f\x9b2J", r"\x7f\x9b2J"),
        ("txt.\u202eexe", r"txt.\u202eexe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("latin \udce9", r"latin \xe9"),
        ("half \ud83c", r"half \ud83c"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("line\u2028break", r"line\u2028break"),
    ],
)
def test_what_could_act_is_shown_as_an_escape(hostile, shown):
    assert safe(hostile) == shown


@pytest.mark.parametrize(
    "name", ["[/red] [bold]", "拥抱艳阳天", "Amélie e\u0301", "🎬 film", "naïve – “quotes” …", "-dash"]
)
def test_harmless_names_stay_as_they_are(name):
    assert safe(name) == name


@given(ANY_TEXT)
def test_nothing_that_acts_is_left(text):
    shown = safe(text)
    assert not [character for character in shown if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set(
        "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    shown.encode("utf-8")


@pytest.mark.parametrize(
    "text",
    ["plain", "拥抱艳阳天 Elephants", "e\u0301a", "ｆｕｌｌ", "한국어 영화", "🎬🎥 film", "…–▍⠀╭", "ไทย", "עברית"],
)
def test_widths_agree_with_what_the_screen_library_counts(text):
    assert cells(text) == cell_len(text)


@given(st.text(), st.integers(0, 40), st.booleans())
def test_a_shortened_text_is_never_wider_than_asked(text, width, middle):
    assert cells(shorten(text, width, middle=middle)) <= width
    assert cells(pad(text, width)) == width


def test_cuts_in_the_middle_or_at_the_end():
    assert shorten("Big.Buck.Bunny.2008.2160p.REMUX.HEVC", 20) == "Big.Buck.Bunn…X.HEVC"
    assert shorten("Big.Buck.Bunny.2008.2160p.REMUX.HEVC", 20, middle=False) == "Big.Buck.Bunny.2008…"
    assert shorten("fits", 4) == "fits"
    assert shorten("拥抱艳阳天", 7) == "拥抱…天"


def test_a_combining_mark_is_not_torn_from_its_letter():
    assert shorten("abcdefghij" + "e\u0301" * 3, 8).endswith("…e\u0301e\u0301")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (62_383_865_856, "58.1 GiB"),
        (5 * 1024**4, "5.0 TiB"),
    ],
)
def test_sizes(count, text):
    assert size(count) == text


def test_rates_parts_percents_and_counts():
    assert rate(48.1 * 1024**2) == "48.1 MiB/s"
    assert part(2.8 * 1024**3, 214.6 * 1024**3) == "2.8/214.6 GiB"
    assert part(0, 0) == "0/0 B"
    assert percent(0.4379, 1) == "43.7 %"
    assert percent(0.9999) == "99 %"
    assert percent(1.0) == "100 %"
    assert percent(0.57) == "57 %"
    assert counted(1, "torrent") == "1 torrent"
    assert counted(1200, "torrent") == "1,200 torrents"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (2.14, "2.1 s"), (9.97, "10 s"), (45.2, "45 s"), (59.6, "1m00s"), (797, "13m17s"), (3599.7, "1h00m"),
     (4320, "1h12m"), (273_600, "3d04h")],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00"), (45.9, "0:45"), (2480, "41:20"), (4407, "1:13:27"), (188_007, "2d 4:13:27")]
)
def test_clocks(seconds, text):
    assert clock(seconds) == text
