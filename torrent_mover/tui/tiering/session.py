"""What the screens of the tiers share: the control, the picture of this tick, which tier is looked at."""

from __future__ import annotations

from torrent_mover.domain.report.tiers import TierSnapshot, TierView, never_back
from torrent_mover.ports.tier_control import TierControl
from torrent_mover.tui.shell.duty_session import DutySession


class TierSession(DutySession[TierControl, TierSnapshot]):
    """One screen over the workers. `place`: of the tier shown, None: the first."""

    @property
    def tier(self) -> TierView | None:
        """The tier that is looked at; None where there is none."""
        tiers = self.snapshot.tiers
        return tiers[(self.place or 0) % len(tiers)] if tiers else None

    def picture_now(self) -> TierSnapshot:
        """See DutySession. No bar goes back."""
        return never_back(self.snapshot, super().picture_now())
