"""Runs the application without a terminal, and reads its screen as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tests.fakes.control import FakeControl
from torrent_mover.tui.shell.app import MoverApp
from torrent_mover.tui.shell.options import DashboardOptions

NARROW, MIDDLE, WIDE = (80, 24), (120, 40), (200, 60)
SIZES = {"80x24": NARROW, "120x40": MIDDLE, "200x60": WIDE}

Act = Callable[[MoverApp, Pilot[int]], Awaitable[None]]


def rows_of(app: MoverApp) -> list[str]:
    """The screen as text, one string a row, as wide as the terminal."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def dump(app: App[Any]) -> str:
    """The screen as text, without the blanks at the ends of rows."""
    return "\n".join(row.rstrip() for row in rows_of(app)) + "\n"


async def settle(pilot: Pilot[Any]) -> None:
    """Until layout and drawing have nothing more to do."""
    for _ in range(4):
        await pilot.pause()


async def resized(pilot: Pilot[Any], size: tuple[int, int]) -> None:
    """The terminal has another size now, and everything is drawn for it."""
    await pilot.resize_terminal(*size)
    await settle(pilot)


async def until_shown(app: App[Any], pilot: Pilot[Any], text: str) -> str:
    """The screen, once that text is on it."""
    deadline = time.monotonic() + 20
    while text not in (shown := dump(app)):
        assert time.monotonic() < deadline, shown
        await settle(pilot)
    return shown


def drive(control: FakeControl, act: Act, size: tuple[int, int] = NARROW, **options: Any) -> MoverApp:
    """Run the application on that control; `act` presses keys and looks."""
    plain: dict[str, Any] = {"theme": "dark", "graph": "braille", **options}
    app = MoverApp(control, DashboardOptions(**plain))

    async def session() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(pilot)
            await act(app, pilot)

    asyncio.run(session())
    return app


def walk(
    control: FakeControl, size: tuple[int, int], views: Mapping[str, tuple[str, ...]], **options: Any
) -> dict[str, str]:
    """What each view shows, all in one run of the application: after its keys, from the dashboard as it was at first."""
    shown: dict[str, str] = {}

    async def act(app: MoverApp, pilot: Pilot[int]) -> None:
        for name, keys in views.items():
            for key in keys:
                await pilot.press(key)
                await settle(pilot)
            shown[name] = dump(app)
            app.action_view("dashboard")
            await settle(pilot)

    drive(control, act, size, **options)
    return shown


def picture(control: FakeControl, size: tuple[int, int], *keys: str, **options: Any) -> str:
    """The screen after these keys."""
    shown: list[str] = []

    async def act(app: MoverApp, pilot: Pilot[int]) -> None:
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        shown.append(dump(app))

    drive(control, act, size, **options)
    return shown[0]
