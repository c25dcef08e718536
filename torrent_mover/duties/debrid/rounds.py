"""One round of an account: look, repair in turn what is proven, have another release searched, keep up."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from torrent_mover.domain.debrid.account import Capability, Rank, RemoteId, RemoteStatus, RemoteTorrent
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import DebridGarbled, DebridUnreachable, MountDown, TooManyRefused, class_of
from torrent_mover.domain.errors import ExitCode, MoverError, ProvisioningError, ServerError, TransferError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.escalating import EscalationStory
from torrent_mover.duties.debrid.link_checks import LinkChecks, LinksChecked
from torrent_mover.duties.debrid.link_walk import LinksSeen, LinkWalk, mark_stale
from torrent_mover.duties.debrid.listing import AccountListed, AccountLister
from torrent_mover.duties.debrid.needs import Act, DebridWorld, said
from torrent_mover.duties.debrid.records import RepairEnd, RepairRecord, RepairStage, ScanMode, Wave, known_entry
from torrent_mover.duties.debrid.repairing import RepairStep, RepairStory
from torrent_mover.duties.debrid.settings import OnRefused
from torrent_mover.duties.debrid.turns import in_turn, is_wave
from torrent_mover.duties.debrid.verdicts import BETWEEN_LOOKS, DebridFinding, Fault

PATIENCE: Final = 120.0
"""Seconds without any progress after which what still waits is left to the next run."""

REFUSED: Final = "refused"
"""What a wave of refusals is called."""

_UNCOUNTED: Final = (RepairStage.PLANNED, RepairStage.ADDING, RepairStage.LISTING, RepairStage.SELECTING)
"""Stages in which a service may not count a repair among those that take a slot."""

_FIRST_POLL: Final = 5.0
_LONGEST_POLL: Final = 300.0
_IN_A_ROW: Final = 5
_LISTS_A_ROUND: Final = 100
_DAYS: Final = ((7, 7 * 86_400.0), (1, 86_400.0))


@dataclass(slots=True)
class DebridReport:
    """What a round came to. `held`: a mount that is not believed; nothing that concerns links is judged or done then."""

    listed: list[AccountListed] = field(default_factory=list)
    links: LinksSeen | None = None
    checked: LinksChecked | None = None
    ended: list[RepairRecord] = field(default_factory=list)
    waiting: list[RepairRecord] = field(default_factory=list)
    begun: int = 0
    searches: int = 0
    troubles: list[MoverError] = field(default_factory=list)
    held: MountDown | None = None

    def count(self, *ends: RepairEnd) -> int:
        """How many repairs ended so."""
        return sum(record.end in ends for record in self.ended)

    @property
    def exit_code(self) -> ExitCode:
        """1 where a repair failed; what kept the round from its work comes as an error."""
        failed = self.count(RepairEnd.RETRY, RepairEnd.GIVEN_UP, RepairEnd.REFUSED)
        return ExitCode.SOME_FAILED if failed else ExitCode.DONE


class DebridRound:
    """The work of one run on one account. `began`: when the run began, where others acted in it before (Unix seconds)."""

    def __init__(self, world: DebridWorld, began: float | None = None) -> None:
        self._world = world
        self._journal = world.journal
        self._began = world.now if began is None else began
        self._story = RepairStory(world)
        self._again = 0
        self._idle: set[InfoHash] = set()  # repairs that wait for the service or the mount: they take no worker
        self.report = DebridReport()

    # Looking

    def look(self) -> None:
        """Look at what is due: all of the account or what failed, the links, some links of what looks well.

        A mount that is not believed is in `report.held`: what the account itself says goes on.
        """
        now, settings = self._world.now, self._world.settings
        self.tell_of_premium()
        full = self._journal.scan(ScanMode.FULL)
        due = now - full.done_at >= settings.full_every or full.under_way
        self.list(ScanMode.FULL if due else ScanMode.QUICK)
        if settings.media_roots:
            walked = self._journal.scan(ScanMode.SYMLINKS).done_at
            if now - walked >= settings.symlinks_every or self._suspects_wait(now):
                self._walk_if_sound()
        self.check_links()

    def _walk_if_sound(self) -> None:
        try:
            self.walk()
        except MountDown as error:
            self.report.held = error

    def _suspects_wait(self, now: float) -> bool:
        return any(
            not finding.proven and finding.links and now - finding.last_at >= BETWEEN_LOOKS
            for finding in self._journal.findings()
        )

    def list(self, mode: ScanMode) -> AccountListed:
        """Scan the account."""
        lister = AccountLister(self._world)
        listed = lister.scan(mode)
        if mode is ScanMode.FULL:
            LinkChecks(self._world).learn_files(_LISTS_A_ROUND)
            lister.note_faults(entry for entry in self._journal.entries().values() if entry.there)
            listed = lister.counted(mode)
        self.report.listed.append(listed)
        return listed

    def walk(self, only: LocalPath | None = None) -> LinksSeen:
        """Look at the links; torrents that look well and have a broken link are asked about at once."""
        seen = LinkWalk(self._world).scan(only)
        if seen.suspects:
            checked = LinkChecks(self._world).run(seen.suspects)
            stale = mark_stale(self._world, checked.alive)
            if stale:
                self._world.say(
                    None, f"{stale} broken links lead to torrents that live: the mount is stale", Level.WARN
                )
        self.report.links = seen
        return seen

    def check_links(self) -> LinksChecked:
        """Ask about links of torrents that look well, as many as an hour allows."""
        self.report.checked = LinkChecks(self._world).run()
        return self.report.checked

    def look_at(self, torrent: InfoHash) -> None:
        """Look at one torrent anew."""
        self._world.good_standing()
        account = self._world.account.ranked(Rank.BY_HAND)
        for entry in self._journal.of_hash(torrent):
            found = account.info(RemoteId(account.name, entry.id)) if entry.there else None
            now = known_entry(found, entry, self._world.now) if found is not None else None
            if now is not None:
                self._journal.save_entries((now,))
        lister = AccountLister(self._world)
        lister.note_faults(entry for entry in self._journal.of_hash(torrent) if entry.there)
        lister.forget_settled()

    def tell_of_premium(self) -> None:
        """One notice a week and one a day before the premium ends."""
        left = self._world.good_standing().premium_seconds
        for days, seconds in _DAYS:
            key = f"premium {days}"
            if 0 < left <= seconds:
                self._world.tell_once(
                    key, f"The premium of {self._world.account.name} ends within {counted(days, 'day')}."
                )
            elif left > seconds:
                self._world.forget_told(key)

    # Acting

    def act(
        self,
        only: Sequence[DebridFinding] | None = None,
        *,
        by_hand: bool = False,
        limit: int | None = None,
        within: Collection[InfoHash] | None = None,
        more: bool = False,
    ) -> None:
        """Repair what is proven, in turn, and go on with what was begun. Raises TooManyRefused, ServerError.

        `within`: of what was begun before, only these torrents go on; None: all. `more`: the same run acts again, on all of them.
        Until then what is refused is left, as all of the run's refusals count together, and a number that a person has accepted
        holds on; whoever says so calls `use_up_wave` in the end.
        """
        hashes = None if only is None else {finding.hash for finding in only}
        try:
            self.refuse_a_wave(hashes)
            findings = self.candidates() if only is None else only
            repairs = [finding for finding in findings if not finding.fault.final]
            try:
                self._repair(repairs[:limit], within, hashes, by_hand=by_hand)
                self.refuse_a_wave(hashes, self._accepted())
                if not more:
                    self._escalate(hashes, within)
            finally:
                self._measure()
        finally:
            if not more:
                use_up_wave(self._world)

    def candidates(self) -> Sequence[DebridFinding]:
        """The proven findings whose turn it is; without those that broken links have told of where a mount is not believed."""
        found = in_turn(self._journal.findings(), self._journal.retries(), self._world.now)
        return [each for each in found if self.report.held is None or each.fault is not Fault.VANISHED]

    def refused_now(self, only: Collection[InfoHash] | None = None) -> Sequence[DebridFinding]:
        """What the service has refused since refusals were last acted on, in whichever run; without what a person has accepted.

        `only`: of what was refused before this run, these alone are acted on, so these alone count.
        """
        note, wave = self._journal.note(), self._journal.wave(REFUSED)
        # Where nothing may be changed, a number that was accepted once is not told of again and again.
        since = min(self._began, note.acted_at if self._world.acts else max(note.acted_at, note.accepted_at))
        accepted = wave.hashes if wave is not None and wave.accepted else ()
        return [
            each
            for each in self._journal.findings()
            if each.fault.final
            and each.final_at >= since
            and each.hash.hex not in accepted
            and (only is None or each.final_at >= self._began or each.hash in only)
        ]

    def refuse_a_wave(self, only: Collection[InfoHash] | None = None, accepted: int = 0) -> None:
        """Stop everything where so many are refused that it is the service's doing. Raises TooManyRefused.

        `only`: as for `refused_now`. `accepted`: how many more this run may meet, as a person has accepted that number.
        """
        wave, now, fresh = self._journal.wave(REFUSED), self._world.now, self.refused_now(only)
        hashes = {finding.hash.hex for finding in fresh} | set(wave.hashes if wave else ())
        if wave is not None and not wave.accepted:
            if len(hashes) != wave.number:
                wave = replace(wave, number=len(hashes), hashes=tuple(sorted(hashes)))
                self._journal.save_wave(wave)
        elif is_wave(len(fresh), self._world.settings.max_refused, accepted):
            wave = Wave(REFUSED, len(hashes), tuple(sorted(hashes)), now)
            self._journal.save_wave(wave)
        else:
            return
        error = TooManyRefused(
            f"{self._world.account.server} refuses {wave.number} torrents: more than max_refused allows.",
            kept="Nothing more is changed: the service has a new filter, or trouble.",
            remedy=f"Look at them: torrent-mover debrid status. To go on: torrent-mover debrid accept refused {wave.number}",
        )
        if not wave.told:
            self._journal.save_wave(replace(wave, told=True))
            self._world.notice(str(error))
        raise error

    def _repair(
        self,
        findings: Iterable[DebridFinding],
        within: Collection[InfoHash] | None,
        only: Collection[InfoHash] | None,
        *,
        by_hand: bool,
    ) -> None:
        active = {
            record.hash: record
            for record in self._journal.repairs()
            if record.open and (within is None or record.hash in within)
        }
        queue = deque(finding for finding in findings if finding.hash not in active)
        clock = self._world.clock
        progressed, pause = clock.monotonic(), _FIRST_POLL
        while (active or queue) and not self._world.stopped():
            begun = self._begin(active, queue, only, by_hand=by_hand)
            before = {record.hash: record.progress for record in active.values()}
            moved = self._advance(active)
            if moved or any(record.progress > before.get(record.hash, 0.0) for record in active.values()):
                progressed = clock.monotonic()
            if begun or moved:
                pause = _FIRST_POLL
                continue
            left = PATIENCE - (clock.monotonic() - progressed)
            if not active or left <= 0:
                break
            clock.wait(min(pause, left))
            pause = min(pause * 2, _LONGEST_POLL)
        self.report.waiting = list(active.values())

    def _begin(
        self,
        active: dict[InfoHash, RepairRecord],
        queue: deque[DebridFinding],
        only: Collection[InfoHash] | None,
        *,
        by_hand: bool,
    ) -> int:
        """Begin repairs while there are slots and workers; how many were begun, or are not to be."""
        if not queue:
            return 0
        free = self._world.settings.workers - len(active.keys() - self._idle)
        room = min(self._slots(active.values()), free) if free > 0 else 0
        done = 0
        while queue and room > 0:
            if is_wave(len(self.refused_now(only)), self._world.settings.max_refused, self._accepted()):
                queue.clear()
                break
            if not self._world.budget.take(Act.REPAIR):
                self._world.say(None, f"{len(queue)} repairs are left to the next run: max_repairs is reached.")
                queue.clear()
                break
            finding = queue.popleft()
            done += 1
            try:
                record = self._story.plan(finding, by_hand=by_hand)
            except ValueError as error:
                self._world.say(finding.hash, f"{finding.name} is not repaired: {error}", Level.WARN)
                continue
            if record is None:
                self._world.say(finding.hash, f"{finding.name} is not repaired: nobody knows which files are wanted")
                continue
            active[finding.hash] = self._story.begin(record)
            self.report.begun += 1
            room -= 1
        return done

    def _accepted(self) -> int:
        wave = self._journal.wave(REFUSED)
        return wave.number if wave is not None and wave.accepted else 0

    def _slots(self, active: Iterable[RepairRecord]) -> int:
        """Adds that the account takes now, our own that it may not count yet taken off."""
        free = self._world.account.standing().free_slots
        if free is None:
            return self._world.settings.workers
        return free - self._world.settings.keep_slots - sum(record.stage in _UNCOUNTED for record in active)

    def _advance(self, active: dict[InfoHash, RepairRecord]) -> bool:
        """Take all of them further, side by side; whether any got on."""
        seen = self._under_way(active.values())
        records = list(active.values())
        moved = False
        with ThreadPoolExecutor(self._world.settings.workers, thread_name_prefix="repair") as pool:
            steps = list(pool.map(lambda record: self._one(record, seen), records))
        failure: MoverError | None = None
        for record, step in zip(records, steps, strict=True):
            if isinstance(step, MoverError):
                failure = self._heard(step) or failure
                active[record.hash] = self._journal.repair(record.hash) or record  # as far as it was written down
                continue
            self._again = 0
            after = step.record
            (self._idle.add if step.waits else self._idle.discard)(after.hash)
            moved = moved or after.stage is not record.stage
            if after.open:
                active[after.hash] = after
            else:
                del active[after.hash]
                self.report.ended.append(after)
        if failure is not None:
            raise failure
        return moved

    def _one(self, record: RepairRecord, seen: Mapping[str, RemoteTorrent]) -> RepairStep | MoverError:
        try:
            return self._story.advance(record, seen.get(record.new_id))
        except TransferError:  # somebody else holds its lease
            return RepairStep(record, waits=True)
        except MoverError as error:
            return error

    def _heard(self, error: MoverError) -> MoverError | None:
        """The error that ends the round; None for one that the next look may not meet again."""
        if class_of(error) is AnswerClass.AGAIN and isinstance(error, DebridUnreachable | DebridGarbled):
            self._again += 1
            return error if self._again >= _IN_A_ROW else None
        if isinstance(error, ProvisioningError):
            return error  # what cannot be written down is not done
        if not isinstance(error, ServerError):
            self._world.say(None, said(error), Level.WARN)
            self.report.troubles.append(error)
            self._again += 1
            return error if self._again >= _IN_A_ROW else None
        return error

    def _under_way(self, records: Iterable[RepairRecord]) -> Mapping[str, RemoteTorrent]:
        """One list for all that are downloaded, instead of a question for each."""
        waiting = [record for record in records if record.stage is RepairStage.WAITING]
        account = self._world.account.ranked(Rank.FINISHING)
        if len(waiting) < 2 or Capability.ACTIVE_LIST not in account.capabilities.can:  # noqa: PLR2004  one is asked by itself
            return {}
        return {row.id.text: row for row in account.active()}

    def _escalate(self, only: Collection[InfoHash] | None, within: Collection[InfoHash] | None) -> None:
        if self.report.held is not None:
            return
        story = EscalationStory(self._world)
        finals = [each for each in self._journal.findings() if each.fault.final and each.proven]
        asked = [each for each in finals if (only is None or each.hash in only) and not self._held_elsewhere(each)]
        wanted = [each for each in asked if story.policy(each) is not OnRefused.REPORT]
        if wanted and self._world.settings.media_roots:
            try:
                links = LinkWalk(self._world).links_of({finding.hash for finding in wanted})
            except MountDown as error:
                self.report.held = error
                return
            for finding in wanted:
                try:
                    story.begin(finding, links.get(finding.hash, ()))
                except MoverError as error:
                    self._world.say(finding.hash, said(error), Level.WARN)
                    self.report.troubles.append(error)
        self.report.searches, _ = story.go_on(within)
        if only is None and within is None and not self._world.stopped():
            self._world.remember(acted_at=self._world.now)

    def _held_elsewhere(self, finding: DebridFinding) -> bool:
        """Whether another entry of the same hash is well: then the links may lead to that one."""
        return any(
            entry.there
            and entry.id != finding.id
            and entry.status == RemoteStatus.DOWNLOADED.value
            and entry.fault(self._world.now) is None
            for entry in self._journal.of_hash(finding.hash)
        )

    def _measure(self) -> None:
        findings = self._journal.findings()
        for fault in {finding.fault for finding in findings}:
            count = sum(finding.fault is fault for finding in findings)
            self._world.metric("findings", "count", count, fault=fault.value)


def use_up_wave(world: DebridWorld) -> None:
    """The run for which a person had accepted a number of refusals is over, however it ended."""
    wave = world.journal.wave(REFUSED)
    if wave is not None and wave.accepted:
        world.journal.drop_wave(REFUSED)
        world.remember(accepted_at=world.now)
