"""Makes the target files of a copy, each before its first byte is written, whichever lane comes first."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.ports.filesystem import Writer
from torrent_mover.transfer.proof import PieceSpan


class Targets:
    """The files as the target lays them out. Safe from any thread."""

    def __init__(self, manifest: Manifest, paths: Sequence[RelativePath]) -> None:
        self._sizes = [file.size for file in manifest.files]
        self._paths = paths
        self._lock = threading.Lock()
        self._made: set[int] = set()

    def make(self, span: PieceSpan, writer: Writer) -> None:
        """Make the file of this span, if no lane has done so. A file that only one lane writes costs no wait."""
        path, size = self._paths[span.file], self._sizes[span.file]
        if span.alone:
            writer.create(path, size)
            return
        with self._lock:
            if span.file not in self._made:
                writer.create(path, size)
                writer.flush()
                self._made.add(span.file)
