"""Rows of the journal as the values that they hold: records of jobs, ended moves, tries, modes."""

from __future__ import annotations

from typing import Final

from torrent_mover.adapters.store.database import Row, text_of
from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt, ChangedMode

JOB_COLUMNS: Final = (
    "infohash, name, size, stage, started_at, updated_at, attempts, next_try_at, error_code, error, remedy, mark, "
    "client, route"
)
HISTORY_COLUMNS: Final = (
    "torrent, name, size, started_at, ended_at, outcome, sent, reused, pieces, repaired, run, detail, "
    "not_carried, confirmed, took, client, destination, route"
)
ATTEMPT_COLUMNS: Final = "torrent, number, started_at, ended_at, sent, ended, client, route"
MODE_COLUMNS: Final = "torrent, place, path, mode"


def record_of(row: Row) -> MoveRecord:
    """A row of JOB_COLUMNS. Raises ValueError for one that makes no sense."""
    torrent, name, size, stage, started_at, updated_at, attempts, next_try_at, *texts = row
    error_code, error, remedy, mark, client, route = texts
    return MoveRecord(
        id=InfoHash(text_of(torrent)),
        name=text_of(name),
        size=size,
        stage=Stage(stage),
        started_at=started_at,
        updated_at=updated_at,
        attempts=attempts,
        next_try_at=next_try_at,
        error_code=error_code,
        error=text_of(error),
        remedy=text_of(remedy),
        mark=Mark(mark) if mark else None,
        source=text_of(client),
        route=text_of(route),
    )


def entry_of(row: Row) -> HistoryEntry:
    """A row of HISTORY_COLUMNS."""
    torrent, name, size, started_at, ended_at, outcome, sent, reused, pieces, repaired, *rest = row
    run, detail, not_carried, confirmed, took, client, destination, route = rest
    return HistoryEntry(
        id=InfoHash(torrent),
        name=text_of(name),
        size=size,
        started_at=started_at,
        ended_at=ended_at,
        outcome=Outcome(outcome),
        sent=sent,
        reused=reused,
        pieces=pieces,
        repaired=repaired,
        run=text_of(run),
        detail=text_of(detail),
        not_carried=text_of(not_carried),
        confirmed=bool(confirmed),
        source=text_of(client),
        destination=text_of(destination),
        took=took,
        route=text_of(route),
    )


def attempt_of(row: Row) -> Attempt:
    """A row of ATTEMPT_COLUMNS."""
    torrent, number, started_at, ended_at, sent, ended, client, route = row
    return Attempt(
        InfoHash(torrent), number, started_at, ended_at, sent, text_of(ended), text_of(client), text_of(route)
    )


def mode_of(row: Row) -> ChangedMode:
    """A row of MODE_COLUMNS."""
    torrent, place, path, mode = row
    return ChangedMode(InfoHash(torrent), text_of(place), text_of(path), mode)
