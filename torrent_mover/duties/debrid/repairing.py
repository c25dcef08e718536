"""One repair: the same torrent is added again with the same files, and takes the old entry's place once it is proven.

Each stage is written down before its call; a repair that was cut short is settled by looking.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.debrid.account import (
    Capability,
    Depth,
    LinkAnswer,
    LinkVerdict,
    ListCursor,
    Rank,
    RemoteId,
    RemoteLink,
    RemoteStatus,
    RemoteTorrent,
)
from torrent_mover.domain.debrid.errors import (
    AlreadyThere,
    AskedWrongly,
    DebridParked,
    DebridPaused,
    DebridRefused,
    EntryGone,
    RemovalRefused,
    SlotsFull,
    Unproven,
)
from torrent_mover.domain.debrid.magnets import Magnet, file_of
from torrent_mover.domain.debrid.removal import (
    FRESH,
    PROOF_LASTS,
    LinkProof,
    RemovalLeave,
    Seen,
    certify_swap,
    certify_unused,
)
from torrent_mover.domain.debrid.wanted import WantedFile, is_packed, numbers_of, selected_of, wanted_file
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import clause, counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.fallback import add_elsewhere
from torrent_mover.duties.debrid.layouts import VIDEO, ending_of
from torrent_mover.duties.debrid.link_checks import UNSAID
from torrent_mover.duties.debrid.magnets import read_hash
from torrent_mover.duties.debrid.needs import Act, DebridWorld, timed
from torrent_mover.duties.debrid.records import KnownEntry, RepairEnd, RepairRecord, RepairStage, known_entry
from torrent_mover.duties.debrid.settings import SelectUnknown
from torrent_mover.duties.debrid.settling import LinkSettling
from torrent_mover.duties.debrid.turns import after_failure, parked
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault
from torrent_mover.ports.debrid import DebridAccount

LISTED_WITHIN: Final = 600.0
"""Seconds in which a new entry must show its files."""

_TOO_SLOW: Final = "the service is asked too slowly now to be sure of it"
_SLOW_TIMES: Final = 3
"""So many times a repair may meet that, then it has failed: else nobody would ever hear of it."""

_PARK: Final = 600.0
_NEWEST: Final = 100
_BAD: Final = {
    RemoteStatus.MAGNET_ERROR: "magnet error",
    RemoteStatus.ERROR: "error",
    RemoteStatus.DEAD: "dead",
}


@dataclass(frozen=True, slots=True)
class RepairStep:
    """What a stage came to. `waits`: nothing more can be done now."""

    record: RepairRecord
    waits: bool = False


class RepairStory:
    """Repairs of one account. Safe from any thread, for different torrents."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._journal = world.journal
        self._settling = LinkSettling(world)
        self._one_proof = (
            threading.Lock()
        )  # all share the pace of the account: side by side, each proof would be too old
        self._proofs: dict[InfoHash, LinkProof] = {}
        self._stages: Mapping[RepairStage, Callable[[RepairRecord], RepairStep]] = {
            RepairStage.PLANNED: self._planned,
            RepairStage.ADDING: self._adding,
            RepairStage.LISTING: self._listing,
            RepairStage.SELECTING: self._selecting,
            RepairStage.WAITING: self._waiting,
            RepairStage.PROVING: self._proving,
            RepairStage.SWAPPING: self._swapping,
            RepairStage.SETTLING: self._settling_links,
        }

    def plan(self, finding: DebridFinding, *, by_hand: bool = False) -> RepairRecord | None:
        """What would be done; None where nobody may decide which files are wanted. Raises ValueError for a hash that is refused."""
        read_hash(finding.hash.hex, self._world.settings.blocked_hashes)
        now = self._world.now
        old = self._info(finding.id) if finding.id else None
        entries = list(self._journal.of_hash(finding.hash))
        wanted = tuple(sorted(selected_of(old))) if old is not None else ()
        for entry in sorted(entries, key=lambda each: (each.id != finding.id, -each.files_at)):
            wanted = wanted or entry.files
        if not wanted and self._world.settings.select_unknown is SelectUnknown.REPORT:
            return None
        record = RepairRecord(
            finding.hash, finding.name, finding.fault, RepairStage.PLANNED, now, now,
            old_id=old.id.text if old is not None else "", wanted=wanted,
            known_before=tuple(sorted(entry.id for entry in entries)), by_hand=by_hand, links=finding.links,
        )  # fmt: skip
        if old is not None and finding.fault is Fault.CHOICE_FORGOTTEN and wanted and old.files:
            return replace(record, in_place=True, new_id=old.id.text)
        return record

    def begin(self, record: RepairRecord) -> RepairRecord:
        """Write the plan down: from here on it is settled by looking."""
        self._journal.save_repair(record)
        self._world.say(record.hash, f"{record.name}: repair begins ({record.fault.value})")
        return record

    def advance(self, record: RepairRecord, row: RemoteTorrent | None = None) -> RepairStep:
        """Take it as far as it goes now. `row`: its new entry, where a list that was read just now has it.

        Raises ServerError where the account cannot be asked: the record stands.
        """
        with self._world.lease(record.hash):
            if row is not None and record.stage is RepairStage.WAITING and row.status.working:
                return self._still_waiting(record, row)
            step = RepairStep(record)
            while step.record.open and not step.waits and not self._world.stopped():
                step = self._stages[step.record.stage](step.record)
            return step

    # Stages

    def _planned(self, record: RepairRecord) -> RepairStep:
        if record.in_place:
            return self._to(record, RepairStage.SELECTING)
        twin = self._twin(record)
        if twin is not None:
            return self._to(replace(record, new_id=twin.id, adopted=True), RepairStage.PROVING)
        return self._to(replace(record, began_at=self._world.now), RepairStage.ADDING)

    def _twin(self, record: RepairRecord) -> KnownEntry | None:
        """Another entry of this hash that has all the wanted files already."""
        for entry in self._journal.of_hash(record.hash):
            whole = entry.there and entry.status == RemoteStatus.DOWNLOADED.value and entry.links >= len(entry.files)
            if whole and entry.id != record.old_id and record.wanted and record.wanted_set <= entry.wanted:
                return entry
        return None

    def _adding(self, record: RepairRecord) -> RepairStep:  # noqa: PLR0911  each answer has an end of its own
        # An add may have been heard whose answer was not. Or somebody else has added it: some services answer our add with that.
        found = self._stranger(record)
        if found is not None:
            return self._added(replace(record, adopted=True), found.id)
        watch = timed(self._world.clock.monotonic)
        try:
            new = self._add(record)
        except SlotsFull:
            return self._park(record, "slots full")
        except DebridPaused:
            return self._fail(record, "the service takes no adds now")
        except DebridParked as error:
            return self._park(record, "traffic used up", error.until)
        except AlreadyThere:
            found = self._stranger(record)
            return (
                self._added(replace(record, adopted=True), found.id) if found else self._fail(record, "already there")
            )
        except AskedWrongly as error:
            return self._fail(record, error.what)
        except DebridRefused as error:
            return self._refuse(record, error.what)
        self._world.attempt(record.hash, record.name, "add", "added", watch())
        return self._added(record, new)

    def _add(self, record: RepairRecord) -> RemoteId:
        """By the .torrent where somebody has kept it, which needs nobody to tell the files; else by the infohash alone."""
        account, data = self._account, self._world.kept(record.hash)
        file = file_of(record.hash, data) if data is not None else None
        if file is not None and Capability.ADD_FILE in account.capabilities.can:
            try:
                return account.add(file)
            except (SlotsFull, AlreadyThere):
                raise
            except DebridRefused as error:
                self._world.say(record.hash, f"{record.name}: its .torrent was not taken: {error.what}", Level.DEBUG)
        return account.add(Magnet(record.hash))

    def _added(self, record: RepairRecord, new: RemoteId) -> RepairStep:
        return self._to(replace(record, new_id=new.text, listed_at=self._world.now, trouble=""), RepairStage.LISTING)

    def _stranger(self, record: RepairRecord) -> RemoteTorrent | None:
        """An entry of this hash that was not there when the repair was planned: the newest rows have it."""
        page = self._account.page(ListCursor(0, _NEWEST))
        for row in page.rows:
            if row.hash == record.hash and row.id.text not in record.known_before:
                return row
        return None

    def _listing(self, record: RepairRecord) -> RepairStep:  # noqa: PLR0911  as above
        new = self._info(record.new_id)
        ended = self._ended_badly(record, new)
        if ended is not None or new is None:
            return ended or self._fail(record, "the new entry is gone")
        if new.hash != record.hash:
            return self._fail(record, "the service made another torrent of it")
        if new.status is RemoteStatus.DOWNLOADED:
            return self._to(record, RepairStage.PROVING)
        if new.status is RemoteStatus.CHOOSING and new.files:
            return self._to(record, RepairStage.SELECTING)
        chosen = bool(new.files) and Capability.SELECT not in self._account.capabilities.can
        if new.status.working and (chosen or new.selected):
            return self._to(replace(record, moved_at=self._world.now), RepairStage.WAITING)
        if self._world.now - record.listed_at > LISTED_WITHIN:
            return self._fail(record, "the new entry never showed its files")
        return RepairStep(record, waits=True)

    def _selecting(self, record: RepairRecord) -> RepairStep:
        new = self._info(record.new_id)
        ended = self._ended_badly(record, new)
        if ended is not None or new is None or not new.files:
            return ended or self._fail(record, "the new entry is gone")
        wanted = record.wanted or self._chosen(new)
        numbers = numbers_of(frozenset(wanted), new.files)
        if numbers is None:
            return self._give_up(record, "the service has other files than before")
        record = self._saved(replace(record, wanted=wanted))
        if new.status is RemoteStatus.CHOOSING:
            try:
                self._account.select(new.id, numbers)
            except EntryGone:
                return self._fail(record, "the new entry is gone")
        return self._to(replace(record, moved_at=self._world.now), RepairStage.WAITING)

    def _chosen(self, new: RemoteTorrent) -> tuple[WantedFile, ...]:
        files = [wanted_file(file.path, file.size) for file in new.files or ()]
        if self._world.settings.select_unknown is SelectUnknown.VIDEO:
            files = [file for file in files if ending_of(file.path) in VIDEO] or files
        return tuple(sorted(files))

    def _waiting(self, record: RepairRecord) -> RepairStep:
        new = self._info(record.new_id)
        ended = self._ended_badly(record, new)
        if ended is not None or new is None:
            return ended or self._fail(record, "the new entry is gone")
        if new.status is RemoteStatus.DOWNLOADED:
            return self._to(record, RepairStage.PROVING)
        if new.status is RemoteStatus.CHOOSING:
            return self._to(record, RepairStage.SELECTING)
        return self._still_waiting(record, new)

    def _still_waiting(self, record: RepairRecord, new: RemoteTorrent) -> RepairStep:
        now = self._world.now
        if new.progress > record.progress:
            record = self._saved(replace(record, progress=new.progress, moved_at=now))
        elif now - record.moved_at > self._world.settings.uncached_wait:
            return self._fail(record, "uncached")
        return RepairStep(record, waits=True)

    def _ended_badly(self, record: RepairRecord, new: RemoteTorrent | None) -> RepairStep | None:
        if new is None:
            return None
        if new.status is RemoteStatus.VIRUS:
            return self._refuse(record, "virus", Fault.VIRUS)
        if new.status in _BAD:
            return self._fail(record, _BAD[new.status])
        return None

    def _proving(self, record: RepairRecord) -> RepairStep:
        with self._one_proof:
            return self._proving_alone(record)

    def _proving_alone(self, record: RepairRecord) -> RepairStep:
        new = self._info(record.new_id)
        ended = self._ended_badly(record, new)
        if ended is not None or new is None:
            return ended or self._fail(record, "the new entry is gone")
        if new.status is not RemoteStatus.DOWNLOADED:
            return self._to(replace(record, moved_at=self._world.now), RepairStage.WAITING)
        record = replace(record, wanted=record.wanted or tuple(sorted(selected_of(new))))
        chosen = selected_of(new)
        if not record.wanted_set <= chosen or (chosen != record.wanted_set and not record.adopted):
            return self._give_up(record, "the new entry has other files selected")
        return self._proven(record, new)

    def _proven(self, record: RepairRecord, new: RemoteTorrent) -> RepairStep:  # noqa: PLR0911  as above
        at, names = self._world.clock.monotonic(), []
        one_for_all = len(new.links) == 1 and len(new.selected) > 1
        short = len(new.links) != len(new.selected)
        if short and not one_for_all:
            return self._fail(
                record, f"the new entry has {counted(len(new.links), 'link')} for {counted(len(new.selected), 'file')}"
            )
        for number, link in enumerate(new.links):
            if self._too_old(at):
                return self._slow(record)
            answer = self._resolved(link)
            if answer.verdict is LinkVerdict.REFUSED:
                return self._refuse(record, answer.said or "refused")
            if answer.verdict is LinkVerdict.DEAD:
                return self._fail(record, "a link of the new entry is dead")
            if answer.verdict is not LinkVerdict.ALIVE:
                return self._unproven(record, answer.said)
            names.append(answer.name or "")
            file = new.selected[number]
            same = _base(answer.name or "") == _base(file.path) and answer.size in (None, file.size)
            if not one_for_all and not same:
                return self._fail(record, f"a link of the new entry leads to {answer.name!r}, {answer.size} bytes")
        if one_for_all and not is_packed(new, names):
            return self._fail(record, f"the new entry has 1 link for {counted(len(new.selected), 'file')}")
        old = self._journal.entry(record.old_id) if record.old_id else None
        if one_for_all and not (old is not None and old.packed):
            return self._give_up(record, "the new entry is an archive, and the old one was none")
        if self._too_old(at):
            return self._slow(record)
        self._proofs[record.hash] = LinkProof(new.id, selected_of(new), at)
        self._world.attempt(record.hash, record.name, "prove", f"{len(new.selected)} of {len(new.selected)} files")
        if record.in_place or not record.old_id:
            return self._to(record, RepairStage.SETTLING)
        return self._to(record, RepairStage.SWAPPING)

    def _resolved(self, link: RemoteLink) -> LinkAnswer:
        """What the service says of a link; nothing, where it answers but to this. Raises ServerError where it does not answer."""
        try:
            return self._account.check(link, Depth.PROOF)
        except UNSAID as error:
            self._account.standing()
            return LinkAnswer(LinkVerdict.UNKNOWN, said=error.what)

    def _unproven(self, record: RepairRecord, why: str) -> RepairStep:
        """The service cannot say whether a link of the new entry lives: it is asked again, as long as a download may stand."""
        if self._world.now - max(record.moved_at, record.began_at) > self._world.settings.uncached_wait:
            return self._fail(record, f"a link of the new entry cannot be proven: {why}")
        return RepairStep(self._saved(replace(record, trouble=why)), waits=True)

    def _swapping(self, record: RepairRecord) -> RepairStep:  # noqa: PLR0911  as above
        now = self._world.clock.monotonic
        old = Seen(self._info(record.old_id), now())
        if old.torrent is None:  # removed, by us before we were killed, or by somebody else
            return self._to(replace(record, swapped=True), RepairStage.SETTLING)
        proof = self._proofs.get(record.hash)
        if proof is None or self._too_old(proof.at):
            return self._to(record, RepairStage.PROVING)
        if not self._world.budget.take(Act.DELETE):
            return RepairStep(self._saved(replace(record, trouble="max_deletes is reached")), waits=True)
        new = Seen(self._info(record.new_id), now())
        try:
            removal = certify_swap(record.hash, record.wanted_set, old, new, proof, self._leave(), now())
        except RemovalRefused as error:
            self._world.budget.give_back(Act.DELETE)
            if now() - old.at > FRESH:  # the limiter is slow after refusals: that is not the torrent's fault
                return self._slow(record)
            self._proofs.pop(record.hash, None)
            return self._fail(record, error.what)
        record = self._saved(replace(record, swapped=True, trouble=""))
        self._journal.note_removal(record.old_id)
        removed = self._account.delete(removal)
        self._world.attempt(
            record.hash, record.name, "remove", "old entry removed" if removed.was_there else "it was gone"
        )
        if self._info(record.old_id) is not None:
            return RepairStep(self._saved(replace(record, trouble="the old entry is still listed")), waits=True)
        return self._to(record, RepairStage.SETTLING)

    def _too_old(self, proof_at: float) -> bool:
        return self._world.clock.monotonic() - proof_at > PROOF_LASTS

    def _slow(self, record: RepairRecord) -> RepairStep:
        """It is not the torrent's fault, so the next run looks again, some times."""
        record = replace(record, slow=record.slow + 1, trouble=_TOO_SLOW)
        if record.slow >= _SLOW_TIMES:
            return self._fail(record, _TOO_SLOW)
        return RepairStep(self._saved(record), waits=True)

    def _leave(self) -> RemovalLeave:
        at = self._world.clock.monotonic()
        standing = self._account.standing()
        return RemovalLeave(self._world.acts, standing, at, self._world.budget.left(Act.DELETE) + 1)

    def _settling_links(self, record: RepairRecord) -> RepairStep:
        self._remember_new(record)
        left = self._settling.settle(record)
        if left:
            seen = self._mounts_seen(record, left)
            if not seen.sound_at or self._world.now - seen.sound_at < self._world.settings.mount_refresh:
                return RepairStep(seen, waits=True)
            left = self._settling.settle(seen)  # of mounts that are sound
        if left:
            text = f"{record.name}: {counted(len(left), 'link')} of its library cannot be followed yet"
            self._world.say(record.hash, text, Level.WARN)
        self._journal.forget_findings((record.hash,))
        self._journal.drop_retry(record.hash)
        self._world.forget_told(f"given up {record.hash.hex}")
        done = self._saved(replace(record, stage=RepairStage.ENDED, end=RepairEnd.REPAIRED, trouble=""))
        files = len(record.wanted)
        self._world.say(
            record.hash, f"{record.name}: {files}/{files} files proven{', old removed' if record.swapped else ''}"
        )
        self._world.metric("repair", "end", 1, end=RepairEnd.REPAIRED.value)
        self._world.repaired(record.hash, record.links)
        return RepairStep(done)

    def _mounts_seen(self, record: RepairRecord, links: Sequence[str]) -> RepairRecord:
        """Since when the mounts of these links have been found sound: one that is not can show no new folder, however long."""
        trouble = self._settling.mounts_trouble(links)
        if trouble:
            changed = record.sound_at or record.trouble != trouble
            return self._saved(replace(record, sound_at=0.0, trouble=trouble)) if changed else record
        return record if record.sound_at else self._saved(replace(record, sound_at=self._world.now, trouble=""))

    def _remember_new(self, record: RepairRecord) -> None:
        """Bring the catalogue up to date: what went, and what stands in its place."""
        now, changed = self._world.now, []
        old = self._journal.entry(record.old_id) if record.old_id and record.swapped else None
        if old is not None and old.there:
            changed.append(replace(old, gone_at=now))
        new = self._info(record.new_id)
        entry = known_entry(new, self._journal.entry(record.new_id), now) if new is not None else None
        if entry is not None:
            changed.append(replace(entry, well_at=now))
        self._journal.save_entries(changed)

    # Ends, in which the old entry stays

    def _fail(self, record: RepairRecord, reason: str) -> RepairStep:
        """It is tried again after a while, some times."""
        self._clear_away(record)
        settings = self._world.settings
        entry = after_failure(
            self._journal.retry(record.hash), record.hash, record.name, reason, self._world.now, settings.retry_delay,
            settings.max_attempts,
        )  # fmt: skip
        self._journal.save_retry(entry)
        end = RepairEnd.GIVEN_UP if entry.given_up else RepairEnd.RETRY
        if entry.given_up:
            tries = "1 try" if entry.tries == 1 else f"{entry.tries} tries"
            self._tell_given_up(record, f"was given up after {tries}: {clause(reason)}.")
        return self._ended(record, end, reason)

    def _give_up(self, record: RepairRecord, reason: str) -> RepairStep:
        """The service has the torrent, but not as it was: nothing is refused, and adding it again is of no use."""
        self._clear_away(record)
        known, now = self._journal.retry(record.hash), self._world.now
        self._journal.save_retry(after_failure(known, record.hash, record.name, reason, now, 0.0, 1))
        self._tell_given_up(record, f"cannot be repaired: {clause(reason)}.")
        return self._ended(record, RepairEnd.REFUSED, reason)

    def _tell_given_up(self, record: RepairRecord, why: str) -> None:
        error = Unproven(
            f"{record.name} ({record.hash.short}) {why}",
            kept="The old entry stays.",
            remedy=f"What was tried: torrent-mover debrid history {record.hash.short}."
            f" To try again: torrent-mover debrid repair {record.hash.short}",
        )
        self._world.tell_once(f"given up {record.hash.hex}", f"{error} [{error.code}]")

    def _park(self, record: RepairRecord, reason: str, until: float = 0.0) -> RepairStep:
        """It waits for the account; that is no try."""
        due = max(until, self._world.now + _PARK)
        self._journal.save_retry(parked(self._journal.retry(record.hash), record.hash, record.name, reason, due))
        return self._ended(record, RepairEnd.PARKED, reason)

    def _refuse(self, record: RepairRecord, reason: str, fault: Fault = Fault.REFUSED) -> RepairStep:
        """Final for this torrent."""
        self._clear_away(record)
        self._journal.drop_retry(record.hash)
        known, now = self._journal.finding(record.hash), self._world.now
        finding = known or DebridFinding(record.hash, record.old_id, record.name, fault, now, now, links=record.links)
        refused = replace(
            finding, fault=fault, last_at=now, final_at=now, said=reason, proven_by="the service refuses it"
        )
        self._journal.save_finding(refused)
        if fault is Fault.REFUSED:
            add_elsewhere(self._world, record)
        return self._ended(record, RepairEnd.REFUSED, reason)

    def _ended(self, record: RepairRecord, end: RepairEnd, reason: str) -> RepairStep:
        self._world.attempt(record.hash, record.name, record.stage.value, reason)
        self._world.say(record.hash, f"{record.name}: {end.value}: {reason}", Level.WARN)
        self._world.metric("repair", "end", 1, end=end.value)
        return RepairStep(self._saved(replace(record, stage=RepairStage.ENDED, end=end, trouble=reason)))

    def _clear_away(self, record: RepairRecord) -> None:
        """Take out the entry that our own add made; whatever speaks against that leaves it."""
        if not record.new_id or record.adopted or record.in_place:
            return
        now = self._world.clock.monotonic
        ours = self._info(record.new_id)
        if ours is None or not self._world.budget.take(Act.DELETE):
            return
        before = frozenset(RemoteId(self._account.name, each) for each in record.known_before)
        others = any(
            entry.there and entry.id != record.new_id and entry.status == RemoteStatus.DOWNLOADED.value
            for entry in self._journal.of_hash(record.hash)
        )
        try:
            removal = certify_unused(
                record.hash, Seen(ours, now()), RemoteId(self._account.name, record.new_id), before, self._leave(), now(),
                swapped_in=record.swapped, others_hold=others,
            )  # fmt: skip
        except RemovalRefused as error:
            self._world.budget.give_back(Act.DELETE)
            self._world.say(record.hash, error.what, Level.WARN)
            return
        self._journal.note_removal(record.new_id)
        self._account.delete(removal)
        self._world.attempt(record.hash, record.name, "remove", "our own entry removed")

    # What all stages do

    @property
    def _account(self) -> DebridAccount:
        return self._world.account.ranked(Rank.FINISHING)

    def _info(self, id: str) -> RemoteTorrent | None:  # noqa: A002
        return self._account.info(RemoteId(self._account.name, id)) if id else None

    def _to(self, record: RepairRecord, stage: RepairStage) -> RepairStep:
        return RepairStep(self._saved(replace(record, stage=stage)))

    def _saved(self, record: RepairRecord) -> RepairRecord:
        now = replace(record, changed_at=self._world.now)
        self._journal.save_repair(now)
        return now


def _base(path: str) -> str:
    return unicodedata.normalize("NFC", path).rpartition("/")[2]
