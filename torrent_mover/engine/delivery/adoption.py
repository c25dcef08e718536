"""What lies at the target already, judged file by file: it stays, is taken into staging to be mended, or is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.engine.delivery.file_locations import UNPROVEN, Where, prune, put_back, same_file, taken
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.delivery.survey import Rest, Survey
from torrent_mover.ports.filesystem import FileKind, FileStat

_BARREN: Final = 32 << 20
"""Bytes read over the wire without finding a single good piece, after which looking for more is not worth it."""

_STRETCH: Final = 4 << 20


class Adoption:
    """Of one landing. Only what is proven to be the torrent's, at least in part, is ever moved."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._fs = landing.fs
        self._manifest = landing.manifest
        self._layout = landing.layout
        self._locations = landing.locations

    def survey(self, trusted: Bitfield, *, rest: Rest) -> Survey:
        """Look what is there and which pieces of it are good.

        `trusted` pieces (journaled after a sync) are believed where their files have the right size; of what else lies there,
        `rest` is hashed. A file under its final name stays there if it is wholly good; it is adopted into staging if part of
        it is; it is a Collision if it is somebody else's. Nothing is touched where there is any Collision.
        """
        self._forget_set_aside()
        self._put_back()
        stats = self._locations.look()
        believed = self._locations.believed(trusted, stats)
        unknown = self._locations.available(stats, exact=False).difference(believed)
        finals = self._locations.touching_finals(unknown)
        others = unknown.difference(finals)
        proven = self._landing.read_back(unknown if rest is Rest.ALL else finals)
        if rest is Rest.PROMISING:
            proven = proven.union(self._promising(others))
        good = believed.union(proven)
        self._judge_finals(stats, good)
        self._cut_long_ones(stats)
        return Survey(
            self._locations.still_placed(good), sum(self._manifest.piece_size(piece) for piece in unknown.ones())
        )

    def unsettle(self, missing: Bitfield) -> None:
        """Take every file that these pieces will be written to back into staging: no byte is ever written under a final name.

        One that shares its bytes with a file under another name becomes a file of its own. One that nothing proves to be
        ours stays: a Collision, or where it is too small to be judged alone, brought beside it and compared.
        """
        files = {index for piece in missing.ones() for index in self._manifest.files_of(piece)}
        where = self._locations.where
        chosen = []
        for index in sorted(index for index in files if where[index] is Where.FINAL):
            if self._known(index, missing):
                chosen.append(index)
            else:
                where[index] = Where.ABSENT
        for index in chosen:
            self._landing.refuse_to_adopt(index)
        self._landing.likeness.give()
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
        settled = self._landing.settled.get(index)
        if same_file(found, settled) or (settled is not None and found.kind is FileKind.FILE and found.size == 0):
            return True  # an rTorrent's check makes an empty file in place of one of ours that is gone
        if any(tuple(self._manifest.files_of(piece)) == (index,) for piece in pieces):
            raise self._locations.collision(path, f"a file of {found.size} bytes has that name", UNPROVEN)
        return False

    def _forget_set_aside(self) -> None:
        """Remove what an attempt that was broken off has set aside: names that others have too."""
        found = self._fs.stat(self._locations.set_aside)
        if found is not None and found.kind is FileKind.FOLDER:
            for name in self._fs.listdir(self._locations.set_aside):
                self._fs.unlink(self._locations.set_aside / RelativePath((name,)))
            self._fs.remove_folder(self._locations.set_aside)

    def _put_back(self) -> None:
        """Undo what was broken off while files that have other names too were taken apart."""
        found = self._fs.stat(taken(self._landing.staging))
        if found is not None and found.kind is FileKind.FOLDER:
            for path in self._layout:
                put_back(self._fs, self._landing.staging, path)
            prune(self._fs, taken(self._landing.staging))

    def _promising(self, unknown: Bitfield) -> Bitfield:
        """Hash in stream order until a long stretch holds nothing good: copies are written from the front."""
        proven, barren = Bitfield(len(unknown)), 0
        step = max(1, _STRETCH // self._manifest.piece_length)
        for run in unknown.runs(value=True):
            for first in range(run.start, run.stop, step):
                stretch = Bitfield(len(unknown))
                stretch.set_range(range(first, min(first + step, run.stop)))
                found = self._landing.read_back(stretch)
                proven = proven.union(found)
                barren = 0 if found.count() else barren + step * self._manifest.piece_length
                if barren >= _BARREN:
                    return proven
        return proven

    def _judge_finals(self, stats: Sequence[FileStat | None], good: Bitfield) -> None:
        """Decide about every file under its final name; only then move those that are adopted."""
        adopted, copied = [], []
        for index, where in enumerate(self._locations.where):
            stat = stats[index]
            if where is not Where.FINAL or stat is None or self._wholly_good(index, stat, good):
                continue
            if self._partly_good(index, stat, good) and self._only_lacks_neighbours(index, stats, good):
                copied.append(index)
            elif self._partly_good(index, stat, good):
                self._landing.refuse_to_adopt(index)
                adopted.append(index)
            else:
                # Too small to be judged alone: it is brought into staging, and compared when both are there.
                self._locations.where[index] = Where.ABSENT
        self._adopt(adopted)
        for index in copied:
            self._landing.duplicate(self._layout[index], index)

    def _wholly_good(self, index: int, stat: FileStat, good: Bitfield) -> bool:
        return stat.size == self._manifest.files[index].size and all(map(good.test, self._manifest.pieces_of(index)))

    def _partly_good(self, index: int, stat: FileStat, good: Bitfield) -> bool:
        """Whether it is an unfinished copy for sure. Raises Collision for what is surely something else."""
        size, pieces = self._manifest.files[index].size, self._manifest.pieces_of(index)
        if stat.size > size:
            raise self._locations.collision(
                self._layout[index], f"a longer file ({stat.size} bytes, not {size}) has that name"
            )
        if any(map(good.test, pieces)):
            return True
        if self._locations.undecided(index, stat):
            return False
        if any(tuple(self._manifest.files_of(piece)) == (index,) for piece in pieces):
            raise self._locations.collision(self._layout[index], f"a file of {stat.size} bytes has that name", UNPROVEN)
        return False

    def _only_lacks_neighbours(self, index: int, stats: Sequence[FileStat | None], good: Bitfield) -> bool:
        """Whether it is another torrent's, and good except for pieces that end in a file that is not there.

        So are the files of a cross-seed that another one brought, which has some files less.
        """
        lacking = [piece for piece in self._manifest.pieces_of(index) if not good.test(piece)]
        neighbours = (self._manifest.files_of(piece) for piece in lacking)
        stat = stats[index]
        if stat is None or stat.size != self._manifest.files[index].size:
            return False
        if not all(any(stats[other] is None for other in files) for files in neighbours):
            return False
        return self._landing.owner(self._layout[index]) is not None

    def _adopt(self, files: Sequence[int]) -> None:
        """Take files back into staging; one that has another name too leaves that one its bytes, and is copied."""
        if not files:
            return
        paths = [self._layout[index] for index in files]
        looks = zip(files, paths, self._fs.stats(paths), strict=True)
        self._landing.adopting(
            [path for index, path, stat in looks if stat and not same_file(stat, self._landing.settled.get(index))]
        )
        names = self._fs.names_of(paths)
        for index, count in zip(files, names, strict=True):
            path = self._layout[index]
            if (count or 1) > 1:
                waits = taken(self._landing.staging) / path
                self._fs.make_folders(waits.parent)
                self._fs.rename(path, waits)
                self._landing.duplicate(waits, index)
                self._fs.unlink(waits)
                prune(self._fs, taken(self._landing.staging))
            else:
                self._fs.make_folders((self._landing.staging / path).parent)
                self._fs.rename(path, self._landing.staging / path)
                self._locations.where[index] = Where.STAGED

    def _cut_long_ones(self, stats: Sequence[FileStat | None]) -> None:
        """A staged file is ours: one that is too long is cut, because nobody writes to a file whose pieces are all good."""
        for index, (file, stat) in enumerate(zip(self._manifest.files, stats, strict=True)):
            if self._locations.where[index] is Where.STAGED and stat is not None and stat.size > file.size:
                self._fs.create(self._landing.staging / self._layout[index], file.size)

    def _part(self, index: int) -> None:
        """What is set aside becomes a file of its own, in staging: the other name's bytes must not change with it."""
        path = self._locations.set_aside_as(index)
        self._landing.duplicate(path, index)
        self._fs.unlink(path)
