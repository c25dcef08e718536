"""What fits where: free space is asked once a place, and every move takes its share of it before its first byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from torrent_mover.domain.errors import DoesNotFit
from torrent_mover.domain.text import counted, size
from torrent_mover.domain.torrent.torrent import InfoHash

_MIB: Final = 1024**2
_NOTHING: Final[Mapping[InfoHash, int]] = MappingProxyType({})


def margin(total: int) -> int:
    """Bytes that we leave free on a place of `total` bytes: 1 % of it, at least 100 MiB and at most 5 GiB.

    File systems slow down and misbehave when they are really full, and the client there wants to write its own state.
    """
    return min(max(total // 100, 100 * _MIB), 5 * 1024 * _MIB)


def fitting(sizes: Sequence[int], free: int, total: int) -> tuple[bool, ...]:
    """Which of so many bytes fit into `free` of `total`, taken in their order, those left out that do not."""
    left, fits = max(free - margin(total), 0), []
    for each in sizes:
        fits.append(each <= left)
        left -= each if each <= left else 0
    return tuple(fits)


class Reservations:
    """Who takes how many bytes of which place. Mutable and without a lock: its one owner guards it.

    A place is a name that messages use (`nas`, `cache`); two paths on one file system must share one name.
    """

    def __init__(self) -> None:
        self._usable: dict[str, int] = {}
        self._stays_free: dict[str, int] = {}
        self._taken: dict[str, dict[InfoHash, int]] = {}

    def know(self, place: str, free: int, total: int, arrived: Mapping[InfoHash, int] = _NOTHING) -> None:
        """What the file system said: `free` bytes of `total`.

        Asked again during a run, `arrived` says how many bytes of each reserved move lie there already, so that they are not
        counted twice.
        """
        taken = self._taken.setdefault(place, {})
        there = sum(min(arrived.get(move, 0), reserved) for move, reserved in taken.items())
        self._stays_free[place] = margin(total)
        self._usable[place] = max(free - margin(total), 0) + there

    def knows(self, place: str) -> bool:
        """Whether `know` was called for the place."""
        return place in self._usable

    def left(self, place: str, besides: InfoHash | None = None) -> int:
        """Bytes that nobody (else than `besides`) has reserved."""
        others = sum(reserved for move, reserved in self._taken[place].items() if move != besides)
        return max(self._usable[place] - others, 0)

    def refusal(self, move: InfoHash, place: str, needed: int, called: str = "") -> str:
        """Why `needed` bytes do not fit for `move`, in words; empty where they do. Raises KeyError for an unknown place.

        `called`: what to call the place, where that is not its name here. What stays free is named: `df` counts it as free.
        """
        left = self.left(place, besides=move)
        if needed <= left:
            return ""
        others = sum(other != move and reserved > 0 for other, reserved in self._taken[place].items())
        taken = f"what {counted(others, 'other torrent')} will take and " if others else ""
        beside = f"beside {taken}the {size(self._stays_free[place])} that stay free"
        return f"needs {size(needed)} on {called or place}, {size(left)} are left {beside}"

    def fits_ever(self, place: str, needed: int) -> bool:
        """Whether it would fit if all others gave their reservations back: else waiting for them is of no use."""
        return needed <= self._usable[place]

    def reserve(self, move: InfoHash, place: str, needed: int, called: str = "") -> None:
        """Take `needed` bytes for `move`, in place of what it had there. Raises DoesNotFit, and changes nothing then."""
        refusal = self.refusal(move, place, needed, called)
        if refusal:
            raise DoesNotFit(
                f"There is not enough space: the torrent {refusal}.",
                kept="Nothing was written for it; the source keeps it.",
                remedy=f"Free some space on {called or place}, or move fewer torrents at once; the next run tries it again.",
            )
        self._taken[place][move] = needed

    def release(self, move: InfoHash) -> None:
        """Give back all that `move` reserved anywhere: its bytes are not there (any more)."""
        for taken in self._taken.values():
            taken.pop(move, None)

    def settle(self, move: InfoHash, place: str) -> None:
        """The bytes that `move` reserved at `place` arrived and stay there."""
        self._usable[place] = max(self._usable[place] - self._taken[place].pop(move, 0), 0)
