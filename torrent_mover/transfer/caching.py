"""Brings bytes through a folder of this machine: one strategy fills it, another empties it to the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.ports.filesystem import FileKind, FileSystem
from torrent_mover.ports.strategy import Sink, Strategy, TransferJob
from torrent_mover.transfer.proof import read_back

PULL: Final = 0
PUSH: Final = 1
_FOLDER: Final = ".torrent-mover"


class Caching:
    """The strategy. What is in the cache after a failed push stays there, and is used by the next attempt."""

    def __init__(self, fill: Strategy, empty: Strategy, cache: FileSystem) -> None:
        self._fill = fill
        self._empty = empty
        self._cache = cache

    def transfer(self, job: TransferJob, sink: Sink) -> None:
        """See ports.strategy.Strategy. Only the second leg reports pieces as landed."""
        folder = RelativePath((_FOLDER, str(job.manifest.hashes.client_id)))
        paths = tuple(folder / path for path in job.source_paths)
        cached = self._good(job, paths, sink)
        sink.reuse(sum(_real(job, piece) for piece in cached.ones()), PULL)
        self._fill.transfer(
            replace(job, target=self._cache, target_paths=paths, missing=job.missing.difference(cached)),
            _Leg(sink, PULL, landed=None),
        )
        self._empty.transfer(replace(job, source=self._cache, source_paths=paths), _Leg(sink, PUSH, landed=sink.landed))
        self._remove(folder, paths)

    def _good(self, job: TransferJob, paths: tuple[RelativePath, ...], sink: Sink) -> Bitfield:
        """Which of the missing pieces a former attempt left in the cache, good by their hashes."""
        sizes = []
        for path in paths:
            stat = self._cache.stat(path)
            sizes.append(stat.size if stat and stat.kind is FileKind.FILE else -1)
        there = Bitfield(job.manifest.piece_count)
        for piece in job.missing.ones():
            if all(sizes[span.file] >= span.offset + span.length for span in job.manifest.spans(piece, piece)):
                there.set(piece)
        return read_back(job.manifest, self._cache, paths, there, lambda _count: sink.beat("checking the cache"))

    def _remove(self, folder: RelativePath, paths: tuple[RelativePath, ...]) -> None:
        folders = {folder}
        for path in paths:
            self._cache.unlink(path)
            above = path
            while (above := above.parent) != folder:
                folders.add(above)
        for each in sorted(folders, key=lambda path: -len(path.parts)):
            self._cache.remove_folder(each)


class _Leg:
    """The sink as one leg sees it."""

    def __init__(self, sink: Sink, leg: int, landed: Callable[[int], None] | None) -> None:
        self._sink = sink
        self._leg = leg
        self._landed = landed

    def advance(self, count: int, leg: int = 0) -> None:
        """See ports.strategy.Sink."""
        del leg
        self._sink.advance(count, self._leg)

    def reuse(self, count: int, leg: int = 0) -> None:
        """See ports.strategy.Sink."""
        del leg
        self._sink.reuse(count, self._leg)

    def beat(self, doing: str) -> None:
        """See ports.strategy.Sink."""
        self._sink.beat(doing)

    def landed(self, piece: int) -> None:
        """See ports.strategy.Sink."""
        if self._landed is not None:
            self._landed(piece)

    def on_abort(self, act: Callable[[], None]) -> Callable[[], None]:
        """See ports.strategy.Sink."""
        return self._sink.on_abort(act)

    def working_on(self, file: int, done: int) -> None:
        """See ports.strategy.Sink."""
        self._sink.working_on(file, done)


def _real(job: TransferJob, piece: int) -> int:
    return sum(span.length for span in job.manifest.spans(piece, piece))
