"""One listing for all torrents that somebody waits for at one client: a hundred that wait cost it no more than one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock

_SLOWEST: Final = 1.0
_FASTEST: Final = 0.25
"""Seconds between two listings. A client that answers slowly is left alone for as long as its answer took."""

_SHARE: Final = 0.02
"""The part of a client's time that listings may take before they come only once a second."""

_EACH: Final = 0.05
"""Seconds more for each torrent that waits: after a listing most of them are asked about one by one."""


class _Beat:
    """One listing: for which torrents, and what came of it."""

    def __init__(self) -> None:
        self.wanted: set[InfoHash] = set()
        self.over = threading.Event()
        self.rows: Mapping[InfoHash, Torrent] | None = None
        self.error: MoverError | None = None


class Listings:
    """What all who wait at one client share: the listing to come, when it is due, and how long the last one took."""

    def __init__(self, now: float) -> None:
        self.lock = threading.Lock()
        self.coming: _Beat | None = None
        self.due = now
        self.took = 0.0


class Pulse:
    """Asks one client for all who wait. Whoever comes first asks for everybody who comes until the listing is due."""

    def __init__(self, client: TorrentClient, clock: Clock, listings: Listings | None = None) -> None:
        self._client = client
        self._clock = clock
        self.listings = listings or Listings(clock.monotonic())

    def for_route(self, client: TorrentClient, clock: Clock) -> Pulse:
        """The same listings for another route to this client: its own clock ends its waits, and nobody else's."""
        return Pulse(client, clock, self.listings)

    @property
    def took(self) -> float:
        """Seconds of the last answer."""
        return self.listings.took

    def next(self, torrent: InfoHash) -> Torrent | None:
        """The torrent in the next listing, which begins after this call; None: the client does not list it.

        Waits up to a second for the listing. Raises what asking raises, and Cancelled once the run is stopped.
        """
        while True:
            beat, leads = self._join(torrent)
            if leads:
                self._ask(beat)
            beat.over.wait()
            if beat.error is not None:
                raise beat.error
            if beat.rows is not None:
                return beat.rows.get(torrent)
            # Whoever was to ask was stopped; that is their stop, not ours.

    def _join(self, torrent: InfoHash) -> tuple[_Beat, bool]:
        with self.listings.lock:
            leads = self.listings.coming is None
            beat = self.listings.coming = self.listings.coming or _Beat()
            beat.wanted.add(torrent)
            return beat, leads

    def _ask(self, beat: _Beat) -> None:
        """Wait until the listing is due, then ask. Everybody who has joined learns how it ended, whatever happens here."""
        try:
            self._clock.wait(max(self.listings.due - self._clock.monotonic(), 0.0))
            wanted, began = self._close(beat), self._clock.monotonic()
            try:
                beat.rows = self._client.lookup(wanted)
            finally:
                took = self.listings.took = self._clock.monotonic() - began
                pause = min(max(_FASTEST, took / _SHARE, len(wanted) * _EACH), _SLOWEST)
                self.listings.due = self._clock.monotonic() + max(pause - took, took)
        except Cancelled:
            raise
        except MoverError as error:
            beat.error = error
        finally:
            self._close(beat)
            beat.over.set()

    def _close(self, beat: _Beat) -> frozenset[InfoHash]:
        """Nobody joins it any more; returns for which torrents it is."""
        with self.listings.lock:
            if self.listings.coming is beat:
                self.listings.coming = None
            return frozenset(beat.wanted)
