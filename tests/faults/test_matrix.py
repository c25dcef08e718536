"""The table of faults names tests that exist, and every scenario of this folder belongs to a row of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import pieces, report
from tests.faults.duties import SURVIVED
from tests.faults.matrix import ROWS, numbers
from tests.faults.pieces import PIECES, Ended, Figures

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("named", sorted({test for row in ROWS.values() for test in row.held_by}))
def test_every_test_that_holds_a_row_exists(named):
    file, *within = named.split("::")
    text = (ROOT / file).read_text(encoding="utf-8")

    for name in within:
        assert re.search(rf"^\s*(def|class) {name}\b", text, re.MULTILINE), f"{name} is not in {file}"


def test_every_test_that_notes_a_fault_is_run_by_one_piece_and_for_a_duty_that_the_page_knows():
    """Else it would be missing from docs/reliability.md, or count twice."""
    noting = re.compile(r'(?:mark\.fault|trying|note_faults)\(\s*"(\w+)"')
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        found = noting.findall(file.read_text(encoding="utf-8"))
        name = str(file.relative_to(ROOT))
        named = [piece for piece, tests in PIECES.items() for test in tests if test.partition("::")[0] == name]
        assert set(found) <= set(SURVIVED), name
        assert not found or len(set(named)) == 1, f"{name}: {named}"


def test_every_scenario_belongs_to_a_row():
    accounted = re.compile(r'(?:account\(|note\(|"rst", |"fin", |"flip", |"E[A-Z]+": )\s*"([\d, ]+)"')
    texts = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("*.py")]
    rows = {number for text in texts for row in accounted.findall(text) for number in numbers(row)}

    assert rows <= set(ROWS)
    assert len(rows) > 20
    assert not [number for number, row in ROWS.items() if not (number in rows or row.held_by)]


def test_a_piece_of_which_every_test_fails_takes_the_place_of_its_former_figures_and_the_run_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(pieces, "KEPT", tmp_path / "measured.jsonl")
    monkeypatch.setattr(report, "PAGE", tmp_path / "reliability.md")
    pieces.keep([Figures("serve", "4.0.0", [], Ended(Counter({"tests/e2e/test_serve.py": 3})))])
    monkeypatch.setattr(
        pieces,
        "run",
        lambda piece, _folder: Figures(piece, "4.0.1", [], Ended(failed=["tests/e2e/test_serve.py::test_x"])),
    )

    assert report.main(["serve"]) == 1

    kept = pieces.kept()["serve"]
    assert (kept.release, kept.ended.failed) == ("4.0.1", ["tests/e2e/test_serve.py::test_x"])
    assert "test_x" in (tmp_path / "reliability.md").read_text(encoding="utf-8")


def test_of_a_piece_that_could_not_run_the_former_figures_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "KEPT", tmp_path / "measured.jsonl")
    pieces.keep([Figures("serve", "4.0.0", [], Ended(Counter({"tests/e2e/test_serve.py": 3})))])

    pieces.keep([Figures("serve", "4.0.1", [], Ended())])

    assert pieces.kept()["serve"].release == "4.0.0"
