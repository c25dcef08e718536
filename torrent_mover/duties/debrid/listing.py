"""Lists an account: the whole of it, page by page, so that nothing counts as gone before everything else was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.debrid.account import ListCursor, ListPage
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import (
    AccountShrank,
    DebridGarbled,
    DebridUnreachable,
    ScanIncomplete,
    class_of,
)
from torrent_mover.domain.errors import Cancelled, ServerError
from torrent_mover.domain.text import counted
from torrent_mover.duties.debrid.mount_guard import shrank
from torrent_mover.duties.debrid.needs import DebridWorld
from torrent_mover.duties.debrid.records import KnownEntry, ScanMode, ScanRecord, known_entry
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault, seen_again

_OVERLAP: Final = 10
"""Rows that two pages have in common: so many entries may go in between, and none is missed."""

_MOST: Final = 1000
_FEWEST: Final = 100
_TICK: Final = 0.001
_PASSES: Final = 3
_NOT_BY_LISTS: Final = (Fault.VANISHED, Fault.DEAD_LINK, Fault.REFUSED)
"""Faults that a list cannot clear."""


@dataclass(frozen=True, slots=True)
class AccountListed:
    """What a scan of the account has counted."""

    mode: ScanMode
    torrents: int
    failed: int
    half_dead: int


class AccountLister:
    """Keeps the catalogue and the findings of one account."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._journal = world.journal

    def scan(self, mode: ScanMode) -> AccountListed:
        """List all of it. FULL goes on where a killed one stopped, and marks what is gone.

        Raises ScanIncomplete, AccountShrank, ServerError: then nothing counts as gone, no finding is made, and none is dropped.
        """
        took = self._world.clock.monotonic()
        self._world.good_standing()
        try:
            record = self._all_pages(mode)
            self._world.good_standing()
        except ServerError as error:
            if class_of(error) in (AnswerClass.STOP, AnswerClass.PARK):
                self._forget_pass(mode)
            raise
        except ScanIncomplete:
            self._world.good_standing()
            self.note_faults(self._seen_since(self._journal.scan(mode).began_at))  # what was seen was seen
            raise
        now = self._world.now
        present = self._seen_since(record.began_at)
        self._refuse_shrinking({entry.id for entry in present}, len(present) + len(record.nameless))
        self.note_faults(present)
        gone = [
            replace(entry, gone_at=now)
            for entry in self._journal.entries().values()
            if entry.there and entry.seen_at < record.began_at
        ]
        if mode is ScanMode.FULL:
            self._journal.save_entries(gone)
        seconds = self._world.clock.monotonic() - took
        self._journal.save_scan(replace(record, done_at=max(now, record.began_at), offset=0, took=seconds))
        self._world.remember(entries=len(present) + len(record.nameless))
        self._journal.forget_removals()
        self._world.metric("scan", "duration", seconds, mode=mode.value, torrents=str(len(present)))
        self.forget_settled()
        return self.counted(mode)

    def _forget_pass(self, mode: ScanMode) -> None:
        """What an account has listed while it was not in good standing is listed again."""
        record = self._journal.scan(mode)
        self._journal.save_scan(replace(record, offset=0, nameless=()))

    def counted(self, mode: ScanMode) -> AccountListed:
        """What is known now."""
        findings = [each for each in self._journal.findings() if each.fault is not Fault.VANISHED]
        half = sum(each.fault in (Fault.HALF_DEAD, Fault.DEAD_LINK) for each in findings)
        there = sum(entry.there for entry in self._journal.entries().values())
        return AccountListed(mode, there, len(findings) - half, half)

    def _seen_since(self, at: float) -> list[KnownEntry]:
        return [entry for entry in self._journal.entries().values() if entry.seen_at >= at]

    def _all_pages(self, mode: ScanMode) -> ScanRecord:
        record = self._journal.scan(mode)
        resumes = mode is ScanMode.FULL and record.under_way and record.offset > 0
        for _ in range(_PASSES):
            if not resumes:
                record = replace(record, began_at=self._later_than_all(), offset=0, rows=_MOST, nameless=())
                self._journal.save_scan(record)
            resumes = False
            record, complete = self._one_pass(record)
            if complete:
                return record
        raise ScanIncomplete(
            f"{self._world.account.name} did not show all of its {record.total} torrents: the list changed too quickly.",
            kept="Nothing counts as gone.",
            remedy="The next scan looks again.",
        )

    def _later_than_all(self) -> float:
        """A moment that no entry was seen at or after, whatever was done to the clock."""
        last = max((entry.seen_at for entry in self._journal.entries().values()), default=0.0)
        return max(self._world.now, last + _TICK)

    def _one_pass(self, record: ScanRecord) -> tuple[ScanRecord, bool]:
        """All pages once; whether everything was seen: as many different entries as the account counts."""
        while True:
            record, page = self._page(record)
            record = self._take(record, page)
            if page.next is None or not page.rows:
                break
            step = max(len(page.rows) - _OVERLAP, 1)
            record = replace(record, offset=record.offset + step)
            self._journal.save_scan(record)
        if page.total is None:
            raise ScanIncomplete(
                f"{self._world.account.name} does not say how many torrents it has.",
                kept="Nothing counts as gone.",
                remedy="The next scan looks again.",
            )
        if self._count(record) < page.total:
            record = self._newest(record)
        return record, self._count(record) == record.total

    def _newest(self, record: ScanRecord) -> ScanRecord:
        """What was added meanwhile stands in front."""
        before = -1
        offset = 0
        while before < self._count(record) < record.total:
            before = self._count(record)
            page = self._world.account.page(ListCursor(offset, record.rows))
            record = self._take(record, page)
            offset += max(len(page.rows) - _OVERLAP, 1)
        return record

    def _count(self, record: ScanRecord) -> int:
        return len(self._seen_since(record.began_at)) + len(record.nameless)

    def _page(self, record: ScanRecord) -> tuple[ScanRecord, ListPage]:
        """One page; of fewer rows where the service does not manage so many."""
        while True:
            if self._world.stopped():
                raise Cancelled("The scan was stopped.", kept="It goes on where it stopped.")
            try:
                return record, self._world.account.page(ListCursor(record.offset, record.rows))
            except (DebridUnreachable, DebridGarbled):
                if record.rows <= _FEWEST:
                    raise
                record = replace(record, rows=max(record.rows // 2, _FEWEST))
                self._journal.save_scan(record)

    def _take(self, record: ScanRecord, page: ListPage) -> ScanRecord:
        now = max(self._world.now, record.began_at)
        known = self._journal.entries()
        found = {row.id.text: known_entry(row, known.get(row.id.text), now) for row in page.rows}
        self._journal.save_entries(entry for entry in found.values() if entry is not None)
        nameless = {key for key, entry in found.items() if entry is None} | set(record.nameless)
        total = record.total if page.total is None else page.total
        return replace(record, total=total, nameless=tuple(sorted(nameless)))

    def _refuse_shrinking(self, present: Collection[str], count: int) -> None:
        """What we have removed ourselves since the last list is missing rightly."""
        ours = sum(each not in present and self._journal.entry(each) is not None for each in self._journal.removals())
        before = self._journal.note().entries - ours
        if shrank(count, before):
            raise AccountShrank(
                f"{self._world.account.name} lists {counted(count, 'torrent')}, and had {before}.",
                kept="Nothing is judged or changed by that list.",
                remedy="If that is right, take a new measure: torrent-mover debrid rescan",
            )

    def note_faults(self, entries: Iterable[KnownEntry]) -> None:
        """Write down what the account says is wrong with entries, and see again what was known."""
        now = self._world.now
        for entry in entries:
            fault = entry.fault(now)
            if fault is None or self._under_repair(entry):
                continue
            before = self._journal.finding(entry.hash)
            if before is not None and before.fault.final and before.proven:
                continue  # what the service refused once stays refused
            if before is not None and before.id != entry.id and self._at_fault(before, now):
                continue  # of two bad entries of one hash, the first one stands for both
            finding = DebridFinding(
                entry.hash, entry.id, entry.name, fault, now, now, size=entry.size, added=entry.added,
                links=before.links if before else (), said=entry.status,
            )  # fmt: skip
            after = seen_again(before, finding)
            if after != before:
                self._journal.save_finding(after)

    def _at_fault(self, finding: DebridFinding, now: float) -> bool:
        entry = self._journal.entry(finding.id)
        return entry is not None and entry.there and entry.fault(now) is not None

    def _under_repair(self, entry: KnownEntry) -> bool:
        """Whether an open repair has made this entry, and looks after it."""
        repair = self._journal.repair(entry.hash)
        return repair is not None and repair.open and repair.new_id == entry.id

    def forget_settled(self) -> None:
        """Drop the findings whose entry is well again, or not there any more. What a list cannot clear stays."""
        now = self._world.now
        here = {entry.hash for entry in self._journal.entries().values() if entry.there}
        self._journal.forget_findings(
            finding.hash
            for finding in self._journal.findings()
            if not (
                finding.hash in here or finding.links
                if finding.fault in _NOT_BY_LISTS
                else self._at_fault(finding, now)
            )
        )
