"""Fixtures of the dashboard's tests."""

from __future__ import annotations

import time

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

parse_rules = Stylesheet._parse_rules
parsed: dict[tuple[object, ...], list[RuleSet]] = {}
"""The rules of each style sheet that an application of this process has read, by all that they were made from."""


def parsed_once(sheet: Stylesheet, css: str, *place: object, **how: object) -> list[RuleSet]:
    """As the style sheet reads them; an equal text under equal variables is not read again for the next application.

    Reading them is a third of what an application costs to start. Nothing changes the rules that were read.
    """
    key = (css, place, tuple(how.items()), tuple(sheet._variables.items()))
    if key not in parsed:
        parsed[key] = parse_rules(sheet, css, *place, **how)
    return parsed[key]


@pytest.fixture(autouse=True)
def style_sheets_are_parsed_once(monkeypatch: pytest.MonkeyPatch):
    """Applications of one process share what their style sheets say."""
    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed_once)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch):
    """Times of day are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
