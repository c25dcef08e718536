"""The dashboard of debrid accounts, for the process that works and for one that looks at another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from torrent_mover.domain.report.cards import debrid
from torrent_mover.ports.debrid_control import DebridControl
from torrent_mover.ports.panels import Panel

if TYPE_CHECKING:
    from torrent_mover.tui.shell.options import DashboardOptions

NAME: Final = debrid.NAME
PORT: Final = DebridControl
card: Final = debrid.card


def debrid_panel(control: DebridControl, looked: Callable[[], object] = lambda: None) -> Panel:
    """The accounts, for those who look on."""
    return Panel(NAME, PORT, control, looked, card)


def show(control: DebridControl, options: DashboardOptions, gone: Callable[[], bool]) -> int | None:
    """See commands.showing.DutyFront."""
    from torrent_mover.tui.debrid.app import run_debrid_dashboard

    return run_debrid_dashboard(control, options, gone=gone)
