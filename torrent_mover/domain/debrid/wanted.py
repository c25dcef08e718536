"""Which files of a torrent are wanted, and whether an entry holds exactly those: by path and bytes, never by resemblance."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.debrid.account import RemoteFile, RemoteTorrent

_ARCHIVE: Final = ".rar"


@dataclass(frozen=True, slots=True, order=True)
class WantedFile:
    """A file of a torrent: its path without a slash at the beginning, in composed characters, and its bytes."""

    path: str
    size: int


WantedSet = frozenset[WantedFile]


def wanted_file(path: str, size: int) -> WantedFile:
    """The file, with its path as it is compared."""
    return WantedFile(unicodedata.normalize("NFC", path.lstrip("/")), size)


def selected_of(torrent: RemoteTorrent) -> WantedSet:
    """What is selected in an entry; empty where its files are not known."""
    return frozenset(wanted_file(file.path, file.size) for file in torrent.selected)


def numbers_of(wanted: WantedSet, files: Iterable[RemoteFile]) -> tuple[int, ...] | None:
    """The numbers of exactly these files; None where one is not there with equal bytes, or is there twice."""
    found: dict[WantedFile, int] = {}
    for file in files:
        each = wanted_file(file.path, file.size)
        if each in wanted:
            if each in found:
                return None
            found[each] = file.number
    if not wanted or len(found) != len(wanted):
        return None
    return tuple(sorted(found.values()))


def is_packed(torrent: RemoteTorrent, link_names: Collection[str] = ()) -> bool:
    """Whether several files come as one archive: one link for all of them, or links that are named so."""
    several = len(torrent.selected) > 1
    return several and len(torrent.links) == 1 and all(name.lower().endswith(_ARCHIVE) for name in link_names)
