"""Runs the application of one duty without a terminal, and reads its screen as text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textual.pilot import Pilot

from tests.tui.pilot import MIDDLE, dump, resized, settle
from torrent_mover.tui.shell.list_app import ListApp
from torrent_mover.tui.shell.options import DashboardOptions

AppT = TypeVar("AppT", bound=ListApp)


async def press_keys(app: ListApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys, one after the other, each with all that follows from it."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
        if app._exit:
            return
        await app.workers.wait_for_complete()
        await settle(pilot)


@dataclass
class Seen:
    """What a session left behind. `notes`: all short words that came up, one after the other."""

    app: Any
    control: Any
    text: str
    notes: str


def has(*words: str) -> Callable[[Seen], bool]:
    """Whether all of that is on the screen."""
    return lambda seen: all(word in seen.text for word in words)


def asked(*call: object) -> Callable[[Seen], bool]:
    """Whether the control was asked for that."""
    return lambda seen: call in seen.control.calls


def noted(word: str) -> Callable[[Seen], bool]:
    """Whether a short word said that."""
    return lambda seen: word in seen.notes


class DutyCase(Generic[AppT]):
    """Runs applications of that type; `usual`: options that they get unless a test says otherwise."""

    def __init__(self, app_type: type[AppT], **usual: Any) -> None:
        self._app_type = app_type
        self._usual = {"theme": "dark", "graph": "braille", **usual}

    def drive(
        self,
        control: Any,
        act: Callable[[AppT, Pilot[int]], Awaitable[None]],
        size: tuple[int, int] = MIDDLE,
        **options: Any,
    ) -> AppT:
        """Run the application on that control; `act` presses keys and looks."""
        app = self._app_type(control, DashboardOptions(**{**self._usual, **options}))

        async def session() -> None:
            async with app.run_test(size=size, notifications=True) as pilot:
                await settle(pilot)
                await act(app, pilot)

        asyncio.run(session())
        return app

    def pictures(self, control: Any, sizes: Sequence[tuple[int, int]], *keys: str, **options: Any) -> list[str]:
        """The screen after these keys at each of these sizes, the first of which it starts with."""
        shown: list[str] = []

        async def act(app: AppT, pilot: Pilot[int]) -> None:
            await press_keys(app, pilot, *keys)
            shown.append(dump(app))
            for size in sizes[1:]:
                await resized(pilot, size)
                shown.append(dump(app))

        self.drive(control, act, sizes[0], **options)
        return shown

    def picture(self, control: Any, size: tuple[int, int], *keys: str, **options: Any) -> str:
        """The screen after these keys."""
        return self.pictures(control, [size], *keys, **options)[0]

    def session(self, control: Any, *pressed: str, size: tuple[int, int] = MIDDLE, **options: Any) -> Seen:
        """What is there after these keys."""
        texts: list[str] = []
        notes: list[str] = []

        async def act(app: AppT, pilot: Pilot[int]) -> None:
            show = app.notify
            app.notify = lambda message, **how: (notes.append(message), show(message, **how))[1]  # type: ignore[method-assign]
            await press_keys(app, pilot, *pressed)
            texts.append("" if app._exit else dump(app))

        return Seen(self.drive(control, act, size, **options), control, texts[0], " ".join(notes))
