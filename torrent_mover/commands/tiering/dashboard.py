"""The dashboard of the tiers, for a process that looks at another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from torrent_mover.domain.report.cards import tiers
from torrent_mover.ports.panels import Panel
from torrent_mover.ports.tier_control import TierControl

if TYPE_CHECKING:
    from torrent_mover.tui.shell.options import DashboardOptions

NAME: Final = tiers.NAME
PORT: Final = TierControl
card: Final = tiers.card


def tiers_panel(control: TierControl, looked: Callable[[], object]) -> Panel:
    """The tiers, for those who look on."""
    return Panel(NAME, PORT, control, looked, card)


def show(control: TierControl, options: DashboardOptions, gone: Callable[[], bool]) -> int | None:
    """See commands.showing.DutyFront."""
    from torrent_mover.tui.tiering.app import run_tier_dashboard

    return run_tier_dashboard(control, options, gone=gone)
