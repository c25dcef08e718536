"""Our own folder on a target: files of a copy that is being made. On a target, a tier removes files here and in following.py."""

from __future__ import annotations

from collections.abc import Sequence

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.grouping import OWN_FOLDER
from torrent_mover.duties.tiering.layout import staging_for
from torrent_mover.duties.tiering.needs import TierDisk
from torrent_mover.ports.filesystem import FileKind


class StagedCopy:
    """The staged files of one torrent on one target. `paths` are relative to its save path, in the manifest's order."""

    def __init__(self, disk: TierDisk, torrent: InfoHash, paths: Sequence[RelativePath]) -> None:
        self._disk = disk
        self.folder = staging_for(torrent)
        self.paths = tuple(self.folder / path for path in paths)

    def remove(self, indices: Sequence[int]) -> None:
        """Remove these files, so that they are copied afresh. Other names of the same data stay."""
        for index in indices:
            self._disk.files.unlink(_ours(self.paths[index]))

    def clear(self) -> None:
        """Remove all of it: the files that a copy has, and folders that are empty then."""
        self.remove(range(len(self.paths)))
        self.fold()

    def fold(self) -> None:
        """Remove the folders of it that are empty."""
        folders = {self.folder}
        for path in self.paths:
            above = path.parent
            while above.parts[: len(self.folder.parts)] == self.folder.parts and above not in folders:
                folders.add(above)
                above = above.parent
        for folder in sorted(folders, key=lambda each: -len(each.parts)):
            self._disk.files.remove_folder(_ours(folder))

    def sizes(self) -> tuple[int, ...]:
        """Bytes of each file that lies there; 0 where there is none."""
        found = self._disk.files.stats(self.paths)
        return tuple(each.size if each and each.kind is FileKind.FILE else 0 for each in found)


def _ours(path: RelativePath) -> RelativePath:
    """The same path, if it lies in our own folder. Raises ValueError: nothing else is ever removed here."""
    if path.parts[0] != OWN_FOLDER:
        raise ValueError(f"{path} is not in {OWN_FOLDER}")
    return path
