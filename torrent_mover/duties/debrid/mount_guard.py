"""Whether what a mount shows may be believed: one doubt voids every verdict about the links that lead into it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.debrid.links import MountLook

KEEP_SHARE: Final = 0.9
"""A mount's listing, or an account's list, that holds less than this share of the last sound one is not believed."""

SEEN_AGAIN: Final = 18
SAMPLE: Final = 20
"""Where a mount has no sentinel: so many of so many entries that were seen last must be there again."""

SENTINEL: Final = "version.txt"

_FREE_BROKEN: Final = 20


@dataclass(frozen=True, slots=True)
class SoundMeasure:
    """The last sound look: entries of the mount. 0: never looked."""

    entries: int = 0


def mount_doubts(look: MountLook, last: SoundMeasure) -> tuple[str, ...]:
    """What speaks against believing the mount, in words; empty: it is sound."""
    return tuple(_doubts(look, last))


def _doubts(look: MountLook, last: SoundMeasure) -> Iterator[str]:
    if look.trouble:
        yield look.trouble
    if not look.mounted:
        yield "it is not mounted"
        return
    if look.entries is None:
        if not look.trouble:
            yield "it cannot be listed"
        return
    if look.sentinel is False:
        yield f"its {SENTINEL} cannot be read"
    if look.sentinel is None and look.sample_seen * SAMPLE < look.sample * SEEN_AGAIN:
        yield f"only {look.sample_seen} of {look.sample} entries that were seen last are there"
    if shrank(look.entries, last.entries):
        yield f"it lists {look.entries} entries, and had {last.entries}"


def shrank(now: int, last: int) -> bool:
    """Whether a count fell below what is believed."""
    return now < last * KEEP_SHARE


def too_many_broken(broken: int, in_scope: int, max_share: float) -> bool:
    """Whether so many links are broken that it is not the torrents. `max_share` is a fraction."""
    return broken > _FREE_BROKEN and broken > in_scope * max_share


def sample_of(names: Collection[str]) -> tuple[str, ...]:
    """Which entries to look for next time: spread evenly over the sorted names."""
    ordered = sorted(names)
    step = max(len(ordered) // SAMPLE, 1)
    return tuple(ordered[::step][:SAMPLE])
