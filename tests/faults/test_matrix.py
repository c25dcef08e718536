"""The table of faults names tests that exist, and every scenario of this folder belongs to a row of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.matrix import ROWS, numbers

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("named", sorted({test for row in ROWS.values() for test in row.held_by}))
def test_every_test_that_holds_a_row_exists(named):
    file, *within = named.split("::")
    text = (ROOT / file).read_text(encoding="utf-8")

    for name in within:
        assert re.search(rf"^\s*(def|class) {name}\b", text, re.MULTILINE), f"{name} is not in {file}"


def test_every_scenario_belongs_to_a_row():
    accounted = re.compile(r'(?:account\(|note\(|"rst", |"fin", |"flip", |"E[A-Z]+": )\s*"([\d, ]+)"')
    texts = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("*.py")]
    rows = {number for text in texts for row in accounted.findall(text) for number in numbers(row)}

    assert rows <= set(ROWS)
    assert len(rows) > 20
    assert not [number for number, row in ROWS.items() if not (number in rows or row.held_by)]
