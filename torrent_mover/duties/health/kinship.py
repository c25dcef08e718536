"""Which torrents of a client lie over the same data, by the paths that the client tells."""

from __future__ import annotations

from collections.abc import Collection

from torrent_mover.domain.torrent.torrent import InfoHash, Torrent


def sharing(torrents: Collection[Torrent]) -> frozenset[InfoHash]:
    """Those whose data, as a whole or in part, lies where that of another one lies."""
    places: dict[str, list[InfoHash]] = {}
    for each in torrents:
        if each.content_path is not None:
            places.setdefault(str(each.content_path), []).append(each.id)
    shared: set[InfoHash] = set()
    for path, here in places.items():
        above = [parent for parent in _parents(path) if parent in places]
        if len(here) > 1 or above:
            shared.update(here)
        for parent in above:
            shared.update(places[parent])
    return frozenset(shared)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(2, len(parts))]
