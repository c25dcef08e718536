"""What the words of screens and page mean: each house word is explained where it is shown, and nothing that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.debrid import DebridPhase
from torrent_mover.domain.report.health import HealthPhase
from torrent_mover.domain.report.serving import UNWELL
from torrent_mover.domain.report.tiers import TierPhase
from torrent_mover.domain.report.words import WORDS
from torrent_mover.duties.health.explaining import in_words
from torrent_mover.duties.health.model import HealthAction
from torrent_mover.web import application

VIEWS = Path(application.__file__).parent / "page" / "views"
SCREENS = Path(application.__file__).parents[1] / "tui"
FOLDERS = {"overview": "overview", "moves": "moving", "tiers": "tiering", "health": "health", "debrid": "debrid"}


def known(panel: str) -> set[str]:
    return {each for word, _ in WORDS[panel] for each in word.split(", ")}


@pytest.mark.parametrize("panel", FOLDERS)
def test_a_word_that_is_explained_is_shown_by_that_panel(panel):
    shown = (VIEWS / f"{panel}.js").read_text("utf-8") + "".join(
        path.read_text("utf-8") for path in (SCREENS / FOLDERS[panel]).glob("*.py")
    )
    elsewhere = {phase.value for phases in (TierPhase, HealthPhase, DebridPhase) for phase in phases} | {"retry"}
    elsewhere |= {in_words(action) for action in HealthAction} | {stage.value for stage in Stage}

    assert {word for word in known(panel) - elsewhere if not re.search(rf"\b{word}", shown, re.IGNORECASE)} == set()


@pytest.mark.parametrize("panel", FOLDERS)
def test_no_word_is_explained_twice_on_a_panel(panel):
    words = [word.casefold() for each, _ in WORDS[panel] for word in each.split(", ")]

    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("panel", "states"), [("overview", (*UNWELL, "restarting", "paused")), ("health", UNWELL), ("debrid", UNWELL)]
)
def test_each_state_that_is_not_as_usual_is_explained(panel, states):
    assert set(states) <= known(panel)


@pytest.mark.parametrize(
    ("panel", "word"),
    [
        ("overview", "Loop"),
        ("overview", "Breaker"),
        ("health", "Lasted"),
        ("health", "clocks stand"),
        ("debrid", "guards"),
    ],
)
def test_the_words_of_the_house_are_explained(panel, word):
    assert word in known(panel)


def test_what_a_loop_is_in_ends_with_what_helps():
    helps = dict(WORDS["overview"])

    assert "restart it" in helps["parked"]
    assert "Restart it" in helps["stuck"]
    assert "doctor" in helps["Breaker"]
