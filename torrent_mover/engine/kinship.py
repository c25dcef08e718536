"""Which torrents of the source lie in the same files, found by path: they move one after the other, their bytes once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent import InfoHash, Torrent
from torrent_mover.engine.handover import place_of
from torrent_mover.ports.client import TorrentClient

Kin = dict[InfoHash, frozenset[InfoHash]]
_NONE: Final[frozenset[InfoHash]] = frozenset()


def kin_of(client: TorrentClient, torrents: Sequence[Torrent]) -> Kin:
    """For each torrent that shares a file with others of them, these others. Raises ServerError's children.

    The client is asked for the files of those torrents only whose content lies in one place, or the one's in the other's.
    """
    owners: dict[str, set[InfoHash]] = {}
    for torrent in _near_each_other(torrents):
        for file in client.files(torrent.id):
            if file.size:
                owners.setdefault(place_of(torrent.save_path, file.path), set()).add(torrent.id)
    kin: Kin = {}
    for sharing in owners.values():
        for one in sharing if len(sharing) > 1 else ():
            kin[one] = kin.get(one, _NONE) | (sharing - {one})
    return kin


def larger_last(torrents: Sequence[Torrent], kin: Kin) -> list[Torrent]:
    """The same order, but within each group the larger ones come later.

    Data goes with the last of a group: files that only the largest one has would stay if it went before the others.
    """
    order, seen = list(torrents), set[InfoHash]()
    for torrent in torrents:
        if torrent.id in seen or torrent.id not in kin:
            continue
        group = _group(torrent.id, kin)
        seen |= group
        places = [place for place, one in enumerate(order) if one.id in group]
        for place, one in zip(places, sorted((order[each] for each in places), key=_total_size), strict=True):
            order[place] = one
    return order


def _total_size(torrent: Torrent) -> int:
    return torrent.total_size


def _group(torrent: InfoHash, kin: Kin) -> set[InfoHash]:
    """All that hang together with it, from one to the next."""
    group, edge = {torrent}, [torrent]
    while edge:
        fresh = kin.get(edge.pop(), _NONE) - group
        group |= fresh
        edge += fresh
    return group


def _near_each_other(torrents: Iterable[Torrent]) -> list[Torrent]:
    """Those whose content may overlap with another one's, in the order given. Looks upwards from each: no pairs are tried."""
    at: dict[ClientPath, list[Torrent]] = {}
    listed = [torrent for torrent in torrents if torrent.content_path is not None]
    for torrent in listed:
        if torrent.content_path is not None:
            at.setdefault(torrent.content_path, []).append(torrent)
    near: set[InfoHash] = set()
    for path, here in at.items():
        above = [one for folder in _above(path) for one in at.get(folder, ())]
        if len(here) > 1 or above:
            near.update(one.id for one in (*here, *above))
    return [torrent for torrent in listed if torrent.id in near]


def _above(path: ClientPath) -> Iterable[ClientPath]:
    while path.parts:
        path = path.parent
        yield path
