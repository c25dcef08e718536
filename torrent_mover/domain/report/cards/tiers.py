"""The tiers in an overview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrent_mover.domain.report.overview import DutyCard, Need, a_card
from torrent_mover.domain.report.tiers import DiskRole, TierPhase, TierSnapshot, TierTask, TierView
from torrent_mover.domain.text import counted, size

NAME: Final = "tiers"


def card(picture: TierSnapshot) -> DutyCard:
    """What is copied and evicted, how full SSDs are, and what the alarms say."""
    tiers = picture.tiers
    phases = list(dict.fromkeys(tier.phase for tier in tiers))
    state = ", ".join(phase.value for phase in phases) or "no tier"
    works = picture.under_way
    now = [
        f"{sum(work.task is TierTask.COPY for work in works):,} copied, {sum(work.task is TierTask.EVICT for work in works):,}"
        f" evicted now, {sum(len(tier.queue) for tier in tiers):,} queued, {sum(tier.leaving for tier in tiers):,} to leave",
        *(line for tier in tiers for line in (*_disks(tier), *_left(tier))),
    ]
    if tiers and not any(tier.acts for tier in tiers):
        now.insert(0, "only reports")
    return a_card(
        NAME, "Tiers", state, now, list(_needs(picture)), odd=bool({TierPhase.ABSENT, TierPhase.PAUSED} & {*phases})
    )


def _disks(tier: TierView) -> Iterator[str]:
    for disk in tier.disks:
        if disk.role is DiskRole.SSD and disk.free is not None and disk.total:
            short = f", {size(disk.short_of)} must get free" if disk.short_of else ""
            yield f"{tier.name}: {size(disk.free)} of {size(disk.total)} free{short}"


def _left(tier: TierView) -> Iterator[str]:
    if tier.left:
        count = counted(tier.left, "copy", "copies")
        yield f"{tier.name}: {count}, {size(tier.left_bytes)}, of torrents that have left the client"


def _needs(picture: TierSnapshot) -> Iterator[Need]:
    for tier in picture.tiers:
        for alarm in tier.alarms:
            yield Need(NAME, f"{tier.name}: {alarm.trouble.what} [{alarm.trouble.code}]", alarm.trouble.remedy)
        worker = tier.worker
        if worker is not None and tier.phase is not TierPhase.ENDED and worker.silent(picture.at):
            yield Need(
                NAME, f"{tier.name}: {counted(int(picture.at - worker.beat_at) // 60, 'minute')} without a sign of life"
            )
