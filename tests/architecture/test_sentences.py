"""A sentence that is put into another one loses its full stop first: nobody reads `tracker.:` or `away.;`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import torrent_mover
from torrent_mover.domain.text import clause, clauses

PACKAGE = Path(torrent_mover.__file__).parent
OWNERS = {"domain/text.py"}
NAMES = {"cause", "doubt", "doubts", "error", "evidence", "message", "reason", "said", "trouble", "why"}
"""What is called so was said by somebody else, or by an error: it may end with a full stop."""

FIELDS = {"blind", "error", "evidence", "message", "reason", "said", "waiting", "why"}


def may_be_a_sentence(value: ast.expr) -> bool:
    if isinstance(value, ast.Name):
        return value.id in NAMES
    if isinstance(value, ast.Attribute):
        of_an_error = value.attr == "what" and isinstance(value.value, ast.Name) and value.value.id == "error"
        return value.attr in FIELDS or of_an_error
    if isinstance(value, ast.Call):
        called = value.func.id if isinstance(value.func, ast.Name) else getattr(value.func, "attr", "")
        return called not in ("clause", "rstrip") and (called == "clauses" or any(map(may_be_a_sentence, value.args)))
    if isinstance(value, ast.BoolOp):
        return any(map(may_be_a_sentence, value.values))
    return isinstance(value, ast.IfExp) and (may_be_a_sentence(value.body) or may_be_a_sentence(value.orelse))


def goes_on_with_a_mark(text: str) -> bool:
    return text[:1] in (".", ":", ";", ",") and not text[1:2].isalnum()


def joined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each place of a module where such a text stands before a mark: line, what."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if (
                isinstance(value, ast.FormattedValue)
                and value.conversion == -1
                and isinstance(after, ast.Constant)
                and goes_on_with_a_mark(str(after.value))
                and may_be_a_sentence(value.value)
            ):
                yield node.lineno, f"{{{ast.unparse(value.value)}}}{after.value}"


def test_what_stands_before_a_mark_has_lost_its_own():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {what}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in OWNERS
        for line, what in joined(ast.parse(path.read_text("utf-8")))
    ]

    assert found == []


def test_texts_are_joined_by_one_function_which_takes_their_marks_away():
    found = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in OWNERS and re.search(r"""["']; ["']\.join""", path.read_text("utf-8"))
    ]

    assert found == []


def test_a_text_that_is_joined_carelessly_is_found():
    assert list(joined(ast.parse('f"{safe(finding.evidence)}: would"'))) == [(1, "{safe(finding.evidence)}: would")]
    assert list(joined(ast.parse('f"{clause(finding.evidence)}: would {name}."'))) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Torrent not registered with this tracker.", "Torrent not registered with this tracker"),
        ("it says: ", "it says"),
        ("wait ...", "wait ..."),
        ("no stop", "no stop"),
        (OSError("Broken pipe."), "Broken pipe"),
        ("", ""),
    ],
)
def test_a_clause_has_no_mark_at_its_end(text, left):
    assert clause(text) == left


def test_clauses_are_joined_without_doubled_marks():
    assert clauses("The disk is away.", "", "only reports") == "The disk is away; only reports"
    assert clauses("only reports", "The disk is away.") == "only reports; The disk is away."
