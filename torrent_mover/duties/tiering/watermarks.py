"""How much must be free on an SSD: the marks at which evicting begins and ends, and whether it has any effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.text import size as size_text
from torrent_mover.duties.tiering.picture import DiskSpace
from torrent_mover.duties.tiering.settings import GIB, TierSettings

_STEP_PERCENT: Final = 5
_SMALLEST_STEP: Final = 10 * GIB
_EFFECT: Final = 0.5
"""Part of the promised bytes that must really get free for an eviction to count as one with an effect."""
_MOST_WITHOUT_EFFECT: Final = 2


@dataclass(frozen=True, slots=True)
class Marks:
    """Bytes of free space: below `low` torrents leave, until `high` is reached; below `critical` fewer reasons to stay count.

    `warnings` say what is odd about them, for people.
    """

    low: int
    high: int
    critical: int | None
    warnings: tuple[str, ...] = ()


def marks_of(settings: TierSettings, disk: DiskSpace) -> Marks:
    """The marks for one disk. A `free_high` that nobody set is at most half of the disk, and never below `free_low`."""
    low = settings.free_low.of(disk.total)
    critical = None if settings.free_critical is None else settings.free_critical.of(disk.total)
    warnings = []
    if settings.free_high is not None:
        high = max(settings.free_high.of(disk.total), low)
    else:
        high = low + max(disk.total * _STEP_PERCENT // 100, _SMALLEST_STEP)
        half = disk.total // 2
        if high > half:
            high = max(half, low)
            warnings.append(
                f"{disk.root} has {size_text(disk.total)}: evicting ends at {size_text(high)} free."
                " Set free_high to choose another end."
            )
    if low >= disk.total:
        warnings.append(
            f"free_low = {settings.free_low} is all of {disk.root}, which has {size_text(disk.total)}: nothing can stay there."
            " Lower free_low."
        )
    return Marks(low, min(high, disk.total), critical, tuple(warnings))


@dataclass(frozen=True, slots=True)
class Shortage:
    """What one disk needs: `wanted` bytes to be freed, 0 where it has enough. `critical`: it is below that mark too."""

    disk: DiskSpace
    marks: Marks
    wanted: int
    critical: bool


def shortage(settings: TierSettings, disk: DiskSpace) -> Shortage:
    """Whether torrents must leave this disk, and for how many bytes."""
    marks = marks_of(settings, disk)
    wanted = marks.high - disk.free if disk.free < marks.low else 0
    critical = marks.critical is not None and disk.free < marks.critical
    return Shortage(disk, marks, max(wanted, 0), critical)


@dataclass(frozen=True, slots=True)
class Effect:
    """Evictions in a row that made the disk no emptier."""

    without: int = 0

    def after(self, promised: int, before: int, now: int) -> Effect:
        """After one more eviction: it promised so many bytes, and so much was free before it and is free now."""
        if promised > 0 and now - before < promised * _EFFECT:
            return Effect(self.without + 1)
        return Effect()

    @property
    def stop(self) -> bool:
        """Whether evicting must stop: freeing changes nothing."""
        return self.without >= _MOST_WITHOUT_EFFECT
