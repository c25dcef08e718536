"""The story of one move, from planned to released. Every stage begins by looking at the world, so that entering twice is safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from torrent_mover.domain.errors import MoverError, TorrentGone
from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.report.events import Level, Noticed, StageEntered
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.torrent.attributes import DeferredAttributes, not_carried, with_sources
from torrent_mover.domain.torrent.certificate import Certificate, Evidence, ReadBack, Reading, certify
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.moving import deferred, handover, overlap, removal
from torrent_mover.engine.delivery import cargo, one_place
from torrent_mover.engine.delivery.bringing import Bringing
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.layout import user_of
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.source_state import reread_source, sight
from torrent_mover.engine.delivery.staging import clear_staging
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.progress.board import Flow, Track
from torrent_mover.engine.proof import read_back
from torrent_mover.engine.proof.checking import Checking
from torrent_mover.engine.proof.repair import Repair
from torrent_mover.engine.run.work import Slot
from torrent_mover.ports.filesystem import FileSystem


class Mover:
    """One attempt at one move."""

    def __init__(self, world: World, planned: PlannedMove, track: Track, record: MoveRecord, slot: Slot) -> None:
        self._world = world
        self._planned = planned
        self._track = track
        self._record = record
        self._slot = slot
        self._id: InfoHash = planned.torrent.id
        self._manifest: Manifest
        self._landing: Landing
        self._bringing: Bringing
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
                self._bringing.transfer()
                self._enter(Stage.SETTLED)
                self._settle()
            self._slot.give_back()
            with self._world.turns.turn(self._track.sign):
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
            owner=lambda path: user_of(self._world.destination, path, self._id),
            progress=self._reading,
            adopting=lambda paths: self._world.journal.save_adopted(self._id, self._cargo.reals(paths)),
        )
        self._source_files = self._cargo.source
        self._size = self._manifest.size_of(self._manifest.wanted)
        self._seen = sight(self._source_files, self._planned)
        self._bringing = Bringing(
            self._world, planned, self._track, self._cargo, self._landing, self._reading, self._notice
        )
        return metainfo

    @contextmanager
    def _reserved(self) -> Iterator[None]:
        self._enter(Stage.RESERVED)
        self._world.space.reserve(self._id, self._size, self._manifest.size_of(self._bringing.verified))
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
            self._bringing.own_check = read_back.own_check(
                destination, self._planned, there, *files, self._world.clock, self._tell
            )

    def _unlock(self) -> None:
        """See that we may write wherever this move must; what is opened for it is closed when it ends."""
        self._enter(Stage.UNLOCKED)
        files = tuple(self._cargo.files())
        self._world.unlocker.open(self._id, self._landing.staging, files)
        path, size = max(files, key=lambda file: file[1])
        self._world.space.require_large(path, size, self._landing.staging)

    # -- settled, added, checking ------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        policy = self._world.policy
        self._track.sign("moving into place")
        if policy.chown_user or policy.chown_group:
            self._landing.give_to(policy.chown_user, policy.chown_group)
        self._landing.set_modes(policy.file_mode, policy.folder_mode)
        self._landing.settle()
        for folder in self._landing.unlike:
            self._warn(
                f"what is new in {one_place.shown(self._world.destination.files, folder)} does not have that folder's group"
                " or default ACL: our user may not give them"
            )
        if self._world.cache is not None:
            # An attempt that was killed with all its bytes here leaves them in the cache, where no other one needs them.
            with self._only_warned():
                clear_staging(self._world.cache, self._id)

    def _add(self, metainfo: bytes) -> None:
        destination = self._world.destination
        source = self._world.source.client
        reread_source(self._world.source, self._planned, self._world.clock)
        metainfo = with_sources(metainfo, source.trackers(self._id), source.web_seeds(self._id))
        self._track.sign(f"adding to {destination.name}")
        if not handover.added_already(destination, self._planned, self._layout):
            skip = self._bringing.own_check is not None
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
        if self._bringing.own_check is not None:
            own = checking.own(self._bringing.own_check)
            if own is not None:
                return own
            self._bringing.own_check = None
        return checking.by_client(Repair(self._manifest, self._landing))

    def _repair(self, repair: Repair, missing: tuple[int, ...]) -> None:
        self._slot.take_again()
        self._bringing.repair(repair, missing)
        self._settle()
        self._slot.give_back()

    # -- verified, seeding, released ---------------------------------------------------------------------------------

    def _finish(self, read_back: ReadBack) -> HistoryEntry:
        world, policy = self._world, self._world.policy
        self._track.ledger.verified(1.0)
        if not policy.start_at_destination:
            return self._keep("start_torrents_after_recheck is off: it is stopped there")
        self._enter(Stage.SEEDING)
        with self._alone():
            first = handover.start(world.destination, self._id, world.pulse, world.clock, self._track.sign)
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
        return handover.gather(
            self._world.source,
            self._world.destination,
            self._planned,
            self._landing,
            first,
            read_back,
            self._bringing.at_rest.count(),
            self._world.clock,
            pieces=self._manifest.wanted.count(),
            ignored=lambda: self._world.ignored(self._id),
            changed=self._changed_at_source,
            common_folder=self._common_folder,
        )

    def _changed_at_source(self) -> tuple[str, ...]:
        """Files that somebody has changed since the move began: what they are now was never proven, and may be wanted."""
        now = sight(self._source_files, self._planned)
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
        later = DeferredAttributes.of(self._planned.torrent)
        deferred.give(self._world.destination, self._id, later, self._warn, started=started)

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
            took=self._track.worked,
            source=self._world.source.client.name,
            destination=self._world.destination.client.name,
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
