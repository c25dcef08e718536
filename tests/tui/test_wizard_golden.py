"""Every screen of the wizard at three sizes, as text. `TM_GOLDEN=write pytest tests/tui/test_wizard_golden.py` writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.pilot import SIZES
from tests.tui.wizard_case import DRAFTS, FakeCategorizer, pictures

pytestmark = pytest.mark.thorough

GOLDEN = Path(__file__).parent / "golden_wizard"

CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "usual": ("usual", ()),
    "chosen": ("usual", ("y",)),
    "crowd": ("crowd", ()),
    "covered": ("crowd", ("r", "r", "c")),
    "once": ("usual", ("r",)),
    "ignore": ("usual", ("r", "r")),
    "parent-domain": ("usual", ("t", "t")),
    "filtered": ("usual", ("slash", "a", "n", "enter")),
    "typing": ("usual", ("slash", "a", "n")),
    "new": ("usual", ("n", "x", "enter")),
    "ask-new": ("usual", ("n",)),
    "rules": ("usual", ("l",)),
    "rules-changed": ("usual", ("l", "d")),
    "review": ("usual", ("y", "enter", "r", "1", "enter", "a")),
    "leave": ("usual", ("y", "enter", "q")),
    "decided": ("usual", ("y", "enter", *("s",) * 8)),
    "help": ("usual", ("question_mark",)),
    "hostile": ("hostile", ()),
    "hostile-review": ("hostile", ("r", "1", "enter", "r", "3", "enter", "a")),
    "hostile-rules": ("hostile", ("l",)),
    "many": ("many", ("end",)),
    "empty": ("empty", ()),
}

ENDS = ("once", "ignore", "parent-domain", "filtered", "typing", "ask-new", "leave", "help")
"""Cases that are looked at on the smallest and the largest screen: between the two nothing of theirs is laid out differently."""

PLACES = [(case, size) for case in CASES for size in SIZES if case not in ENDS or size != "120x40"]
STARTS = [(case, [size for each, size in PLACES if each == case]) for case in CASES]


@pytest.mark.parametrize(("case", "sizes"), STARTS)
def test_screen_looks_as_it_was_approved(case: str, sizes: list[str]):
    draft, keys = CASES[case]
    for size, shown in zip(
        sizes, pictures(FakeCategorizer(DRAFTS[draft]()), [SIZES[size] for size in sizes], *keys), strict=True
    ):
        path = GOLDEN / f"{case}-{size}.txt"
        if os.environ.get("TM_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert shown == path.read_text(encoding="utf-8"), size


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == {f"{case}-{size}.txt" for case, size in PLACES}
