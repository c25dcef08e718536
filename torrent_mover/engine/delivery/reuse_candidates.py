"""What the destination's other torrents have in files of the sizes that a move needs: hints, which hashes must prove."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.layout import files_now, place_of
from torrent_mover.engine.delivery.lending import ReuseOffer
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock

_ASKED: Final = 200
"""Torrents of the destination that one move asks for their files, at most; the answers are kept for the next ones."""

_OFFERS: Final = 8
"""Torrents whose files are tried, at most."""

_LISTED_FOR: Final = 30.0
"""Seconds for which a listing of the client serves the next moves too: with thousands of torrents it is megabytes."""

_WHOLE: Final = 1.0


class ReuseCandidates:
    """Asks the destination's client, and remembers what the files of its torrents are. Safe from any thread."""

    def __init__(self, client: TorrentClient, save_path: ClientPath, clock: Clock) -> None:
        self._client = client
        self._save_path = save_path
        self._clock = clock
        self._lock = threading.Lock()
        self._listed: Sequence[Torrent] = ()
        self._listed_at = -_LISTED_FOR
        self._files: dict[InfoHash, tuple[tuple[RelativePath, int], ...]] = {}

    def offers(
        self, sizes: Collection[int], besides: InfoHash, total: int, cross_seeds: Collection[InfoHash]
    ) -> tuple[ReuseOffer, ...]:
        """Complete torrents that have files of these sizes, the best first: cross_seeds, then those with the most bytes.

        `total` is the size of the torrent that asks: those of nearly the same size are asked first. Raises ServerError's
        children.
        """
        least = min(sizes)
        listed = self._listing(cross_seeds)
        near = [one for one in listed if one.id != besides and one.complete and one.total_size >= least]
        near.sort(key=lambda one: (one.id not in cross_seeds, abs(one.total_size - total)))
        found = list(self._fitting(near[:_ASKED], sizes))
        found.sort(key=lambda offer: (offer.torrent not in cross_seeds, -sum(size for _, size in offer.files)))
        return tuple(offer for offer in found[:_OFFERS] if self._still_complete(offer.torrent))

    def _listing(self, cross_seeds: Collection[InfoHash]) -> Sequence[Torrent]:
        """All torrents, as they were a moment ago; as they are where cross_seeds may have come since."""
        with self._lock:
            listed, age = self._listed, self._clock.monotonic() - self._listed_at
        if age < _LISTED_FOR and set(cross_seeds) <= {one.id for one in listed}:
            return listed
        at, listed = self._clock.monotonic(), self._client.torrents()
        with self._lock:
            self._listed, self._listed_at = listed, at
        return listed

    def _still_complete(self, torrent: InfoHash) -> bool:
        found = self._client.get(torrent)
        return found is not None and found.complete

    def _fitting(self, torrents: Iterable[Torrent], sizes: Collection[int]) -> Iterator[ReuseOffer]:
        for one in torrents:
            files = tuple(each for each in self._of(one) if each[1] in sizes)
            if files:
                yield ReuseOffer(one.id, one.name, files)

    def _of(self, torrent: Torrent) -> tuple[tuple[RelativePath, int], ...]:
        with self._lock:
            known = self._files.get(torrent.id)
        if known is None:
            known = tuple(self._below(torrent, files_now(self._client, torrent.id)))
            with self._lock:
                self._files[torrent.id] = known
        return known

    def _below(self, torrent: Torrent, files: Iterable[ClientFile]) -> Iterator[tuple[RelativePath, int]]:
        for file in files:
            if not file.size or not file.wanted or file.progress < _WHOLE:
                continue
            try:
                path = ClientPath(place_of(torrent.save_path, file.path)).relative_to(self._save_path)
            except (ValueError, MoverError):
                continue  # elsewhere, or a name that no file of ours could have
            if path.parts and path.parts[0] != STAGING:
                yield path, file.size
