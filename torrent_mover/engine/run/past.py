"""What the journal knows of moves that ended: the history, with the failures that nobody has dealt with yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome
from torrent_mover.domain.report.snapshot import HistoryView, MoveStatus
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.run.queue import Row
from torrent_mover.ports.journal import Journal

_UNDER_WAY = frozenset({MoveStatus.QUEUED, MoveStatus.ACTIVE, MoveStatus.RETRYING, MoveStatus.PAUSED})


def look_back(journal: Journal, rows: Sequence[Row]) -> HistoryView:
    """Ended moves and failures, newest first, and the rates of past runs. What `rows` try again has not failed yet.

    A failure is no entry of the journal's history, but what the record of an unfinished move says: it goes when the move ends
    well, and does not pile up while every run meets it again.
    """
    entries = ended(journal, {row.id for row in rows if row.standing in _UNDER_WAY})
    rates = tuple(
        (run.started_at, run.sent / (run.ended_at - run.started_at))
        for run in reversed(journal.runs())
        if run.ended_at > run.started_at and run.sent
    )
    return HistoryView(tuple(entries), rates)


def ended(journal: Journal, under_way: Collection[InfoHash], last: int | None = None) -> list[HistoryEntry]:
    """Ended moves, and failures of those that are not `under_way` again; the newest first, at most `last`."""
    records = (record for record in journal.moves() if record.error and record.id not in under_way)
    moved = journal.history() if last is None else journal.history(last)
    entries = [*moved, *(_failure(record, journal) for record in records)]
    return sorted(entries, key=lambda entry: -entry.ended_at)[:last]


def _failure(record: MoveRecord, journal: Journal) -> HistoryEntry:
    tries = journal.of(record).attempts(record.id)
    sent = sum(attempt.sent for attempt in tries)
    again = "" if record.mark is None else f" ({record.mark.value}: not tried again by itself)"
    return HistoryEntry(
        id=record.id,
        name=record.name,
        size=record.size,
        started_at=record.started_at,
        ended_at=record.updated_at,
        outcome=Outcome.FAILED,
        sent=sent,
        took=sum(max(attempt.ended_at - attempt.started_at, 0.0) for attempt in tries),
        reused=0,
        pieces=0,
        detail=f"{record.error}{again} {record.remedy}".rstrip(),
        source=record.source,
        route=record.route,
    )


def clear_mark(journal: Journal, torrent: InfoHash) -> bool:
    """Forget why it was set aside, on every route; False where it was not. Raises ProvisioningError's children."""
    marked = [record for record in journal.moves() if record.id == torrent and record.mark is not None]
    for record in marked:
        jobs = journal.of(record)
        if record.mark is Mark.CORRUPT:
            jobs.forget_pieces(torrent)
        jobs.save_move(replace(record, mark=None, attempts=0, error="", error_code="", remedy=""))
    return bool(marked)


def dismiss(journal: Journal, torrent: InfoHash) -> bool:
    """Show its failures no more; what was set aside stays so. False where it has none. Raises ProvisioningError's children."""
    failed = [record for record in journal.moves() if record.id == torrent and record.error]
    for record in failed:
        journal.of(record).save_move(replace(record, error="", error_code="", remedy=""))
    return bool(failed)
