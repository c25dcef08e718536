"""Looks at the roots of a tier: gives new ones an identity, and refuses what is not the disk that it was."""

from __future__ import annotations

import secrets
import shlex

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import clause
from torrent_mover.duties.tiering.errors import RootAway, RootsNotDistinct
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.roots import (
    NO_FOLDER,
    RootFinding,
    RootState,
    distinct,
    judge_root,
    mark_of,
    write_root_id,
)


def look_at(world: TierWorld, disk: TierDisk, *, adopt: bool = False) -> RootFinding:
    """What a root counts as now. With `adopt`, one that was never seen gets its identity, and is remembered."""
    mark = next((each for each in world.journal.roots() if each.path == disk.root), None)
    found = disk.look()
    finding = judge_root(mark, found)
    if not adopt:
        return finding
    if finding.state is RootState.NEW:
        disk.write_id(write_root_id(secrets.token_hex(16)))
        found = disk.look()
        finding = judge_root(mark, found)
    if finding.state is RootState.KNOWN and mark_of(found) != mark:
        world.journal.save_root(mark_of(found))
    return finding


def away(finding: RootFinding, kept: str) -> RootAway:
    """What is said of a root that is not used, and what helps."""
    make = ", or make that folder" if finding.why == NO_FOLDER else ""
    helps = f"Mount its disk at {finding.path}{make}; the next round looks again."
    if finding.other:
        helps = f"{helps} {taking_over(finding.path)}"
    return RootAway(
        f"{finding.path} is not used: {clause(finding.why or 'it was never seen before')}.", kept=kept, remedy=helps
    )


def taking_over(root: LocalPath | None = None) -> str:
    """What helps where another disk is to stay in the place of one that was known. `root` None: which one is not said."""
    command = "torrent-mover journal forget-mounts"
    return f"If what lies there now is to be used from now on: {command} {shlex.quote(str(root)) if root else 'FOLDER'}"


def require(world: TierWorld, *disks: TierDisk) -> None:
    """See that all of these are the disks that they were. Raises RootAway."""
    for disk in disks:
        finding = look_at(world, disk)
        if finding.state is not RootState.KNOWN:
            raise away(finding, "Nothing was copied, relocated or deleted, and nothing was written there.")


def require_two(world: TierWorld, ssd: TierDisk, target: TierDisk) -> tuple[RootFinding, RootFinding]:
    """Both, known and surely two places. Raises RootAway, RootsNotDistinct."""
    require(world, ssd, target)
    here, there = look_at(world, ssd), look_at(world, target)
    if not distinct(here, there):
        raise RootsNotDistinct(
            f"{ssd.root} and {target.root} are the same folder, or one lies in the other.",
            kept="Nothing was copied or deleted.",
            remedy="Name folders on two disks: ssd and targets of the tier.",
        )
    return here, there
