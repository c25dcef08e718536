"""Runs the application without a terminal, and reads its screen as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

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


PATIENCE = 60.0
"""Seconds after which what is awaited will not come any more, however busy the machine is."""


async def until_idle(*_seconds: float) -> None:
    """Until no task of this loop can go on: each message has been handled, and all that followed from it.

    What sleeps and what runs in a thread is not waited for. Textual's own way (8.x) watches how much processor time passes
    within 20 ms, and takes a process that gets none, beside busy ones, for one that has nothing to do.
    """
    loop: Any = asyncio.get_running_loop()
    deadline = time.monotonic() + PATIENCE
    turns = 0
    while turns < 3:  # one for the tasks, one for the sockets that wake the loop, one for what came of them
        await asyncio.sleep(0)
        turns = 0 if loop._ready else turns + 1
        assert time.monotonic() < deadline, "the tasks of the application never come to rest"


def to_be_drawn(screen: Screen[Any]) -> bool:
    """Whether a screen waits for the timer that lays out, draws, and calls what was to happen after that.

    One that lies below another is marked anew by Textual (8.x) each time it was drawn: there, drawing does not count.
    """
    if not screen.is_current:
        return bool(screen._callbacks)
    dirty = screen._repaint_required or screen._dirty_widgets
    moved = screen._layout_required or screen._scroll_required or screen._recompose_required
    return bool(moved or screen._callbacks or (dirty and screen is screen.app.screen))


async def settle(pilot: Pilot[Any]) -> None:
    """Until nothing is left to do: no message waits, every screen and toast is mounted, laid out for this size, and drawn."""
    app = pilot.app
    before: list[str] = []
    while True:
        await at_rest(app)
        if app._exit or app._exception or not app.is_running or len(app.screen_stack) < 2:
            return
        # What lies below a dialog is drawn in several steps, of which Textual tells nothing: until one more changes nothing.
        shown = rows_of(app)
        if shown == before:
            return
        before = shown


async def at_rest(app: App[Any]) -> None:
    """Until nothing waits, and what lies below has been drawn once more."""
    deadline = time.monotonic() + PATIENCE
    below_too = True
    while True:
        await until_idle()
        if app._exit or app._exception or not app.is_running:
            return
        waiting = app.screen_stack if below_too else [screen for screen in app.screen_stack if to_be_drawn(screen)]
        if app._resize_timer is None and not app._batch_count and not waiting:
            return
        assert time.monotonic() < deadline, "the screen never comes to rest"
        for screen in waiting:
            screen._on_timer_update()
        if not waiting:
            await asyncio.sleep(0.01)  # Textual takes up a new size a moment after it was told of it
        below_too = False


async def resized(pilot: Pilot[Any], size: tuple[int, int]) -> None:
    """The terminal has another size now, and everything is drawn for it."""
    await pilot.resize_terminal(*size)
    await settle(pilot)


async def until_shown(app: App[Any], pilot: Pilot[Any], text: str) -> str:
    """The screen, once that text is on it."""
    deadline = time.monotonic() + PATIENCE
    await settle(pilot)
    while text not in (shown := dump(app)):
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.02)
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
