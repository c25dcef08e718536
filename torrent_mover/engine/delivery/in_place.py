"""A delivery whose bytes lie at the target already, where another duty has put and proven them: all are read, none is written."""

from __future__ import annotations

from collections.abc import Callable

from torrent_mover.domain.errors import Collision
from torrent_mover.domain.move import Stage
from torrent_mover.domain.text import counted
from torrent_mover.engine.delivery.bringing import AtRest
from torrent_mover.engine.delivery.delivery import Delivery
from torrent_mover.engine.proof.repair import Repair


class InPlace(Delivery):
    """One attempt, with the stages of any delivery. What is not as it must be stays so: whoever put it there looks after it."""

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Read all of it. Raises Collision where it is not whole, and then `ready` has not been called."""
        self._log.enter(Stage.RESERVED)
        self._refuse_one_place()
        self._log.enter(Stage.UNLOCKED)
        self._log.enter(Stage.TRANSFERRING)
        self._read_back()
        ready()
        self._log.enter(Stage.SETTLED)

    def repair(self, repair: Repair, missing: tuple[int, ...] | None) -> None:
        """Bring nothing: raises Collision."""
        del repair
        raise self._not_whole(len(missing or (1,)))

    @property
    def at_rest(self) -> AtRest:
        """What was proven at the target, once `run` has returned."""
        return self._at_rest

    def _read_back(self) -> None:
        manifest = self.cargo.manifest
        self._track.sign("reading back")
        self.landing.locations.look()
        stamps = self.landing.stamps()
        good = self.landing.read_back(manifest.wanted)
        if good != manifest.wanted:
            raise self._not_whole(manifest.wanted.count() - good.count())
        self._at_rest = AtRest(good, self._means.clock.monotonic(), stamps)
        self._track.landed = self._track.present = good
        self._track.ledger.begin_attempt(self.size)
        self._log.began(manifest, self.size)
        self._track.ledger.transferred()

    def _not_whole(self, bad: int) -> Collision:
        place, name = self.cargo.target.name, self._shipment.target
        missing = sum(file.size != file.expected for file in self.found())
        if missing:
            return Collision(
                f"{name} has this torrent already, at {place}, where {counted(missing, 'file')} of it cannot be found whole.",
                kept="Nothing was written or deleted on either side.",
                remedy=f"See that the disk of {place} is mounted, and have {name} check the torrent. Each try looks again.",
            )
        return Collision(
            f"{name} has this torrent already, at {place}, and {counted(bad, 'piece')} of it cannot be read or are not good there.",
            kept="Nothing was written or deleted on either side: what is at the source is needed.",
            remedy=f"Have {name} check the torrent. If pieces stay bad, remove it there with its data: then it is brought again.",
        )
