"""One listing a second of all torrents that somebody waits for at one client: a hundred that wait cost it no more than one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock

_BEAT: Final = 1.0
"""Seconds between two listings. A client that answers slowly is left alone for as long as its answer took."""


class _Beat:
    """One listing: for which torrents, and what came of it."""

    def __init__(self) -> None:
        self.wanted: set[InfoHash] = set()
        self.over = threading.Event()
        self.rows: Mapping[InfoHash, Torrent] | None = None
        self.error: MoverError | None = None


class Pulse:
    """Asks one client for all who wait. Whoever comes first asks for everybody who comes until the listing is due.

    `took`: seconds of the last answer.
    """

    def __init__(self, client: TorrentClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._coming: _Beat | None = None
        self._due = clock.monotonic()
        self.took = 0.0

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
        with self._lock:
            leads = self._coming is None
            beat = self._coming = self._coming or _Beat()
            beat.wanted.add(torrent)
            return beat, leads

    def _ask(self, beat: _Beat) -> None:
        """Wait until the listing is due, then ask. Everybody who has joined learns how it ended, whatever happens here."""
        try:
            self._clock.wait(max(self._due - self._clock.monotonic(), 0.0))
            wanted, began = self._close(beat), self._clock.monotonic()
            try:
                beat.rows = self._client.lookup(wanted)
            finally:
                self.took = self._clock.monotonic() - began
                self._due = self._clock.monotonic() + max(_BEAT - self.took, self.took)
        except Cancelled:
            raise
        except MoverError as error:
            beat.error = error
        finally:
            self._close(beat)
            beat.over.set()

    def _close(self, beat: _Beat) -> frozenset[InfoHash]:
        """Nobody joins it any more; returns for which torrents it is."""
        with self._lock:
            if self._coming is beat:
                self._coming = None
            return frozenset(beat.wanted)
