"""What a look at clients and disks finds for a screen: the disks with their marks, and each torrent with why it leaves or stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.report.tiers import CandidateView, DiskRole, DiskView
from torrent_mover.duties.tiering.choosing import Judgement, Stay
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.picture import DiskSpace, TierTorrent, TorrentKey
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.space_round import plan_for, shared_groups
from torrent_mover.duties.tiering.status import copy_text
from torrent_mover.duties.tiering.watermarks import marks_of, shortage

_TAKES: Final = {
    Stay.NOT_COPIED: "a proven copy",
    Stay.BAD_COPY: "a fresh copy: --recopy",
    Stay.PINNED: "to be unpinned",
    Stay.HOT: "less upload (keep_active), or free space below the critical mark",
    Stay.YOUNG: "more time (min_age), or free space below the critical mark",
    Stay.SEEDING: "more seeding (min_seed_time, min_ratio)",
    Stay.INCOMPLETE: "the rest of its data",
    Stay.UNWANTED: "all of its files selected",
    Stay.ELSEWHERE: "the folder of its links in link_roots",
    Stay.SIBLING: "all that share its files to be free to leave",
    Stay.CAP: "the next round",
    Stay.RESTING: "more time",
    Stay.NOT_NEEDED: "less free space on the SSD",
}
"""What must change for it to leave."""


@dataclass(frozen=True, slots=True)
class TierSeen:
    """What was there. `listed`: name and size of each torrent on the SSD; `pinned`: those that a label or a tag pins."""

    candidates: tuple[CandidateView, ...] = ()
    listed: Mapping[TorrentKey, tuple[str, int]] = field(default_factory=dict)
    pinned: tuple[TorrentKey, ...] = ()
    bad: tuple[CopyRecord, ...] = ()


def disks_of(world: TierWorld) -> tuple[DiskView, ...]:
    """Every disk once, those of the SSD first; one that cannot be looked at is away."""
    seen: set[int] = set()
    found = [_ssd(world, disk, seen) for disk in world.ssds]
    found += [_target(world, disk) for disk in world.targets]
    return tuple(view for view in found if view is not None)


def _ssd(world: TierWorld, disk: TierDisk, seen: set[int]) -> DiskView | None:
    path, why = str(disk.root), _away(world, disk)
    if why:
        return DiskView(path, DiskRole.SSD, None, None, away=why)
    device = disk.look().device
    if device in seen:
        return None
    seen.add(device)
    space = disk.files.space()
    marks = marks_of(world.settings, DiskSpace(disk.root, space.free, space.total, device))
    return DiskView(path, DiskRole.SSD, space.free, space.total, marks.low, marks.high, marks.critical)


def _target(world: TierWorld, disk: TierDisk) -> DiskView:
    path, why = str(disk.root), _away(world, disk)
    if why:
        return DiskView(path, DiskRole.TARGET, None, None, away=why)
    space = disk.files.space()
    return DiskView(path, DiskRole.TARGET, space.free, space.total, world.settings.keep_free.of(space.total))


def _away(world: TierWorld, disk: TierDisk) -> str:
    finding = look_at(world, disk)
    return finding.why or finding.state.value if finding.state is RootState.AWAY else ""


def torrents_of(world: TierWorld, pictures: PictureReader, before: TierSeen, *, freeing: bool = False) -> TierSeen:
    """All torrents on the SSD: those that leave in their order, then those that stay. Raises where a client is silent.

    `freeing`: a round has begun to evict, and goes on up to the high mark. What was listed `before` and leaves now, is named.
    """
    together = shared_groups(world, pictures)
    groups = list(together)
    copies = {record.key: record for record in world.journal.copies()}
    begun = {member.key for record in world.journal.evictions() for member in record.members}
    leaving = {key: known for key, known in before.listed.items() if key in begun}
    coming = sum(
        size for key, (_, size) in leaving.items() if world.leases.held(key)
    )  # bytes that get free without choosing anything else
    found: dict[TorrentKey, CandidateView] = {}
    place = 0
    most = world.settings.max_evictions_per_run
    for disk in pictures.spaces():
        need = shortage(world.settings, disk)
        wanted = need.wanted or (max(need.marks.high - disk.free, 0) if freeing else 0)
        plan = plan_for(world, groups, disk, max(wanted - coming, 0), critical=need.critical, most=most)
        for judged in plan.judgements:
            place += judged.leaves
            for member in judged.group.members:
                if member.key not in found or judged.leaves:
                    at = place if judged.leaves else None
                    found[member.key] = _candidate(judged, member, at, disk, copies.get(member.key), enough=not wanted)
        left = [judged.group for judged in plan.leaving]
        groups = [group for group in groups if group not in left]
        most -= sum(len(group.members) for group in left)
    ordered = sorted(found.values(), key=lambda view: (view.place is None, view.place or 0))
    return TierSeen(
        tuple(ordered),
        leaving | {view.key: (view.name, view.size) for view in ordered},
        tuple(one.key for group in together for one in group.members if world.settings.pins(one.label, one.tags)),
        tuple(record for record in copies.values() if record.bad),
    )


def _candidate(
    judged: Judgement,
    member: TierTorrent,
    place: int | None,
    disk: DiskSpace,
    copy: CopyRecord | None,
    *,
    enough: bool,
) -> CandidateView:
    """`enough`: nothing must leave this disk."""
    stays = judged.of(member.key)
    reasons: tuple[str, ...]
    if place is not None:
        reasons = ("the first in order",) if place == 1 else ("next in order",)
    elif enough and stays and stays[0].kind is Stay.NOT_NEEDED:
        reasons = ("there is room enough on the SSD",)
    else:
        reasons = tuple(reason.text for reason in stays)
    return CandidateView(
        client=member.client,
        id=member.id,
        name=member.name,
        label=member.label,
        size=member.size,
        frees=judged.frees,
        place=place,
        finished_at=member.finished_at,
        reasons=reasons,
        takes=_TAKES.get(stays[0].kind, "") if stays else "",
        copy="" if copy is None else copy_text(copy),
        proven=copy is not None and copy.counts and not copy.evicted_at,
        pinned=any(reason.kind is Stay.PINNED for reason in stays),
        together=len(judged.group.members),
        ratio=member.ratio,
        upload_rate=member.upload_rate,
        path=str(member.save_path),
        disk=str(disk.root),
    )
