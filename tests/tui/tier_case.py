"""Runs the application of the tiers without a terminal, and reads its screen as text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.pilot import Pilot

from tests.fakes.tier_control import FakeTierControl
from tests.tui.pilot import MIDDLE, resized, settle
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.tiering.app import TierApp

Act = Callable[[TierApp, Pilot[int]], Awaitable[None]]


def dump(app: TierApp) -> str:
    """The screen as text, without the blanks at the ends of rows."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def drive(control: FakeTierControl, act: Act, size: tuple[int, int] = MIDDLE, **options: Any) -> TierApp:
    """Run the application on that control; `act` presses keys and looks."""
    plain: dict[str, Any] = {"theme": "dark", "graph": "braille", **options}
    app = TierApp(control, DashboardOptions(**plain))

    async def session() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(pilot)
            await act(app, pilot)

    asyncio.run(session())
    return app


async def press(app: TierApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys, one after the other, each with all that follows from it."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
        if app._exit:
            return
        await app.workers.wait_for_complete()
        await settle(pilot)


def pictures(control: FakeTierControl, sizes: Sequence[tuple[int, int]], *keys: str, **options: Any) -> list[str]:
    """The screen after these keys at each of these sizes, the first of which it starts with."""
    shown: list[str] = []

    async def act(app: TierApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *keys)
        shown.append(dump(app))
        for size in sizes[1:]:
            await resized(pilot, size)
            shown.append(dump(app))

    drive(control, act, sizes[0], **options)
    return shown


def picture(control: FakeTierControl, size: tuple[int, int], *keys: str, **options: Any) -> str:
    """The screen after these keys."""
    return pictures(control, [size], *keys, **options)[0]
