"""The story of one move: its bytes are delivered, then the torrent is handed over from client to client."""

from __future__ import annotations

from contextlib import closing

from torrent_mover.domain.errors import TorrentGone
from torrent_mover.domain.move import HistoryEntry, MoveRecord, Stage
from torrent_mover.duties.moving import removal
from torrent_mover.duties.moving.beginning import begin
from torrent_mover.duties.moving.handover import HandOver
from torrent_mover.duties.moving.move_log import MoveLog
from torrent_mover.duties.moving.shipping import shipment_of
from torrent_mover.duties.moving.told_arrs import TellsOfMoves
from torrent_mover.engine.delivery.delivery import Delivery
from torrent_mover.engine.delivery.in_place import InPlace
from torrent_mover.engine.delivery.loading import load
from torrent_mover.engine.delivery.metainfo import metainfo_of
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.run.work import Slot


class Mover:
    """One attempt at one move. Every stage begins by looking at the world, so that entering twice is safe."""

    def __init__(
        self, world: World, planned: PlannedMove, track: Track, record: MoveRecord, slot: Slot, arrs: TellsOfMoves
    ) -> None:
        self._world = world
        self._planned = planned
        self._track = track
        self._slot = slot
        self._arrs = arrs
        self._log = MoveLog(world, planned.torrent, track, record)

    def run(self) -> HistoryEntry:
        """Move it. Raises MoverError; what was brought and verified is kept for the next attempt."""
        with self._world.claim(self._planned.torrent.id):
            return self._move()

    def _move(self) -> HistoryEntry:
        self._log.enter(Stage.PLANNED)
        try:
            delivery, hand_over = self._plan()
        except TorrentGone:
            # Perhaps because an earlier attempt removed it, and never heard the answer.
            world, torrent = self._world, self._planned.torrent.id
            ends = (world.source, world.destination)
            if (entry := removal.settle(world.journal, *ends, torrent, world.clock, self._log.warn)) is None:
                raise
            return entry
        with closing(delivery):
            delivery.run(ready=hand_over.prepare)
            self._slot.give_back()
            return hand_over.run()

    def _plan(self) -> tuple[Delivery, HandOver]:
        """The source client is asked again: what moves, and where every file will lie."""
        world, source = self._world, self._world.source
        planned = begin(source, self._planned, world.clock)
        place = world.destination.of(planned.torrent.id)
        moved_on = place is not world.destination
        if moved_on:
            world = world.at(place)
            self._log.tell(
                f"{place.name} has it already, at {place.save_path}, where a tier has put it: it is proven there"
            )
        metainfo = metainfo_of(source, planned.torrent.id)
        cargo = load(source, place, planned, metainfo)
        self._track.files = planned.files
        kind = InPlace if moved_on else Delivery
        delivery = kind(world.means, shipment_of(world, planned, cargo), self._track, self._log)
        return delivery, HandOver(world, planned, metainfo, delivery, self._track, self._log, self._slot, self._arrs)
