"""Where each file of a move lies right now, staged or under its final name, and which pieces could lie there whole."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from torrent_mover.domain.errors import Collision, MoverError
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem, ReadableFiles

UNPROVEN: Final = "none of it could be proven to be this torrent's content"
"""What is known of a file that is in the way, where no piece lies in it alone."""

Stats = Sequence[FileStat | None]
"""One of each file of the manifest, in its order."""


class Where(Enum):
    """Where a file of the move lies."""

    ABSENT = "absent"
    STAGED = "staged"
    FINAL = "final"
    LINKED = "linked"  # a second name of another torrent's file, kept beside staging until it gets its final one


def taken(staging: RelativePath) -> RelativePath:
    """Where a file that has other names too waits under its path until its copy in staging is whole; see `put_back`."""
    return staging.parent / RelativePath((f"{staging.name}.taken",))


def put_back(files: FileSystem, staging: RelativePath, path: RelativePath) -> bool:
    """Undo the taking apart of a file that was broken off: it goes back to its name, the copy goes. False: there is none.

    Raises Collision where something else has the name by now.
    """
    waits = taken(staging) / path
    found = files.stat(waits)
    if found is None or found.kind is not FileKind.FILE:
        return False
    files.unlink(staging / path)
    files.make_folders(path.parent)
    files.rename(waits, path)
    return True


def prune(files: FileSystem, folder: RelativePath) -> None:
    """Remove a folder, if it is one, and those below it, as far as they are empty."""
    found = files.stat(folder)
    if found is not None and found.kind is FileKind.FOLDER:
        for name in files.listdir(folder):
            prune(files, folder / RelativePath((name,)))
        files.remove_folder(folder)


class FileLocations:
    """`where` says of each file of the manifest where it lies; Landing moves files and keeps it true. `layout` are final paths."""

    def __init__(
        self,
        fs: FileSystem,
        manifest: Manifest,
        layout: tuple[RelativePath, ...],
        staging: RelativePath,
        owner: Callable[[RelativePath], Torrent | None],
    ) -> None:
        self.where: list[Where] = [Where.ABSENT] * len(layout)
        self._fs = fs
        self._manifest = manifest
        self._layout = layout
        self._staging = staging
        self._owner = owner
        self.set_aside = staging.parent / RelativePath((f"{staging.name}.links",))
        """The folder of names that share their bytes with other files: out of the way of everybody who writes."""

    @property
    def paths(self) -> tuple[RelativePath, ...]:
        """Where each file lies now, or will lie when it is brought: its final path if it is there, else in staging."""
        return tuple(map(self.path_of, range(len(self._layout))))

    def path_of(self, index: int) -> RelativePath:
        """One of `paths`."""
        if self.where[index] is Where.LINKED:
            return self.set_aside_as(index)
        path = self._layout[index]
        return path if self.where[index] is Where.FINAL else self._staging / path

    def set_aside_as(self, index: int) -> RelativePath:
        """The name under which a linked file waits beside staging."""
        return self.set_aside / RelativePath((str(index),))

    @property
    def staged(self) -> tuple[int, ...]:
        """The files that lie in staging."""
        return tuple(index for index, where in enumerate(self.where) if where is Where.STAGED)

    @property
    def to_settle(self) -> tuple[int, ...]:
        """The files that wait for their final names."""
        return tuple(index for index, where in enumerate(self.where) if where in (Where.STAGED, Where.LINKED))

    def look(self) -> list[FileStat | None]:
        """Find every file, staged rather than final. Raises Collision where something else has one of the names."""
        look = PathStats(self._fs, self.collision)
        staged = [
            self._own(path, found)
            for path, found in zip(self._in_staging(), look.stats(self._in_staging()), strict=True)
        ]
        absent = [index for index, found in enumerate(staged) if found is None]
        finals = dict(zip(absent, look.stats([self._layout[index] for index in absent]), strict=True))
        for index, final in finals.items():
            if final is not None and final.kind is not FileKind.FILE:
                raise self.collision(self._layout[index], f"a {final.kind.value} has that name")
        for index, found in enumerate(staged):
            self.where[index] = Where.STAGED if found else Where.FINAL if finals[index] else Where.ABSENT
        return [found or finals.get(index) for index, found in enumerate(staged)]

    def _in_staging(self) -> list[RelativePath]:
        return [self._staging / path for path in self._layout]

    def _own(self, path: RelativePath, found: FileStat | None) -> FileStat | None:
        """A staged file that may be written to. One with a second name is let go: writing would change the other one too."""
        if found is not None and found.kind is not FileKind.FILE:
            raise self.collision(path, f"a {found.kind.value} has that name")
        if found is not None and (found.links or 1) > 1:
            self._fs.unlink(path)
            return None
        return found

    def believed(self, trusted: Bitfield, stats: Stats) -> Bitfield:
        """Trusted pieces in files of the right size.

        Files get their final names whole: one that was not wholly trusted is not the one that we brought.
        """
        believed = trusted.intersection(self.available(stats, exact=True))
        for index, where in enumerate(self.where):
            pieces = self._manifest.pieces_of(index)
            if where is Where.FINAL and not all(trusted.test(piece) for piece in pieces):
                for piece in pieces:
                    believed.clear(piece)
        return believed

    def available(self, stats: Stats, *, exact: bool) -> Bitfield:
        """Pieces all of whose bytes lie somewhere; `exact`: in files of exactly the right size."""
        pieces = self._manifest.wanted.copy()
        for index, (file, stat) in enumerate(zip(self._manifest.files, stats, strict=True)):
            there = stat.size if stat else 0
            if there == file.size or (there > file.size and not exact):
                continue
            for piece in self._manifest.pieces_of(index):
                if exact or stat is None or self._end_in(piece, index) > there:
                    pieces.clear(piece)
        return pieces

    def undecided(self, index: int, stat: FileStat) -> bool:
        """Whether a file that is too short may be the beginning of ours: it holds no piece of its own to be judged by."""
        own = (piece for piece in self._manifest.pieces_of(index) if tuple(self._manifest.files_of(piece)) == (index,))
        return stat.size < self._manifest.files[index].size and all(
            self._end_in(each, index) > stat.size for each in own
        )

    def _end_in(self, piece: int, file: int) -> int:
        return max(span.offset + span.length for span in self._manifest.spans(piece, piece) if span.file == file)

    def touching_finals(self, pieces: Bitfield) -> Bitfield:
        """Those of the pieces that have bytes in a file under its final name."""
        kept = Bitfield(self._manifest.piece_count)
        for index, where in enumerate(self.where):
            if where is Where.FINAL:
                for piece in self._manifest.pieces_of(index):
                    if pieces.test(piece):
                        kept.set(piece)
        return kept

    def still_placed(self, good: Bitfield) -> Bitfield:
        """Pieces stay good only where every file of theirs stays where it was hashed."""
        placed = good.copy()
        for index, where in enumerate(self.where):
            if where is Where.ABSENT and self._manifest.files[index].size:
                for piece in self._manifest.pieces_of(index):
                    placed.clear(piece)
        return placed

    def collision(self, path: RelativePath, why: str, known: str = "it is not this torrent's content") -> Collision:
        """The error for something that is in the way; `known` is what we know of it."""
        return in_the_way(self._fs, path, f"{clause(why)}, and {known}", self._owner)


def in_the_way(
    files: ReadableFiles, path: RelativePath, why: str, owner: Callable[[RelativePath], Torrent | None]
) -> Collision:
    """The error for something that is in the way; the torrent that owns it is named, and not to be broken."""
    place = f"{files.name}/{path}"
    kept = "It was not touched, and the source is whole."
    look = f"ls -ld {shlex.quote(place)}"
    try:
        other = owner(path)
    except MoverError:
        return Collision(
            f"{place} is in the way: {clause(why)}.",
            kept=kept,
            remedy=f"See first whether a torrent of the destination client uses it ({look}); if none does, rename it.",
        )
    if other is None:
        return Collision(
            f"{place} is in the way: {clause(why)}. No torrent of the destination client uses it.",
            kept=kept,
            remedy=f"Look at it ({look}); move or rename it, then run again.",
        )
    return Collision(
        f"{place} is in the way: {clause(why)}. The torrent {other.name!r} ({other.id.short}) of the destination client uses it.",
        kept=kept,
        remedy=f"Leave it there, for that torrent needs it. Rename {str(path)!r} of this torrent in the source client (Content >"
        " Rename), then run again.",
    )


class PathStats:
    """Stats many paths, without asking again for what lies below a folder that is not there.

    `collision` makes the error for a folder's name that something else has.
    """

    def __init__(self, fs: FileSystem, collision: Callable[[RelativePath, str], Collision]) -> None:
        self._fs = fs
        self._collision = collision
        self._absent: set[RelativePath] = set()
        self._present: set[RelativePath] = {ROOT}

    def stats(self, paths: Sequence[RelativePath]) -> list[FileStat | None]:
        """What lies at each path; None for nothing."""
        there = [path for path in paths if self._folder(path.parent)]
        found = dict(zip(there, self._fs.stats(there), strict=True))
        return [found.get(path) for path in paths]

    def _folder(self, folder: RelativePath) -> bool:
        if folder in self._present:
            return True
        if folder in self._absent:
            return False
        found = self._fs.stat(folder) if self._folder(folder.parent) else None
        if found is not None and found.kind is not FileKind.FOLDER:
            raise self._collision(folder, f"a {found.kind.value} has the name of a folder")
        (self._present if found else self._absent).add(folder)
        return found is not None


def same_file(one: FileStat, other: FileStat | None) -> bool:
    """Whether nobody has written to it, or put another one in its place, between the two looks."""
    return other is not None and (one.identity, one.size, one.mtime) == (other.identity, other.size, other.mtime)
