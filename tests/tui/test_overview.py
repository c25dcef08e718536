"""The overview of all duties: every key, what makes no sense, where it leads, and what it looks like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.overview_control import FakeOverviewControl
from tests.tui import overview_case as scenes
from tests.tui.duty_case import Seen, has, noted, press_keys
from tests.tui.overview_case import SCENES, drive, picture, session
from tests.tui.pilot import MIDDLE, NARROW, SIZES, until_shown
from torrent_mover.tui.overview import keys
from torrent_mover.tui.overview.app import OverviewApp
from torrent_mover.tui.shell.options import NEXT_DUTY

GOLDEN = Path(__file__).parent / "golden_overview"


CASES: dict[str, tuple[Callable[[], FakeOverviewControl], tuple[str, ...], Callable[[Seen], bool]]] = {
    "overview.all": (scenes.troubled, ("3", "1", "home"), has("[1 All]", "Moves ⚠ 3")),
    "overview.needs": (scenes.troubled, ("2",), lambda seen: "Moves ⚠" not in seen.text and "is parked" in seen.text),
    "overview.loops": (scenes.well, ("3",), lambda seen: "[3 Loops]" in seen.text and "Moves  " not in seen.text),
    "overview.log": (scenes.well, ("4",), has("[4 Log]", "The client was away for 40 s.")),
    "overview.read": (
        scenes.troubled,
        ("2", "e"),
        has("Needs you", "Mend that, then begin it again", "any key closes"),
    ),
    "overview.restart": (scenes.troubled, ("2", "R"), lambda seen: seen.control.calls == [("restart", "tier ssd")]),
    "overview.pause": (
        scenes.well,
        ("3", "space", "end", "space"),
        lambda seen: seen.control.calls == [("pause", "moves"), ("resume", "rd")],
    ),
    "overview.copy": (scenes.troubled, ("2", "y", "2"), lambda seen: seen.app.clipboard.startswith("Mend that")),
    "list.open": (scenes.well, ("down", "enter"), lambda seen: seen.app.wanted == "tiers"),
    "app.quit": (scenes.well, ("q",), lambda seen: seen.app.return_value is None and not seen.app.wanted),
    "app.stop": (scenes.well, ("ctrl+c",), lambda seen: seen.app.return_value == 130),
    "app.help": (scenes.well, ("question_mark",), has("Keys and words", "Forget a loop's failures")),
    "app.back": (scenes.well, ("2", "escape"), has("[1 All]")),
    "app.duty": (scenes.well, ("D",), lambda seen: seen.app.return_value == NEXT_DUTY),
    "app.overview": (scenes.well, ("O",), noted("This is the overview")),
    "app.shell": (scenes.well, ("ctrl+z",), noted("This terminal cannot run a shell")),
    "app.theme": (scenes.well, ("t",), lambda seen: seen.app.theme == "light"),
    "log.open": (scenes.well, ("o",), noted("There is no log file yet")),
    "view.next": (scenes.well, ("right",), has("[2 Needs you]", "nothing needs you")),
    "view.previous": (scenes.well, ("left",), has("[4 Log]")),
    "list.filter": (scenes.troubled, ("slash", *"archive", "enter"), lambda seen: "Tears of Steel" not in seen.text),
}


@pytest.mark.parametrize("name", CASES)
def test_a_key_does_what_its_tooltip_says(name):
    scene, pressed, true = CASES[name]
    seen = session(scene(), *pressed)
    assert true(seen), f"{seen.notes}\n{seen.text}\n{seen.control.calls}"


def test_every_key_is_tried():
    assert {binding.id for binding in (*keys.APP, *keys.ROW)} <= CASES.keys()


@pytest.mark.parametrize(
    ("scene", "pressed", "word"),
    [
        (scenes.well, ("R",), "Choose a loop"),
        (scenes.scattered, ("space",), "Choose a loop"),
        (scenes.nothing, ("e",), "Nothing is chosen"),
        (scenes.nothing, ("y",), "Nothing is chosen"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_asked_for(scene, pressed, word):
    seen = session(scene(), *pressed)
    assert word in seen.notes
    assert seen.control.calls == []


@pytest.mark.parametrize(
    ("pressed", "duty"),
    [(("end", "enter"), "debrid"), (("slash", *"mnt/archive", "enter", "enter"), "tiers"), (("2", "enter"), "tiers")],
)
def test_enter_leads_to_the_duty_that_a_loop_or_a_need_belongs_to(pressed, duty):
    assert session(scenes.troubled(), *pressed).app.wanted == duty


def test_an_order_for_a_loop_that_is_gone_is_refused_in_words():
    control = scenes.well()

    async def act(app: OverviewApp, pilot) -> None:
        await press_keys(app, pilot, "3")
        control.serve.restart = lambda _loop: FakeOverviewControl([], control.serve).serve._tell("restart", "gone")
        await press_keys(app, pilot, "R")
        assert await until_shown(app, pilot, "There is no such loop.")

    drive(control, act)


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_verdict_duties_and_what_needs_somebody_are_on_the_first_screen(size):
    shown = picture(scenes.troubled(), size)
    for word in ("12 things need you: the process, moves, tiers, health, debrid.", "tier ssd is parked", "Debrid ⚠ 2"):
        assert word in shown
    assert "All is well." in picture(scenes.well(), size)


def test_only_what_runs_is_shown():
    shown = picture(scenes.scattered(), MIDDLE)
    assert "Moves" in shown
    assert "Health" not in shown
    assert "Debrid" not in shown
    assert "no process serves" in picture(scenes.scattered(), MIDDLE, "3")
    assert "no duty runs with this config" in picture(scenes.nothing(), MIDDLE)


@pytest.mark.thorough
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCENES)
def test_screen_looks_as_it_was_approved(name: str, size: str):
    shown = picture(SCENES[name](), SIZES[size])
    path = GOLDEN / f"{name}-{size}.txt"
    if os.environ.get("TM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (30, 5), (200, 60)])
@pytest.mark.parametrize("scene", SCENES)
def test_every_row_fits_its_terminal(scene, size):
    rows = picture(SCENES[scene](), size).splitlines()
    assert len(rows) == size[1]
