"""Which files of the SSD are being copied: torrents that share one take turns, so that the later one links what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from torrent_mover.domain.errors import TransferError
from torrent_mover.duties.tiering.needs import TierLeases
from torrent_mover.duties.tiering.picture import Identity
from torrent_mover.ports.clock import Clock

_POLL: Final = 0.5


class FilesUnderWay:
    """Files that copies are made of now, by whatever process of this user. Safe from any thread."""

    def __init__(self, clock: Clock, leases: TierLeases) -> None:
        self._clock = clock
        self._leases = leases

    @contextmanager
    def hold(self, files: Collection[Identity]) -> Iterator[None]:
        """Wait until no other copy has one of these files, then have all of them. A stop ends the wait.

        All are taken at once: two copies never wait for each other.
        """
        while True:
            held = self._leases.hold_files(files)
            try:
                held.__enter__()
            except TransferError:
                self._clock.wait(_POLL)
            else:
                break
        try:
            yield
        finally:
            held.__exit__(None, None, None)
