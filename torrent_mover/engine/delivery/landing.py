"""The files of one move at the destination: what lies where, what of it is proven, and the step under final names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from torrent_mover.domain.errors import Collision, OtherFileSystem, ProvisioningError
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.domain.quantities import UnlockMode
from torrent_mover.domain.torrent.certificate import FileFound
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.engine.delivery.file_locations import (
    FileLocations,
    PathStats,
    Where,
    prune,
    put_back,
    same_file,
    taken,
)
from torrent_mover.engine.delivery.likeness import Likeness, set_modes
from torrent_mover.engine.delivery.survey import Rest, Survey
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem
from torrent_mover.transfer.doubling import double
from torrent_mover.transfer.proof import digest, read_back

STAGING: Final = ".torrent-mover"
"""The folder below the destination path in which everything lies until it is whole."""

_BARREN: Final = 32 << 20
"""Bytes read over the wire without finding a single good piece, after which looking for more is not worth it."""

_STRETCH: Final = 4 << 20

_UNPROVEN: Final = "none of it could be proven to be this torrent's content"


class Landing:
    """One move's files below one destination root.

    `layout` holds the path of each real file of the manifest, as the source client lays it out. `owner` says which other
    torrent of the destination client uses a path, and `progress` hears of every byte that is read back. `adopting` hears of
    files that lay there before us, right before they are taken into staging.
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
        self._fs = fs
        self._manifest = manifest
        self._layout = tuple(layout)
        self._owner = owner
        self._progress = progress
        self._adopting = adopting
        self.staging: Final = RelativePath((STAGING, torrent.hex))
        self._standing = FileLocations(fs, manifest, self._layout, self.staging, owner)
        self._settled: dict[int, FileStat | None] = {}
        """What we have put under final names ourselves, as it was right then."""
        self._likeness = Likeness(fs, self._layout, self.staging)

    @property
    def paths(self) -> tuple[RelativePath, ...]:
        """Where each file lies now, or will lie when it is brought: its final path if it is there, else in staging."""
        return self._standing.paths

    @property
    def staged(self) -> tuple[int, ...]:
        """The files that lie in staging."""
        return self._standing.staged

    def survey(self, trusted: Bitfield, *, rest: Rest) -> Survey:
        """PathStats what is there and which pieces of it are good.

        `trusted` pieces (journaled after a sync) are believed where their files have the right size; of what else lies there,
        `rest` is hashed. A file under its final name stays there if it is wholly good; it is adopted into staging if part of
        it is; it is a Collision if it is somebody else's. Nothing is touched where there is any Collision.
        """
        self._forget_set_aside()
        self._put_back()
        stats = self._standing.look()
        believed = self._standing.believed(trusted, stats)
        unknown = self._standing.available(stats, exact=False).difference(believed)
        finals = self._standing.touching_finals(unknown)
        others = unknown.difference(finals)
        proven = self.read_back(unknown if rest is Rest.ALL else finals)
        if rest is Rest.PROMISING:
            proven = proven.union(self._promising(others))
        good = believed.union(proven)
        self._judge_finals(stats, good)
        self._cut_long_ones(stats)
        return Survey(
            self._standing.still_placed(good), sum(self._manifest.piece_size(piece) for piece in unknown.ones())
        )

    def readable(self) -> Bitfield:
        """Pieces all of whose bytes lie somewhere now, good or not."""
        stats = self._fs.stats(self.paths)
        return self._standing.available(stats, exact=False)

    def read_back(self, pieces: Bitfield) -> Bitfield:
        """Hash these pieces from where they lie now."""
        return read_back(self._manifest, self._fs, self.paths, pieces, self._progress)

    def stamps(self) -> tuple[tuple[int, float] | None, ...]:
        """Size and time of the last change of each file, where it lies now. Moving a file changes neither."""
        stats = self._fs.stats(self.paths)
        return tuple((stat.size, stat.mtime) if stat else None for stat in stats)

    def sync(self, pieces: Iterable[int]) -> None:
        """Bring the files that hold these pieces to stable storage."""
        paths = self.paths
        files = {index for piece in pieces for index in self._manifest.files_of(piece)}
        self._fs.sync([paths[index] for index in sorted(files)])

    def give_to(self, user: str, group: str) -> None:
        """Set owner and group of all that is in staging."""
        files, folders = self._in_staging()
        for path in (*files, *folders):
            self._fs.chown(path, user, group)

    def set_modes(self, of_files: UnlockMode | None, of_folders: UnlockMode | None) -> None:
        """Set the permissions of all that is in staging; None: as the place has made it."""
        files, folders = self._in_staging()
        set_modes(self._fs, files, of_files)
        set_modes(self._fs, folders, of_folders)

    def _in_staging(self) -> tuple[list[RelativePath], list[RelativePath]]:
        """The files there, and the folders of the torrent."""
        files = [self.staging / self._layout[index] for index in self._standing.staged]
        depth = len(self.staging.parts)
        folders = {RelativePath(path.parts[:end]) for path in files for end in range(depth + 1, len(path.parts))}
        return files, sorted(folders)

    @property
    def unlike(self) -> Sequence[RelativePath]:
        """See likeness.Likeness."""
        return self._likeness.unlike

    def settle(self) -> None:
        """Sync, then move everything from staging under its final name, never replacing anything, and sync the names.

        What is replaced all the same is a file that is the beginning of ours, byte for byte: it loses nothing by being whole.
        Raises Collision, before anything is moved, where something else has a final name.
        """
        self._sync_all()
        waiting = self._standing.to_settle
        twins, beginnings = self._twins()
        if beginnings:
            self._adopting([self._layout[index] for index in beginnings])
        for index, stat in beginnings.items():
            self._make_room(index, stat)
        self._settle_in(ROOT, range(len(self._layout)), twins)
        for index in beginnings:
            self._fs.unlink(self._set_aside_as_beginning(index))
        self._fs.sync(self._layout)
        self._settled |= dict(zip(waiting, self._fs.stats([self._layout[index] for index in waiting]), strict=True))
        self.clear_staging()

    def _sync_all(self) -> None:
        try:
            self._fs.sync(self.paths)
        except ProvisioningError:
            self.begin_anew(self._manifest.wanted.ones())
            raise

    def unsettle(self, missing: Bitfield) -> None:
        """Take every file that these pieces will be written to back into staging: no byte is ever written under a final name.

        One that shares its bytes with a file under another name becomes a file of its own. One that nothing proves to be
        ours stays: a Collision, or where it is too small to be judged alone, brought beside it and compared.
        """
        files = {index for piece in missing.ones() for index in self._manifest.files_of(piece)}
        where = self._standing.where
        chosen = []
        for index in sorted(index for index in files if where[index] is Where.FINAL):
            if self._known(index, missing):
                chosen.append(index)
            else:
                where[index] = Where.ABSENT
        for index in chosen:
            self._refuse_to_adopt(index)
        self._likeness.give()
        self._adopt(chosen)
        for index in sorted(files):
            if where[index] is Where.LINKED:
                self._part(index)

    def _known(self, index: int, missing: Bitfield) -> bool:
        """Whether a file under its final name is what we put there, or has a piece that is good. Raises Collision."""
        path, pieces = self._layout[index], self._manifest.pieces_of(index)
        if not all(map(missing.test, pieces)):
            return True
        found = self._fs.stat(path)
        if found is None:
            return False
        if same_file(found, self._settled.get(index)):
            return True
        if any(tuple(self._manifest.files_of(piece)) == (index,) for piece in pieces):
            raise self._standing.collision(path, f"a file of {found.size} bytes has that name", _UNPROVEN)
        return False

    def discard(self, files: Iterable[int]) -> None:
        """Remove these files of our own from staging, and nothing else: they will be brought anew."""
        for index in files:
            if self._standing.where[index] is Where.STAGED:
                self._fs.unlink(self.staging / self._layout[index])
                self._standing.where[index] = Where.ABSENT

    def begin_anew(self, unsynced: Iterable[int]) -> Bitfield:
        """Remove from staging the files of pieces that could not be synced; returns all pieces that went with them.

        A failed sync is told once. What it lost reads well from memory until its room is needed, and later syncs succeed: so
        neither reading nor syncing those files again would prove anything.
        """
        gone = Bitfield(self._manifest.piece_count)
        files = {index for piece in unsynced for index in self._manifest.files_of(piece)}
        staged = [index for index in sorted(files) if self._standing.where[index] is not Where.FINAL]
        for index in staged:
            self._fs.unlink(self._standing.path_of(index))
            self._standing.where[index] = Where.ABSENT
            for piece in self._manifest.pieces_of(index):
                gone.set(piece)
        return gone

    def brought(self) -> None:
        """A transfer ended well: every file that was not under its final name now lies in staging."""
        where = self._standing.where
        where[:] = [Where.STAGED if each is Where.ABSENT else each for each in where]

    def found(self) -> tuple[FileFound, ...]:
        """Every file at its final place, as it is right now."""
        stats = self._fs.stats(self._layout)
        return tuple(
            FileFound(str(file.path), file.size, stat.size if stat and stat.kind is FileKind.FILE else None)
            for file, stat in zip(self._manifest.files, stats, strict=True)
        )

    def clear_staging(self) -> None:
        """Remove this move's staging folders that are empty. The one above is everybody's: it goes when the run ends."""
        folders = {self.staging, self._standing.set_aside}
        for path in self._layout:
            folder = self.staging / path
            while (folder := folder.parent) != self.staging:
                folders.add(folder)
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            self._fs.remove_folder(folder)

    # -- lending -------------------------------------------------------------------------------------------------------

    @property
    def absent(self) -> tuple[int, ...]:
        """The files that are not there."""
        return tuple(index for index, where in enumerate(self._standing.where) if where is Where.ABSENT)

    def readable_with(self, lenders: Mapping[int, RelativePath]) -> Bitfield:
        """Pieces all of whose bytes would lie somewhere if these files, of the right size, lay at these paths."""
        stats = self._fs.stats(self._paths_with(lenders))
        return self._standing.available(stats, exact=True)

    def read_back_with(self, pieces: Bitfield, lenders: Mapping[int, RelativePath]) -> Bitfield:
        """Hash these pieces, these files read at these paths."""
        return read_back(self._manifest, self._fs, self._paths_with(lenders), pieces, self._progress)

    def link(self, index: int, lender: RelativePath) -> bool:
        """Put a second name of another torrent's file by, to be the final one. False where that cannot be."""
        self._fs.make_folders(self._standing.set_aside)
        if not self._fs.link(lender, self._standing.set_aside_as(index)):
            return False
        self._standing.where[index] = Where.LINKED
        return True

    def clone(self, index: int, lender: RelativePath) -> bool:
        """Make a file of its own in staging that shares another one's blocks. False where that cannot be."""
        return self._staged_by(self._fs.clone, index, lender)

    def copy(self, index: int, lender: RelativePath) -> bool:
        """Make a copy in staging, without a byte over the network. False where that cannot be."""
        return self._staged_by(lambda old, new: self._fs.copy(old, new, self._progress), index, lender)

    def placed(self, good: Bitfield) -> Bitfield:
        """Those of the pieces all of whose files are there."""
        return self._standing.still_placed(good)

    def _staged_by(self, make: Callable[[RelativePath, RelativePath], bool], index: int, lender: RelativePath) -> bool:
        staged = self.staging / self._layout[index]
        self._likeness.give()
        self._fs.make_folders(staged.parent)
        if not make(lender, staged):
            return False
        self._standing.where[index] = Where.STAGED
        return True

    def _paths_with(self, lenders: Mapping[int, RelativePath]) -> tuple[RelativePath, ...]:
        return tuple(lenders.get(index, path) for index, path in enumerate(self.paths))

    def _forget_set_aside(self) -> None:
        """Remove what an attempt that was broken off has put by: names that others have too."""
        found = self._fs.stat(self._standing.set_aside)
        if found is not None and found.kind is FileKind.FOLDER:
            for name in self._fs.listdir(self._standing.set_aside):
                self._fs.unlink(self._standing.set_aside / RelativePath((name,)))
            self._fs.remove_folder(self._standing.set_aside)

    def _put_back(self) -> None:
        """Undo what was broken off while files that have other names too were taken apart."""
        found = self._fs.stat(taken(self.staging))
        if found is not None and found.kind is FileKind.FOLDER:
            for path in self._layout:
                put_back(self._fs, self.staging, path)
            prune(self._fs, taken(self.staging))

    def _part(self, index: int) -> None:
        """What is put by becomes a file of its own, in staging: the other name's bytes must not change with it."""
        path = self._standing.set_aside_as(index)
        self._duplicate(path, index)
        self._fs.unlink(path)

    def _duplicate(self, path: RelativePath, index: int) -> None:
        """Make the staged file from another one: as cheap as the file system can, else through us."""
        copy = self.staging / self._layout[index]
        self._likeness.give()
        self._fs.make_folders(copy.parent)
        double(self._fs, path, copy, self._progress)
        try:
            self._fs.sync([copy])
        except ProvisioningError:
            self._fs.unlink(copy)  # a failed sync is told once: see `begin_anew`
            raise
        self._standing.where[index] = Where.STAGED

    # -- looking ---------------------------------------------------------------------------------------------------------

    def _promising(self, unknown: Bitfield) -> Bitfield:
        """Hash in stream order until a long stretch holds nothing good: copies are written from the front."""
        proven, barren = Bitfield(len(unknown)), 0
        step = max(1, _STRETCH // self._manifest.piece_length)
        for run in unknown.runs(value=True):
            for first in range(run.start, run.stop, step):
                stretch = Bitfield(len(unknown))
                stretch.set_range(range(first, min(first + step, run.stop)))
                found = self.read_back(stretch)
                proven = proven.union(found)
                barren = 0 if found.count() else barren + step * self._manifest.piece_length
                if barren >= _BARREN:
                    return proven
        return proven

    def _judge_finals(self, stats: Sequence[FileStat | None], good: Bitfield) -> None:
        """Decide about every file under its final name; only then move those that are adopted."""
        adopted, copied = [], []
        for index, where in enumerate(self._standing.where):
            stat = stats[index]
            if where is not Where.FINAL or stat is None or self._wholly_good(index, stat, good):
                continue
            if self._partly_good(index, stat, good) and self._only_lacks_neighbours(index, stats, good):
                copied.append(index)
            elif self._partly_good(index, stat, good):
                self._refuse_to_adopt(index)
                adopted.append(index)
            else:
                # Too small to be judged alone: it is brought into staging, and compared when both are there.
                self._standing.where[index] = Where.ABSENT
        self._adopt(adopted)
        for index in copied:
            self._duplicate(self._layout[index], index)

    def _wholly_good(self, index: int, stat: FileStat, good: Bitfield) -> bool:
        return stat.size == self._manifest.files[index].size and all(map(good.test, self._manifest.pieces_of(index)))

    def _partly_good(self, index: int, stat: FileStat, good: Bitfield) -> bool:
        """Whether it is an unfinished copy for sure. Raises Collision for what is surely something else."""
        size, pieces = self._manifest.files[index].size, self._manifest.pieces_of(index)
        if stat.size > size:
            raise self._standing.collision(
                self._layout[index], f"a longer file ({stat.size} bytes, not {size}) has that name"
            )
        if any(map(good.test, pieces)):
            return True
        if self._standing.undecided(index, stat):
            return False
        if any(tuple(self._manifest.files_of(piece)) == (index,) for piece in pieces):
            raise self._standing.collision(self._layout[index], f"a file of {stat.size} bytes has that name", _UNPROVEN)
        return False

    def _only_lacks_neighbours(self, index: int, stats: Sequence[FileStat | None], good: Bitfield) -> bool:
        """Whether it is another torrent's, and good but for pieces that end in a file that is not there.

        So are the files of a cross-seed that another one brought, which has some files less.
        """
        lacking = [piece for piece in self._manifest.pieces_of(index) if not good.test(piece)]
        neighbours = (self._manifest.files_of(piece) for piece in lacking)
        stat = stats[index]
        if stat is None or stat.size != self._manifest.files[index].size:
            return False
        if not all(any(stats[other] is None for other in files) for files in neighbours):
            return False
        return self._owner(self._layout[index]) is not None

    def _refuse_to_adopt(self, index: int) -> None:
        path = self._layout[index]
        if self._owner(path) is not None:
            raise self._standing.collision(path, "another torrent's file has that name, good in part")

    def _adopt(self, files: Sequence[int]) -> None:
        """Take files back into staging; one that has another name too leaves that one its bytes, and is copied."""
        if not files:
            return
        paths = [self._layout[index] for index in files]
        looks = zip(files, paths, self._fs.stats(paths), strict=True)
        self._adopting([path for index, path, stat in looks if stat and not same_file(stat, self._settled.get(index))])
        names = self._fs.names_of(paths)
        for index, count in zip(files, names, strict=True):
            path = self._layout[index]
            if (count or 1) > 1:
                waits = taken(self.staging) / path
                self._fs.make_folders(waits.parent)
                self._fs.rename(path, waits)
                self._duplicate(waits, index)
                self._fs.unlink(waits)
                prune(self._fs, taken(self.staging))
            else:
                self._fs.make_folders((self.staging / path).parent)
                self._fs.rename(path, self.staging / path)
                self._standing.where[index] = Where.STAGED

    def _cut_long_ones(self, stats: Sequence[FileStat | None]) -> None:
        """A staged file is ours: one that is too long is cut, because nobody writes to a file whose pieces are all good."""
        for index, (file, stat) in enumerate(zip(self._manifest.files, stats, strict=True)):
            if self._standing.where[index] is Where.STAGED and stat is not None and stat.size > file.size:
                self._fs.create(self.staging / self._layout[index], file.size)

    # -- settling --------------------------------------------------------------------------------------------------------

    def _settle_in(self, folder: RelativePath, inside: Iterable[int], twins: frozenset[int]) -> None:
        below: dict[str, list[int]] = {}
        for index in inside:
            below.setdefault(self._layout[index].parts[len(folder.parts)], []).append(index)
        for part, files in below.items():
            self._settle_below(folder / part, files, twins)

    def _settle_below(self, top: RelativePath, inside: Sequence[int], twins: frozenset[int]) -> None:
        """Move a file, or a folder: in one rename, where nothing of that name is there yet, else what is in it."""
        where = self._standing.where
        waiting = [index for index in inside if where[index] in (Where.STAGED, Where.LINKED)]
        if not waiting:
            return
        if self._layout[waiting[0]] == top:
            self._settle_one(waiting[0], twins)
        elif not twins.isdisjoint(inside) or not self._settle_whole(top, inside):
            self._fs.make_folders(top)
            self._settle_in(top, inside, twins)

    def _settle_whole(self, top: RelativePath, inside: Sequence[int]) -> bool:
        if any(self._standing.where[index] is not Where.STAGED for index in inside) or self._fs.stat(top) is not None:
            return False
        try:
            self._fs.rename(self.staging / top, top)
        except OtherFileSystem:
            return False  # what is in it goes one by one
        for index in inside:
            self._standing.where[index] = Where.FINAL
        return True

    def _twins(self) -> tuple[frozenset[int], dict[int, FileStat]]:
        """Files whose very content lies under the final name already; those of which the beginning does, as it is right now.

        Raises Collision for any other content there, and for a beginning that another torrent uses.
        """
        waiting = self._standing.to_settle
        looks = PathStats(self._fs, self._standing.collision).stats([self._layout[index] for index in waiting])
        found = {index: look for index, look in zip(waiting, looks, strict=True) if look is not None}
        beginnings = {index: look for index, look in found.items() if self._begins(index, look)}
        twins = frozenset(found) - beginnings.keys()
        for index in twins:
            if not self._same(index):
                raise self._standing.collision(self._layout[index], "another file has that name")
        for index in beginnings:
            self._refuse_to_adopt(index)
        return twins, beginnings

    def _begins(self, index: int, stat: FileStat) -> bool:
        """Whether what has the final name is a cut-short copy: every byte of it is the proven one's."""
        if stat.kind is not FileKind.FILE or not self._standing.undecided(index, stat):
            return False
        return self._alike(self._layout[index], self._standing.path_of(index), stat.size)

    def _make_room(self, index: int, seen: FileStat) -> None:
        """Put a beginning by; an attempt that is killed now has the whole content in staging, and the next one goes on with it.

        Raises Collision, and gives it back, where somebody wrote to it since it was compared.
        """
        path, aside = self._layout[index], self._set_aside_as_beginning(index)
        self._fs.make_folders(aside.parent)
        self._fs.rename(path, aside)
        now = self._fs.stat(aside)
        if now is None or not same_file(now, seen):
            self._fs.rename(aside, path)
            raise self._standing.collision(path, "somebody is writing to a file of that name", _UNPROVEN)

    def _set_aside_as_beginning(self, index: int) -> RelativePath:
        return self._standing.set_aside / RelativePath((f"{index}.begun",))

    def _settle_one(self, index: int, twins: frozenset[int]) -> None:
        self._fs.make_folders(self._layout[index].parent)
        if index in twins or not self._renamed(index):
            self._fs.unlink(self._standing.path_of(index))
        self._standing.where[index] = Where.FINAL

    def _renamed(self, index: int) -> bool:
        """Move one file; False where its very content appeared there meanwhile."""
        path = self._layout[index]
        try:
            self._fs.rename(self._standing.path_of(index), path)
        except Collision:
            if not self._same(index):
                raise self._standing.collision(path, "another file has that name") from None
            return False
        return True

    def _same(self, index: int) -> bool:
        """Whether the file under the final name holds just what the proven one in staging holds."""
        path, size = self._layout[index], self._manifest.files[index].size
        stat = self._fs.stat(path)
        if stat is None or stat.kind is not FileKind.FILE or stat.size != size:
            return False
        return self._alike(path, self._standing.path_of(index), size)

    def _alike(self, one: RelativePath, other: RelativePath, size: int) -> bool:
        digests = {digest(self._fs, path, size, self._progress) for path in (one, other)} if size else {b""}
        return len(digests) == 1
