"""What all lanes of a transfer share about their progress: bytes of each file that are there, for the screen and the lane count."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.ports.strategy import Sink


class Progress:
    """Bytes there, by file. Safe from any thread."""

    def __init__(self, manifest: Manifest, missing: Bitfield, sink: Sink) -> None:
        self.moved = 0
        self._missing = 0
        self._sizes = [file.size for file in manifest.files]
        self._there = list(self._sizes)
        self._sink = sink
        self._lock = threading.Lock()
        for run in missing.runs(value=True):
            for span in manifest.spans(run[0], run[-1]):
                self._there[span.file] -= span.length
                self._missing += span.length

    @property
    def left(self) -> int:
        """Bytes that have not come yet."""
        return max(0, self._missing - self.moved)

    def count(self, brought: Mapping[int, int]) -> None:
        """So many bytes more of each file were written."""
        with self._lock:
            for file, count in brought.items():
                self.moved += count
                self._there[file] = min(self._there[file] + count, self._sizes[file])
            seen = [(file, self._there[file]) for file in brought]
        for file, there in seen:
            self._sink.working_on(file, there)
