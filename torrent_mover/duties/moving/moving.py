"""The mover's part of a run: what moves, the story of one move, and what comes before and after all of them."""

from __future__ import annotations

from collections.abc import Mapping

from torrent_mover.domain.move import HistoryEntry, MoveRecord
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving import reconcile, removal
from torrent_mover.duties.moving.mover import Mover
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.statistics import Carrying
from torrent_mover.duties.moving.told_arrs import NoArrs, TellsOfMoves
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.run.work import HeldBack, Plan, Slot


class Moving:
    """A Duty. `carrying`: what is done with the destination client once nothing moves; None: nothing. `arrs` tells Arrs."""

    def __init__(
        self, world: World, planner: Planner, carrying: Carrying | None = None, arrs: TellsOfMoves | None = None
    ) -> None:
        self._world = world
        self._planner = planner
        self._carrying = carrying or Carrying(world, None)
        self._arrs = arrs or NoArrs()

    def plan(self, *, now: float | None = None, left: Mapping[InfoHash, HeldBack] | None = None) -> Plan:
        """See Duty."""
        return self._planner.plan(now=now, left=left)

    def attempt(self, planned: PlannedMove, track: Track, record: MoveRecord, slot: Slot) -> HistoryEntry:
        """See Work."""
        return Mover(self._world, planned, track, record, slot, self._arrs).run()

    def abandon(self, torrent: InfoHash) -> str:
        """See Work."""
        return reconcile.abandon(self._world, torrent)

    def start_again(self) -> None:
        """See Duty."""
        self._carrying.start_again()

    def settle(self) -> None:
        """See Duty."""
        reconcile.reconcile(self._world)

    def rest(self) -> bool:
        """See Duty."""
        self._arrs.finish()
        return self._carrying.carry()

    def told_at_the_end(self, run: str) -> str:
        """See Duty."""
        return removal.in_the_trash(self._world.source, self._world.journal, run)
