"""The role of an Arr as the keeper of a library: its files, what they hold, and letting one of them go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from torrent_mover.domain.arrs.media import MediaFacts, MediaFile
from torrent_mover.domain.paths import ArrPath
from torrent_mover.ports.media_manager import MediaManager


class MediaLibrary(MediaManager, Protocol):
    """An Arr of episodes or movies. Raises as MediaManager; one of another kind knows no files."""

    def files_at(self, paths: Collection[ArrPath]) -> Mapping[ArrPath, MediaFile]:
        """The files of its library at these paths; one that it does not know is left out. A link that is broken is a file to it."""

    def facts_of(self, media: Collection[int]) -> Sequence[MediaFacts] | None:
        """What it knows of each of these; None from one of another kind."""

    def quality_ranks(self, profile: int) -> Mapping[str, int]:
        """The qualities of one of its profiles by name -> place, the worst first; those that it holds for equal have the same."""

    def drop_file(self, number: int) -> bool:
        """Have it take one file out of its library, and from the disk if it is there; False where it has none of that number."""

    def watch(self, media: Sequence[int]) -> None:
        """Have it watch these again."""
