"""Finds lost data of a torrent again, proves each piece of it, and lets the torrent use it from there. Removes nothing, ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import ROOT, ClientPath, RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import PieceHasher
from torrent_mover.domain.torrent.torrent import ClientFile, Torrent
from torrent_mover.duties.health.acting.checking import checked
from torrent_mover.duties.health.acting.log import ActingStep, ActionLog
from torrent_mover.duties.health.acting.taken_out import TakenOut
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.duties.health.errors import DataNotFound
from torrent_mover.ports.client import RecheckVerdict
from torrent_mover.ports.filesystem import ByteSpan, FileKind, FileSystem
from torrent_mover.ports.roles import Exports, Locates, Relocates

_MOST_FOLDERS: Final = 2_000
"""Folders that are looked into for one torrent."""


@dataclass(slots=True)
class LostData:
    """One search. `log` has what was found where."""

    world: ActingWorld
    log: ActionLog

    def run(self) -> str:
        """Find, prove, relocate, check, start; what came of it. Raises DataNotFound where nothing is proven anywhere."""
        client = self.world.health.client
        torrent = client.get(self.log.record.torrent)
        if torrent is None:
            return "the client does not list it any more"
        exports, relocates = client.role(Exports), client.role(Relocates)
        if exports is None or relocates is None:
            raise self._not_found(torrent, f"{client.name} cannot be told another place")
        files, manifest = client.files(torrent.id), Manifest.parse(exports.metainfo(torrent.id))
        where, tried = self._proven_at(torrent, files, manifest)
        if where is None:
            where = self._out_of_the_bin(files, manifest)
        if where is None:
            raise self._not_found(torrent, tried)
        proven = f"{sum(file.wanted for file in files)} files proven in {where}"
        self.log.take(ActingStep.PROVE, lambda: proven)
        if where != torrent.save_path:
            self.log.take(ActingStep.STOP, lambda: client.stop(torrent.id))
            self.log.take(ActingStep.RELOCATE, lambda: relocates.relocate(torrent.id, where))
        verdict = checked(self.world, torrent.id)
        self.log.take(ActingStep.RECHECK, lambda: verdict.value)
        if verdict is not RecheckVerdict.GOOD:
            raise self._not_found(torrent, f"{proven}, but the client's check says: {verdict.value}")
        self.log.take(ActingStep.START, lambda: client.start(torrent.id))
        return proven

    def _proven_at(
        self, torrent: Torrent, files: Sequence[ClientFile], manifest: Manifest
    ) -> tuple[ClientPath | None, str]:
        """The save path at which every piece of the wanted files is proven, and what was found instead."""
        looked, near = 0, ""
        for folder in self._folders(torrent):
            looked += 1
            if looked > _MOST_FOLDERS:
                break
            try:
                reached = self.world.files.below(folder)
                if reached is None:
                    continue
                with closing(reached) as there:
                    sizes = _sizes(there, files)
                    if not _complete(sizes, files):
                        continue
                    bad = unproven(there, files, manifest, {index for index, size in sizes.items() if size is not None})
            except Cancelled:
                raise
            except MoverError:
                continue  # not there, or not to be read: nothing is proven by it
            if bad is None:
                return folder, ""
            near = f"in {folder} are files of its names and sizes, but piece {bad} is another one"
        return None, near or f"its files are in none of {looked} folders"

    def _out_of_the_bin(self, files: Sequence[ClientFile], manifest: Manifest) -> ClientPath | None:
        """What health took out itself, of this torrent or of one over the same files: proven in the bin, then put back whole.

        The folder that it lies in afterwards; None: it is in no bin of this loop. Nothing is replaced, and what has gone back
        is not deleted with its bin.
        """
        journal, records = self.world.health.journal, self.world.records
        for entry in reversed(journal.bin_entries()):
            record = records.get(entry.number) if entry.emptied_at is None else None
            if record is None or not record.bin:
                continue
            try:
                if not self._proven_in_bin(record, files, manifest):
                    continue
                self.log.take(ActingStep.FILES_BACK, partial(self._back, record))
            except Cancelled:
                raise
            except MoverError:
                continue  # out of reach, or something lies in its place: it stays in the bin
            journal.save_bin_entry(replace(entry, emptied_at=self.world.health.clock.now()))
            return record.folder
        return None

    def _proven_in_bin(self, record: TakenOut, files: Sequence[ClientFile], manifest: Manifest) -> bool:
        """Each file where it lies: in the bin, or, of what has gone back before a return was cut short, in its own place."""
        reached = self.world.files.below(record.folder)
        if reached is None:
            return False
        own = {str(file.lies_at) for file in record.files}
        with closing(reached) as there:
            kept, back = _sizes(there, files, RelativePath.parse(record.bin)), _sizes(there, files)
            if not any(size is not None for size in kept.values()):
                return False
            paths, sizes = {}, dict(kept)
            for file in files:
                path = RelativePath.parse(file.path)
                paths[file.index] = record.in_bin(path)
                if kept[file.index] is None and str(path) in own:
                    paths[file.index], sizes[file.index] = path, back[file.index]
            present = {index for index, size in sizes.items() if size is not None}
            return _complete(sizes, files) and unproven(there, files, manifest, present, paths) is None

    def _back(self, record: TakenOut) -> str:
        self.world.bin.put_back(record)
        return f"out of the bin of action {record.number}, to {record.folder}"

    def _folders(self, torrent: Torrent) -> Iterator[ClientPath]:
        """Where it may lie: its save path, where moves had it, those of other torrents and of categories, and one level below."""
        client = self.world.health.client
        locates = client.role(Locates)
        moved = self.world.health.others.places(torrent.id)
        known = [torrent.save_path, *moved, *(locates.folders() if locates is not None else ())]
        known += [each.save_path for each in client.torrents()]
        known += [folder.parent for folder in dict.fromkeys(known) if len(folder.parts) > 1]
        seen: set[ClientPath] = set()
        for folder in dict.fromkeys(known):
            if folder not in seen:
                seen.add(folder)
                yield folder
        for folder in dict.fromkeys(known):
            for below in self._below(folder):
                if below not in seen:
                    seen.add(below)
                    yield below

    def _below(self, folder: ClientPath) -> Sequence[ClientPath]:
        try:
            reached = self.world.files.below(folder)
            if reached is None:
                return ()
            with closing(reached) as there:
                names = [RelativePath((name,)) for name in sorted(there.listdir(RelativePath(()))) if name[:1] != "."]
                found = there.stats(names)
        except Cancelled:
            raise
        except MoverError:
            return ()
        kinds = zip(names, found, strict=True)
        return [folder / name for name, stat in kinds if stat is not None and stat.kind is FileKind.FOLDER]

    def _not_found(self, torrent: Torrent, why: str) -> DataNotFound:
        return DataNotFound(
            f"The data of {torrent.name} was not found: {clause(why)}.",
            kept="The torrent stays in its client; nothing was removed.",
            remedy="Put the data back to its save path, or set the location in the client and have it checked.",
        )


def _sizes(there: FileSystem, files: Sequence[ClientFile], root: RelativePath = ROOT) -> dict[int, int | None]:
    """Bytes of each file below `root`, by its index; None: no regular file is there."""
    found = there.stats([root / RelativePath.parse(file.path) for file in files])
    return {
        file.index: stat.size if stat is not None and stat.kind is FileKind.FILE else None
        for file, stat in zip(files, found, strict=True)
    }


def _complete(sizes: Mapping[int, int | None], files: Sequence[ClientFile]) -> bool:
    """Whether every wanted file is there, by its size."""
    return all(sizes[file.index] == file.size for file in files if file.wanted)


def unproven(
    there: FileSystem,
    files: Sequence[ClientFile],
    manifest: Manifest,
    present: set[int],
    lies_at: Mapping[int, RelativePath] | None = None,
) -> int | None:
    """The first piece that is bad; None: all are good. Read from the disk, each byte.

    `lies_at`: where each file lies, by its index; None: by its own path.

    A piece with bytes of an unwanted file that is not there proves nothing, and counts for nothing.
    """
    paths = lies_at if lies_at is not None else {file.index: RelativePath.parse(file.path) for file in files}
    wanted = {file.index for file in files if file.wanted}
    pieces = [
        piece
        for piece in range(manifest.piece_count)
        if (of := set(manifest.files_of(piece))) <= present and of & wanted
    ]
    hashers: dict[int, PieceHasher] = {}
    bad: list[int] = []
    left: dict[int, int] = {}
    order: list[int] = []

    def spans() -> Iterator[ByteSpan]:
        for piece in pieces:
            if bad:
                return
            hashers[piece] = manifest.hasher(piece)
            of_it = manifest.spans(piece, piece)
            left[piece] = sum(span.length for span in of_it)
            order.append(piece)
            for span in of_it:
                yield ByteSpan(paths[span.file], span.offset, span.length)

    def deliver(_span: ByteSpan, _offset: int, data: memoryview) -> None:
        start = 0
        while start < len(data):
            piece = order[0]
            part = data[start : start + left[piece]]
            hashers[piece].update(part)
            start += len(part)
            left[piece] -= len(part)
            if not left[piece]:
                order.pop(0)
                if not hashers.pop(piece).good():
                    bad.append(piece)

    with closing(there.reader()) as lane:
        lane.read(spans(), deliver)
    return min(bad) if bad else None
