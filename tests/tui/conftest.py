"""Fixtures of the dashboard's tests."""

from __future__ import annotations

import time

import pytest
import textual.app
import textual.pilot
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.notifications import Notification

from tests.tui.pilot import until_idle

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
def keys_wait_until_all_is_handled(monkeypatch: pytest.MonkeyPatch):
    """What a key or a click does is done before the next one, on a busy machine too."""
    monkeypatch.setattr(textual.app, "wait_for_idle", until_idle)
    monkeypatch.setattr(textual.pilot, "wait_for_idle", until_idle)


@pytest.fixture(autouse=True)
def toasts_stay(monkeypatch: pytest.MonkeyPatch):
    """A toast is on the screen until something takes it away: a busy machine may take longer to look than it would last."""
    monkeypatch.setattr(Notification, "time_left", 3600.0)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch):
    """Times of day are the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
