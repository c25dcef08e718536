"""The story of the hand-over: what was delivered is added, checked, seeded at the destination, and released at the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import HistoryEntry, Outcome, Stage
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.torrent.attributes import DeferredAttributes, lost, with_sources
from torrent_mover.domain.torrent.certificate import Certificate, Evidence, ReadBack, Reading, certify
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.moving import adding, deferred, evidence, overlap, removal, seeding
from torrent_mover.duties.moving.beginning import refuse_longer
from torrent_mover.duties.moving.move_log import MoveLog
from torrent_mover.duties.moving.told_arrs import TellsOfMoves
from torrent_mover.engine.delivery import lacking
from torrent_mover.engine.delivery.delivery import Delivery
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.source_state import reread_source
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.progress.board import Track
from torrent_mover.engine.proof.checking import Checking
from torrent_mover.engine.proof.read_back import OwnCheck, obstacle
from torrent_mover.engine.proof.repair import Repair
from torrent_mover.engine.run.work import Slot
from torrent_mover.ports.roles import Categories, SkipsCheck, WebSeeds

_STOPPED = (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE)


class HandOver:
    """One attempt: added -> checking -> (repairing -> checking)* -> verified -> seeding -> released.

    `delivery` has brought the bytes by the time that `run` is called; `metainfo` is the .torrent as the source gave it.
    """

    def __init__(
        self,
        world: World,
        planned: PlannedMove,
        metainfo: bytes,
        delivery: Delivery,
        track: Track,
        log: MoveLog,
        slot: Slot,
        arrs: TellsOfMoves,
    ) -> None:
        self._world = world
        self._arrs = arrs
        self._planned = planned
        self._metainfo = metainfo
        self._delivery = delivery
        self._manifest = delivery.cargo.manifest
        self._layout = delivery.cargo.layout
        self._track = track
        self._log = log
        self._slot = slot
        self._id = planned.torrent.id
        self._certified = False
        """Whether our own read-back stands for the client's check."""
        self._not_taken: tuple[str, ...] = ()
        """What the destination's client cannot be given, in words."""

    def prepare(self) -> None:
        """Before anything is touched: refuse what removing would lose, and stop the torrent at the destination if it runs there."""
        world, destination = self._world, self._world.destination
        if world.policy.delete_at_source and not world.policy.test_run:
            refuse_longer(world.source, self._planned, self._delivery.seen)
        there = adding.seeding_elsewhere(destination, self._id)
        if there is not None and there.state not in _STOPPED:
            destination.client.stop(self._id)
        skips = destination.client.role(SkipsCheck) if world.policy.certified else None
        if skips is None:
            return  # one that cannot skip its check skips none: the checks before the run have said so
        why_not = obstacle(skips, self._planned, there, self._manifest, self._delivery.cargo.landing)
        if why_not:
            self._log.tell(f"{destination.name} will check the data itself: {why_not}")
        else:
            self._certified = True
            self._delivery.read_it_back()

    def run(self) -> HistoryEntry:
        """Hand it over. Raises MoverError; source and destination keep what they have."""
        with self._world.turns.turn(self._track.sign):
            self._log.enter(Stage.ADDED)
            self._add()
            read_back = self._check()
            self._log.enter(Stage.VERIFIED)
            self._track.ledger.verified(1.0)
            if not self._world.policy.start_at_destination:
                self._tell_arrs()
                return self._keep("start_torrents_after_recheck is off: it is stopped there")
            self._log.enter(Stage.SEEDING)
            with self._alone():
                return self._seed(read_back)

    # -- added, checking ---------------------------------------------------------------------------------------------

    def _add(self) -> None:
        world, destination, source = self._world, self._world.destination, self._world.source
        reread_source(source, self._planned, world.clock)
        web_seeds = self._web_seeds()
        metainfo = with_sources(self._metainfo, source.client.trackers(self._id), web_seeds)
        self._tell_what_is_lost(web_seeds or ())
        self._track.sign(f"adding to {destination.name}")
        if not adding.added_already(destination, self._planned, self._layout):
            files = (self._manifest, self._layout)
            adding.add(destination, self._planned, *files, metainfo, skip_checking=self._certified)
        self._take_out_of_review()
        self._track.ledger.finished(0.3)

    def _web_seeds(self) -> Sequence[str] | None:
        """Those of the source; None where its client does not tell."""
        telling = self._world.source.client.role(WebSeeds)
        return telling.web_seeds(self._id) if telling else None

    def _tell_what_is_lost(self, web_seeds: Sequence[str]) -> None:
        """Say, and keep for the history, what the destination's client cannot be given."""
        client = self._world.destination.client
        self._not_taken = lacking.not_taken(client, self._planned, self._manifest.name, web_seeds)
        if self._not_taken:
            self._log.tell(f"{client.name} cannot be given all that it has; not carried: {', '.join(self._not_taken)}")

    def _take_out_of_review(self) -> None:
        """An earlier attempt may have set it aside there; a category that somebody else chose there stays."""
        client, wanted = self._world.destination.client, self._planned.target_category
        there, sorting = client.get(self._id), client.role(Categories)
        if sorting and there is not None and there.category == self._world.policy.manual_review_category != wanted:
            sorting.set_category(self._id, wanted)

    def _check(self) -> ReadBack:
        """Our own read-back, where that counts and holds; else the client's recheck, with its repairs."""
        world, track = self._world, self._track
        checking = Checking(
            world, self._id, self._manifest, track, enter=self._log.enter, mark=self._log.mark, mend=self._mend
        )
        if self._certified:
            delivery = self._delivery
            check = OwnCheck(
                world.destination, self._id, delivery.landing, delivery.at_rest, world.clock, self._log.tell
            )
            own = checking.own(check)
            if own is not None:
                return own
        return checking.by_client(Repair(self._manifest, self._delivery.landing))

    def _mend(self, repair: Repair, missing: tuple[int, ...] | None) -> None:
        self._slot.take_again()
        self._delivery.repair(repair, missing)
        self._slot.give_back()

    # -- seeding -----------------------------------------------------------------------------------------------------

    def _seed(self, read_back: ReadBack) -> HistoryEntry:
        world, policy = self._world, self._world.policy
        first = seeding.start(world.destination, self._id, world.pulse, world.clock, self._track.sign)
        self._track.ledger.finished(0.6)
        self._tell_arrs()
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
            with self._log.only_warned():
                overlap.restore(world.journal, world.source, world.destination, self._id, self._log.warn)
            raise
        with self._log.only_warned():
            world.journal.forget_stopped(self._id)

    def _tell_arrs(self) -> None:
        """Before the source is let go: what is written down by then is told, whatever happens to us."""
        if self._world.policy.test_run:
            return
        planned, cargo = self._planned, self._delivery.cargo
        sizes = {file.index: file.size for file in planned.files if file.wanted}
        files = [(path, sizes[index]) for index, path in enumerate(cargo.landing) if index in sizes]
        labels = dict.fromkeys((planned.torrent.category, planned.target_category))
        save_path = self._world.destination.save_path
        if why := self._arrs.told(self._id, tuple(labels), planned.torrent.name, save_path, files):
            self._log.tell(why)

    # -- released ----------------------------------------------------------------------------------------------------

    def _release(self, first: Reading, read_back: ReadBack) -> HistoryEntry:
        self._track.sign("watching it seed")
        seeding.watch(first, self._world.clock)
        found = self._gather(first, read_back)
        if found.siblings:
            # One at a time: of two torrents that share their files, the second must see that the first is gone.
            with self._world.releasing:
                entry, look = self._remove(self._gather(first, read_back))
        else:
            entry, look = self._remove(found)
        # From here on nothing can fail the move any more: what cannot be written down now, the next run settles.
        with self._log.only_warned():
            if look is not None:
                self._see_it_gone(look)
        with self._log.only_warned():
            self._give_the_rest(started=True)
            self._world.journal.confirm_history(self._id)
            self._forget()
        return replace(entry, confirmed=True)

    def _gather(self, first: Reading, read_back: ReadBack) -> Evidence:
        world = self._world
        ends = (world.source, world.destination)
        return evidence.gather(
            *ends,
            self._planned,
            self._delivery,
            first,
            read_back,
            world.clock,
            ignored=lambda: world.ignored(self._id),
        )

    def _remove(self, found: Evidence) -> tuple[HistoryEntry, Certificate | None]:
        """The entry of the history, and the certificate by which data is still to be seen gone."""
        world = self._world
        self._track.check()
        certificate = certify(found, world.clock.monotonic())
        entry = self._entry(Outcome.MOVED, certificate.kept_because)
        world.journal.save_certificate(certificate, world.clock.now())
        world.journal.add_history(entry)
        if world.policy.statistics and found.source.torrent is not None:
            world.journal.owe_statistics(self._id, Statistics.of(found.source.torrent))
        self._log.enter(Stage.RELEASED)
        files = self._delivery.cargo.source
        removed = removal.remove(world.source, files, certificate, self._layout, world.clock, self._log.warn)
        return entry, certificate if removed and certificate.delete_data else None

    def _see_it_gone(self, certificate: Certificate) -> None:
        if self._planned.linked:
            self._log.tell(removal.other_names(self._planned))
        source, files = self._world.source, self._delivery.cargo.source
        removal.see_it_gone(source, files, certificate, self._layout, self._world.clock, self._log.warn)

    def _keep(self, why: str) -> HistoryEntry:
        """The end of a move that leaves the source as it is."""
        if self._id in self._world.journal.stopped():
            why += "; it is stopped there, for overlap = none"
            self._log.warn(why)
        entry = self._entry(Outcome.COPIED, why)
        with self._log.only_warned():
            self._give_the_rest(started=self._world.policy.start_at_destination)
        self._world.journal.add_history(entry)
        if self._log.stage is not Stage.SEEDING:
            self._log.enter(Stage.SEEDING)
        self._log.enter(Stage.RELEASED)
        self._forget()
        return entry

    def _give_the_rest(self, *, started: bool) -> None:
        later = DeferredAttributes.of(self._planned.torrent)
        deferred.give(self._world.destination, self._id, later, self._log.warn, started=started)

    def _forget(self) -> None:
        self._track.ledger.finished(1.0)
        self._world.journal.forget_move(self._id)

    def _entry(self, outcome: Outcome, detail: str) -> HistoryEntry:
        torrent = self._planned.torrent
        return HistoryEntry(
            id=self._id,
            name=torrent.name,
            size=self._delivery.size,
            started_at=self._log.started_at,
            ended_at=self._world.clock.now(),
            outcome=outcome,
            sent=self._track.ledger.brought,
            reused=self._track.ledger.reused,
            pieces=self._manifest.wanted.count(),
            repaired=self._track.repaired,
            run=self._world.run,
            detail=detail,
            not_carried=lost(torrent, self._not_taken),
            confirmed=outcome is not Outcome.MOVED,
            took=self._track.worked,
            source=self._world.source.client.name,
            destination=self._world.destination.client.name,
        )
