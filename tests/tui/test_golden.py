"""Every screen in every state at three sizes, as text. `TM_GOLDEN=write pytest tests/tui/test_golden.py` writes them anew."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.tui.pilot import SIZES, picture
from tests.tui.scenes import SCENES

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


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("scene", "view"), CASES)
def test_screen_looks_as_it_was_approved(scene: str, view: str, size: str):
    shown = picture(SCENES[scene](), SIZES[size], *VIEWS[view])
    path = GOLDEN / f"{scene}-{view}-{size}.txt"
    if os.environ.get("TM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    wanted = {f"{scene}-{view}-{size}.txt" for scene, view in CASES for size in SIZES}

    assert {path.name for path in GOLDEN.iterdir()} == wanted
