"""The dashboard of health, for the process that works and for one that looks at another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from torrent_mover.domain.report.cards import health
from torrent_mover.ports.health_control import HealthControl
from torrent_mover.ports.panels import Panel

if TYPE_CHECKING:
    from torrent_mover.tui.shell.options import DashboardOptions

NAME: Final = health.NAME
PORT: Final = HealthControl
card: Final = health.card


def health_panel(control: HealthControl, looked: Callable[[], object] = lambda: None) -> Panel:
    """The loops, for those who look on."""
    return Panel(NAME, PORT, control, looked, card)


def show(control: HealthControl, options: DashboardOptions, gone: Callable[[], bool]) -> int | None:
    """See commands.showing.DutyFront."""
    from torrent_mover.tui.health.app import run_health_dashboard

    return run_health_dashboard(control, options, gone=gone)
