"""What a person asks of a tier: queue, clear, pin, evict, verify, copy afresh; and the queue files of former programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torrent_mover.domain.errors import TorrentGone
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.domain.text import clauses
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.choosing import Judgement
from torrent_mover.duties.tiering.copy_again import make_again
from torrent_mover.duties.tiering.errors import (
    BadCopy,
    EvictionRefused,
    NoSource,
    ReportOnly,
    TierRefused,
)
from torrent_mover.duties.tiering.gathering import leaving_torrent, proven_now
from torrent_mover.duties.tiering.layout import quarantine_for, tops
from torrent_mover.duties.tiering.looking import PictureReader, on_ssd
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, TorrentKey
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry
from torrent_mover.duties.tiering.queueing import old_queue_file, waits
from torrent_mover.duties.tiering.records import CopyRecord, EvictionMember
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.root_marks import require
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.space_round import SpaceRound, group_with, plan_for, shared_groups
from torrent_mover.ports.filesystem import FileKind, FileSystem

_IMPORTED = ".imported"


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of a request to copy: torrents that are new in the queue, and how many wait now."""

    added: tuple[InfoHash, ...]
    waiting: int


def enqueue(world: TierWorld, torrents: Sequence[InfoHash], asker: Asker = Asker.HOOK) -> Queued:
    """Queue torrents of the tier's client. One that waits already keeps its place, and is tried at once."""
    now = world.clock.now()
    added = []
    for torrent in torrents:
        entry = QueueEntry(world.settings.client, torrent, now, asker)
        if world.journal.enqueue(entry):
            added.append(torrent)
            continue
        there = next((each for each in world.journal.queue() if each.key == entry.key), None)
        if there is not None and (there.not_before > now or waits(there)):
            world.journal.save_entry(replace(there, not_before=now))  # not 0: see `waits`
    return Queued(tuple(added), len(world.journal.queue()))


def clear_queue(world: TierWorld) -> tuple[QueueEntry, ...]:
    """Empty the queue, except for what is being copied now; returns what was dropped."""
    dropped = []
    for entry in world.journal.queue():
        if not world.leases.held(entry.key):
            world.journal.drop(entry.key)
            dropped.append(entry)
    return tuple(dropped)


def import_old_queue(world: TierWorld, files: FileSystem, folder: RelativePath) -> tuple[InfoHash, ...]:
    """Queue what former programs left in `folder`, below the root of `files`. Only names count.

    A file that was taken over is renamed, never removed: its name then ends in `.imported`.
    """
    stat = files.stat(folder) if folder.parts else files.stat(ROOT)
    if stat is None or stat.kind is not FileKind.FOLDER:
        return ()
    found = [old for name in files.listdir(folder) if (old := old_queue_file(name)) is not None]
    taken = []
    now = world.clock.now()
    for old in sorted(found, key=lambda each: (each.queued_at or now, each.torrent)):
        entry = QueueEntry(world.settings.client, old.torrent, min(old.queued_at or now, now), Asker.OLD_QUEUE)
        if world.journal.enqueue(entry):
            taken.append(old.torrent)
        if files.stat(folder / (old.name + _IMPORTED)) is None:
            files.rename(folder / old.name, folder / (old.name + _IMPORTED))
    return tuple(taken)


def evict_now(world: TierWorld, pictures: PictureReader, space: SpaceRound, torrent: InfoHash) -> RoundReport:
    """Evict one torrent, and those that share files with it, whether or not room is short. All other reasons to stay hold.

    Raises ReportOnly; TorrentGone where it is not on the SSD; TierRefused with the reasons.
    """
    if world.settings.mode is not TierMode.ACT:
        raise ReportOnly(
            "The tier only reports: nothing is evicted.",
            kept="Nothing was changed.",
            remedy="Set mode = act in its section.",
        )
    group = group_with(shared_groups(world, pictures), torrent)
    if group is None:
        raise TorrentGone(
            f"{torrent} is not on the SSD.",
            kept="Nothing was changed.",
            remedy=f"To see where it is: torrent-mover tier --explain {torrent}",
        )
    report = RoundReport()
    by_device = {disk.device: disk for disk in pictures.spaces()}
    disk = next((by_device[file.identity[0]] for file in group.files if file.identity[0] in by_device), None)
    judged: Judgement | None = None
    if disk is not None:
        judged = plan_for(world, [group], disk, max(disk.total, 1), critical=True).judgement_of(torrent)
    if judged is None or not judged.leaves:
        reasons = (
            clauses(*dict.fromkeys(reason.text for _, reason in judged.reasons)) if judged else "it has no files there"
        )
        raise TierRefused(
            f"{group.members[0].name} is not evicted: {reasons}.",
            kept="Nothing was changed.",
            remedy=f"To let it leave: torrent-mover tier --unpin {torrent}"
            if torrent in world.journal.pins()
            else f"To see all about it: torrent-mover tier --explain {torrent}",
        )
    space.evict(judged, "a person asked for it", report)
    return report


