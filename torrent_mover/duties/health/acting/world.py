"""What acting works with, beyond what looking does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.duties.health.acting.bin import Bin, ReachesFiles
from torrent_mover.duties.health.acting.taken_out import TakenOutRecords
from torrent_mover.duties.health.needs import HealthWorld
from torrent_mover.ports.media_manager import MediaManager


class HandsOver(Protocol):
    """Has the Arr told where data lies. Raises MoverError."""

    def tell(self, torrent: Torrent) -> str:
        """Have it scan the data of a torrent; what was said."""

    def go_on(self) -> None:
        """Take what was told further: ask again what is not imported yet, each at its time."""


@dataclass(frozen=True, slots=True)
class ActingWorld:
    """`manager` None: the loop has no Arr: nothing is blocked or searched. `check_within`: seconds a recheck may take."""

    health: HealthWorld
    files: ReachesFiles
    bin: Bin
    records: TakenOutRecords
    manager: MediaManager | None = None
    hand_over: HandsOver | None = None
    check_within: float = 6 * 3600.0
