"""What one delivery brings: its files and pieces, and how they are read at the source and written at the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.ports.filesystem import FileSystem, ReadableFiles
from torrent_mover.transfer.partial import PartedTarget


@dataclass(frozen=True, slots=True)
class Cargo:
    """`layout` are the paths as the source client says them, `landing` those that stand for them at the target.

    They differ for files that are not selected: these never come to be, and what is moved of them lies in the part file. And
    for symbolic links (BEP 47): the client makes them, so that each leads where that client would have it lead.
    """

    manifest: Manifest
    layout: tuple[RelativePath, ...]
    landing: tuple[RelativePath, ...]
    source: ReadableFiles
    target: FileSystem
    _parted: PartedTarget | None = None

    def real(self, path: RelativePath) -> RelativePath:
        """What really lies at the target where `landing` says this path."""
        return self._parted.real(path) if self._parted else path

    def reals(self, paths: Sequence[RelativePath]) -> list[str]:
        """What really lies at the target where `landing` says these, as text."""
        return list(dict.fromkeys(str(self.real(path)) for path in paths))

    def files(self) -> Iterator[tuple[RelativePath, int]]:
        """Final path and size of every file that will be at the target."""
        for path, file in zip(self.landing, self.manifest.files, strict=True):
            if self.real(path) == path:
                yield path, file.size
        if self._parted and self._parted.part_size:
            yield self._parted.part_path, self._parted.part_size
