"""The queue of torrents that wait to be copied: its order, how long they have waited, and old queue files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.picture import TorrentKey
from torrent_mover.duties.tiering.queue_entry import QueueEntry

BACKOFF: Final = 2.0
"""Seconds after the first failed try; doubled with each further one."""
_LONGEST_BACKOFF: Final = 600.0
_OLD_NAME: Final = re.compile(r"([0-9A-Fa-f]{40})(?:_([0-9]{1,12})(?:\.[0-9]+)?)?\.queue")
_EARLIEST: Final = 1_000_000_000  # Unix seconds: no queue file is older than 2001


def due(entries: Iterable[QueueEntry], now: float, busy: Collection[TorrentKey] = ()) -> tuple[QueueEntry, ...]:
    """Entries that may be copied now, the one that was queued first comes first. `busy`: somebody works on those."""
    ready = [entry for entry in entries if entry.not_before <= now and entry.key not in busy]
    return tuple(sorted(ready, key=lambda entry: (entry.queued_at, entry.client, entry.torrent)))


def waits(entry: QueueEntry) -> bool:
    """Whether it was tried, and waits for room or for a disk: each round tries it, and nobody in between."""
    return bool(entry.reason) and not entry.not_before


def delay(tries: int) -> float:
    """Seconds to wait after so many failed tries: 2, 4, 8 ..."""
    return min(BACKOFF * 2.0 ** max(tries - 1, 0), _LONGEST_BACKOFF)


def minutes_waited(entry: QueueEntry, now: float) -> str:
    """How long it has waited, as the former programs said it: `2.5 minutes`."""
    return f"{max(now - entry.queued_at, 0.0) / 60:.1f} minutes"


@dataclass(frozen=True, slots=True)
class OldQueueFile:
    """A queue file of a former program: only its name counts. `queued_at` None: the name says no time."""

    name: str
    torrent: InfoHash
    queued_at: float | None


def old_queue_file(name: str) -> OldQueueFile | None:
    """Read `HASH.queue` or `HASH_1700000000.queue`; None for any other name."""
    found = _OLD_NAME.fullmatch(name)
    if found is None:
        return None
    stamp = int(found[2]) if found[2] else 0
    return OldQueueFile(name, InfoHash(found[1]), float(stamp) if stamp >= _EARLIEST else None)
