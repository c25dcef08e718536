"""Where an Arr may see our data: which paths to ask it for, and which folders of the two sides belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from torrent_mover.domain.arrs.media import ArrClient, RemoteMapping
from torrent_mover.domain.paths import ArrPath, ClientPath, LocalPath, RelativePath

MOST_QUESTIONS: Final = 30
"""Paths that are tried below the Arr's own disks and root folders, for one torrent."""


class FoundBy(Enum):
    """How a path was found, in words for people."""

    CONFIG = "path_map"
    JOURNAL = "found before"
    MAPPING = "its own mapping"
    OTHER_TORRENT = "the path of another torrent"
    SAME = "the same path"
    DISK = "a folder of its disks"


@dataclass(frozen=True, slots=True)
class ArrPair:
    """A folder as an Arr sees it, and the same folder as we do."""

    theirs: ArrPath
    ours: LocalPath

    def to_arr(self, path: LocalPath) -> ArrPath | None:
        """Where the Arr sees what lies at `path` for us; None where that is not below this folder."""
        return below(self.theirs, path.relative_to(self.ours)) if path.is_within(self.ours) else None


@dataclass(frozen=True, slots=True)
class DeliveredData:
    """The data of one torrent where an Arr is to find it: the file itself, or the folder that holds all of it.

    `client_path`: the same place as the torrent client sees it; None where no client looks there. `largest`: the largest file
    below `path` (the root where `path` is the file), with its `size` in bytes: what the Arr must see.
    """

    path: LocalPath
    largest: RelativePath
    size: int
    client_path: ClientPath | None = None


@dataclass(frozen=True, slots=True)
class PathGuess:
    """A path at which the Arr may see the data."""

    path: ArrPath
    by: FoundBy


def below(folder: ArrPath, rest: RelativePath) -> ArrPath:
    """A path below a folder; the folder itself for the root."""
    return folder / rest if rest.parts else folder


def mapped(pairs: Iterable[ArrPair], path: LocalPath) -> ArrPath | None:
    """By the pair with the longest folder of ours that holds `path`; None without one."""
    fitting = [pair for pair in pairs if path.is_within(pair.ours)]
    return max(fitting, key=lambda pair: len(pair.ours.parts)).to_arr(path) if fitting else None


def pair_of(theirs: ArrPath, ours: LocalPath) -> ArrPair:
    """The two highest folders that must be the same, when `theirs` and `ours` are: what both end in is cut off."""
    their_parts, our_parts = list(theirs.parts), list(ours.parts)
    while their_parts and our_parts and their_parts[-1] == our_parts[-1]:
        del their_parts[-1], our_parts[-1]
    return ArrPair(ArrPath("/" + "/".join(their_parts)), LocalPath("/" + "/".join(our_parts)))


def by_mappings(
    data: DeliveredData, mappings: Sequence[RemoteMapping], clients: Sequence[ArrClient], category: str
) -> Iterator[PathGuess]:
    """By the Arr's own mappings for its clients that have the category (or any, where none has it), the longest first.

    They are from the client's view, so they say nothing where no client looks at the data.
    """
    if data.client_path is None:
        return
    fitting = [client for client in clients if client.category.casefold() == category.casefold()] or list(clients)
    hosts = {client.host.casefold() for client in fitting}
    for mapping in sorted(mappings, key=lambda mapping: -len(mapping.remote)):
        if mapping.host.casefold() not in hosts or not mapping.remote.startswith("/"):
            continue
        remote = ClientPath(mapping.remote)
        if data.client_path.is_within(remote):
            yield PathGuess(below(mapping.local, data.client_path.relative_to(remote)), FoundBy.MAPPING)


def by_other_torrents(data: DeliveredData, seen: Iterable[tuple[ArrPath, ClientPath]]) -> Iterator[PathGuess]:
    """By what the Arr believes of other torrents' paths (`seen`: as it, and as the client sees them)."""
    if data.client_path is None:
        return
    told = dict.fromkeys(_folders(theirs, ours) for theirs, ours in seen)
    for theirs, ours in told:
        if data.client_path.is_within(ours):
            yield PathGuess(below(theirs, data.client_path.relative_to(ours)), FoundBy.OTHER_TORRENT)


def _folders(theirs: ArrPath, ours: ClientPath) -> tuple[ArrPath, ClientPath]:
    pair = pair_of(theirs, LocalPath(ours.text))
    return pair.theirs, ClientPath(pair.ours.text)


def same_path(data: DeliveredData) -> Iterator[PathGuess]:
    """As the client sees it, and as we do: an Arr on the same machine, or with the same mounts."""
    if data.client_path is not None:
        yield PathGuess(ArrPath(data.client_path.text), FoundBy.SAME)
    yield PathGuess(ArrPath(data.path.text), FoundBy.SAME)


def below_disks(data: DeliveredData, roots: Iterable[ArrPath]) -> Iterator[PathGuess]:
    """Ends of our path below each disk and root folder of the Arr, the longest first; MOST_QUESTIONS at most."""
    parts = data.path.parts
    known = list(dict.fromkeys(roots))
    ends = [RelativePath(parts[start:]) for start in range(1, len(parts))]
    guesses = dict.fromkeys(root / end for end in ends for root in known)
    yield from (PathGuess(path, FoundBy.DISK) for path in list(guesses)[:MOST_QUESTIONS])
