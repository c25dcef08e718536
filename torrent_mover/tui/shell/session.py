"""What all screens share: the control, the picture of this tick, how to draw."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from torrent_mover.domain.report.snapshot import LogLine, MoveView, Snapshot
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.control import Control
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.options import DashboardOptions

LOG_LINES = 5000


@dataclass
class ScreenSession:
    """One dashboard over one engine. `snapshot` is replaced at each tick, on the screen's own thread."""

    control: Control
    options: DashboardOptions
    look: Look
    snapshot: Snapshot
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    def drain_log(self) -> bool:
        """Take what is new in the engine's ring; whether there was anything."""
        fresh = self.control.log(self.log[-1].number if self.log else 0)
        self.log.extend(fresh)
        return bool(fresh)

    def move(self, torrent: InfoHash | None) -> MoveView | None:
        """The move of that torrent in the picture of now."""
        if torrent is None:
            return None
        return next((move for move in self.snapshot.moves if move.id == torrent), None)
