"""The proof at the destination: our own read-back where that counts, else the client's recheck with up to two repairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torrent_mover.domain.errors import RecheckFailed
from torrent_mover.domain.move import Mark, Stage
from torrent_mover.domain.torrent.certificate import ReadBack
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash, PieceStates
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.proof.read_back import OwnCheck
from torrent_mover.engine.proof.recheck import recheck
from torrent_mover.engine.proof.repair import Repair
from torrent_mover.ports.client import RecheckProgress, RecheckVerdict
from torrent_mover.ports.roles import Categories, HasPieces

_STATES_LAG: Final = 2.0
"""Seconds after a check that ended badly until the client's piece states are those of that check."""


class Checking:
    """The check of one move that was added. `enter` begins a stage, `mark` writes a mark into the journal.

    `mend` brings the pieces that a repair asks for again, given those that the client misses; None: it does not tell which.
    """

    def __init__(
        self,
        world: World,
        torrent: InfoHash,
        manifest: Manifest,
        track: Track,
        *,
        enter: Callable[[Stage], None],
        mark: Callable[[Mark], None],
        mend: Callable[[Repair, tuple[int, ...] | None], None],
    ) -> None:
        self._world = world
        self._id = torrent
        self._manifest = manifest
        self._track = track
        self._enter = enter
        self._mark = mark
        self._mend = mend

    def own(self, check: OwnCheck) -> ReadBack | None:
        """What our own read-back has proven; None where the client must look itself."""
        self._enter(Stage.CHECKING)
        return check.result()

    def by_client(self, repair: Repair) -> ReadBack:
        """The client's recheck, with its repairs; what is still bad then is set aside for a person: raises RecheckFailed."""
        while True:
            self._enter(Stage.CHECKING)
            result = self._recheck()
            if result.verdict is not RecheckVerdict.GOOD:
                self._world.clock.wait(_STATES_LAG)
            if result.verdict is RecheckVerdict.GOOD:
                return self._read_back()
            missing = self._missing()
            if not repair.possible:
                self._set_aside(missing)
            self._enter(Stage.REPAIRING)
            self._mend(repair, missing)

    def _missing(self) -> tuple[int, ...] | None:
        """The pieces that a check has found bad; None: the client does not tell which."""
        telling = self._world.destination.client.role(HasPieces)
        if telling is None:
            return None
        return tuple(piece for piece in telling.pieces(self._id).missing if self._manifest.wanted.test(piece))

    def _read_back(self) -> ReadBack:
        """What a check has found good; of a client that does not tell its pieces: all of them."""
        client, wanted = self._world.destination.client, self._manifest.wanted
        telling = client.role(HasPieces)
        states = telling.pieces(self._id) if telling else PieceStates((True,) * self._manifest.piece_count)
        there = client.get(self._id)
        return ReadBack(
            at=self._world.clock.monotonic(),
            by_client=True,
            pieces_good=sum(states.have[piece] for run in wanted.runs(value=True) for piece in run),
            pieces=wanted.count(),
            amount_left=there.amount_left if there else -1,
        )

    def _recheck(self) -> RecheckProgress:
        world = self._world
        self._track.check_began = None
        return recheck(world.destination.client, self._id, world.policy.patience, world.pulse, world.clock, self._seen)

    def _seen(self, progress: RecheckProgress) -> None:
        self._track.check()
        if progress.verdict is RecheckVerdict.CHECKING and self._track.check_began is None:
            self._track.check_began = self._world.clock.monotonic()
        if progress.verdict in (RecheckVerdict.CHECKING, RecheckVerdict.GOOD):
            self._track.ledger.verified(min(progress.fraction, 1.0))
        self._track.sign(f"{self._world.destination.name}: {progress.verdict.value}")

    def _set_aside(self, bad: tuple[int, ...] | None) -> None:
        world, category = self._world, self._world.policy.manual_review_category
        client = world.destination.client
        client.stop(self._id)
        sorting = client.role(Categories)
        if sorting is not None:
            sorting.set_category(self._id, category)
        self._mark(Mark.RECHECK_FAILED)
        which = (
            "Pieces (the client does not tell which)"
            if bad is None
            else f"{len(bad)} of {self._manifest.wanted.count()} pieces"
        )
        raise RecheckFailed(
            f"{which} are still bad on {world.destination.name} after every repair.",
            kept="The source is whole; at the destination it is stopped"
            + (f", in category {category}." if sorting is not None else "."),
            remedy=f"When the cause is found: torrent-mover --clear-recheck-failure {self._id}",
        )
