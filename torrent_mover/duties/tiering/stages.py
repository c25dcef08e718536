"""The stages of copies and evictions, and what a fresh start makes of an eviction that was cut short."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class CopyStage(Enum):
    """How far a copy is. Written down before it is entered."""

    QUEUED = "queued"
    SEEN = "seen"
    RESERVED = "reserved"
    COPYING = "copying"
    READ_BACK = "read_back"
    PLACED = "placed"
    PROVEN = "proven"
    TOLD = "told"

    @property
    def counts(self) -> bool:
        """Whether a copy at this stage is one."""
        return self in (CopyStage.PROVEN, CopyStage.TOLD)


class EvictionStage(Enum):
    """How far an eviction is. Written down before it is entered."""

    CHOSEN = "chosen"
    LOOKED = "looked"
    LEAVING = "leaving"
    CHECKING = "checking"
    SEEDING = "seeding"
    CERTIFIED = "certified"
    ASIDE = "aside"
    FREED = "freed"
    RETURNING = "returning"


class AsideStage(Enum):
    """Where the files of a copy are that was set aside. Written down before it is entered."""

    GOING = "going"
    ASIDE = "aside"
    RETURNING = "returning"


_UNTOUCHED: Final = (EvictionStage.CHOSEN, EvictionStage.LOOKED)
_ORDER: Final = tuple(EvictionStage)


class Resume(Enum):
    """What a fresh start does with an eviction that it finds in the journal."""

    FORGET = "forget it: nothing was done to client or files"
    WAIT = "wait: something of it cannot be seen now"
    GO_ON = "go on: gather fresh evidence, then finish it"
    GO_BACK = "put the torrents back on the SSD"
    LET_GO = "leave the torrents as a person has left them"
    DOUBTFUL = "neither copy is as it was proven: touch nothing, and report"


@dataclass(frozen=True, slots=True)
class CutShort:
    """What is seen of an eviction that was cut short.

    `readable`: clients answer, and the SSD is there; `target_there`: so is the target. `listed`: a torrent of it is still in
    its client, at one of the two places. `copy_good`: the target's files are as proven, or were proven again just now.
    `originals_there`: the SSD's files are as they were, at their own names or set aside. `acts`: the tier's mode still is to
    act, and no torrent of it is pinned.
    """

    stage: EvictionStage
    readable: bool
    target_there: bool
    listed: bool
    copy_good: bool
    originals_there: bool
    acts: bool


def untouched(stage: EvictionStage) -> bool:
    """Whether nothing was done yet to clients and files at this stage."""
    return stage in _UNTOUCHED


def resume(seen: CutShort) -> Resume:
    """Decide. Where we cannot see we do nothing; once names were freed there is only one way, forward."""
    if untouched(seen.stage):
        return Resume.FORGET
    if not seen.readable:
        return Resume.WAIT
    if seen.stage is EvictionStage.FREED and not seen.originals_there:
        return _only_forward(seen)
    if not seen.listed:
        return Resume.LET_GO
    return _either_way(seen)


def _only_forward(seen: CutShort) -> Resume:
    """Some names are gone for good."""
    if not seen.target_there:
        return Resume.WAIT
    return Resume.GO_ON if seen.listed and seen.copy_good else Resume.DOUBTFUL


def _either_way(seen: CutShort) -> Resume:
    """Both places may still be chosen: forward where nothing speaks against it. Without the target, the SSD is what is seen."""
    good = seen.target_there and seen.copy_good
    if seen.originals_there and (seen.stage is EvictionStage.RETURNING or not good or not seen.acts):
        return Resume.GO_BACK
    if good:
        return Resume.GO_ON
    return Resume.DOUBTFUL if seen.target_there else Resume.WAIT


def reached(stage: EvictionStage, at_least: EvictionStage) -> bool:
    """Whether `stage` is `at_least` that far."""
    return _ORDER.index(stage) >= _ORDER.index(at_least)
