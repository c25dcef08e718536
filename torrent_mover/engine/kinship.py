"""Which torrents of the source lie in the same files, found by path: they move one after the other, their bytes once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    for torrent, places in _near_each_other(client, torrents):
        for place in places:
            owners.setdefault(place, set()).add(torrent)
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


def _near_each_other(client: TorrentClient, torrents: Iterable[Torrent]) -> Iterator[tuple[InfoHash, frozenset[str]]]:
    """Those whose content may overlap with another one's, and where their files lie.

    Looks upwards from each, so that no pairs are tried. A torrent without a folder of its own lies "above" all others of
    its save path: of these, only those count that lie where a file of it lies.
    """
    at: dict[ClientPath, list[Torrent]] = {}
    for torrent in torrents:
        if torrent.content_path is not None:
            at.setdefault(torrent.content_path, []).append(torrent)
    above = {path: [folder for folder in _above(path) if folder in at] for path in at}
    tops = {folder for folders in above.values() for folder in folders}
    asked = {one.id: _places(client, one) for top in tops for one in at[top]}
    trodden = {part for places in asked.values() for place in places for part in _with_parents(place)}
    for path, here in at.items():
        if len(here) > 1 or (above[path] and str(path) in trodden):
            asked |= {one.id: _places(client, one) for one in here if one.id not in asked}
    yield from asked.items()


def _places(client: TorrentClient, torrent: Torrent) -> frozenset[str]:
    return frozenset(place_of(torrent.save_path, file.path) for file in client.files(torrent.id) if file.size)


def _above(path: ClientPath) -> Iterator[ClientPath]:
    while path.parts:
        path = path.parent
        yield path


def _with_parents(place: str) -> Iterator[str]:
    while place:
        yield place
        place = place.rpartition("/")[0]
