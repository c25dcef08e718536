"""Brings the torrents of an eviction back to the SSD, or leaves them with their proven copy, and ends the eviction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import MoverError, TorrentGone
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.tiering.checking_copy import ToCheck, check_all
from torrent_mover.duties.tiering.errors import CheckedBad, EvictionRefused, NoGoodCopy
from torrent_mover.duties.tiering.gathering import LeavingTorrent, listed
from torrent_mover.duties.tiering.looking import originals_of
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.records import EvictionMember, EvictionRecord, TierEnd, TierHistoryEntry
from torrent_mover.duties.tiering.releasing import put_back
from torrent_mover.duties.tiering.stages import EvictionStage

REST: Final = 600.0
"""Seconds after which an eviction that can go neither on nor back is looked at again: each look reads whole torrents."""
_BACK: Final = 3600.0
"""Seconds for which a torrent that came back is not evicted again: each try stops it, and reads all of it."""
_RUNNING: Final = (TorrentState.SEEDING, TorrentState.DOWNLOADING)


def go_back(world: TierWorld, record: EvictionRecord, *, mark: CheckedBad | None = None) -> EvictionRecord:
    """Put the names back, have the clients use the SSD again, checked, and start what ran. Ends the eviction.

    `mark`: the check that a copy did not pass; it counts no longer. A torrent that somebody stopped while it was seeding
    from the copy stays stopped. Raises NoGoodCopy where the SSD's files do not pass their check either; TorrentGone where a
    client does not list one of them: the others are back, the eviction stays written down, and a later round looks again.
    """
    record = _save(world, replace(record, stage=EvictionStage.RETURNING))
    if mark is not None:
        _mark(world, mark)
    put_back(world, record.torrent, (*record.names, *record.media))
    returned, missing = [], None
    for row in record.members:
        end = world.client(row.client)
        try:
            listed(end, row)
        except TorrentGone as gone:
            missing = gone
            continue
        end.client.relocate(row.torrent, row.from_path)
        end.client.persist(row.torrent)
        returned.append(row)
    try:
        check_all(world, [_on_ssd(world, row) for row in returned], lambda _count: world.clock.wait(0.0))
    except CheckedBad as bad:
        raise _neither(world, record, bad) from bad
    for row in returned:
        _start(world, row)
        copy = world.journal.copy(row.key)
        if copy is not None:
            world.journal.save_copy(replace(copy, rest_until=world.clock.now() + _BACK))
    if missing is not None:
        raise missing
    _end(world, record, TierEnd.RETURNED, record.trouble)
    return record


def stay_there(world: TierWorld, record: EvictionRecord, leaving: Sequence[LeavingTorrent], why: str) -> EvictionRecord:
    """The SSD's files are not what was copied: the torrents stay with their copy, checked, and nothing on the SSD is removed.

    Raises NoGoodCopy where the copy does not pass its check.
    """
    for one in leaving:
        one.end.client.relocate(one.row.torrent, one.row.to_path)
        one.end.client.persist(one.row.torrent)
    try:
        check_all(world, [one.to_check for one in leaving], lambda _count: world.clock.wait(0.0))
    except CheckedBad as bad:
        raise _neither(world, record, bad) from bad
    now = world.clock.now()
    for one in leaving:
        copy = world.journal.copy(one.row.key) or one.copy
        world.journal.save_copy(replace(copy, evicted_at=now, ran=one.row.ran, changed_at=now))
        _start(world, one.row)
    _end(world, record, TierEnd.FAILED, f"{why} It uses its copy now; the changed files on the SSD are kept.")
    return record


def _neither(world: TierWorld, record: EvictionRecord, bad: CheckedBad) -> NoGoodCopy:
    _save(world, replace(record, trouble=bad.what, rest_until=world.clock.now() + REST))
    return NoGoodCopy(
        f"Neither the SSD nor the copy is as it was proven: {bad.what}",
        kept="Nothing was deleted: the SSD's files and the copy are both kept. The torrent stays stopped.",
        remedy="Look at both disks. torrent-mover tier --verify reads the copy.",
        key=bad.key,
    )


def _start(world: TierWorld, row: EvictionMember) -> None:
    """Start what ran. Raises TorrentGone: an answer without it is no reason to leave it stopped."""
    client = world.client(row.client).client
    if row.ran and listed(world.client(row.client), row).state not in _RUNNING:
        client.start(row.torrent)
        client.persist(row.torrent)


def _on_ssd(world: TierWorld, row: EvictionMember) -> ToCheck:
    """The torrent as it lies on the SSD. Its client is always asked."""
    end = world.client(row.client)
    torrent = end.client.get(row.torrent)
    if torrent is None:
        raise EvictionRefused(
            f"{end.client.name} no longer lists {row.name}.", kept="Nothing was deleted.", remedy="Look at the client."
        )
    files = end.client.files(row.torrent)
    originals = originals_of(world, end, torrent, files)
    manifest = Manifest.parse(end.client.metainfo(row.torrent))
    paths: Sequence[RelativePath] = originals.paths
    return ToCheck(row.key, row.name, end, manifest, originals.disk, tuple(paths), proof=None)


def _mark(world: TierWorld, bad: CheckedBad) -> None:
    copy = None if bad.key is None else world.journal.copy(bad.key)
    if copy is not None:
        world.journal.save_copy(replace(copy, bad=bad.what, changed_at=world.clock.now()))


def _end(world: TierWorld, record: EvictionRecord, end: TierEnd, text: str) -> None:
    now = world.clock.now()
    for row in record.members:
        copy = world.journal.copy(row.key)
        size = sum(stamp.size for stamp in copy.proof.copies) if copy and copy.proof else 0
        world.journal.add_history(TierHistoryEntry(now, *row.key, row.name, end, size, 0.0, text))
    world.say(
        record.key, f"{record.title}: {end.value}. {text}".rstrip()
    )  # first: it is written down with what ends it
    world.journal.forget_eviction(record.key)


def _save(world: TierWorld, record: EvictionRecord) -> EvictionRecord:
    dated = replace(record, changed_at=world.clock.now())
    world.journal.save_eviction(dated)
    return dated


def note_trouble(world: TierWorld, record: EvictionRecord, error: MoverError) -> EvictionRecord:
    """Write down what went wrong last with an eviction that stays in the journal. Where no copy is good, it rests."""
    rest_until = world.clock.now() + REST if isinstance(error, NoGoodCopy) else 0.0
    return _save(world, replace(record, trouble=error.what, rest_until=rest_until))
