"""A torrent that waits to be copied, and what is said of it. Light: a hook waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash


class Asker(Enum):
    """Who put a torrent into the queue."""

    HOOK = "hook"
    SWEEP = "sweep"
    PERSON = "person"
    OLD_QUEUE = "old queue"


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A torrent that waits to be copied; one row a (tier, client, infohash). Unix seconds.

    `tries` failed already; it is not tried again before `not_before`, because of `reason`.
    """

    client: str
    torrent: InfoHash
    queued_at: float
    asker: Asker
    tries: int = 0
    not_before: float = 0.0
    reason: str = ""

    @property
    def key(self) -> tuple[str, InfoHash]:
        """Which torrent of which client."""
        return self.client, self.torrent


def queued_line(added: int, waiting: int, *, running: bool) -> str:
    """What `tier HASH` says."""
    line = f"{counted(added, 'torrent')} queued, {waiting} waiting"
    return line if running else f"{line}; no worker is running: start torrent-mover tier --watch"
