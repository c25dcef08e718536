"""Room on the targets: bytes that copies under way were promised, so that together they never fill a disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import size as size_text
from torrent_mover.duties.tiering.amounts import DiskAmount
from torrent_mover.duties.tiering.errors import NoRoomOnTarget
from torrent_mover.duties.tiering.needs import TierDisk
from torrent_mover.duties.tiering.picture import TorrentKey


@dataclass(slots=True)
class _Promise:
    root: LocalPath
    size: int
    written: int = 0


class PromisedRoom:
    """What was promised, and not written yet, on each target. Safe from any thread."""

    def __init__(self, keep_free: DiskAmount) -> None:
        self._keep_free = keep_free
        self._promises: dict[TorrentKey, _Promise] = {}
        self._lock = threading.Lock()

    def free_on(self, disk: TierDisk, besides: TorrentKey | None = None) -> int:
        """Bytes that may still be promised on a target; promises to `besides` do not count."""
        with self._lock:
            return self._free_on(disk, besides)

    def promise(self, key: TorrentKey, disk: TierDisk, size: int) -> bool:
        """Take room for `size` more bytes; False where they do not fit."""
        with self._lock:
            if size > max(self._free_on(disk, key), 0):
                return False
            self._promises[key] = _Promise(disk.root, size)
            return True

    def _free_on(self, disk: TierDisk, besides: TorrentKey | None) -> int:
        space = disk.files.space()
        promised = sum(
            each.size - each.written
            for key, each in self._promises.items()
            if each.root == disk.root and key != besides
        )
        return space.free - self._keep_free.of(space.total) - promised

    def written(self, key: TorrentKey, count: int) -> None:
        """So many bytes more of it are on the disk."""
        with self._lock:
            promise = self._promises.get(key)
            if promise is not None:
                promise.written = min(promise.written + count, promise.size)

    def release(self, key: TorrentKey) -> None:
        """It is done, or given up."""
        with self._lock:
            self._promises.pop(key, None)


def no_room(name: str, size: int, targets: tuple[TierDisk, ...]) -> NoRoomOnTarget:
    """What is said of a copy that does not fit."""
    places = ", ".join(str(disk.root) for disk in targets)
    return NoRoomOnTarget(
        f"{name} needs {size_text(size)}, and there is no room on {places}.",
        kept="Nothing was written for it; it stays on the SSD.",
        remedy="It waits for room. Free some there, or lower keep_free.",
    )
