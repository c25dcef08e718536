"""Settles what a kill left: evictions that have begun and not ended. Looks at clients and disks, then goes on, or back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torrent_mover.domain.errors import MoverError, ServerError, TorrentGone
from torrent_mover.duties.tiering.errors import BadCopy, CopyVanished, EvictionRefused, NoGoodCopy, RootAway
from torrent_mover.duties.tiering.evicting import EvictionStory
from torrent_mover.duties.tiering.gathering import LeavingTorrent, leaving_torrent, listed, proven_now
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.missing import Absence, believed, followed
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.records import EvictionMember, EvictionRecord
from torrent_mover.duties.tiering.releasing import put_back, whereabouts
from torrent_mover.duties.tiering.returning import go_back, note_trouble
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.stages import CutShort, Resume, resume, untouched


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of an eviction: its record with the torrents that are still there, and those with their copies."""

    record: EvictionRecord
    facts: CutShort
    leaving: tuple[LeavingTorrent, ...]


def due_again(record: EvictionRecord, now: float) -> bool:
    """Whether an eviction in the journal is to be looked at at `now` (Unix seconds)."""
    return not record.changed_at <= now < record.rest_until


def reconcile(world: TierWorld, pictures: PictureReader, record: EvictionRecord) -> Resume:
    """Settle one eviction. Returns what was decided and done. Raises what the stories raise, NoGoodCopy."""
    if untouched(record.stage):
        world.journal.forget_eviction(record.key)
        return Resume.FORGET
    with world.leases.hold([member.key for member in record.members]):
        try:
            record, there, gone = _where_they_are(world, record)
            if gone is not None:
                raise gone
            seen = _look(world, record, there)
        except MoverError as error:
            # A client that is silent or does not list it, a disk that does not answer: nothing is decided.
            silent = isinstance(error, ServerError)
            note_trouble(world, _none_missing(record) if silent else record, error)
            raise
        decision = resume(seen.facts)
        _act(world, pictures, seen, decision)
    return decision


def _act(world: TierWorld, pictures: PictureReader, seen: _Seen, decision: Resume) -> None:
    record = seen.record
    if decision is Resume.GO_ON:
        EvictionStory(world, pictures, record).finish(seen.leaving)
    elif decision is Resume.GO_BACK:
        go_back(world, record)
    elif decision is Resume.LET_GO:
        put_back(world, record.torrent, (*record.names, *record.media))
        # Said first: the line is written down with what ends the eviction, so that a kill between leaves neither undone.
        world.say(record.key, f"{record.title}: somebody has removed or moved it; nothing is done to it")
        world.journal.forget_eviction(record.key)
    elif decision is Resume.DOUBTFUL:
        error = NoGoodCopy(
            f"The eviction of {record.title} cannot go on, nor back: its copy is not as it was proven.",
            kept="What is left on the SSD is kept, in .torrent-mover/leaving; nothing is deleted.",
            remedy="Look at the target's disk. torrent-mover tier --verify reads the copy.",
            key=record.key,
        )
        note_trouble(world, record, error)
        raise error


def forget_missing(world: TierWorld) -> None:
    """After the tier's client was silent: what it does not list next may be a list that it is still reading."""
    before = tuple(world.journal.missing())
    rows = followed(before, Absence(silent={world.settings.client: ""}), world.clock.now())
    rows = (*rows, *(row for row in before if row.client != world.settings.client))
    if set(rows) != set(before):
        world.journal.save_missing(rows)
    for record in world.journal.evictions():
        known = _none_missing(record)
        if known != record:
            world.journal.save_eviction(known)


def _none_missing(record: EvictionRecord) -> EvictionRecord:
    return replace(record, members=tuple(replace(row, missing_since=0.0) for row in record.members))


def _where_they_are(
    world: TierWorld, record: EvictionRecord
) -> tuple[EvictionRecord, list[EvictionMember], TorrentGone | None]:
    """The record with what is missing since when, which is in the journal then; the torrents listed at one of their two places.

    And what is said of one that is not listed, while it does not count as removed yet. One that is listed elsewhere somebody
    has moved. Raises where a client is silent.
    """
    now = world.clock.now()
    rows, there, gone = [], [], None
    for row in record.members:
        end = world.client(row.client)
        try:
            torrent = listed(end, row)
        except TorrentGone as missing:
            since = row.missing_since if 0 < row.missing_since <= now else now
            others = {torrent.id for torrent in end.client.torrents()}
            known_after_all = row.torrent in others
            rows.append(replace(row, missing_since=0.0 if known_after_all else since))
            if known_after_all or not believed(since, now, alone=not others):
                gone = gone or missing
            continue
        rows.append(replace(row, missing_since=0.0))
        if torrent.save_path in (row.from_path, row.to_path):
            there.append(rows[-1])
    known = replace(record, members=tuple(rows))
    if known != record:
        world.journal.save_eviction(known)
    return known, there, gone


def _look(world: TierWorld, record: EvictionRecord, there: Sequence[EvictionMember]) -> _Seen:
    """Look at everything; `there`: those that their clients list. Raises where a client is silent."""
    leaving, copy_good = [], True
    readable = all(look_at(world, disk).state is RootState.KNOWN for disk in world.ssds)
    target_there = True
    for row in there if readable else ():
        try:
            leaving.append(proven_now(world, leaving_torrent(world, row)))
        except RootAway:
            target_there = False
        except (BadCopy, CopyVanished, EvictionRefused):
            copy_good = False
    record = replace(record, members=tuple(there) or record.members)
    return _Seen(
        record,
        CutShort(
            record.stage,
            readable=readable,
            target_there=target_there,
            listed=bool(there),
            copy_good=copy_good,
            originals_there=readable and _originals_there(world, record),
            acts=world.settings.mode is TierMode.ACT and not _pinned(world, there),
        ),
        tuple(leaving),
    )


def _originals_there(world: TierWorld, record: EvictionRecord) -> bool:
    names = (*record.names, *record.media)
    now = whereabouts(world, record.torrent, names)
    return all(
        found is not None and (found.size, found.mtime_ns, found.identity) == (name.size, name.mtime_ns, name.identity)
        for name, found in zip(names, now, strict=True)
    )


def _pinned(world: TierWorld, rows: Sequence[EvictionMember]) -> bool:
    pins = world.journal.pins()
    return any(row.torrent in pins for row in rows)
