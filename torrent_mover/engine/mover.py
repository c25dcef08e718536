"""The story of one move, from planned to released. Every stage begins by looking at the world, so that entering twice is safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from torrent_mover.domain.attributes import Later, not_carried, with_sources
from torrent_mover.domain.certificate import Certificate, Evidence, ReadBack, Reading, certify
from torrent_mover.domain.errors import (
    MoverError,
    ProvisioningError,
    SourceCorrupt,
    SourceUnreadable,
    TorrentGone,
    TransferError,
)
from torrent_mover.domain.events import Level, MoveStarted, Noticed, StageEntered
from torrent_mover.domain.manifest import Manifest
from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.pieces import Bitfield
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.statistics import Statistics
from torrent_mover.domain.text import size
from torrent_mover.domain.torrent import InfoHash, TorrentState
from torrent_mover.engine import cargo, certified, finishing, handover, one_place, overlap, removal, reuse
from torrent_mover.engine.board import Flow, Track
from torrent_mover.engine.checking import Checking
from torrent_mover.engine.checkpoint import Checkpoint
from torrent_mover.engine.landing import Landing, Rest
from torrent_mover.engine.places import PlannedMove
from torrent_mover.engine.repair import Repair
from torrent_mover.engine.sink import MoveSink
from torrent_mover.engine.staging import clear_staging
from torrent_mover.engine.world import World
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.strategy import Strategy, TransferJob

_TRANSFER_ROUNDS: Final = 3
"""How often pieces that are bad at rest are brought again before the disk is to blame."""


class Mover:
    """One attempt at one move."""

    def __init__(self, world: World, planned: PlannedMove, track: Track, record: MoveRecord) -> None:
        self._world = world
        self._planned = planned
        self._track = track
        self._record = record
        self._id: InfoHash = planned.torrent.id
        self._manifest: Manifest
        self._landing: Landing
        self._verified: Bitfield
        self._at_rest: Bitfield
        self._own_check: certified.OwnCheck | None = None
        self._source_files: FileSystem
        self._cargo: cargo.Cargo
        self._size: int

    def run(self) -> HistoryEntry:
        """Move it. Raises MoverError; what was brought and verified is kept for the next attempt."""
        with self._world.claim(self._id):
            return self._move()

    def _move(self) -> HistoryEntry:
        self._enter(Stage.PLANNED)
        try:
            metainfo = self._plan()
        except TorrentGone:
            # Perhaps because an earlier attempt removed it, and never heard the answer.
            if (entry := removal.settle(self._world.journal, self._world.destination, self._id, self._warn)) is None:
                raise
            return entry
        try:
            with self._reserved():
                self._refuse_what_removing_would_lose()
                self._hold()
                self._unlock()
                self._enter(Stage.TRANSFERRING)
                self._transfer()
                self._enter(Stage.SETTLED)
                self._settle()
            self._enter(Stage.ADDED)
            self._add(metainfo)
            read_back = self._check()
            self._enter(Stage.VERIFIED)
            return self._finish(read_back)
        finally:
            self._world.unlocker.close(self._id)
            self._source_files.close()

    # -- planned, reserved -------------------------------------------------------------------------------------------

    def _plan(self) -> bytes:
        """Metainfo, manifest, layout: what moves, and where every file will lie."""
        source = self._world.source
        planned = self._planned = handover.begin(source, self._planned, self._world.clock)
        metainfo = source.client.metainfo(self._id)
        self._cargo = cargo.load(source, self._world.destination, planned, metainfo)
        self._manifest, self._layout = self._cargo.manifest, self._cargo.layout
        self._track.pieces_total = self._manifest.wanted.count()
        self._track.files = planned.files
        self._track.manifest = self._manifest
        self._landing = Landing(
            self._cargo.target,
            self._manifest,
            self._id,
            self._cargo.landing,
            owner=lambda path: handover.user_of(self._world.destination, path, self._id),
            progress=self._reading,
            adopting=lambda paths: self._world.journal.save_adopted(self._id, [str(path) for path in paths]),
        )
        self._source_files = self._cargo.source
        self._size = self._bytes(self._manifest.wanted)
        self._seen = handover.sight(self._source_files, self._planned)
        self._verified = self._journaled()
        return metainfo

    def _journaled(self) -> Bitfield:
        stored = self._world.journal.pieces(self._id)
        self._journal_knows = stored is not None
        count = self._manifest.piece_count
        try:
            known = Bitfield.from_bytes(stored, count) if stored is not None else Bitfield(count)
            return known.intersection(self._manifest.wanted)
        except ValueError:
            # Written for another torrent layout or damaged: nothing is believed, everything is looked at.
            return Bitfield(count)

    @contextmanager
    def _reserved(self) -> Iterator[None]:
        self._enter(Stage.RESERVED)
        self._world.space.reserve(self._id, self._size, self._bytes(self._verified))
        try:
            yield
        except BaseException:
            self._world.space.release(self._id)
            raise
        self._world.space.settle(self._id)

    def _refuse_what_removing_would_lose(self) -> None:
        world = self._world
        if world.policy.delete_at_source and not world.policy.test_run:
            handover.refuse_longer(world.source, self._planned, self._seen)
        names = (world.source.name, world.destination.name)
        one_place.refuse_common_folder(names, self._source_files, self._cargo.target, self._seen)

    def _hold(self) -> None:
        """If the destination client has it already (an earlier attempt), see that it is stopped while we work on its files."""
        destination = self._world.destination
        there = handover.seeding_elsewhere(destination, self._id)
        if there is not None and there.state not in (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE):
            destination.client.stop(self._id)
        if self._world.policy.certified:
            files = (self._manifest, self._layout, self._landing)
            self._own_check = certified.own_check(
                destination, self._planned, there, *files, self._world.clock, self._tell
            )

    def _unlock(self) -> None:
        """See that we may write wherever this move must; what is opened for it is closed when it ends."""
        self._enter(Stage.UNLOCKED)
        self._world.unlocker.open(self._id, self._landing.staging, tuple(self._cargo.files()))

    # -- transferring, settled ---------------------------------------------------------------------------------------

    def _transfer(self) -> None:
        """Bring what is missing, until every piece is good: in flight and, where we read it back, at rest."""
        looks = self._world.destination.local or self._own_check is not None
        self._track.sign("looking at what is there")
        self._survey()
        self._reuse()
        present = self._bytes(self._verified)
        self._track.ledger.begin_attempt(present)
        self._tell_start(present)
        for _ in range(_TRANSFER_ROUNDS):
            self._bring()
            if not looks:
                self._at_rest = self._proven_in_flight()
                break
            self._at_rest = self._read_back()
            if self._at_rest == self._manifest.wanted:
                break
            self._verified = self._track.landed = self._at_rest.copy()
            self._world.journal.save_pieces(self._id, self._verified.to_bytes())
        else:
            raise self._bad_at_rest()
        self._track.ledger.transferred()

    def _bad_at_rest(self) -> TransferError:
        """Pieces that stay bad however often they are brought: whose fault it is depends on what was known on the way."""
        bad = self._manifest.wanted.count() - self._at_rest.count()
        if self._world.route.of(self._planned).hashed_on_the_way:
            return TransferError(
                f"{bad} pieces are bad each time they are read back from {self._world.destination.name}.",
                kept="The source is whole.",
                remedy="Check the destination's disk and memory: the bytes were good on the wire.",
            )
        return SourceCorrupt(
            f"{bad} pieces do not match the torrent's hashes, brought {_TRANSFER_ROUNDS} times from {self._world.source.name}.",
            kept="The pieces that are good are kept here; the source is untouched.",
            remedy="Force a recheck of this torrent in the source client, which shows what is damaged; once that is mended:"
            f" torrent-mover --clear-corruption {self._id.short}",
        )

    def _survey(self) -> None:
        """See what lies there already, and have the journal say just that before the first byte is written.

        A piece that is lost must not stay in it: its file will have its full size again, with nothing in it. One that was
        found must be on stable storage first.
        """
        rest = Rest.ALL if self._world.destination.local else Rest.NONE if self._journal_knows else Rest.PROMISING
        survey = self._landing.survey(self._verified, rest=rest)
        found = survey.good.difference(self._verified)
        if found.count():
            self._sync(found)
        if survey.good != self._verified:
            self._world.journal.save_pieces(self._id, survey.good.to_bytes())
        self._verified = self._track.landed = survey.good
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
        checked = self._world.destination.local or self._own_check is not None
        good, how = reuse.from_others(
            self._world, self._planned, self._cargo, self._landing, self._verified, reread=not checked
        )
        found = good.difference(self._verified)
        if found.count():
            self._tell(f"{size(self._bytes(found))} of it are at the destination already, in other torrents: {how}")
            self._landing.sync(found.ones())
            self._world.journal.save_pieces(self._id, good.to_bytes())
            self._verified = self._track.landed = good
            self._track.present = good.copy()

    def _bring(self) -> None:
        missing = self._manifest.wanted.difference(self._verified)
        self._landing.unsettle(missing)
        self._unlock_files(missing)
        self._track.sign("transferring")
        with Checkpoint(self._world.journal, self._landing, self._id, self._verified, self._world.clock) as checkpoint:
            sink = MoveSink(self._track, self._world.throttle, checkpoint.landed)
            strategy = self._world.route.of(self._planned).strategy(self._planned.torrent.save_path)
            job = TransferJob(
                self._manifest,
                self._source_files,
                self._layout,
                self._cargo.target,
                self._landing.paths,
                missing,
            )
            self._run(strategy, job, sink)
        self._landing.brought()
        self._track.check()

    def _run(self, strategy: Strategy, job: TransferJob, sink: MoveSink) -> None:
        try:
            strategy.transfer(job, sink)
        except SourceUnreadable:
            # Often because somebody removed the torrent, or renamed its files: then that is what is said.
            handover.reread_source(self._world.source, self._planned, self._world.clock)
            raise

    def _proven_in_flight(self) -> Bitfield:
        """Where we do not read the destination, every piece must have been hashed on its way."""
        if self._verified != self._manifest.wanted:
            count = self._manifest.wanted.count() - self._verified.count()
            raise TransferError(f"{count} pieces came without proof.", kept="What was proven is kept.")
        return self._verified.copy()

    def _unlock_files(self, missing: Bitfield) -> None:
        """Files from an earlier attempt that bytes will go into."""
        lie_at, pieces_of = self._landing.paths, self._manifest.pieces_of
        wanted = [index for index in self._landing.staged if any(missing.test(piece) for piece in pieces_of(index))]
        final, real = self._cargo.landing, self._cargo.real
        self._world.unlocker.open_files(self._id, {real(final[index]): real(lie_at[index]) for index in wanted}.items())

    def _read_back(self) -> Bitfield:
        self._track.sign("reading back")
        if self._own_check is not None:
            return self._own_check.read(self._manifest.wanted)
        return self._landing.read_back(self._manifest.wanted)

    def _settle(self) -> None:
        policy = self._world.policy
        self._track.sign("moving into place")
        if policy.chown_user or policy.chown_group:
            self._landing.give_to(policy.chown_user, policy.chown_group)
        self._landing.settle()
        if self._world.cache is not None:
            # An attempt that was killed with all its bytes here leaves them in the cache, where no other one needs them.
            with self._only_warned():
                clear_staging(self._world.cache, self._id)

    # -- added, checking, repairing ----------------------------------------------------------------------------------

    def _add(self, metainfo: bytes) -> None:
        destination = self._world.destination
        source = self._world.source.client
        handover.reread_source(self._world.source, self._planned, self._world.clock)
        metainfo = with_sources(metainfo, source.trackers(self._id), source.web_seeds(self._id))
        self._track.sign(f"adding to {destination.name}")
        if not handover.added_already(destination, self._planned, self._layout):
            skip = self._own_check is not None
            handover.add(destination, self._planned, self._manifest, self._layout, metainfo, skip_checking=skip)
        self._take_out_of_review()
        self._track.ledger.finished(0.3)

    def _take_out_of_review(self) -> None:
        """An earlier attempt may have set it aside there; a category that somebody else chose there stays."""
        client, wanted = self._world.destination.client, self._planned.target_category
        there = client.get(self._id)
        if there is not None and there.category == self._world.policy.manual_review_category != wanted:
            client.set_category(self._id, wanted)

    def _check(self) -> ReadBack:
        """Our own read-back, where that counts and holds; else the client's recheck, with its repairs."""
        checking = Checking(
            self._world,
            self._id,
            self._manifest,
            self._track,
            enter=self._enter,
            mark=self._mark,
            mend=self._repair,
        )
        if self._own_check is not None:
            own = checking.own(self._own_check)
            if own is not None:
                return own
            self._own_check = None
        return checking.by_client(Repair(self._manifest, self._landing))

    def _repair(self, repair: Repair, missing: tuple[int, ...]) -> None:
        local = self._world.destination.local
        self._verified = self._track.landed = repair.prepare(self._verified, missing, look=local)
        bad = self._manifest.wanted.count() - self._verified.count()
        self._track.repair = f"repair {repair.round}: {bad} pieces"
        self._track.repaired += bad
        self._notice(Level.WARN, f"the recheck found bad pieces; repair {repair.round} brings {bad} of them again")
        self._world.journal.save_pieces(self._id, self._verified.to_bytes())
        self._bring()
        self._at_rest = self._read_back() if local else self._verified.copy()
        self._settle()

    # -- verified, seeding, released ---------------------------------------------------------------------------------

    def _finish(self, read_back: ReadBack) -> HistoryEntry:
        world, policy = self._world, self._world.policy
        self._track.ledger.verified(1.0)
        if not policy.start_at_destination:
            return self._keep("start_torrents_after_recheck is off: it is stopped there")
        self._enter(Stage.SEEDING)
        with self._alone():
            first = handover.start(world.destination, self._id, world.clock, self._track.sign)
            self._track.ledger.finished(0.6)
            if policy.test_run or not policy.delete_at_source:
                return self._keep("test run" if policy.test_run else "as configured")
            return self._release(first, read_back)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Where no overlap is wanted: stop the source first, and let it go on if the destination does not take over."""
        world = self._world
        if (self._planned.overlap or world.policy.overlap) is not Overlap.NONE:
            yield
            return
        try:
            overlap.stop_source(world.journal, world.source, self._id)
            yield
        except MoverError:
            with self._only_warned():
                overlap.restore(world.journal, world.source, world.destination, self._id, self._warn)
            raise
        with self._only_warned():
            world.journal.forget_stopped(self._id)

    def _release(self, first: Reading, read_back: ReadBack) -> HistoryEntry:
        self._track.sign("watching it seed")
        handover.watch(first, self._world.clock)
        evidence = self._gather(first, read_back)
        if evidence.siblings:
            # One at a time: of two torrents that share their files, the second must see that the first is gone.
            with self._world.releasing:
                entry, certificate = self._remove(self._gather(first, read_back))
        else:
            entry, certificate = self._remove(evidence)
        # From here on nothing can fail the move any more: what cannot be written down now, the next run settles.
        with self._only_warned():
            if certificate.delete_data and self._planned.linked:
                self._tell(removal.other_names(self._planned))
            if certificate.delete_data:
                files, planned = self._source_files, self._planned
                removal.see_it_gone(files, planned, self._layout, self._world.clock, self._warn)
        with self._only_warned():
            self._give_the_rest(started=True)
            self._world.journal.confirm_history(self._id)
            self._forget()
        return replace(entry, confirmed=True)

    def _gather(self, first: Reading, read_back: ReadBack) -> Evidence:
        world = self._world
        return handover.gather(
            world.source,
            world.destination,
            self._planned,
            self._landing,
            first,
            read_back,
            self._at_rest.count(),
            world.clock,
            ignored=lambda: world.ignored(self._id),
            changed=self._changed_at_source,
            common_folder=self._common_folder,
        )

    def _changed_at_source(self) -> tuple[str, ...]:
        """Files that somebody has changed since the move began: what they are now was never proven, and may be wanted."""
        now = handover.sight(self._source_files, self._planned)
        return tuple(path for path, seen in self._seen.items() if now.get(path) != seen)

    def _common_folder(self) -> str:
        folder = one_place.common_folder(self._source_files, self._cargo.target, self._seen)
        return "" if folder is None else one_place.shown(self._cargo.target, folder)

    def _remove(self, evidence: Evidence) -> tuple[HistoryEntry, Certificate]:
        world = self._world
        self._track.check()
        certificate = certify(evidence, world.clock.monotonic())
        entry = self._entry(Outcome.MOVED, certificate.kept_because)
        world.journal.save_certificate(certificate, world.clock.now())
        world.journal.add_history(entry)
        if world.policy.statistics and evidence.source.torrent is not None:
            world.journal.owe_statistics(self._id, Statistics.of(evidence.source.torrent))
        self._enter(Stage.RELEASED)
        removal.remove(world.source, certificate, self._warn)
        return entry, certificate

    def _keep(self, why: str) -> HistoryEntry:
        if self._id in self._world.journal.stopped():
            why += "; it is stopped there, for overlap = none"
            self._warn(why)
        entry = self._entry(Outcome.COPIED, why)
        with self._only_warned():
            self._give_the_rest(started=self._world.policy.start_at_destination)
        self._world.journal.add_history(entry)
        if self._record.stage is not Stage.SEEDING:
            self._enter(Stage.SEEDING)
        self._enter(Stage.RELEASED)
        self._forget()
        return entry

    def _give_the_rest(self, *, started: bool) -> None:
        later = Later.of(self._planned.torrent)
        finishing.give(self._world.destination, self._id, later, self._warn, started=started)

    def _forget(self) -> None:
        self._track.ledger.finished(1.0)
        self._world.journal.forget_move(self._id)

    def _entry(self, outcome: Outcome, detail: str) -> HistoryEntry:
        torrent = self._planned.torrent
        return HistoryEntry(
            id=self._id,
            name=torrent.name,
            size=self._size,
            started_at=self._record.started_at,
            ended_at=self._world.clock.now(),
            outcome=outcome,
            sent=self._track.ledger.brought,
            reused=self._track.ledger.reused,
            pieces=self._manifest.wanted.count(),
            repaired=self._track.repaired,
            run=self._world.run,
            detail=detail,
            not_carried=" ".join(f"{name}={value}" for name, value in not_carried(torrent).items()),
            confirmed=outcome is not Outcome.MOVED,
        )

    # -- shared ------------------------------------------------------------------------------------------------------

    def _enter(self, stage: Stage) -> None:
        """Write the stage down before it is taken."""
        self._track.check()
        now = self._world.clock.now()
        self._save(self._record.entering(stage, now))
        self._track.enter(stage, now)
        self._world.publish(StageEntered(now, self._id, self._planned.torrent.name, stage))

    def _save(self, record: MoveRecord, mark: Mark | None = None) -> None:
        self._record = replace(record, mark=mark or record.mark)
        self._world.journal.save_move(self._record)

    def _mark(self, mark: Mark) -> None:
        self._save(self._record.entering(Stage.CHECKING, self._world.clock.now()), mark=mark)

    def _tell_start(self, present: int) -> None:
        torrent = self._planned.torrent
        self._world.publish(
            MoveStarted(
                self._world.clock.now(),
                self._id,
                torrent.name,
                self._size,
                len(self._manifest.files),
                present,
            )
        )

    def _notice(self, level: Level, text: str) -> None:
        self._world.publish(Noticed(self._world.clock.now(), self._id, level, text))

    def _tell(self, text: str) -> None:
        self._notice(Level.INFO, text)

    def _warn(self, text: str) -> None:
        self._notice(Level.WARN, text)

    @contextmanager
    def _only_warned(self) -> Iterator[None]:
        """What fails in here is said, and changes nothing."""
        try:
            yield
        except MoverError as error:
            with suppress(MoverError):
                self._warn(f"the torrent was moved, but: {error}")

    def _reading(self, count: int) -> None:
        """Every chunk that is read back: a sign of life, and the place where a stop is noticed."""
        self._track.sign()
        self._track.check()
        if not self._world.destination.local:
            self._world.throttle.take((Flow.IN,), count)

    def _bytes(self, pieces: Bitfield) -> int:
        return sum(span.length for run in pieces.runs(value=True) for span in self._manifest.spans(run[0], run[-1]))
