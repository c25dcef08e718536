"""States of all duties together, and what runs their overview without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.fakes.overview_control import FakeOverviewControl
from tests.fakes.serve_control import AT, FakeServeControl
from tests.tui import debrid_case, health_case, scenes, tier_scenes
from tests.tui.duty_case import DutyCase
from tests.tui.scenes import HOSTILE
from torrent_mover.commands.debrid.dashboard import debrid_panel
from torrent_mover.commands.health.dashboard import health_panel
from torrent_mover.commands.moves_front import moves_panel
from torrent_mover.commands.tiering.dashboard import tiers_panel
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.serving import DiskReport, LoopReport, ServerReport
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.panels import Panel
from torrent_mover.tui.overview.app import OverviewApp

GIB = 1024**3


def panels(moves: str, tiers: str, health: str, debrid: str) -> list[Panel]:
    """One scene of each duty."""
    return [
        moves_panel(scenes.SCENES[moves]()),
        tiers_panel(tier_scenes.SCENES[tiers](), lambda: None),
        health_panel(health_case.SCENES[health]()),
        debrid_panel(debrid_case.SCENES[debrid]()),
    ]


def serving(**changes: Any) -> FakeServeControl:
    """A process that serves all four."""
    serve = FakeServeControl()
    loops = (
        LoopReport("moves", "moving", "looking", "act", AT - 1, None, 0, panel="moves"),
        LoopReport("tier ssd", "tiering", "waiting", "act", AT - 20, AT + 40, 0, panel="tiers"),
        LoopReport("tv", "health", "waiting", "act", AT - 40, AT + 260, 0, "", 2, 3, "health"),
        LoopReport("rd", "debrid", "paused", "report", AT - 2, None, 0, panel="debrid"),
    )
    disks = (DiskReport("/srv/library", 40 * GIB, 100 * GIB), DiskReport("/mnt/ssd", 4 * GIB, 100 * GIB, 10 * GIB))
    servers = (
        ServerReport("seedbox", "source", "qBittorrent 5.1.0", "closed"),
        ServerReport("tv", "arr", "Sonarr", "closed, 1 in a row"),
    )
    duties = ("moves", "tiers", "health", "debrid")
    serve.current = replace(serve.current, duties=duties, loops=loops, disks=disks, servers=servers, **changes)
    serve.lines.append(LogLine(1, AT, Level.WARN, None, "The client was away for 40 s."))
    return serve


def well() -> FakeOverviewControl:
    return FakeOverviewControl(panels("running", "idle", "well", "well"), serving())


def troubled() -> FakeOverviewControl:
    serve = serving()
    parked = replace(serve.current.loops[1], state="parked", error="The disk /mnt/ssd is away.")
    away = replace(serve.current.servers[1], breaker="open for 12:31 after 3 failures")
    serve.current = replace(
        serve.current,
        loops=(serve.current.loops[0], parked, *serve.current.loops[2:]),
        servers=(serve.current.servers[0], away),
    )
    return FakeOverviewControl(panels("failed", "alarmed", "blind", "stopped"), serve)


def scattered() -> FakeOverviewControl:
    """Duties in processes of their own."""
    return FakeOverviewControl(panels("running", "working", "acting", "acting")[:2])


def nothing() -> FakeOverviewControl:
    return FakeOverviewControl([])


def hostile() -> FakeOverviewControl:
    serve = serving(trouble=f"the config {HOSTILE} has errors")
    return FakeOverviewControl(panels("hostile", "hostile", "hostile", "hostile"), serve)


SCENES: dict[str, Callable[[], FakeOverviewControl]] = {
    each.__name__: each for each in (well, troubled, scattered, nothing, hostile)
}

CASE = DutyCase(OverviewApp, attached=True, beside=True)
drive, pictures, picture, session = CASE.drive, CASE.pictures, CASE.picture, CASE.session
