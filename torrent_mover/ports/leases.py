"""The role of leases: whoever works on a torrent of a client holds its lease, so that nobody else does at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from torrent_mover.domain.torrent.torrent import InfoHash


class Leases(Protocol):
    """One lease a client and infohash, for all threads, processes and configs of a user. Safe from any thread.

    A client is named by its base URL, the same way by all who share it. A lease ends when its context does, or the process,
    however that ends.
    """

    def hold(self, ends: Iterable[tuple[str, InfoHash]], route: str = "") -> AbstractContextManager[None]:
        """Hold all of these or none, without waiting: a move has an end at each client. `route`: for whom, in messages.

        Entering raises TransferError, to be tried again, where somebody else holds one of them; NotWritable.
        """

    def held(self, client: str, torrent: InfoHash) -> bool:
        """Whether anybody holds it now, this process included. For those that only look; raises NotWritable."""
