"""What the screens of the overview share: the control, and the picture of this tick."""

from __future__ import annotations

from torrent_mover.domain.report.overview import Overview
from torrent_mover.ports.overview_control import OverviewControl
from torrent_mover.tui.shell.duty_session import DutySession


class OverviewSession(DutySession[OverviewControl, Overview]):
    """One screen over all duties."""
