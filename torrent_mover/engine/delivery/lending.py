"""Files of other torrents that replace missing ones: read where they lie, then linked, cloned or copied into staging."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.file_locations import Where
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.transfer.proof import read_back


@dataclass(frozen=True, slots=True)
class ReuseOffer:
    """Another torrent of the destination: its complete files of wanted sizes, below the destination path."""

    torrent: InfoHash
    name: str
    files: tuple[tuple[RelativePath, int], ...]

    def matches(self, wanted: Mapping[int, tuple[RelativePath, int]]) -> dict[int, RelativePath]:
        """For files (index -> path, size), a file of the same size each: of the same name where there is one."""
        left: dict[int, list[RelativePath]] = {}
        for path, size in self.files:
            left.setdefault(size, []).append(path)
        found: dict[int, RelativePath] = {}
        for same_name in (True, False):
            for index, (path, size) in wanted.items():
                fits = (at for at in left.get(size, ()) if not same_name or at.name == path.name)
                lender = None if index in found else next(fits, None)
                if lender is not None:
                    left[size].remove(lender)
                    found[index] = lender
        return found


class Lending:
    """Of one landing. A lender is a path at the target that stands for a file of the manifest, by index."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._fs = landing.fs
        self._locations = landing.locations

    @property
    def absent(self) -> tuple[int, ...]:
        """The files that are not there."""
        return tuple(index for index, where in enumerate(self._locations.where) if where is Where.ABSENT)

    def readable_with(self, lenders: Mapping[int, RelativePath]) -> Bitfield:
        """Pieces all of whose bytes would lie somewhere if these files, of the right size, lay at these paths."""
        stats = self._fs.stats(self._paths_with(lenders))
        return self._locations.available(stats, exact=True)

    def read_back_with(self, pieces: Bitfield, lenders: Mapping[int, RelativePath]) -> Bitfield:
        """Hash these pieces, these files read at these paths."""
        return read_back(self._landing.manifest, self._fs, self._paths_with(lenders), pieces, self._landing.progress)

    def link(self, index: int, lender: RelativePath) -> bool:
        """Set a second name of another torrent's file aside, to be the final one. False where that cannot be."""
        self._fs.make_folders(self._locations.set_aside)
        if not self._fs.link(lender, self._locations.set_aside_as(index)):
            return False
        self._locations.where[index] = Where.LINKED
        return True

    def clone(self, index: int, lender: RelativePath) -> bool:
        """Make a file of its own in staging that shares another one's blocks. False where that cannot be."""
        return self._staged_by(self._fs.clone, index, lender)

    def copy(self, index: int, lender: RelativePath) -> bool:
        """Make a copy in staging, without a byte over the network. False where that cannot be."""
        return self._staged_by(lambda old, new: self._fs.copy(old, new, self._landing.progress), index, lender)

    def placed(self, good: Bitfield) -> Bitfield:
        """Those of the pieces all of whose files are there."""
        return self._locations.still_placed(good)

    def _staged_by(self, make: Callable[[RelativePath, RelativePath], bool], index: int, lender: RelativePath) -> bool:
        staged = self._landing.staging / self._landing.layout[index]
        self._landing.likeness.give()
        self._fs.make_folders(staged.parent)
        if not make(lender, staged):
            return False
        self._locations.where[index] = Where.STAGED
        return True

    def _paths_with(self, lenders: Mapping[int, RelativePath]) -> tuple[RelativePath, ...]:
        return tuple(lenders.get(index, path) for index, path in enumerate(self._landing.paths))
