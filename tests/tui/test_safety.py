"""Names and messages are data: nothing of them acts on the terminal, on any screen; and ASCII terminals get ASCII."""

from __future__ import annotations

import unicodedata
from functools import cache

import pytest

from tests.fakes.snapshots import a_hash
from tests.tui.pilot import MIDDLE, NARROW, drive, dump, picture, rows_of, settle, walk
from tests.tui.scenes import HOSTILE, SCENES
from tests.tui.test_golden import VIEWS, shown
from torrent_mover.domain.events import MoveFailed
from torrent_mover.domain.text import safe
from torrent_mover.tui.app import MoverApp

_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def acting(text: str) -> set[str]:
    return {one for one in text if one != "\n" and (unicodedata.category(one) in ("Cc", "Cs") or one in _BIDI)}


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_that_acts_reaches_the_screen(view: str):
    assert acting(shown("hostile", "120x40")[view]) == set()


@pytest.mark.parametrize("view", ["dashboard", "queue", "history", "detail", "preflight"])
def test_rows_keep_their_width_whatever_the_names(view: str):
    widths: list[set[int]] = []

    async def act(app: MoverApp, pilot) -> None:
        for key in VIEWS[view]:
            await pilot.press(key)
            await settle(pilot)
        strips = app.screen._compositor.render_strips()
        widths.append({strip.cell_length for strip in strips})
        assert len(rows_of(app)) == 24

    drive(SCENES["hostile"](), act, NARROW)

    assert widths == [{80}]


def test_markup_in_a_name_is_shown_as_it_is():
    assert "Show [1080p][/red] [bold]x[/]" in picture(SCENES["hostile"](), MIDDLE)


def test_a_failure_with_a_hostile_name_is_told_without_harm():
    control = SCENES["running"]()
    told: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        for name in HOSTILE:
            control.emit(MoveFailed(0.0, a_hash(1), name, name, name, name, "TM-E305"))
        await settle(pilot)
        told.append(dump(app))

    drive(control, act, MIDDLE)

    assert "Failed TM-E305" in told[0]
    assert acting(told[0]) == set()


PLAIN_VIEWS = ("dashboard", "queue", "history", "health", "detail", "pieces", "preflight", "help", "info")


@cache
def on_a_console(scene: str) -> dict[str, str]:
    """What a terminal without Unicode shows."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TERM", "linux")
        return walk(SCENES[scene](), MIDDLE, {view: VIEWS[view] for view in PLAIN_VIEWS}, graph="auto")


@pytest.mark.parametrize("view", PLAIN_VIEWS)
@pytest.mark.parametrize("scene", ["hostile", "retrying", "finished"])
def test_a_terminal_without_unicode_gets_ascii_only(scene: str, view: str):
    found = on_a_console(scene)[view]

    assert {one for one in found if not one.isascii()} == set()
    assert max(len(row) for row in found.splitlines()) <= MIDDLE[0]


def test_what_is_copied_cannot_act_either():
    control = SCENES["hostile"]()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("down", "y", "2")
        await settle(pilot)
        assert app.clipboard == safe(HOSTILE[1])

    drive(control, act)
