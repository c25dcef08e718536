"""The screens of health: every key, what makes no sense, the red strip, and what they look like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.health_control import FakeHealthControl
from tests.tui import health_case as scenes
from tests.tui.duty_case import Seen, asked, has, noted, press_keys
from tests.tui.health_case import DONE, HELD, LOST, SCENES, STALLED, drive, picture, pictures, session
from tests.tui.pilot import NARROW, SIZES
from torrent_mover.domain.errors import Unreachable
from torrent_mover.tui.health import keys
from torrent_mover.tui.health.app import HealthApp

GOLDEN = Path(__file__).parent / "golden_health"
WEEK = 7 * 86400.0


CASES: dict[str, tuple[Callable[[], FakeHealthControl], tuple[str, ...], Callable[[Seen], bool]]] = {
    "health.found": (scenes.acting, ("4", "1"), has("[1 Found 4]", "Show.S02E05", "Magnet.2026")),
    "health.due": (scenes.acting, ("2",), lambda seen: "Show.S02E05" in seen.text and "Magnet" not in seen.text),
    "health.held": (scenes.acting, ("3",), has("[3 Held 1]", "left alone until it is released")),
    "health.actions": (scenes.acting, ("4",), has("[4 Actions 2]", "Old.S01E01", "z takes it back")),
    "health.log": (scenes.acting, ("5",), has("[5 Log]", "The disk is read-only.")),
    "health.next": (scenes.blind, ("T", "T"), has("loop films", "R begins it again.")),
    "health.look": (scenes.acting, ("R",), asked("look", "tv")),
    "health.alarms": (scenes.blind, ("A",), has("Alarms", "films: KeyError", "R begins it again.")),
    "health.explain": (scenes.acting, ("e",), has("Why", "picture  true: 9 of 14 trackers answer")),
    "health.hold": (scenes.acting, ("2", "end", "space", "w"), asked("hold", "tv", LOST, WEEK)),
    "health.act": (scenes.acting, ("slash", *"show.s02", "enter", "x", "x"), asked("act", "tv", STALLED)),
    "health.undo": (scenes.acting, ("4", "z", "z"), asked("undo", "tv", 12)),
    "health.reset": (scenes.acting, ("4", "0"), asked("reset", "tv", DONE)),
    "health.copy": (scenes.acting, ("4", "y", "1"), lambda seen: seen.app.clipboard == DONE.hex),
    "app.quit": (scenes.acting, ("q",), asked("stop", False)),
    "app.stop": (scenes.acting, ("ctrl+c",), lambda seen: seen.app.return_value == 130),
    "app.help": (scenes.acting, ("question_mark",), has("Keys", "Do what is due with it, now")),
    "app.back": (scenes.acting, ("2", "escape"), has("[1 Found 4]")),
    "app.duty": (scenes.acting, ("D",), noted("There is no overview here")),
    "app.overview": (scenes.acting, ("O",), noted("There is no overview here")),
    "app.shell": (scenes.acting, ("ctrl+z",), noted("This terminal cannot run a shell")),
    "app.theme": (scenes.acting, ("t",), lambda seen: seen.app.theme == "light"),
    "log.open": (scenes.acting, ("o",), noted("There is no log file yet")),
    "view.next": (scenes.acting, ("right",), has("[2 Due 3]")),
    "view.previous": (scenes.acting, ("left",), has("[5 Log]")),
    "list.filter": (scenes.acting, ("slash", *"code:stalled", "enter"), lambda seen: "Film.2021" not in seen.text),
}


@pytest.mark.parametrize("name", CASES)
def test_a_key_does_what_its_tooltip_says(name):
    scene, pressed, true = CASES[name]
    seen = session(scene(), *pressed)
    assert true(seen), f"{seen.notes}\n{seen.text}\n{seen.control.calls}"


def test_every_key_is_tried():
    assert {binding.id for binding in (*keys.APP, *keys.TORRENT)} <= CASES.keys()


@pytest.mark.parametrize(
    ("scene", "pressed", "word"),
    [
        (scenes.acting, ("slash", *"film.2021", "enter", "x"), "is kept: hit-and-run: 2d 4h of 3d seeded"),
        (scenes.reporting, ("2", "x"), "is only reported ([HEALTH tv] mode = report)"),
        (scenes.acting, ("3", "x"), "is held; space lets it be judged again"),
        (scenes.acting, ("slash", *"magnet", "enter", "x"), "has nothing due that changes something"),
        (scenes.acting, ("4", "down", "z"), "This cannot be taken back: recheck, failed"),
        (scenes.acting, ("z",), "Only an action can be taken back"),
        (scenes.acting, ("4", "x"), "That is an action that was taken"),
        (scenes.well, ("e",), "No torrent is chosen"),
        (scenes.none, ("R",), "No loop runs"),
        (scenes.acting, ("T",), "There is no other loop"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_asked_for(scene, pressed, word):
    seen = session(scene(), *pressed)
    assert word in seen.notes
    assert not [call for call in seen.control.calls if call[0] in ("act", "undo", "hold")]


def test_what_is_held_is_released_by_the_same_key():
    assert ("release", "tv", HELD) in session(scenes.acting(), "3", "space").control.calls


def test_an_explanation_that_fails_says_what_happened_and_what_helps():
    control = scenes.acting()
    control.refusal = Unreachable("The client does not answer.", remedy="Start it.")
    assert has("The client does not answer.", "Start it.")(session(control, "e"))


@pytest.mark.parametrize(
    ("order", "pressed"),
    [("request_look", ("R",)), ("act", ("slash", *"show.s02", "enter", "x", "x")), ("release", ("3", "space"))],
)
def test_an_order_that_is_refused_is_said_in_a_line_and_the_screen_goes_on(order, pressed):
    """Another process may have hidden the duty between two pictures; also after a question was answered."""
    control = scenes.acting()

    def refuse(*_about: object) -> None:
        raise Unreachable("That process does not show health any more.", remedy="Look again.")

    setattr(control, order, refuse)
    seen = session(control, *pressed, "A")

    assert "That process does not show health any more. Look again." in seen.notes
    assert "Alarms" in seen.text
    assert seen.app.failure is None


def test_red_where_clocks_stand_and_calm_where_all_is_well():
    shown = picture(scenes.blind(), NARROW)
    assert "clocks stand, nothing acts: none of 9 started torrents" in shown
    assert "✗ films" in shown
    assert "nothing is wrong" in picture(scenes.well(), NARROW)


def test_another_process_goes_on_when_this_screen_is_left():
    control = scenes.acting()

    async def act(app: HealthApp, pilot) -> None:
        await press_keys(app, pilot, "q")

    drive(control, act, attached=True)
    assert ("stop", False) not in control.calls


LOOKS = [(scene, tuple(SIZES)) for scene in SCENES]
KEYS = {"actions": ("acting", ("4",)), "explain": ("acting", ("e",)), "help": ("acting", ("question_mark",))}


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "sizes"), [*LOOKS, *((name, ("80x24",)) for name in KEYS)])
def test_screen_looks_as_it_was_approved(name: str, sizes: tuple[str, ...]):
    scene, pressed = KEYS.get(name, (name, ()))
    for size, shown in zip(sizes, pictures(SCENES[scene](), [SIZES[size] for size in sizes], *pressed), strict=True):
        path = GOLDEN / f"{name}-{size}.txt"
        if os.environ.get("TM_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert shown == path.read_text(encoding="utf-8"), size


@pytest.mark.parametrize("scene", SCENES)
def test_every_row_fits_its_terminal(scene):
    sizes = [(60, 15), (80, 24), (30, 5), (200, 60)]
    for size, shown in zip(sizes, pictures(SCENES[scene](), sizes), strict=True):
        assert len(shown.splitlines()) == size[1]
