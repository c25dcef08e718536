"""To which torrent a link leads: exactly one by rule, or none. What only looks alike never counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.layouts import MountLayout, NamedEntry, exact_owner, folders_of, nfc, take_apart


class MappingKind(Enum):
    """How a link was mapped. Only MAPPED is acted on."""

    MAPPED = "mapped"
    AMBIGUOUS = "ambiguous"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Whose file a link leads to: `torrent` where exactly one is named, and `candidates` where several are."""

    kind: MappingKind
    torrent: InfoHash | None = None
    candidates: tuple[InfoHash, ...] = ()


class Catalogue:
    """The account's entries, found by the folder that a layout gives them. `entries` may hold a hash several times."""

    def __init__(self, entries: Collection[NamedEntry]) -> None:
        self._entries = tuple(entries)
        self._by_folder: dict[MountLayout, Mapping[str, tuple[NamedEntry, ...]]] = {}

    def candidates(self, folder: str, layout: MountLayout) -> tuple[NamedEntry, ...]:
        """The entries to which the layout may have given this folder."""
        if layout not in self._by_folder:
            found: dict[str, list[NamedEntry]] = {}
            for entry in self._entries:
                for name in folders_of(entry, layout):
                    found.setdefault(name, []).append(entry)
            self._by_folder[layout] = {name: tuple(each) for name, each in found.items()}
        return self._by_folder[layout].get(nfc(folder), ())


def owner_of(
    parts: tuple[str, ...], layout: MountLayout, catalogue: Catalogue, by_arr: Collection[InfoHash] = ()
) -> LinkOwner:
    """Whose the path below a mount is. `by_arr`: the torrents from which the Arrs imported the file at this link.

    The layout's rule and the Arrs each may answer; all that answer must name the same single torrent.
    """
    taken = take_apart(parts, layout)
    by_rule: frozenset[InfoHash] = frozenset()
    if taken is not None:
        by_rule = exact_owner(catalogue.candidates(taken.folder, layout), taken, layout)
    answers = by_rule | frozenset(by_arr)
    if not answers:
        return LinkOwner(MappingKind.ORPHAN)
    if len(answers) == 1:
        return LinkOwner(MappingKind.MAPPED, next(iter(answers)))
    return LinkOwner(MappingKind.AMBIGUOUS, None, tuple(sorted(answers)))
