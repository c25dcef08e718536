"""Writes down verified pieces while a transfer runs, each only after its data is on stable storage."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from torrent_mover.domain.errors import MoverError, ProvisioningError
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.shipment import DeliveryJournal
from torrent_mover.ports.clock import Clock

_EVERY: Final = 5.0
"""Seconds of transfer that a crash costs at most: after it they are hashed instead of believed, not sent again."""

_PATIENCE: Final = 5.0
"""Seconds that a transfer which failed waits for its last sync."""


class Checkpoint:
    """For the time of one transfer: a thread that syncs what has landed and then journals it.

    `verified` is the move's own bitfield: it gains the pieces as they land. Leaving the context writes the last state, also
    when the transfer failed. A disk that cannot sync ends the transfer, and the files concerned are begun from their start.
    """

    def __init__(
        self, journal: DeliveryJournal, landing: Landing, torrent: InfoHash, verified: Bitfield, clock: Clock
    ) -> None:
        self._journal = journal
        self._landing = landing
        self._torrent = torrent
        self._verified = verified
        self._clock = clock
        self._lock = threading.Lock()
        self._landed: list[int] = []
        self._durable = verified.copy()
        self._over = threading.Event()
        self._left = False
        self._failure: BaseException | None = None
        self._refused: ProvisioningError | None = None
        """Why the disk did not sync."""
        self._thread = threading.Thread(target=self._work, name="checkpoint", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        # A transfer that was broken off must not wait for a server that stands still: what it cannot sync now, it leaves.
        self._thread.join(None if error is None else _PATIENCE)
        self._left = self._thread.is_alive()
        if self._refused is not None:
            self._begin_anew()
        if self._failure is not None and error is None:
            raise self._failure

    def landed(self, piece: int) -> None:
        """A piece is at the target. Any thread. Raises what kept an earlier one from being synced."""
        if self._refused is not None:
            raise self._refused
        with self._lock:
            self._verified.set(piece)
            self._landed.append(piece)

    def _work(self) -> None:
        over = False
        while not over and self._refused is None:
            over = self._over.wait(_EVERY)
            try:
                self._write()
                self._failure = None
            except BaseException as failure:  # noqa: BLE001  raised by whoever leaves the context, if this was the last word
                # Nothing is journaled that is not durable; the transfer will hit the same wall and say so.
                self._failure = failure

    def _write(self) -> None:
        with self._lock:
            landed = list(self._landed)
        if not landed:
            return
        try:
            self._landing.sync(landed)
        except ProvisioningError as error:
            self._refused = error
            raise
        for piece in landed:
            self._durable.set(piece)
        if self._left:
            return  # a later attempt has the word now
        self._journal.save_pieces(self._torrent, self._durable.to_bytes())
        with self._lock:
            del self._landed[: len(landed)]

    def _begin_anew(self) -> None:
        """Let go of the files with pieces that were not synced. A piece of a file that is gone is believed by nobody."""
        with suppress(MoverError):
            self._durable = self._durable.difference(self._landing.begin_anew(self._landed))
            self._journal.save_pieces(self._torrent, self._durable.to_bytes())
