"""What the screens of health share: the control, the picture of this tick, which loop is looked at."""

from __future__ import annotations

from torrent_mover.domain.report.health import HealthLoopView, HealthSnapshot
from torrent_mover.ports.health_control import HealthControl
from torrent_mover.tui.shell.duty_session import DutySession


class HealthSession(DutySession[HealthControl, HealthSnapshot]):
    """One screen over the loops. `place`: which loop's torrents are shown, None: all."""

    @property
    def loop(self) -> HealthLoopView | None:
        """The loop that is looked at alone; None: all are."""
        loops = self.snapshot.loops
        return loops[self.place % len(loops)] if loops and self.place is not None else None

    @property
    def loops(self) -> tuple[HealthLoopView, ...]:
        """The loops that are looked at."""
        return (self.loop,) if self.loop is not None else self.snapshot.loops

    def loop_of(self, name: str) -> HealthLoopView | None:
        """The loop of that name."""
        return next((loop for loop in self.snapshot.loops if loop.name == name), None)
