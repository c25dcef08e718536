"""The story of one delivery: the bytes of a torrent come to another file system and are proven at rest. Knows no client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.torrent.certificate import FileFound
from torrent_mover.engine.delivery import one_place
from torrent_mover.engine.delivery.bringing import AtRest, Bringing
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.seen import changed, sight
from torrent_mover.engine.delivery.settling import Settling
from torrent_mover.engine.delivery.shipment import DeliveryLog, Means, Shipment
from torrent_mover.engine.delivery.staging import clear_staging
from torrent_mover.engine.progress.board import Flow, Track
from torrent_mover.engine.proof.repair import Repair


class Delivery:
    """One attempt: planned -> reserved -> unlocked -> transferring -> settled.

    Whoever makes it has planned it: the shipment says what is brought from where to where. Each stage is written down before
    it is taken and begins by looking at the world, so that a delivery that was killed is begun again and goes on where it was.
    `seen`: the files at the source, as they were when it began. Close it when nothing will be written any more.
    """

    def __init__(self, means: Means, shipment: Shipment, track: Track, log: DeliveryLog) -> None:
        """Looks at the source's files. Raises what its file system raises."""
        cargo = shipment.cargo
        self.cargo = cargo
        self.landing = Landing(
            cargo.target,
            cargo.manifest,
            shipment.torrent,
            cargo.landing,
            owner=shipment.owner,
            progress=self._reading,
            adopting=lambda paths: means.journal.save_adopted(shipment.torrent, cargo.reals(paths)),
        )
        self.size = cargo.manifest.size_of(cargo.manifest.wanted)
        self.seen = sight(cargo.source, shipment.selected)
        self._id = shipment.torrent
        self._means = means
        self._shipment = shipment
        self._track = track
        self._log = log
        self._bringing = Bringing(means, shipment, track, log, self.landing, self._reading)
        track.pieces_total = cargo.manifest.wanted.count()
        track.manifest = cargo.manifest

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Bring it. Raises MoverError; what was brought and verified is kept for the next attempt.

        `ready` is called when the room is reserved and before anything is touched; it may raise what speaks against it.
        """
        self._log.enter(Stage.RESERVED)
        with self._reserved():
            self._refuse_one_place()
            ready()
            self._log.enter(Stage.UNLOCKED)
            self._unlock()
            self._log.enter(Stage.TRANSFERRING)
            self._bringing.transfer()
            self._log.enter(Stage.SETTLED)
            self._settle()

    def repair(self, repair: Repair, missing: tuple[int, ...] | None) -> None:
        """Bring pieces again that were found bad after all; `missing`: what somebody else says is bad; None: not which."""
        self._bringing.repair(repair, missing)
        self._settle()

    def read_it_back(self) -> None:
        """Have every piece read back from the target, also where that is not this machine."""
        self._bringing.reads_back = True

    @property
    def at_rest(self) -> AtRest:
        """What was proven at the target, once `run` has returned."""
        return self._bringing.at_rest

    def found(self) -> tuple[FileFound, ...]:
        """Every file under its final name, as it is right now."""
        return self.landing.found()

    def changed_at_source(self) -> tuple[str, ...]:
        """Files that somebody has changed since it began: what they are now was never proven, and may be wanted."""
        return changed(self.cargo.source, self.seen)

    def common_folder(self) -> str:
        """A folder that is source and target at once, by whatever mount or link; blank: there is none."""
        folder = one_place.common_folder(self.cargo.source, self.cargo.target, self.seen)
        return "" if folder is None else one_place.shown(self.cargo.target, folder)

    def close(self) -> None:
        """Close again what was opened for it, and let go of the source."""
        self._means.unlocker.close(self._id)
        self.cargo.source.close()

    # -- the stages ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reserved(self) -> Iterator[None]:
        space, present = self._means.space, self.cargo.manifest.size_of(self._bringing.verified)
        space.reserve(self._id, self.size, present)
        try:
            yield
        except BaseException:
            space.release(self._id)
            raise
        space.settle(self._id)

    def _refuse_one_place(self) -> None:
        names = (self._shipment.source, self._shipment.target)
        one_place.refuse_common_folder(names, self.cargo.source, self.cargo.target, self.seen)

    def _unlock(self) -> None:
        """See that we may write wherever this must; what is opened for it is closed when it ends."""
        files = tuple(self.cargo.files())
        self._means.unlocker.open(self._id, self.landing.staging, files)
        path, size = max(files, key=lambda file: file[1])
        self._means.space.require_large(path, size, self.landing.staging)

    def _settle(self) -> None:
        wanted = self._means.ownership
        self._track.sign("moving into place")
        if wanted.user or wanted.group:
            self.landing.give_to(wanted.user, wanted.group)
        self.landing.set_modes(wanted.file_mode, wanted.folder_mode)
        Settling(self.landing).settle()
        for folder in self.landing.unlike:
            self._log.notice(
                Level.WARN,
                f"what is new in {one_place.shown(self._means.target, folder)} does not have that folder's group"
                " or default ACL: our user may not give them",
            )
        if self._means.cache is not None:
            # An attempt that was killed with all its bytes here leaves them in the cache, where no other one needs them.
            with self._log.only_warned():
                clear_staging(self._means.cache, self._id)

    def _reading(self, count: int) -> None:
        """Every chunk that is read back: a sign of life, and the place where a stop is noticed."""
        self._track.sign()
        self._track.check()
        if not self._means.local:
            self._means.throttle.take((Flow.IN,), count)
