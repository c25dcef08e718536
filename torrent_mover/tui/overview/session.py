"""What the screens of the overview share: the control, and the picture of this tick."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from torrent_mover.domain.report.overview import Overview
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.overview_control import OverviewControl
from torrent_mover.tui.shell.listing import drain
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.session import LOG_LINES


@dataclass
class OverviewSession:
    """One screen over all duties. `snapshot` is replaced at each tick."""

    control: OverviewControl
    look: Look
    snapshot: Overview
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    @property
    def at(self) -> float:
        """Unix seconds of the picture."""
        return self.snapshot.at

    def refresh(self) -> bool:
        """Take the picture of now; whether it differs from the one before."""
        now = self.control.snapshot()
        changed = now != self.snapshot
        self.snapshot = now
        return changed

    def drain_log(self) -> bool:
        """Take what is new in the ring; whether there was anything."""
        return drain(self.control, self.log)
