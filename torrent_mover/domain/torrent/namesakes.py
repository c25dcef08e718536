"""Files of one torrent whose names collide: how libtorrent calls them once a client was restarted.

It compares without regard to the case of ASCII letters, and folders come first: of `ReadMe.txt` and `readme.txt` the second
becomes `readme.1.txt`, and so does a file that has a folder's name. Clients add a torrent with the names as they stand in it, and
find out at their next start, unless the file was given another name by then (libtorrent 2.0, `torrent_info`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of a torrent's file list: `index` of the file among the real ones, None for padding."""

    path: str
    size: int
    index: int | None


def resolved(entries: Iterable[Named]) -> dict[int, str]:
    """The names that real files will have, of those that cannot keep theirs, by index. `entries` in the torrent's order."""
    listed = [(entry, _folded(entry.path)) for entry in entries]
    taken: dict[str, Named | None] = {}
    for _, folded in listed:
        folder = folded
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in taken:
                break
            taken[folder] = None
    found = {}
    for entry, folded in listed:
        if folded not in taken:
            taken[folded] = entry
            continue
        other = taken[folded]
        if entry.index is None and other is not None and other.index is None and other.size == entry.size:
            continue
        name = _free_name(entry.path, taken)
        taken[_folded(name)] = entry
        if entry.index is not None:
            found[entry.index] = name
    return found


def _free_name(path: str, taken: dict[str, Named | None]) -> str:
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    number = 1
    while _folded(new := f"{folder}{slash}{stem}.{number}{dot}{ending}") in taken:
        number += 1
    return new


def _folded(path: str) -> str:
    return path.lower() if path.isascii() else path.translate(_LOWER)
