"""The checks of room: what a plan needs, and what is free at the destination, in the cache and for our own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from torrent_mover.domain.capacity import fitting, margin
from torrent_mover.domain.errors import ServerTooOld
from torrent_mover.domain.text import counted, size
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.preflight.examination import Check, Doubt
from torrent_mover.ports.filesystem import ReadableFiles

_FEW_INODES: Final = 1000
_ENOUGH_FOR_US: Final = 100 * 1024**2
"""Bytes that journal and logs need at the most."""


def space_checks(space: ReservedSpace, sizes: Sequence[int], jobs: int) -> Iterator[Check]:
    """One check a place. `sizes`: bytes of each planned move, in its order; `jobs` of them are in the cache at a time."""
    at_once = sorted(sizes)[-jobs:]
    for name, files in space.places:
        cached = name == space.cache
        ask = _room(files, name, at_once if cached else sizes)
        yield Check("space cache" if cached else "space destination", ask, fatal=False)


def _room(files: ReadableFiles, name: str, sizes: Sequence[int]) -> Callable[[], str]:
    def ask() -> str:
        try:
            found = files.space()
        except ServerTooOld:
            return "the server does not report its free space"
        if found.free_inodes is not None and found.free_inodes < _FEW_INODES:
            raise Doubt(
                f"Only {counted(found.free_inodes, 'inode')} are free on {name}: no room for more files of any size.",
                kept="Nothing was written.",
                remedy="Remove files there that nobody needs. To check: df -i",
            )
        usable, needed = max(found.free - margin(found.total), 0), sum(sizes)
        told = f"{size(found.free)} free in {name}, needs {size(needed)}"
        if needed > usable:
            fit = sum(fitting(sizes, found.free, found.total))
            raise Doubt(
                f"{told}, and {size(margin(found.total))} must stay free: {fit} of {counted(len(sizes), 'torrent')} fit.",
                kept="What fits is moved; the source keeps the others.",
                remedy=f"Free some space on {name}. The next run moves the others.",
            )
        return told

    return ask


def own_space(files: ReadableFiles) -> Callable[[], str]:
    """Room for the journal and the logs, on this machine."""

    def ask() -> str:
        found = files.space()
        if found.free < _ENOUGH_FOR_US:
            raise Doubt(
                f"Only {size(found.free)} are free in {files.name}, where the journal and the logs are.",
                kept="Nothing was started.",
                remedy=f"Free some space there (df -h {files.name}), or set state_dir in [General].",
            )
        return f"{size(found.free)} free for journal and logs"

    return ask
