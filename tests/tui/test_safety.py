"""Names and messages are data: nothing of them acts on the terminal, on any screen; and ASCII terminals get ASCII."""

from __future__ import annotations

import unicodedata

import pytest

from tests.fakes.snapshots import a_hash
from tests.tui.pilot import MIDDLE, NARROW, SIZES, drive, picture, rows_of, settle, until_shown, walk
from tests.tui.scenes import HOSTILE, SCENES
from tests.tui.test_golden import GOLDEN, VIEWS
from torrent_mover.domain.report.events import MoveFailed
from torrent_mover.domain.text import safe
from torrent_mover.tui.shell.app import MoverApp

pytestmark = pytest.mark.thorough

_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def acting(text: str) -> set[str]:
    return {one for one in text if one != "\n" and (unicodedata.category(one) in ("Cc", "Cs") or one in _BIDI)}


def test_nothing_that_acts_reaches_the_screen():
    pictures = [path.read_text(encoding="utf-8") for path in GOLDEN.glob("hostile-*.txt")]

    assert len(pictures) == len(VIEWS) * len(SIZES)
    assert {one for text in pictures for one in acting(text)} == set()


def test_rows_keep_their_width_whatever_the_names():
    async def act(app: MoverApp, pilot) -> None:
        for view in ("dashboard", "queue", "history", "detail", "preflight"):
            app.action_view("dashboard")
            await settle(pilot)
            for key in VIEWS[view]:
                await pilot.press(key)
                await settle(pilot)
            assert {strip.cell_length for strip in app.screen._compositor.render_strips()} == {80}, view
            assert len(rows_of(app)) == 24, view

    drive(SCENES["hostile"](), act, NARROW)


def test_markup_in_a_name_is_shown_as_it_is():
    assert "Show [1080p][/red] [bold]x[/]" in picture(SCENES["hostile"](), MIDDLE)


def test_a_failure_with_a_hostile_name_is_told_without_harm():
    control = SCENES["running"]()

    async def act(app: MoverApp, pilot) -> None:
        for number, name in enumerate(HOSTILE):
            control.emit(MoveFailed(0.0, a_hash(1), name, name, name, name, f"TM-E{number}"))
            assert acting(await until_shown(app, pilot, f"Failed TM-E{number}")) == set()

    drive(control, act, MIDDLE)


PLAIN_VIEWS = ("dashboard", "queue", "history", "health", "detail", "pieces", "preflight", "help", "info")


@pytest.mark.parametrize("scene", ["hostile", "retrying", "finished"])
def test_a_terminal_without_unicode_gets_ascii_only(scene: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "linux")

    found = walk(SCENES[scene](), MIDDLE, {view: VIEWS[view] for view in PLAIN_VIEWS}, graph="auto")

    for view, text in found.items():
        assert {one for one in text if not one.isascii()} == set(), view
        assert max(len(row) for row in text.splitlines()) <= MIDDLE[0], view


def test_what_is_copied_cannot_act_either():
    control = SCENES["hostile"]()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("down", "y", "2")
        await settle(pilot)
        assert app.clipboard == safe(HOSTILE[1])

    drive(control, act)
