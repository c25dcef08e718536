"""The work of one copy: runs of missing pieces, handed to whichever lane asks next, and what became of each piece."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from torrent_mover.domain.errors import SourceCorrupt
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield

UNIT: Final = 8 << 20
"""Most bytes handed to a lane at a time (at least one piece): large enough to be rare."""

_SHARES: Final = 16
"""Never more than this part of what is left, so that slow and fast lanes end together."""


class PieceWork:
    """Missing pieces in stream order. Safe from any thread."""

    def __init__(self, manifest: Manifest, missing: Bitfield) -> None:
        self._manifest = manifest
        self._lock = threading.Lock()
        self._runs = deque(missing.runs(value=True))
        self._most = max(1, UNIT // manifest.piece_length)
        self._waiting = missing.count()
        self._suspects: set[int] = set()
        self._unfinished = missing.count()

    def next_unit(self) -> range | None:
        """The next pieces to bring, or None when nothing is left to hand out."""
        with self._lock:
            if not self._runs:
                return None
            run = self._runs.popleft()
            count = min(len(run), max(1, min(self._most, self._waiting // _SHARES)))
            if count < len(run):
                self._runs.appendleft(run[count:])
            self._waiting -= count
            return run[:count]

    def give_back(self, pieces: range) -> None:
        """A lane ended before it finished these: somebody else brings them."""
        if pieces:
            with self._lock:
                self._put_first(pieces)

    def good(self) -> None:
        """One more piece is there and matches its hash."""
        with self._lock:
            self._unfinished -= 1

    def bad(self, piece: int) -> None:
        """A piece did not match: it is fetched again once; raises SourceCorrupt the second time."""
        with self._lock:
            if piece not in self._suspects:
                self._suspects.add(piece)
                self._put_first(range(piece, piece + 1))
                return
        files = self._manifest.files_of(piece)
        names = ", ".join(str(self._manifest.files[index].path) for index in files[:3])
        raise SourceCorrupt(
            f"Piece {piece} does not match the torrent's hash at the source, read twice. It lies in: {names}.",
            kept="The pieces that are good are kept here; the source is untouched.",
            remedy="Force a recheck of this torrent in the source client, which shows what is damaged; once that is fixed:"
            f" torrent-mover --clear-corruption {self._manifest.hashes.client_id.short}",
        )

    @property
    def waiting(self) -> bool:
        """Whether there is anything to hand out now."""
        with self._lock:
            return bool(self._runs)

    @property
    def done(self) -> bool:
        """Whether every missing piece has come."""
        with self._lock:
            return self._unfinished == 0

    def _put_first(self, pieces: range) -> None:
        self._runs.appendleft(pieces)
        self._waiting += len(pieces)
