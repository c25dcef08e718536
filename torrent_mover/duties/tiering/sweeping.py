"""Looks for work: finished torrents without a copy, proven copies that are gone, Arrs that were not told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from torrent_mover.domain.errors import MoverError, ServerError
from torrent_mover.duties.tiering.alarms import CopiesCounted
from torrent_mover.duties.tiering.copy_again import make_again
from torrent_mover.duties.tiering.copying import missing_files, tell
from torrent_mover.duties.tiering.errors import CopiesGone, CopyVanished
from torrent_mover.duties.tiering.following import follow_client, take_away_old_names
from torrent_mover.duties.tiering.grouping import groups_of
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import TierTorrent
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.stages import CopyStage


def uncopied(world: TierWorld, pictures: PictureReader) -> tuple[TierTorrent, ...]:
    """Finished torrents on the SSD that have no copy, are not marked, and do not wait yet. Changes nothing.

    Torrents of other clients count where they share files with one of the tier's own; a client that is silent is left out.
    """
    several = len(world.clients) > 1
    own = world.settings.client
    # In a union only the files themselves tell what is on the SSD.
    torrents = pictures.torrents(names=several or world.settings.union is not None, only=own)
    wanted = [torrent for torrent in torrents if world.settings.looks_after(torrent.label)]
    if several:
        keys = {torrent.key for torrent in wanted}
        for group in groups_of((*torrents, *_of_others(world, pictures)), world.settings.ssd, {}):
            if any(member.key in keys for member in group.members):
                wanted += [member for member in group.members if member.client != own]
    # One that was evicted and is on the SSD again was moved back, or added anew.
    known = {record.key for record in world.journal.copies() if (record.counts and not record.evicted_at) or record.bad}
    waiting = {entry.key for entry in world.journal.queue()}
    return tuple(
        torrent
        for torrent in wanted
        if torrent.complete and not torrent.unwanted and torrent.key not in known and torrent.key not in waiting
    )


def _of_others(world: TierWorld, pictures: PictureReader) -> tuple[TierTorrent, ...]:
    found: list[TierTorrent] = []
    for name in sorted(world.clients):
        if name != world.settings.client:
            with suppress(ServerError):  # whoever evicts asks again, and does nothing without its answer
                found += pictures.torrents(only=name)
    return tuple(found)


def sweep(world: TierWorld, pictures: PictureReader) -> RoundReport:
    """Queue the torrents that have no copy yet; those that finished first come first."""
    report = RoundReport()
    now = world.clock.now()
    for torrent in sorted(uncopied(world, pictures), key=lambda each: (each.finished_at, each.id)):
        if world.journal.enqueue(QueueEntry(*torrent.key, now, Asker.SWEEP)):
            report.queued.append(torrent.key)
    for record in world.journal.copies():
        if record.former is not None and record.counts:
            # One that is in use, or whose client is silent, is looked at again.
            with suppress(MoverError), world.leases.hold([record.key]):
                take_away_old_names(world, record)
        elif record.stage is CopyStage.PROVEN:
            tell(world, record)
    return report


def gone_copies(world: TierWorld, pictures: PictureReader) -> tuple[CopiesCounted, tuple[CopyRecord, ...]]:
    """Proven copies on targets that are there, of torrents that their clients list: how many, and those that the disk lacks.

    Changes nothing. Whoever removes a torrent may remove its files too. Raises where a client is silent.
    """
    listed = {(name, torrent.id) for name in world.clients for torrent in pictures.listing(name)}
    known = {disk.root: disk for disk in world.targets if look_at(world, disk).state is RootState.KNOWN}
    proven = [
        record
        for record in world.journal.copies()
        if record.counts and record.proof is not None and record.proof.root in known and record.key in listed
    ]
    gone = tuple(
        record
        for record in proven
        if record.proof is not None and missing_files(known[record.proof.root], record.proof)
    )
    return CopiesCounted(len(proven), len(gone)), gone


def look_for_gone(world: TierWorld, pictures: PictureReader) -> tuple[RoundReport, bool]:
    """Have copies made again that are gone; whether so many are that nothing may be evicted."""
    report = RoundReport()
    counted, gone = gone_copies(world, pictures)
    if sum(follow_client(world, record) for record in gone if record.evicted_at):
        counted, gone = gone_copies(world, pictures)
    if counted.alarming:
        report.note(None, _alarm(counted, gone))
        return report, True
    for record in gone:
        if record.evicted_at:
            # The SSD has nothing to copy it from: its client uses what is gone.
            report.note(record.key, _lost(record))
        else:
            make_again(world, record.key)
            report.queued.append(record.key)
    return report, False


def _alarm(counted: CopiesCounted, gone: Sequence[CopyRecord]) -> CopiesGone:
    return CopiesGone(
        f"{counted}, {gone[0].name} among them.",
        kept="Nothing is evicted until this is settled; the SSD keeps what it has.",
        remedy=f"Look at the targets' disks. To copy one again: torrent-mover tier {gone[0].torrent}",
    )


def _lost(record: CopyRecord) -> CopyVanished:
    return CopyVanished(
        f"Files of {record.name} are gone from {record.root}, and its data on the SSD was evicted before.",
        kept="Nothing was changed.",
        remedy="Bring the files back from where they were moved to; then the torrent is checked and started by itself.",
        key=record.key,
    )
