"""The dashboard of the moves, for a process that looks at another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from torrent_mover.domain.report.cards import moves
from torrent_mover.ports.control import Control
from torrent_mover.ports.panels import Panel

if TYPE_CHECKING:
    from torrent_mover.tui.shell.options import DashboardOptions

NAME: Final = moves.NAME
PORT: Final = Control
card: Final = moves.card


def moves_panel(control: Control) -> Panel:
    """The moves, for those who look on."""
    return Panel(NAME, PORT, control, card=card)


def show(control: Control, options: DashboardOptions, gone: Callable[[], bool]) -> int | None:
    """See commands.showing.DutyFront."""
    from torrent_mover.tui.shell.app import run_dashboard

    return run_dashboard(control, options=options, gone=gone)
