"""Makes room on the SSD: chooses, evicts one group after another, and measures the disk after each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError, ServerError
from torrent_mover.domain.text import clause
from torrent_mover.domain.text import size as size_text
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.choosing import Circumstances, CopyFacts, EvictionPlan, Judgement, plan
from torrent_mover.duties.tiering.errors import NothingFreed
from torrent_mover.duties.tiering.evicting import EvictionStory, chosen
from torrent_mover.duties.tiering.grouping import TorrentGroup, groups_of
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import DiskSpace, TorrentKey
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.watermarks import Effect, shortage

_SETTLES: Final = 30.0
"""Seconds that a file system may take until deleted data shows as free space."""
_POLL: Final = 1.0


def shared_groups(world: TierWorld, pictures: PictureReader) -> tuple[TorrentGroup, ...]:
    """Groups of the torrents on the SSD, of all clients, that hold one which the tier looks after."""
    own = world.settings.client
    groups = groups_of(pictures.torrents(), world.settings.ssd, pictures.media(), pictures.links())
    return tuple(
        group
        for group in groups
        if any(member.client == own and world.settings.looks_after(member.label) for member in group.members)
    )


def plan_for(
    world: TierWorld,
    groups: Sequence[TorrentGroup],
    disk: DiskSpace,
    wanted: int,
    *,
    critical: bool,
    most: int | None = None,
) -> EvictionPlan:
    """What leaves this disk to free so many bytes, `most` torrents, and why the rest stays. Changes nothing."""
    facts = {
        record.key: CopyFacts(
            record.proof if record.counts and not record.evicted_at else None, record.bad, record.rest_until
        )
        for record in world.journal.copies()
    }
    around = Circumstances(
        world.clock.now(),
        wanted,
        disk.device,
        critical=critical,
        leased=frozenset(key for key in facts if world.leases.held(key)),
        begun=frozenset(member.key for record in world.journal.evictions() for member in record.members),
        pinned=world.journal.pins(),
        most=most,
        held=_held(world, groups, facts),
    )
    return plan(groups, facts, world.settings, around)


def _held(
    world: TierWorld, groups: Sequence[TorrentGroup], facts: Mapping[TorrentKey, CopyFacts]
) -> Mapping[TorrentKey, str]:
    """What an Arr holds of the torrents that have a copy: the others stay anyway."""
    copied = {key for key, copy in facts.items() if copy.proof is not None}
    members = [member for group in groups for member in group.members if member.key in copied]
    why = {member.key: world.held(member.id, member.label) for member in members}
    return {key: reason for key, reason in why.items() if reason}


def plans(world: TierWorld, pictures: PictureReader) -> tuple[tuple[DiskSpace, EvictionPlan], ...]:
    """A plan for each SSD that is short. Changes nothing."""
    short = [(disk, need) for disk in pictures.spaces() if (need := shortage(world.settings, disk)).wanted]
    if not short:
        return ()
    groups = list(shared_groups(world, pictures))
    most = world.settings.max_evictions_per_run
    made = []
    for disk, need in short:
        each = plan_for(world, groups, disk, need.wanted, critical=need.critical, most=most)
        leaving = {member.key for judged in each.leaving for member in judged.group.members}
        # What lies on two disks leaves once.
        groups = [group for group in groups if group.members[0].key not in leaving]
        most -= len(leaving)
        made.append((disk, each))
    return tuple(made)


class SpaceRound:
    """Evicts until each SSD has the space that it is to have."""

    def __init__(
        self, world: TierWorld, pictures: PictureReader, doing: Callable[[str], None] = lambda _what: None
    ) -> None:
        """`doing` hears of what is being evicted, for the heartbeat."""
        self._world = world
        self._pictures = pictures
        self._doing = doing

    def run(self) -> RoundReport:
        """Choose and evict. In report mode only the plans are made. Raises Cancelled; ServerError where a client is silent."""
        report = RoundReport()
        for disk, chosen_plan in plans(self._world, self._pictures):
            report.plans.append((disk, chosen_plan))
            if self._world.settings.mode is TierMode.ACT:
                self._evict(disk, chosen_plan, report)
        return report

    def _evict(self, disk: DiskSpace, chosen_plan: EvictionPlan, report: RoundReport) -> None:
        goal = disk.free + chosen_plan.wanted
        effect = Effect()
        for judged in chosen_plan.leaving:
            before = self._free(disk)
            if before >= goal:
                return
            why = f"{size_text(before)} free, under {size_text(goal)}"
            if not self.evict(judged, f"{clause(why)}; {judged.over}" if judged.over else why, report):
                continue
            effect = effect.after(judged.frees, before, self._settled(disk, before, judged.frees))
            if effect.stop:
                report.note(None, _nothing_freed(disk))
                return

    def evict(self, judged: Judgement, why: str, report: RoundReport) -> bool:
        """One group; whether it left. What speaks against it is in the report, and the next one is tried."""
        first = judged.group.members[0]
        self._doing(f"evicting {first.id.short.upper()} {first.name}")
        try:
            record = chosen(self._world, judged.group, why)
            report.freed += EvictionStory(self._world, self._pictures, record).run()
        except Cancelled:
            raise
        except ServerError:
            raise  # who uses what cannot be known: no more evictions in this round
        except MoverError as error:
            report.note(first.key, error)
            self._world.warn(first.key, str(error))
            return False
        report.evicted += [member.key for member in judged.group.members]
        return True

    def _free(self, disk: DiskSpace) -> int:
        return self._world.disk(disk.root).files.space().free

    def _settled(self, disk: DiskSpace, before: int, promised: int) -> int:
        """Free bytes once they show what was freed, or after some seconds."""
        clock = self._world.clock
        until = clock.monotonic() + _SETTLES
        while (free := self._free(disk)) - before < promised and clock.monotonic() < until:
            clock.wait(_POLL)
        return free


def group_with(groups: Sequence[TorrentGroup], torrent: InfoHash) -> TorrentGroup | None:
    """The group that holds this torrent."""
    return next((group for group in groups if any(member.id == torrent for member in group.members)), None)


def _nothing_freed(disk: DiskSpace) -> NothingFreed:
    return NothingFreed(
        f"Two evictions in a row freed nothing on {disk.root}: snapshots?",
        kept="Evicting has stopped for this round; the copies are on the targets.",
        remedy=f"Look at what keeps the data there: snapshots, or a trash folder on the file system of {disk.root}.",
    )