def verify(world: TierWorld, key: TorrentKey) -> CopyRecord:
    """Hash the copy on the target again. Raises CopyVanished; BadCopy, and then the copy is marked."""
    record = world.journal.copy(key)
    if record is None or record.proof is None:
        raise EvictionRefused(
            f"{key[1]} has no proven copy.", kept="Nothing was changed.", remedy=f"torrent-mover tier {key[1]}"
        )
    end = world.client(key[0])
    torrent = end.client.get(key[1])
    if torrent is None:
        raise TorrentGone(
            f"{end.client.name} does not list {key[1]}.", kept="Nothing was changed.", remedy="Look there."
        )
    row = EvictionMember(*key, record.name, torrent.save_path, torrent.save_path, ran=False)
    with world.leases.hold([key]):
        try:
            leaving = leaving_torrent(world, row, marked=True)
            good = proven_now(world, leaving, always=True).copy
        except BadCopy as error:
            world.journal.save_copy(replace(record, bad=error.what, changed_at=world.clock.now()))
            raise
        unmarked = replace(good, bad="", changed_at=world.clock.now())
        world.journal.save_copy(unmarked)
        return unmarked


def recopy(world: TierWorld, key: TorrentKey) -> None:
    """Queue a fresh copy. The old bytes are kept: under their other names where they have some, else in our quarantine.

    Raises NoSource where the SSD no longer has the data; TierRefused where another torrent seeds from that copy; RootAway.
    """
    record = world.journal.copy(key)
    end = world.client(key[0])
    torrent = end.client.get(key[1])
    if torrent is None or not on_ssd(world, end, torrent.save_path) or (record is not None and record.evicted_at):
        raise NoSource(
            f"{record.name if record else key[1]} cannot be copied afresh: the SSD does not have it.",
            kept="The copy is kept as it is.",
            remedy="Have its client check it.",
            key=key,
        )
    with world.leases.hold([key]):
        if record is not None and record.proof is not None:
            disk = world.disk(record.proof.root)
            require(world, disk)
            _used_by_nobody_else(world, record, record.proof)
            _set_old_bytes_aside(disk, key[1], record.proof)
        make_again(world, key, Asker.PERSON, afresh=True)


def _used_by_nobody_else(world: TierWorld, record: CopyRecord, proof: CopyProof) -> None:
    """Another torrent may have the same place, and may have left the SSD: then its client uses these very names."""
    paths = set(proof.paths)
    for other in world.journal.copies():
        if other.key == record.key or not other.evicted_at or other.proof is None or other.proof.root != proof.root:
            continue
        if paths & set(other.proof.paths):
            raise TierRefused(
                f"{other.name} ({other.torrent.short}) seeds from the copy of {record.name}: both have the same files.",
                kept="Nothing was changed.",
                remedy=f"torrent-mover tier --verify {other.torrent}",
            )


def _set_old_bytes_aside(disk: TierDisk, torrent: InfoHash, proof: CopyProof) -> None:
    """Rename the old copy into quarantine: nothing of it is changed, and its other names stay where they are."""
    number = 1
    while disk.files.stat(quarantine_for(torrent, number)) is not None:
        number += 1
    folder = quarantine_for(torrent, number)
    for top in tops([RelativePath.parse(stamp.path) for stamp in proof.copies]):
        if disk.files.stat(proof.folder / top) is not None:
            disk.files.make_folders(folder)
            disk.files.rename(proof.folder / top, folder / top)
