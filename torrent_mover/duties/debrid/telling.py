"""What is said of an account: status, reasons, numbers; lines for people, rows for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from torrent_mover.domain.debrid.limiter import ceiling_of
from torrent_mover.domain.text import clause, counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.records import BrokenLink, RepairEnd, RepairRecord, ScanMode
from torrent_mover.duties.debrid.rounds import REFUSED
from torrent_mover.duties.debrid.settings import DebridSettings, OnRefused
from torrent_mover.duties.debrid.turns import RetryEntry
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault

BROKEN: Final = "broken"
Row = dict[str, Any]
Sample = tuple[Mapping[str, str], float]


def at(moment: float) -> str:
    """A moment as people read it, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M") if moment else "never"


def finding_row(finding: DebridFinding) -> Row:
    """One thing that is wrong."""
    return {
        "id": finding.id or finding.hash.hex,
        "hash": finding.hash.hex,
        "name": finding.name,
        "fault": finding.fault.value,
        "proven": finding.proven,
        "looks": finding.looks,
        "first_at": finding.first_at,
        "last_at": finding.last_at,
        "links": list(finding.links),
        "said": finding.said,
    }


def repair_row(record: RepairRecord) -> Row:
    """One repair."""
    return {
        "id": record.new_id or record.old_id or record.hash.hex,
        "hash": record.hash.hex,
        "name": record.name,
        "stage": record.stage.value,
        "end": record.end.value,
        "old": record.old_id,
        "new": record.new_id,
        "files": len(record.wanted),
        "trouble": record.trouble,
        "changed_at": record.changed_at,
    }


def repair_line(record: RepairRecord) -> str:
    """One repair in a line."""
    head = f"{record.hash.short}: old {record.old_id or 'gone'} new {record.new_id or 'none'}"
    if record.end is RepairEnd.REPAIRED:
        files = len(record.wanted)
        return f"{head}, {files}/{files} files proven{', old removed' if record.swapped and record.old_id else ''}"
    word = record.stage.value if record.open else record.end.value
    return f"{head}, {word}{': ' + safe(record.trouble) if record.trouble else ''}"


def retry_row(entry: RetryEntry) -> Row:
    """One retry."""
    return {
        "id": entry.hash.hex,
        "hash": entry.hash.hex,
        "name": entry.name,
        "reason": entry.reason,
        "tries": entry.tries,
        "due": entry.due,
        "given_up": entry.given_up,
    }


def retry_line(entry: RetryEntry, most: int) -> str:
    """One retry in a line."""
    when = "given up" if entry.given_up else f"due {at(entry.due)}"
    return f"{entry.hash.short} {safe(clause(entry.reason))}, {entry.tries} of {most}, {when}"


def link_row(link: BrokenLink) -> Row:
    """One broken link."""
    return {
        "id": link.path,
        "hash": link.hash or None,
        "path": link.path,
        "target": link.target,
        "state": link.state.value,
        "at": link.at,
    }


def _pace_of(journal: DebridJournal, settings: DebridSettings, now: float) -> str:
    """How quickly the account is asked, or until when it is left alone."""
    pace = journal.pace()
    for key, words in (("closed_until", "left alone"), ("parked_until", "traffic used up")):
        until = pace.get(key) or 0.0
        if until > now:
            return f"{words} until {at(until)}"
    rate = pace.get("rate") or ceiling_of(settings.requests_per_minute, settings.min_request_gap)
    return f"pace {rate:.1f}/s"


def status_of(journal: DebridJournal, settings: DebridSettings, working: str, now: float) -> tuple[list[str], Row]:
    """How the account stands by what was last written down; asks nobody. `now`: Unix seconds."""
    full = journal.scan(ScanMode.FULL)
    entries = [entry for entry in journal.entries().values() if entry.there]
    findings, retries = journal.findings(), journal.retries()
    open_repairs = [record for record in journal.repairs() if record.open]
    waves = [wave for wave in (journal.wave(REFUSED), journal.wave(BROKEN)) if wave is not None and not wave.accepted]
    seen = full.offset if full.under_way else len(entries)
    total = full.total or len(entries)
    quarantine = [row for row in journal.quarantine() if row.place and not row.restored_at]
    pace = _pace_of(journal, settings, now)
    lines = [
        f"{settings.mode.value}; {'working: ' + working if working else 'nobody works on it'}; {pace}",
        f"full {seen:,}/{total:,}, last completed {at(full.done_at)}",
        f"{sum(not each.proven for each in findings)} suspect, {sum(each.proven for each in findings)} proven,"
        f" {len(open_repairs)} repairing, {len(retries)} retries, {counted(len(quarantine), 'link')} set aside",
    ]
    lines += [
        f"held: {wave.number} {wave.what}; torrent-mover debrid accept {wave.what} {wave.number}" for wave in waves
    ]
    lines += [
        f"  {each.hash.short} {safe(each.name)}: {each.fault.value}, {'proven: ' + each.proven_by if each.proven else 'suspect'}"
        for each in findings
    ]
    data: Row = {
        "mode": settings.mode.value,
        "working": working or None,
        "full": {"seen": seen, "total": total, "under_way": full.under_way, "done_at": full.done_at or None},
        "torrents": len(entries),
        "repairs": [repair_row(record) for record in open_repairs],
        "retries": [retry_row(entry) for entry in retries],
        "links": [link_row(link) for link in journal.broken_links()],
        "held": [{"what": wave.what, "number": wave.number} for wave in waves],
        "rows": [finding_row(each) for each in findings],
    }
    return lines, data


