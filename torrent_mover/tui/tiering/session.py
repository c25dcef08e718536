"""What the screens of the tiers share: the control, the picture of this tick, which tier is looked at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.report.tiers import TierSnapshot, TierView, never_back
from torrent_mover.ports.tier_control import TierControl
from torrent_mover.tui.shell.listing import drain
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.session import LOG_LINES


@dataclass
class TierSession:
    """One screen over the workers. `snapshot` is replaced at each tick, on the screen's own thread; `place`: of the tier shown."""

    control: TierControl
    look: Look
    snapshot: TierSnapshot
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    place: int = 0

    @property
    def tier(self) -> TierView | None:
        """The tier that is looked at; None where there is none."""
        tiers = self.snapshot.tiers
        return tiers[self.place % len(tiers)] if tiers else None

    @property
    def at(self) -> float:
        """Unix seconds of the picture."""
        return self.snapshot.at

    def refresh(self) -> bool:
        """Take the picture of now, in which no bar goes back; whether it differs from the one before."""
        now = never_back(self.snapshot, self.control.snapshot())
        changed = now != self.snapshot
        self.snapshot = now
        return changed

    def drain_log(self) -> bool:
        """Take what is new in the ring; whether there was anything."""
        return drain(self.control, self.log)
