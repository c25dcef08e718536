"""Writes down verified pieces while a transfer runs, each only after its data is on stable storage."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.pieces import Bitfield
from torrent_mover.domain.torrent import InfoHash
from torrent_mover.engine.landing import Landing
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.journal import Journal

_EVERY: Final = 5.0
"""Seconds of transfer that a crash costs at most: after it they are hashed instead of believed, not sent again."""


class Checkpoint:
    """For the time of one transfer: a thread that syncs what has landed and then journals it.

    `verified` is the move's own bitfield: it gains the pieces as they land. Leaving the context writes the last state, also
    when the transfer failed.
    """

    def __init__(self, journal: Journal, landing: Landing, torrent: InfoHash, verified: Bitfield, clock: Clock) -> None:
        self._journal = journal
        self._landing = landing
        self._torrent = torrent
        self._verified = verified
        self._clock = clock
        self._lock = threading.Lock()
        self._landed: list[int] = []
        self._durable = verified.copy()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoint", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        try:
            self._write()
        except MoverError:
            # The data could not be synced, perhaps because the connection that just failed is gone. Nothing is journaled
            # that is not durable; an error of the transfer itself says more than this one.
            if error is None:
                raise

    def landed(self, piece: int) -> None:
        """A piece is at the target. Any thread."""
        with self._lock:
            self._verified.set(piece)
            self._landed.append(piece)

    def _work(self) -> None:
        while not self._over.wait(_EVERY):
            try:
                self._write()
            except MoverError:
                return  # the transfer will hit the same wall and say so; leaving the context tries once more

    def _write(self) -> None:
        with self._lock:
            landed = list(self._landed)
        if not landed:
            return
        self._landing.sync(landed)
        for piece in landed:
            self._durable.set(piece)
        self._journal.save_pieces(self._torrent, self._durable.to_bytes())
        with self._lock:
            del self._landed[: len(landed)]
