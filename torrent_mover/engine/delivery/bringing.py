"""Brings the bytes of one delivery until every piece is good at the destination: survey, reuse, transfer, reading back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import ProvisioningError, SourceCorrupt, SourceUnreadable, TransferError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import size
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.engine.delivery import reuse, stale_staging
from torrent_mover.engine.delivery.adoption import Adoption
from torrent_mover.engine.delivery.checkpoint import Checkpoint
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.shipment import DeliveryLog, Means, Shipment
from torrent_mover.engine.delivery.survey import Rest
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.progress.sink import MoveSink
from torrent_mover.engine.proof.repair import Repair
from torrent_mover.ports.strategy import Strategy, TransferJob

_TRANSFER_ROUNDS: Final = 3
"""How often pieces that are bad at rest are brought again before the disk is to blame."""


@dataclass(frozen=True, slots=True)
class AtRest:
    """What was proven where it lies. `at`: monotonic seconds of the end of the reading.

    `stamps`: size and time of each file right before it was read, which moving it does not change; None where the pieces were
    hashed on their way alone.
    """

    pieces: Bitfield
    at: float
    stamps: tuple[tuple[int, float] | None, ...] | None = None


class Bringing:
    """The bytes of one delivery. `reading` hears of every byte that is read back.

    `verified`: pieces that need not come any more, as the journal knows them. `at_rest`: those that were proven where they lie
    now, once `transfer` or `repair` has returned. `reads_back`: whether a transfer ends with our reading all of it.
    """

    def __init__(
        self,
        means: Means,
        shipment: Shipment,
        track: Track,
        log: DeliveryLog,
        landing: Landing,
        reading: Callable[[int], None],
    ) -> None:
        self._means = means
        self._shipment = shipment
        self._id = shipment.torrent
        self._track = track
        self._log = log
        self._cargo = shipment.cargo
        self._manifest = shipment.cargo.manifest
        self._landing = landing
        self._adoption = Adoption(landing)
        self._reading = reading
        self.reads_back = means.local
        self.at_rest: AtRest
        self.verified = self._journaled()

    def transfer(self) -> None:
        """Bring what is missing, until every piece is good: in flight and, where we read it back, at rest."""
        self._track.sign("looking at what is there")
        self._survey()
        self._reuse()
        present = self._manifest.size_of(self.verified)
        self._track.ledger.begin_attempt(present)
        self._log.began(self._manifest, present)
        for _ in range(_TRANSFER_ROUNDS):
            self._bring()
            self.at_rest = self._read_back() if self.reads_back else self._proven_in_flight()
            if self.at_rest.pieces == self._manifest.wanted:
                break
            self.verified = self._track.landed = self.at_rest.pieces.copy()
            self._means.journal.save_pieces(self._id, self.verified.to_bytes())
        else:
            raise self._bad_at_rest()
        self._track.ledger.transferred()

    def repair(self, repair: Repair, missing: tuple[int, ...] | None) -> None:
        """Bring again what a recheck found bad; `missing`: the pieces that the client does not have.

        None: it says only that some are bad. Then we read all of them ourselves, wherever they lie.
        """
        local = self._means.local
        look = local or missing is None
        self.verified = self._track.landed = repair.prepare(self.verified, missing or (), look=look)
        bad = self._manifest.wanted.count() - self.verified.count()
        self._track.repair = f"repair {repair.round}: {bad} pieces"
        self._track.repaired += bad
        self._log.notice(Level.WARN, f"the recheck found bad pieces; repair {repair.round} brings {bad} of them again")
        self._means.journal.save_pieces(self._id, self.verified.to_bytes())
        self._bring()
        self.at_rest = self._read_back() if local else self._in_flight()

    def _journaled(self) -> Bitfield:
        stored = self._means.journal.pieces(self._id)
        self._journal_knows = stored is not None
        count = self._manifest.piece_count
        try:
            known = Bitfield.from_bytes(stored, count) if stored is not None else Bitfield(count)
            return known.intersection(self._manifest.wanted)
        except ValueError:
            # Written for another torrent layout or damaged: nothing is believed, everything is looked at.
            return Bitfield(count)

    def _survey(self) -> None:
        """See what lies there already, and have the journal say just that before the first byte is written.

        A piece that is lost must not stay in it: its file will have its full size again, with nothing in it. One that was
        found must be on stable storage first.
        """
        rest = Rest.ALL if self._means.local else Rest.NONE if self._journal_knows else Rest.PROMISING
        stale_staging.rename_stale(
            self._means.target, self._means.journal.adopted, self._id, self._cargo, self.verified, self._reading
        )
        survey = self._adoption.survey(self.verified, rest=rest)
        found = survey.good.difference(self.verified)
        if found.count():
            self._sync(found)
        if survey.good != self.verified:
            self._means.journal.save_pieces(self._id, survey.good.to_bytes())
        self.verified = self._track.landed = survey.good
        self._track.present = survey.good.copy()

    def _sync(self, found: Bitfield) -> None:
        try:
            self._landing.sync(found.ones())
        except ProvisioningError:
            self._landing.begin_anew(found.ones())
            raise

    def _reuse(self) -> None:
        """What lies in other torrents' files need not be sent: have it in place, and the journal say so."""
        self._track.sign("looking for it in other torrents")
        others = self._shipment.others
        good, how = reuse.from_others(others, self._cargo, self._landing, self.verified, reread=not self.reads_back)
        found = good.difference(self.verified)
        if found.count():
            self._log.notice(
                Level.INFO,
                f"{size(self._manifest.size_of(found))} of it are at the destination already, in other torrents: {how}",
            )
            self._sync(found)
            self._means.journal.save_pieces(self._id, good.to_bytes())
            self.verified = self._track.landed = good
            self._track.present = good.copy()

    def _bring(self) -> None:
        missing = self._manifest.wanted.difference(self.verified)
        self._adoption.unsettle(missing)
        self._unlock_files(missing)
        self._track.sign("transferring")
        with Checkpoint(self._means.journal, self._landing, self._id, self.verified, self._means.clock) as checkpoint:
            sink = MoveSink(self._track, self._means.throttle, checkpoint.landed)
            job = TransferJob(
                self._manifest,
                self._cargo.source,
                self._cargo.layout,
                self._cargo.target,
                self._landing.paths,
                missing,
            )
            self._run(self._shipment.strategy(), job, sink)
        self._landing.brought()
        self._track.check()

    def _run(self, strategy: Strategy, job: TransferJob, sink: MoveSink) -> None:
        try:
            strategy.transfer(job, sink)
        except SourceUnreadable:
            # Often because somebody removed the torrent, or renamed its files: then that is what is said.
            self._shipment.still_as_planned()
            raise

    def _unlock_files(self, missing: Bitfield) -> None:
        """Files from an earlier attempt that bytes will go into."""
        lie_at, pieces_of = self._landing.paths, self._manifest.pieces_of
        wanted = [index for index in self._landing.staged if any(missing.test(piece) for piece in pieces_of(index))]
        final, real = self._cargo.landing, self._cargo.real
        self._means.unlocker.open_files(self._id, {real(final[index]): real(lie_at[index]) for index in wanted}.items())

    def _read_back(self) -> AtRest:
        self._track.sign("reading back")
        stamps = self._landing.stamps()
        good = self._landing.read_back(self._manifest.wanted)
        return AtRest(good, self._means.clock.monotonic(), stamps)

    def _in_flight(self) -> AtRest:
        return AtRest(self.verified.copy(), self._means.clock.monotonic())

    def _proven_in_flight(self) -> AtRest:
        """Where we do not read the destination, every piece must have been hashed on its way."""
        if self.verified != self._manifest.wanted:
            count = self._manifest.wanted.count() - self.verified.count()
            raise TransferError(f"{count} pieces could not be verified.", kept="What was proven is kept.")
        return self._in_flight()

    def _bad_at_rest(self) -> TransferError:
        """Pieces that stay bad however often they are brought: whose fault it is depends on what was known on the way."""
        bad = self._manifest.wanted.count() - self.at_rest.pieces.count()
        if self._shipment.hashed_on_the_way:
            return TransferError(
                f"{bad} pieces are bad each time they are read back from {self._shipment.target}.",
                kept="The source is whole.",
                remedy="Check the destination's disk and memory: the bytes were good on the wire.",
            )
        return SourceCorrupt(
            f"{bad} pieces do not match the torrent's hashes, transferred {_TRANSFER_ROUNDS} times from {self._shipment.source}.",
            kept="The pieces that are good are kept here; the source is untouched.",
            remedy="Force a recheck of this torrent in the source client, which shows what is damaged; once that is fixed:"
            f" torrent-mover --clear-corruption {self._id.short}",
        )
