"""The bin: data of torrents that were taken out, renamed into a folder of its own file system, and back; and how it is emptied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final, Protocol

from torrent_mover.domain.errors import Cancelled, Collision, MoverError, ServerError
from torrent_mover.domain.paths import ROOT, ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash
from torrent_mover.duties.health.acting.taken_out import UNFINISHED, OwnFile, TakenOut
from torrent_mover.duties.health.errors import BinRefused
from torrent_mover.duties.health.model import BinEntry
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem

FOLDER: Final = RelativePath((".torrent-mover", "bin"))
_CLOSED: Final = 0o700


class ReachesFiles(Protocol):
    """The file systems of the client's machine: ours, or over SSH."""

    def below(self, folder: ClientPath) -> FileSystem | None:
        """The files below a folder, given as the client sees it; None: out of reach. Raises what reaching it raises."""


def bin_folder(torrent: InfoHash, loop: str, number: int) -> str:
    """The folder of one action in the bin, whose name no other action of any loop has."""
    return str(FOLDER / f"{torrent.hex}-{loop.encode().hex()[:64]}-{number}")


class Bin:
    """The bins of one loop: one below each folder that holds its torrents."""

    def __init__(self, files: ReachesFiles) -> None:
        self._files = files

    def found(self, folder: ClientPath, files: Sequence[ClientFile]) -> tuple[OwnFile, ...]:
        """The files of a torrent as they lie on disk; where the folder is out of reach, nothing is known of them."""
        reached = self._files.below(folder)
        if reached is None:
            return tuple(OwnFile(file.index, file.path, file.priority) for file in files)
        with closing(reached) as there:
            return tuple(_found(there, file) for file in files)

    def make_ready(self, record: TakenOut) -> None:
        """Prove that each file could be renamed into the bin, by an empty file that takes the same way.

        Raises BinRefused, and leaves nothing then but the folders of the bin. After any other error, ServerError and Cancelled
        among them, what it had made may lie there still: `leave` takes it away, by the name in `record.probe`.
        """
        reached = self._files.below(record.folder)
        if reached is None:
            raise BinRefused(
                f"The data of {record.name} is out of our reach: nothing of it can go into a bin.",
                kept="The torrent and its data were not touched.",
                remedy="Give [CLIENT] its machine, or set bin = none: the data then stays where it is.",
            )
        probe = RelativePath((record.probe,))
        ours = False
        with closing(reached) as there:
            try:
                if any(there.stat(folder / record.probe) is not None for folder in record.probed_in):
                    raise Collision(f"{record.folder} has a {record.probe} already.", kept="It was not touched.")
                ours = True
                there.make_folders(RelativePath.parse(record.bin), _CLOSED)
                for folder in record.probed_in:
                    there.create(folder / record.probe, 0)
                    there.rename(folder / record.probe, record.in_bin(probe))
                    there.unlink(record.in_bin(probe))
            except (ServerError, Cancelled):
                raise
            except MoverError as error:
                if ours and not self._has_left(there, record):
                    raise
                raise BinRefused(
                    f"The bin below {record.folder} cannot take the data of {record.name}: {error.what}",
                    kept="The torrent and its data were not touched.",
                    remedy=error.remedy or "Make it writable, or set bin = none: the data then stays where it is.",
                ) from error

    def leave(self, record: TakenOut) -> None:
        """Nothing goes there after all: take its folder away, where it is empty."""
        reached = self._files.below(record.folder) if record.bin else None
        if reached is not None:
            with closing(reached) as there:
                self._leave(there, record)

    def _has_left(self, there: FileSystem, record: TakenOut) -> bool:
        with suppress(MoverError):
            self._leave(there, record)
            return True
        return False

    def _leave(self, there: FileSystem, record: TakenOut) -> None:
        """Looks first: a disk that cannot be written to refuses to remove even what is not there."""
        if record.probe:
            probe = RelativePath((record.probe,))
            names = (*(folder / probe for folder in record.probed_in), record.in_bin(probe))
            for name, found in zip(names, there.stats(names), strict=True):
                if found is not None:
                    there.unlink(name)
        if record.part and there.stat(record.part_lies_at) is not None:
            there.unlink(record.in_bin(record.part_lies_at))
        own = RelativePath.parse(record.bin)
        if there.stat(own) is not None:
            there.remove_folder(own)

    def keep_part(self, record: TakenOut) -> int:
        """Give the part file a second name in the bin, for its client deletes it; its bytes. Raises MoverError."""
        with closing(self._reached(record)) as there:
            own, kept = record.part_lies_at, record.in_bin(record.part_lies_at)
            found, already = there.stats([own, kept])
            if already is not None:
                return already.size
            if found is None or found.kind is not FileKind.FILE:
                return 0
            if not (there.link(own, kept) or there.copy(own, kept, lambda _: None)):
                raise BinRefused(
                    f"The part file of {record.name} can neither be linked nor copied into the bin.",
                    kept="The torrent and its data were not touched.",
                    remedy="Set bin = none: the data then stays where it is, but for that part file.",
                )
            there.sync([kept])
            return found.size

    def has_part(self, record: TakenOut, name: str) -> bool:
        """Whether there is a part file of that name."""
        reached = self._files.below(record.folder)
        if reached is None:
            return False
        with closing(reached) as there:
            found = there.stat(RelativePath((name,)))
            return found is not None and found.kind is FileKind.FILE

    def put_in(self, record: TakenOut) -> int:
        """Rename what was written down into the bin; how many bytes lie there then. What is there already stays there.

        A file that is not the one that was written down is left alone.
        """
        size = record.part_size
        with closing(self._reached(record)) as there:
            for file in record.files:
                own, kept = file.lies_at, record.in_bin(file.lies_at)
                found, already = there.stats([own, kept])
                if already is None and found is not None and _is(found, file):
                    there.make_folders(kept.parent, _CLOSED)
                    there.rename(own, kept)
                    already = found
                size += already.size if already is not None else 0
            if record.going:
                _fold(there, (file.lies_at for file in record.files), ROOT)
        return size

    def put_back(self, record: TakenOut) -> None:
        """The inverse, and the part file too. Raises BinRefused where something else lies there now; nothing is replaced.

        After one that was cut short it moves what still waits.
        """
        names = [file.lies_at for file in record.files]
        names += [record.part_lies_at] if record.part else []
        with closing(self._reached(record)) as there:
            found = there.stats([record.in_bin(name) for name in names])
            waiting = [name for name, kept in zip(names, found, strict=True) if kept is not None]
            taken = [name for name, other in zip(waiting, there.stats(waiting), strict=True) if other is not None]
            if taken:
                raise self._in_the_way(record, taken[0])
            for name in waiting:
                there.make_folders(name.parent)
                try:
                    there.rename(record.in_bin(name), name)
                except Collision as error:
                    raise self._in_the_way(record, name) from error
            there.sync(waiting)
            self._clear(there, record, names)

    def holds(self, record: TakenOut) -> bool:
        """Whether anything of it lies in the bin."""
        names = [file.lies_at for file in record.files] + ([record.part_lies_at] if record.part else [])
        with closing(self._reached(record)) as there:
            return any(found is not None for found in there.stats([record.in_bin(name) for name in names]))

    def is_whole(self, record: TakenOut) -> bool:
        """Whether all that went into the bin still lies there. Raises MoverError."""
        names = [file.lies_at for file in record.going]
        names += [record.part_lies_at] if record.part else []
        with closing(self._reached(record)) as there:
            return all(found is not None for found in there.stats([record.in_bin(name) for name in names]))

    def delete(self, record: TakenOut) -> None:
        """Delete the names that were put there, and the folders that are empty then. No link is followed."""
        names = [file.lies_at for file in record.files] + ([record.part_lies_at] if record.part else [])
        with closing(self._reached(record)) as there:
            for name in names:
                there.unlink(record.in_bin(name))
            self._clear(there, record, names)

    def entry(self, record: TakenOut, at: float, size: int) -> BinEntry:
        """For people: what lies there, by the paths of the client's machine."""
        folder = str(record.folder)
        paths = tuple(
            (LocalPath(folder) / record.in_bin(file.lies_at), LocalPath(folder) / file.lies_at) for file in record.going
        )
        return BinEntry(record.number, record.torrent, record.name, at, size, paths, record.save_path)

    def _clear(self, there: FileSystem, record: TakenOut, names: Iterable[RelativePath]) -> None:
        bin_of_it = RelativePath.parse(record.bin)
        _fold(there, (bin_of_it / name for name in names), bin_of_it)
        there.remove_folder(bin_of_it)

    def _reached(self, record: TakenOut) -> FileSystem:
        reached = self._files.below(record.folder)
        if reached is None:
            raise BinRefused(
                f"{record.folder}, which holds the bin of {record.name}, is out of our reach now.",
                kept="What lies in the bin stays there.",
                remedy="Give [CLIENT] its machine again.",
            )
        return reached

    def _in_the_way(self, record: TakenOut, name: RelativePath) -> BinRefused:
        return BinRefused(
            f"{record.folder / name} exists again: {record.name} cannot go back there.",
            kept="Nothing was replaced; what lies in the bin stays there.",
            remedy="Move that file away, then undo again.",
        )


def _found(there: FileSystem, file: ClientFile) -> OwnFile:
    """Of two that lie there, the one that it can be: what is not finished has the suffix where its client gives one."""
    for suffix in ("", UNFINISHED) if file.progress >= 1 else (UNFINISHED, ""):
        own = OwnFile(file.index, file.path, file.priority, suffix=suffix)
        found = there.stat(own.lies_at)
        if found is not None and found.kind is FileKind.FILE:
            return replace(own, size=found.size, identity=found.identity)
    return OwnFile(file.index, file.path, file.priority)


def _is(found: FileStat, file: OwnFile) -> bool:
    """Whether it is the file that was written down, as far as the file system tells. One that was not there is nobody's."""
    if found.kind is not FileKind.FILE or file.size is None:
        return False
    return found.identity == file.identity if found.identity and file.identity else found.size == file.size


def _fold(there: FileSystem, names: Iterable[RelativePath], root: RelativePath) -> None:
    """Remove the folders of these names that are empty, strictly below `root`."""
    folders: set[RelativePath] = set()
    for name in names:
        above = name.parent
        while len(above.parts) > len(root.parts):
            folders.add(above)
            above = above.parent
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        there.remove_folder(folder)
