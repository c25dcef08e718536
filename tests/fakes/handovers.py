"""A `ports.handovers.HandoverJournal` in memory, which outlives the desks that write to it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash


class MemoryHandovers:
    """Passes the same suite as the real journal: tests/contracts/test_handover_journals.py."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[tuple[InfoHash, str], ArrHandover] = {}
        self._pairs: dict[tuple[str, LocalPath], ArrPair] = {}

    def handovers(self, arr: str = "") -> Sequence[ArrHandover]:
        """See the port."""
        with self._lock:
            found = [record for record in self._records.values() if not arr or record.arr == arr]
        return sorted(found, key=lambda record: (record.told_at, record.torrent, record.arr))

    def handover(self, torrent: InfoHash, arr: str) -> ArrHandover | None:
        """See the port."""
        with self._lock:
            return self._records.get((torrent, arr))

    def save_handover(self, record: ArrHandover) -> None:
        """See the port."""
        with self._lock:
            self._records[record.torrent, record.arr] = record

    def forget_handover(self, torrent: InfoHash, arr: str) -> None:
        """See the port."""
        with self._lock:
            self._records.pop((torrent, arr), None)

    def arr_pairs(self, arr: str) -> Sequence[ArrPair]:
        """See the port."""
        with self._lock:
            found = [pair for (name, _), pair in self._pairs.items() if name == arr]
        return sorted(found, key=lambda pair: pair.ours)

    def save_arr_pair(self, arr: str, pair: ArrPair) -> None:
        """See the port."""
        with self._lock:
            self._pairs[arr, pair.ours] = pair
