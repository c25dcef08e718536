"""A torrent that the service refuses for good: its links are set aside, its release is blocked, an Arr finds another one.

Each stage is written down before what it does, so that a failure after any of them loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.domain.arrs.import_proof import newest_grab
from torrent_mover.domain.arrs.media import MediaEvent, MediaFile
from torrent_mover.domain.debrid.account import Rank, RemoteId
from torrent_mover.domain.debrid.errors import RemovalRefused
from torrent_mover.domain.debrid.links import TargetState
from torrent_mover.domain.debrid.removal import RemovalLeave, Seen, certify_terminal
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.needs import Act, DebridArr, DebridWorld, said
from torrent_mover.duties.debrid.quarantining import LinkQuarantine
from torrent_mover.duties.debrid.records import EscalationRecord, EscalationStage
from torrent_mover.duties.debrid.settings import OnRefused
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault
from torrent_mover.engine.arrs.blocking import block

BETWEEN_SEARCHES: Final = 30.0
"""Seconds between two searches."""

_WEEK: Final = 7 * 86_400.0
_SEARCHES_A_WEEK: Final = 3
_SEARCH: Final = "search"


class EscalationStory:
    """Looks for other releases, for one account."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._journal = world.journal
        self._quarantine = LinkQuarantine(world)
        self._searched = False
        self._led: dict[InfoHash, frozenset[str]] = {}  # the links of those that were begun with, all of them
        self._stages: Mapping[EscalationStage, Callable[[EscalationRecord, DebridArr], EscalationRecord]] = {
            EscalationStage.NOTED: self._set_aside,
            EscalationStage.SET_ASIDE: self._drop_file,
            EscalationStage.FILE_GONE: self._block,
            EscalationStage.BLOCKED: self._search,
        }

    def policy(self, finding: DebridFinding) -> OnRefused:
        """What the settings say about it."""
        settings = self._world.settings
        return settings.on_virus if finding.fault is Fault.VIRUS else settings.on_infringing

    def begin(self, finding: DebridFinding, links: Sequence[str]) -> int:
        """Do what the settings say for the links of a refused torrent; how many links were begun with. Raises MoverError."""
        policy = self.policy(finding)
        if policy is OnRefused.REPORT:
            return 0
        known = {record.link for record in self._journal.escalations() if record.hash == finding.hash}
        known |= {row.path for row in self._journal.quarantine() if row.restored_at and row.hash == finding.hash.hex}
        new = [LocalPath(link) for link in links if link not in known]
        if policy is OnRefused.QUARANTINE:
            return sum(self._quarantine.set_aside(link, finding.hash, finding.said) for link in new)
        for link in new:
            self._note(finding, link)
        self._led[finding.hash] = frozenset(links)
        return len(new)

    def _note(self, finding: DebridFinding, link: LocalPath) -> None:
        """Write down all that is needed to go on: after the file is gone, the Arr no longer knows whose it was."""
        now, target = self._world.now, self._world.library.read(link)
        for name, arr in self._world.arrs.items():
            file = arr.files_at([link]).get(link)
            if file is not None and target is not None:
                grabs = newest_grab(arr.manager.events(finding.hash)).values()
                if against := self._against(finding, file, grabs):
                    self._world.tell_once(f"not taken {link}", f"{name} {against}: its file at {link} stays as it is.")
                    return
                self._journal.save_escalation(
                    EscalationRecord(
                        finding.hash,
                        finding.name,
                        name,
                        str(link),
                        file.number,
                        file.media,
                        file.monitored,
                        EscalationStage.NOTED,
                        now,
                        now,
                        target=target,
                        grab=max((grab.number for grab in grabs), default=0),
                    )
                )
                return
        self._world.tell_once(f"no arr {link}", f"No Arr knows the file at {link}: it stays as it is.")

    def _against(self, finding: DebridFinding, file: MediaFile, grabs: Collection[MediaEvent]) -> str:
        """Why nothing is done to a file of the Arr: it is of another torrent, or nothing could be blocked. Blank: nothing."""
        if file.torrents - {finding.hash}:
            return f"imported it from another torrent than {finding.name}"
        if self._world.settings.search and not grabs:
            return f"never grabbed {finding.name}, so it could not be blocked"
        return ""

    def go_on(self, within: Collection[InfoHash] | None = None) -> tuple[int, int]:
        """Take all that are open further, or those of `within`; how many searches were begun, and how many are stuck.

        Never raises ServerError.
        """
        begun = stuck = 0
        for record in self._journal.escalations():
            if not record.under_way or self._world.stopped() or (within is not None and record.hash not in within):
                continue
            arr = self._world.arrs.get(record.arr)
            if arr is None:
                continue
            after = self._advance(record, arr)
            begun += after.stage is EscalationStage.SEARCHED
            stuck += bool(after.trouble)
        self._remove_entries(within)
        return begun, stuck

    def _advance(self, record: EscalationRecord, arr: DebridArr) -> EscalationRecord:
        while record.stage in self._stages:
            try:
                after = self._stages[record.stage](record, arr)
            except MoverError as error:
                after = self._saved(replace(record, trouble=said(error)))
                self._world.say(record.hash, f"{record.name}: {said(error)}", Level.WARN)
                return after
            if after == record:
                return record
            record = after
        return record

    def _set_aside(self, record: EscalationRecord, arr: DebridArr) -> EscalationRecord:
        link = LocalPath(record.link)
        there = self._world.library.read(link)
        if there is not None and record.target and there != record.target:
            return self._left_alone(record, "its link leads elsewhere by now")
        gone = self._quarantine.set_aside(link, record.hash, "another release is searched")
        if not gone and self._world.library.read(link) is not None:
            return record  # this run may not set aside more
        if not gone and not self._is_set_aside(record):
            if link in arr.files_at([link]):
                return record  # its disk may be away: the Arr would take from it what nobody has kept
            return self._left_alone(record, "somebody has removed it")
        return self._saved(replace(record, stage=EscalationStage.SET_ASIDE, trouble=""))

    def _is_set_aside(self, record: EscalationRecord) -> bool:
        """Whether its link lies in quarantine: this may be after a kill between that and what is written down of it."""
        return any(
            row.path == record.link and row.hash == record.hash.hex and row.place and not row.restored_at
            for row in self._journal.quarantine()
        )

    def _drop_file(self, record: EscalationRecord, arr: DebridArr) -> EscalationRecord:
        """The Arr takes what lies at that place from the disk too: it must be what was set aside, and so nothing."""
        link = LocalPath(record.link)
        found = self._world.library.target(link).state
        if found is TargetState.TROUBLE:
            return record
        if found is TargetState.THERE or self._world.library.read(link) is not None:
            return self._left_alone(record, "something lies in its place again")
        arr.manager.drop_file(record.file)
        self._world.attempt(record.hash, record.name, "drop file", record.arr)
        return self._saved(replace(record, stage=EscalationStage.FILE_GONE, trouble=""))

    def _block(self, record: EscalationRecord, arr: DebridArr) -> EscalationRecord:
        searches = arr.manager.policy().searches_after_failure
        if not self._world.settings.search:
            if not searches and record.grab:
                block(arr.manager, record.hash, self._world.clock, complete=False, limits_lifted=True)
            arr.manager.watch(record.monitored)
            return self._saved(replace(record, stage=EscalationStage.ENDED, trouble=""))
        proof = block(arr.manager, record.hash, self._world.clock, complete=False, limits_lifted=True)
        self._world.attempt(record.hash, record.name, "block", record.arr)
        blocked = replace(record, stage=EscalationStage.BLOCKED, searches=proof.arr_searches, trouble="")
        return self._saved(blocked)

    def _search(self, record: EscalationRecord, arr: DebridArr) -> EscalationRecord:
        arr.manager.watch(record.monitored)
        if not record.searches:
            what = f"{record.arr} {' '.join(map(str, record.media))}"
            since = self._world.now - _WEEK
            before = [
                each
                for each in self._journal.attempts()
                if each.what == _SEARCH and each.answer == what and each.at > since
            ]
            if len(before) >= _SEARCHES_A_WEEK:
                self._world.tell_once(
                    f"searched {what}", f"{record.name}: searched {len(before)} times in a week; please look."
                )
                return self._saved(replace(record, stage=EscalationStage.ENDED, trouble="searched too often"))
            if not self._world.budget.take(Act.SEARCH):
                return record
            if self._searched:
                self._world.clock.wait(BETWEEN_SEARCHES)
            self._searched = True
            arr.manager.search(record.media)
            self._world.attempt(record.hash, record.name, _SEARCH, what)
        return self._saved(replace(record, stage=EscalationStage.SEARCHED, trouble=""))

    def _remove_entries(self, within: Collection[InfoHash] | None) -> None:
        """Where all links of a torrent have another release under way, its refused entry goes.

        All: those that led to it in this round, too. One that no Arr knows keeps the entry, and so does a round that did not look.
        """
        if self._world.stopped():
            return  # the look at the links may have been cut short
        by_hash: dict[InfoHash, list[EscalationRecord]] = {}
        for record in self._journal.escalations():
            by_hash.setdefault(record.hash, []).append(record)
        for torrent, records in by_hash.items():
            if within is not None and torrent not in within:
                continue
            led, taken = self._led.get(torrent), {record.link for record in records}
            searched = all(record.stage is EscalationStage.SEARCHED for record in records)
            if searched and led is not None and led <= taken:
                self._remove_entry(torrent)
                for record in records:
                    self._saved(replace(record, stage=EscalationStage.ENDED))

    def _remove_entry(self, torrent: InfoHash) -> None:
        finding = self._journal.finding(torrent)
        if finding is None or not finding.id or not self._world.budget.take(Act.DELETE):
            return
        account, now = self._world.account.ranked(Rank.FINISHING), self._world.clock.monotonic
        entry = Seen(account.info(RemoteId(account.name, finding.id)), now())
        at = now()
        leave = RemovalLeave(self._world.acts, account.standing(), at, self._world.budget.left(Act.DELETE) + 1)
        try:
            removal = certify_terminal(
                torrent, entry, leave, now(), refused=finding.fault is Fault.REFUSED and finding.proven,
                searches=self.policy(finding) is OnRefused.SEARCH, arr_proven=True,
            )  # fmt: skip
        except RemovalRefused as error:
            self._world.budget.give_back(Act.DELETE)
            self._world.say(torrent, error.what, Level.WARN)
            return
        self._journal.note_removal(finding.id)
        account.delete(removal)
        self._world.attempt(torrent, finding.name, "remove", "refused entry removed")
        known = self._journal.entry(finding.id)
        if known is not None:
            self._journal.save_entries((replace(known, gone_at=self._world.now),))
        self._journal.forget_findings((torrent,))

    def _left_alone(self, record: EscalationRecord, why: str) -> EscalationRecord:
        """What somebody has done meanwhile stands."""
        self._world.say(record.hash, f"{record.name}: nothing more is done about {record.link}: {why}", Level.WARN)
        return self._saved(replace(record, stage=EscalationStage.ENDED, trouble=why))

    def _saved(self, record: EscalationRecord) -> EscalationRecord:
        now = replace(record, changed_at=self._world.now)
        self._journal.save_escalation(now)
        return now
