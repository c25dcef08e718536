"""What the screens of health share: the control, the picture of this tick, which loop is looked at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from torrent_mover.domain.report.health import HealthLoopView, HealthSnapshot
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.health_control import HealthControl
from torrent_mover.tui.shell.listing import drain
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.session import LOG_LINES


@dataclass
class HealthSession:
    """One screen over the loops. `snapshot` is replaced at each tick; `place`: which loop's torrents are shown, None: all."""

    control: HealthControl
    look: Look
    snapshot: HealthSnapshot
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    place: int | None = None

    @property
    def at(self) -> float:
        """Unix seconds of the picture."""
        return self.snapshot.at

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

    def refresh(self) -> bool:
        """Take the picture of now; whether it differs from the one before."""
        now = self.control.snapshot()
        changed = now != self.snapshot
        self.snapshot = now
        return changed

    def drain_log(self) -> bool:
        """Take what is new in the ring; whether there was anything."""
        return drain(self.control, self.log)
