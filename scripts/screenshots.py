"""Draws every screen as SVG into docs/screenshots, from the same scenes that the tests use. Run from the project's root."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["TZ"] = "UTC"
time.tzset()

from textual.app import App  # noqa: E402 - the path and the time zone come first
from textual.pilot import Pilot  # noqa: E402

from tests.tui import overview_case, scenes, tier_case, tier_scenes  # noqa: E402
from tests.tui.pilot import drive, settle  # noqa: E402

Act = Callable[[Any, Pilot[int]], Awaitable[None]]
SMALL, MIDDLE, LARGE = (80, 24), (140, 40), (200, 60)
SHOTS: tuple[tuple[str, str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("dashboard", "running", MIDDLE, (), "dark"),
    ("dashboard-80x24", "running", SMALL, (), "dark"),
    ("dashboard-200x60", "running", LARGE, (), "dark"),
    ("dashboard-light", "running", MIDDLE, (), "light"),
    ("dashboard-contrast", "running", MIDDLE, (), "contrast"),
    ("dashboard-mono", "running", MIDDLE, (), "mono"),
    ("queue", "running", MIDDLE, ("2",), "dark"),
    ("history", "running", MIDDLE, ("3",), "dark"),
    ("health", "running", MIDDLE, ("4",), "dark"),
    ("log", "running", MIDDLE, ("5",), "dark"),
    ("detail", "running", MIDDLE, ("enter",), "dark"),
    ("pieces", "running", MIDDLE, ("enter", "right"), "dark"),
    ("preflight", "refused", SMALL, (), "dark"),
    ("error", "failed", MIDDLE, ("e",), "dark"),
    ("help", "running", MIDDLE, ("question_mark",), "dark"),
    ("leave", "running", SMALL, ("q",), "dark"),
    ("palette", "running", SMALL, ("ctrl+p",), "dark"),
)
TIER_SHOTS: tuple[tuple[str, str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("tiers", "working", MIDDLE, (), "dark"),
    ("tiers-80x24", "working", SMALL, (), "dark"),
    ("tiers-alarms", "alarmed", MIDDLE, (), "dark"),
    ("tiers-explain", "working", MIDDLE, ("3", "down", "e"), "light"),
)
OVERVIEW_SHOTS: tuple[tuple[str, str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("overview", "troubled", MIDDLE, (), "dark"),
    ("overview-80x24", "well", SMALL, (), "dark"),
)
_FONT_FACES = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def svg_of(show: Callable[[Act], object], keys: tuple[str, ...]) -> str:
    """The screen that `show` opens, after these keys, with the reader's own fixed-width font."""
    shots: list[str] = []

    async def act(app: App[int], pilot: Pilot[int]) -> None:
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        await app.workers.wait_for_complete()
        await settle(pilot)
        shots.append(app.export_screenshot(title="torrent_mover"))

    show(act)
    svg = _FONT_FACES.sub("", shots[0]).replace("Fira Code", "DejaVu Sans Mono")
    svg = svg.replace("&#160;", " ").replace("<svg ", '<svg xml:space="preserve" ', 1)
    return re.sub(r"terminal-\d+", "terminal", svg)


def main() -> int:
    """Write all shots, or those that are named."""
    folder = Path("docs/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    ways = (
        (SHOTS, lambda scene, size, theme: partial(drive, scenes.SCENES[scene](), size=size, theme=theme)),
        (
            TIER_SHOTS,
            lambda scene, size, theme: partial(tier_case.drive, tier_scenes.SCENES[scene](), size=size, theme=theme),
        ),
        (
            OVERVIEW_SHOTS,
            lambda scene, size, theme: partial(
                overview_case.drive, overview_case.SCENES[scene](), size=size, theme=theme
            ),
        ),
    )
    for shots, way in ways:
        for name, scene, size, keys, theme in shots:
            if len(sys.argv) == 1 or name in sys.argv[1:]:
                (folder / f"{name}.svg").write_text(svg_of(way(scene, size, theme), keys), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
