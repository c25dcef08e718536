"""Every screen in every state at three sizes, as text. `TM_GOLDEN=write pytest tests/tui/test_golden.py` writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.pilot import SIZES, picture, walk
from tests.tui.scenes import SCENES

pytestmark = pytest.mark.thorough

GOLDEN = Path(__file__).parent / "golden"

VIEWS: dict[str, tuple[str, ...]] = {
    "dashboard": (),
    "queue": ("2",),
    "history": ("3",),
    "health": ("4",),
    "log": ("5",),
    "detail": ("enter",),
    "pieces": ("enter", "right"),
    "stages": ("enter", "right", "right"),
    "attempts": ("enter", "right", "right", "right"),
    "detail-log": ("enter", "left", "left"),
    "info": ("enter", "left"),
    "preflight": ("0",),
    "error": ("e",),
    "help": ("question_mark",),
    "leave": ("q",),
    "cancel": ("x",),
    "copy": ("y",),
    "bandwidth": ("b",),
}
EVERYWHERE = tuple(VIEWS)
CASES = [
    *(("running", view) for view in EVERYWHERE),
    *(("hostile", view) for view in EVERYWHERE),
    *((scene, "dashboard") for scene in ("empty", "retrying", "failed", "finished", "many")),
    *((scene, "queue") for scene in ("empty", "many")),
    ("empty", "history"),
    ("planning", "dashboard"),
    ("refused", "dashboard"),
    ("failed", "error"),
    ("retrying", "detail"),
    ("failed", "detail"),
]


SCENE_NAMES = tuple(dict.fromkeys(scene for scene, _ in CASES))


def shown(scene: str, size: str) -> dict[str, str]:
    """All views of a scene, from one run of the application."""
    return walk(SCENES[scene](), SIZES[size], {view: VIEWS[view] for each, view in CASES if each == scene})


def golden(scene: str, view: str, size: str) -> Path:
    return GOLDEN / f"{scene}-{view}-{size}.txt"


@pytest.mark.parametrize("scene", SCENE_NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_screens_look_as_they_were_approved(scene: str, size: str):
    found = shown(scene, size)
    if os.environ.get("TM_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        for view, text in found.items():
            golden(scene, view, size).write_text(text, encoding="utf-8")
    for view, text in found.items():
        assert text == golden(scene, view, size).read_text(encoding="utf-8"), view


def test_a_view_looks_the_same_whatever_was_shown_before_it():
    alone = picture(SCENES["running"](), SIZES["120x40"], *VIEWS["info"])

    assert alone == golden("running", "info", "120x40").read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    assert set(GOLDEN.iterdir()) == {golden(scene, view, size) for scene, view in CASES for size in SIZES}
