"""The files of one delivery at the target: where each lies now, reading them back, and what may be done to those in staging."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from torrent_mover.domain.errors import ProvisioningError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.quantities import UnlockMode
from torrent_mover.domain.torrent.certificate import FileFound
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.engine.delivery.file_locations import FileLocations, Where
from torrent_mover.engine.delivery.likeness import Likeness, set_modes
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem
from torrent_mover.transfer.doubling import double
from torrent_mover.transfer.proof import read_back

STAGING: Final = ".torrent-mover"
"""The folder below the destination path in which everything lies until it is whole."""


class Landing:
    """One delivery's files below one root.

    `layout` holds the path of each real file of the manifest, as the source lays it out. `owner` says which other torrent
    uses a path at the target, and `progress` hears of every byte that is read back. `adopting` hears of files that lay there
    before us, right before they are taken into staging. Adoption, Lending and Settling work on it and keep `locations` true.
    """

    def __init__(
        self,
        fs: FileSystem,
        manifest: Manifest,
        torrent: InfoHash,
        layout: Sequence[RelativePath],
        *,
        owner: Callable[[RelativePath], Torrent | None],
        progress: Callable[[int], None],
        adopting: Callable[[Sequence[RelativePath]], None],
    ) -> None:
        self.fs = fs
        self.manifest = manifest
        self.layout = tuple(layout)
        self.owner = owner
        self.progress = progress
        self.adopting = adopting
        self.staging: Final = RelativePath((STAGING, torrent.hex))
        self.locations = FileLocations(fs, manifest, self.layout, self.staging, owner)
        self.settled: dict[int, FileStat | None] = {}
        """What we have put under final names ourselves, as it was right then."""
        self.likeness = Likeness(fs, self.layout, self.staging)

    @property
    def paths(self) -> tuple[RelativePath, ...]:
        """Where each file lies now, or will lie when it is brought: its final path if it is there, else in staging."""
        return self.locations.paths

    @property
    def staged(self) -> tuple[int, ...]:
        """The files that lie in staging."""
        return self.locations.staged

    def readable(self) -> Bitfield:
        """Pieces all of whose bytes lie somewhere now, good or not."""
        stats = self.fs.stats(self.paths)
        return self.locations.available(stats, exact=False)

    def read_back(self, pieces: Bitfield) -> Bitfield:
        """Hash these pieces from where they lie now."""
        return read_back(self.manifest, self.fs, self.paths, pieces, self.progress)

    def stamps(self) -> tuple[tuple[int, float] | None, ...]:
        """Size and time of the last change of each file, where it lies now. Moving a file changes neither."""
        stats = self.fs.stats(self.paths)
        return tuple((stat.size, stat.mtime) if stat else None for stat in stats)

    def sync(self, pieces: Iterable[int]) -> None:
        """Bring the files that hold these pieces to stable storage."""
        paths = self.paths
        files = {index for piece in pieces for index in self.manifest.files_of(piece)}
        self.fs.sync([paths[index] for index in sorted(files)])

    def give_to(self, user: str, group: str) -> None:
        """Set owner and group of all that is in staging."""
        files, folders = self._in_staging()
        for path in (*files, *folders):
            self.fs.chown(path, user, group)

    def set_modes(self, of_files: UnlockMode | None, of_folders: UnlockMode | None) -> None:
        """Set the permissions of all that is in staging; None: as the place has made it."""
        files, folders = self._in_staging()
        set_modes(self.fs, files, of_files)
        set_modes(self.fs, folders, of_folders)

    def _in_staging(self) -> tuple[list[RelativePath], list[RelativePath]]:
        """The files there, and the folders of the torrent."""
        files = [self.staging / self.layout[index] for index in self.locations.staged]
        depth = len(self.staging.parts)
        folders = {RelativePath(path.parts[:end]) for path in files for end in range(depth + 1, len(path.parts))}
        return files, sorted(folders)

    @property
    def unlike(self) -> Sequence[RelativePath]:
        """See likeness.Likeness."""
        return self.likeness.unlike

    def discard(self, files: Iterable[int]) -> None:
        """Remove these files of our own from staging, and nothing else: they will be brought again."""
        for index in files:
            if self.locations.where[index] is Where.STAGED:
                self.fs.unlink(self.staging / self.layout[index])
                self.locations.where[index] = Where.ABSENT

    def begin_anew(self, unsynced: Iterable[int]) -> Bitfield:
        """Remove from staging the files of pieces that could not be synced; returns all pieces that went with them.

        A failed sync is told once. What it lost reads well from memory until its room is needed, and later syncs succeed: so
        neither reading nor syncing those files again would prove anything.
        """
        gone = Bitfield(self.manifest.piece_count)
        files = {index for piece in unsynced for index in self.manifest.files_of(piece)}
        staged = [index for index in sorted(files) if self.locations.where[index] is not Where.FINAL]
        for index in staged:
            self.fs.unlink(self.locations.path_of(index))
            self.locations.where[index] = Where.ABSENT
            for piece in self.manifest.pieces_of(index):
                gone.set(piece)
        return gone

    def brought(self) -> None:
        """A transfer ended well: every file that was not under its final name now lies in staging."""
        where = self.locations.where
        where[:] = [Where.STAGED if each is Where.ABSENT else each for each in where]

    def found(self) -> tuple[FileFound, ...]:
        """Every file at its final place, as it is right now."""
        stats = self.fs.stats(self.layout)
        return tuple(
            FileFound(str(file.path), file.size, stat.size if stat and stat.kind is FileKind.FILE else None)
            for file, stat in zip(self.manifest.files, stats, strict=True)
        )

    def clear_staging(self) -> None:
        """Remove this move's staging folders that are empty. The one above is everybody's: it goes when the run ends."""
        folders = {self.staging, self.locations.set_aside}
        for path in self.layout:
            folder = self.staging / path
            while (folder := folder.parent) != self.staging:
                folders.add(folder)
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            self.fs.remove_folder(folder)

    def refuse_to_adopt(self, index: int) -> None:
        """Raises Collision where another torrent uses the file under this final name."""
        path = self.layout[index]
        if self.owner(path) is not None:
            raise self.locations.collision(path, "another torrent's file has that name, good in part")

    def duplicate(self, path: RelativePath, index: int) -> None:
        """Make the staged file from another one: as cheap as the file system can, else through us."""
        copy = self.staging / self.layout[index]
        self.likeness.give()
        self.fs.make_folders(copy.parent)
        double(self.fs, path, copy, self.progress)
        try:
            self.fs.sync([copy])
        except ProvisioningError:
            self.fs.unlink(copy)  # a failed sync is told once: see `begin_anew`
            raise
        self.locations.where[index] = Where.STAGED