def would_do(finding: DebridFinding, settings: DebridSettings) -> str:
    """What acting would do about it; blank: it is only reported."""
    if not finding.fault.final:
        return "repair"
    return _WOULD[settings.on_virus if finding.fault is Fault.VIRUS else settings.on_infringing]


_WOULD: Final = {
    OnRefused.REPORT: "",
    OnRefused.QUARANTINE: "set its links aside",
    OnRefused.SEARCH: "search for another release",
}


def reasons_of(journal: DebridJournal, settings: DebridSettings, torrent: InfoHash) -> list[str]:
    """Why something is done about a torrent, or is not."""
    entries, finding = journal.of_hash(torrent), journal.finding(torrent)
    lines = [
        f"{entry.id} {safe(entry.name)}: {entry.status}, {counted(entry.links, 'link')}, "
        f"{counted(len(entry.files), 'file')}{'' if entry.there else ', gone from the account since ' + at(entry.gone_at)}"
        for entry in entries
    ]
    if finding is None:
        lines.append("nothing is known to be wrong with it")
    else:
        proof = f"proven: {finding.proven_by}" if finding.proven else f"suspect, seen {counted(finding.looks, 'time')}"
        lines.append(f"{finding.fault.value} ({safe(finding.said)}): {proof}, first {at(finding.first_at)}")
        lines += [f"broken link: {safe(link)}" for link in finding.links]
    lines += _sight_of(journal, settings)
    record, retry = journal.repair(torrent), journal.retry(torrent)
    if record is not None:
        lines.append(f"repair: {repair_line(record)}")
    if retry is not None:
        lines.append(f"retry: {retry_line(retry, settings.max_attempts)}")
    wave = journal.wave(REFUSED)
    if wave is not None and not wave.accepted:
        lines.append(f"not now: {wave.number} torrents were refused at once")
    elif not settings.acts:
        lines.append("not now: mode = report")
    elif finding is not None and finding.proven and not finding.fault.final and retry is None:
        lines.append("it is repaired in its turn")
    return lines


def _sight_of(journal: DebridJournal, settings: DebridSettings) -> list[str]:
    """Whether account and mounts were believed when they were last looked at."""
    note = journal.note()
    lines = [f"account good {at(note.good_at)}"]
    for mount in settings.mounts:
        measure = journal.measure(str(mount.path))
        lines.append(f"mount {mount.path} {f'sound {at(measure.at)}' if measure else 'never found sound'}")
    return lines


def families(journal: DebridJournal, account: str, now: float) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    """Numbers for Prometheus. No hashes as labels: they would be new ones for ever."""
    own = {"account": account}
    entries = [entry for entry in journal.entries().values() if entry.there]
    by_status = Counter(entry.status for entry in entries)
    yield "torrents", "Torrents by status.", [({**own, "status": each}, count) for each, count in by_status.items()]
    states = Counter(link.state.value for link in journal.broken_links())
    yield "links", "Broken links by verdict.", [({**own, "verdict": each}, count) for each, count in states.items()]
    ends = Counter(record.end.value for record in journal.repairs())
    yield "repairs_total", "Repairs by end.", [({**own, "end": each}, count) for each, count in ends.items()]
    yield "retries", "Torrents that are tried again.", [(own, len(journal.retries()))]
    kept = sum(1 for row in journal.quarantine() if row.place and not row.restored_at)
    yield "quarantined", "Links that are set aside.", [(own, kept)]
    scans = [({**own, "mode": mode.value}, journal.scan(mode).took) for mode in ScanMode]
    yield "scan_seconds", "Seconds of the last scan.", scans
    note, pace = journal.note(), journal.pace()
    rate, closed = pace.get("rate"), pace.get("closed_until")
    if rate is not None:
        yield "pace", "Requests a second that the account takes, as far as is known.", [(own, rate)]
    yield "closed_seconds", "Seconds until the next request may go out.", [(own, max((closed or 0.0) - now, 0.0))]
    yield "premium_seconds", "Seconds of premium that were left at the last look.", [(own, note.premium_seconds)]
    yield "slots", "Download slots that were in use at the last look.", [(own, note.slots_used)]
    yield "good_seconds", "Seconds since the account was last in good standing.", [(own, now - note.good_at)]
