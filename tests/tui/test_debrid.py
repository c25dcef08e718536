"""The screen of debrid accounts: every key, what makes no sense, the red strip, and what it looks like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.debrid_control import FakeDebridControl
from tests.tui import debrid_case as scenes
from tests.tui.debrid_case import BEGUN, DEAD, SCENES, WAITS, drive, picture, pictures, session
from tests.tui.duty_case import Seen, asked, has, noted, press_keys
from tests.tui.pilot import MIDDLE, NARROW, SIZES
from torrent_mover.domain.errors import UsageError
from torrent_mover.tui.debrid import keys
from torrent_mover.tui.debrid.app import DebridApp

GOLDEN = Path(__file__).parent / "golden_debrid"


CASES: dict[str, tuple[Callable[[], FakeDebridControl], tuple[str, ...], Callable[[Seen], bool]]] = {
    "debrid.found": (scenes.acting, ("4", "1"), has("[1 Found 3]", "Show.S01", "only suspected", "only reported")),
    "debrid.plan": (scenes.acting, ("2",), lambda seen: has("[2 Plan 2]", "43%")(seen) and "Docu" not in seen.text),
    "debrid.repairs": (scenes.acting, ("3",), has("[3 Repairs 2]", "8/8 files proven", "old K1, new K2")),
    "debrid.retries": (scenes.acting, ("4",), has("[4 Retries 1]", "2 of 3", "not cached, without progress")),
    "debrid.aside": (scenes.acting, ("5",), has("[5 Set aside 1]", "/media/films/Film.2021.mkv", "u puts it back")),
    "debrid.log": (scenes.acting, ("6",), has("[6 Log]", "infringing_file")),
    "debrid.next": (scenes.stopped, ("T", "T"), has("account box", "traffic used up until")),
    "debrid.scan": (scenes.acting, ("R",), asked("scan", "rd")),
    "debrid.act": (scenes.acting, ("a", "2", "enter"), asked("act", "rd", (BEGUN, DEAD))),
    "debrid.alarms": (scenes.stopped, ("A",), has("Alarms", "its premium has ended", "debrid accept refused 7")),
    "debrid.explain": (scenes.acting, ("e",), has("Why", "not now: mode = report")),
    "debrid.retry": (scenes.acting, ("4", "r"), asked("retry", "rd", WAITS)),
    "debrid.restore": (scenes.acting, ("5", "u", "u"), asked("restore", "rd", "3f2a-00c0ffee")),
    "debrid.copy": (scenes.acting, ("y", "1"), lambda seen: seen.app.clipboard == DEAD.hex),
    "app.quit": (scenes.acting, ("q",), asked("stop", False)),
    "app.stop": (scenes.acting, ("ctrl+c",), lambda seen: seen.app.return_value == 130),
    "app.help": (scenes.acting, ("question_mark",), has("Keys", "Begin a round now")),
    "app.back": (scenes.acting, ("2", "escape"), has("[1 Found 3]")),
    "app.duty": (scenes.acting, ("D",), noted("There is no overview here")),
    "app.overview": (scenes.acting, ("O",), noted("There is no overview here")),
    "app.shell": (scenes.acting, ("ctrl+z",), noted("This terminal cannot run a shell")),
    "app.theme": (scenes.acting, ("t",), lambda seen: seen.app.theme == "light"),
    "log.open": (scenes.acting, ("o",), noted("There is no log file yet")),
    "view.next": (scenes.acting, ("right",), has("[2 Plan 2]")),
    "view.previous": (scenes.acting, ("left",), has("[6 Log]")),
    "list.filter": (scenes.acting, ("slash", *"fault:dead", "enter"), lambda seen: "Docu.2019" not in seen.text),
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
        (scenes.well, ("a",), "Nothing is to be done now"),
        (scenes.well, ("e",), "Nothing is chosen"),
        (scenes.acting, ("r",), "Only what waits can be tried again"),
        (scenes.acting, ("u",), "Only a link that was set aside can be put back"),
        (scenes.acting, ("T",), "There is no other account"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_asked_for(scene, pressed, word):
    seen = session(scene(), *pressed)
    assert word in seen.notes
    assert not [call for call in seen.control.calls if call[0] in ("act", "retry", "restore")]


def test_acting_shows_the_plan_and_wants_its_count_typed_in_mode_report_too():
    shown = session(scenes.reporting(), "a")
    wrong = session(scenes.reporting(), "a", "3", "enter")
    right = session(scenes.reporting(), "a", "1", "enter")

    assert has("[2 Plan 1]", "Act on the plan?", "Type 1 and press", "only reports")(shown)
    assert "Nothing was begun: the count is 1." in wrong.text
    assert not wrong.control.calls
    assert ("act", "rd", (DEAD,)) in right.control.calls


def test_an_explanation_that_fails_says_what_happened_and_what_helps():
    control = scenes.acting()
    control.refusal = UsageError("There is no account rd.", remedy="Look again.")
    assert has("There is no account rd.", "Look again.")(session(control, "e"))


def test_red_where_somebody_is_needed_and_calm_where_all_is_well():
    shown = picture(scenes.stopped(), NARROW)
    assert "rd: 7 are refused at once: nothing is done" in shown
    assert "paused for" in picture(scenes.stopped(), MIDDLE)
    calm = picture(scenes.well(), NARROW)
    assert "nothing is wrong" in calm
    assert "premium 63 d, slots 2/10" in calm


def test_another_process_goes_on_when_this_screen_is_left():
    control = scenes.acting()

    async def act(app: DebridApp, pilot) -> None:
        await press_keys(app, pilot, "q")

    drive(control, act, attached=True)
    assert ("stop", False) not in control.calls


LOOKS = [(scene, tuple(SIZES)) for scene in SCENES]
KEYS = {
    "plan": ("acting", ("a",)),
    "aside": ("acting", ("5",)),
    "explain": ("acting", ("e",)),
    "help": ("acting", ("question_mark",)),
}


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
