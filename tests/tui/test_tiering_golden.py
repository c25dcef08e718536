"""The screens of tiers in every state, as text. `TM_GOLDEN=write pytest tests/tui/test_tiering_golden.py` writes them anew."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from tests.tui.pilot import SIZES
from tests.tui.tier_case import pictures
from tests.tui.tier_scenes import SCENES

pytestmark = pytest.mark.thorough

GOLDEN = Path(__file__).parent / "golden_tiering"

EVERYWHERE: dict[str, tuple[str, tuple[str, ...]]] = {
    "working": ("working", ()),
    "candidates": ("working", ("3", *("down",) * 4)),
    "idle": ("idle", ()),
    "alarmed": ("alarmed", ()),
    "report": ("report", ()),
    "hostile": ("hostile", ()),
}
"""Cases that are laid out anew at each size."""

ENDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "queue": ("working", ("2",)),
    "pins": ("working", ("4",)),
    "log": ("working", ("5",)),
    "filtered": ("working", ("slash", *"why:pinned", "enter")),
    "explain": ("working", ("3", "down", "e")),
    "evict": ("working", ("3", "down", "x")),
    "recopy": ("working", ("3", "down", "c")),
    "alarms": ("alarmed", ("A",)),
    "next": ("alarmed", ("T",)),
    "help": ("working", ("question_mark",)),
    "leave": ("working", ("q",)),
    "stuck": ("stuck", ()),
    "empty": ("empty", ()),
    "no-tier": ("no-tier", ()),
    "many": ("many", ("end",)),
    "hostile-explain": ("hostile", ("e",)),
    "hostile-alarms": ("hostile", ("A",)),
    "hostile-selected": ("hostile", ("3", "down", "down", "down")),
}
"""Cases that are looked at on the smallest and the largest screen."""

CASES = {**EVERYWHERE, **ENDS}
PLACES = [(case, size) for case in CASES for size in SIZES if case in EVERYWHERE or size != "120x40"]
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


STARTS = [(case, [size for each, size in PLACES if each == case]) for case in CASES]


@pytest.mark.parametrize(("case", "sizes"), STARTS)
def test_screen_looks_as_it_was_approved(case: str, sizes: list[str]):
    scene, keys = CASES[case]
    for size, shown in zip(sizes, pictures(SCENES[scene](), [SIZES[size] for size in sizes], *keys), strict=True):
        path = GOLDEN / f"{case}-{size}.txt"
        if os.environ.get("TM_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert shown == path.read_text(encoding="utf-8"), size


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == {f"{case}-{size}.txt" for case, size in PLACES}


def test_nothing_that_acts_reaches_the_screen():
    pictures = [path.read_text(encoding="utf-8") for path in GOLDEN.glob("hostile*.txt")]

    assert len(pictures) > 6
    acting = {
        one
        for text in pictures
        for one in text
        if one != "\n" and (unicodedata.category(one) in ("Cc", "Cs") or one in _BIDI)
    }
    assert acting == set()
