"""The step under final names: proven files leave staging, nothing is replaced, and the names are synced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torrent_mover.domain.errors import Collision, OtherFileSystem, ProvisioningError
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.engine.delivery.file_locations import UNPROVEN, PathStats, Where, same_file
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.ports.filesystem import FileKind, FileStat
from torrent_mover.transfer.proof import digest


class Settling:
    """Of one landing."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._fs = landing.fs
        self._manifest = landing.manifest
        self._layout = landing.layout
        self._locations = landing.locations

    def settle(self) -> None:
        """Sync, then move everything from staging under its final name, never replacing anything, and sync the names.

        What is replaced all the same is a file that is the beginning of ours, byte for byte: it loses nothing by being whole.
        Raises Collision, before anything is moved, where something else has a final name.
        """
        self._sync_all()
        waiting = self._locations.to_settle
        twins, beginnings = self._twins()
        if beginnings:
            self._landing.adopting([self._layout[index] for index in beginnings])
        for index, stat in beginnings.items():
            self._make_room(index, stat)
        self._settle_in(ROOT, range(len(self._layout)), twins)
        for index in beginnings:
            self._fs.unlink(self._set_aside_as_beginning(index))
        self._fs.sync(self._layout)
        self._landing.settled |= dict(
            zip(waiting, self._fs.stats([self._layout[index] for index in waiting]), strict=True)
        )
        self._landing.clear_staging()

    def _sync_all(self) -> None:
        try:
            self._fs.sync(self._landing.paths)
        except ProvisioningError:
            self._landing.begin_anew(self._manifest.wanted.ones())
            raise

    def _settle_in(self, folder: RelativePath, inside: Iterable[int], twins: frozenset[int]) -> None:
        below: dict[str, list[int]] = {}
        for index in inside:
            below.setdefault(self._layout[index].parts[len(folder.parts)], []).append(index)
        for part, files in below.items():
            self._settle_below(folder / part, files, twins)

    def _settle_below(self, top: RelativePath, inside: Sequence[int], twins: frozenset[int]) -> None:
        """Move a file, or a folder: in one rename, where nothing of that name is there yet, else what is in it."""
        where = self._locations.where
        waiting = [index for index in inside if where[index] in (Where.STAGED, Where.LINKED)]
        if not waiting:
            return
        if self._layout[waiting[0]] == top:
            self._settle_one(waiting[0], twins)
        elif not twins.isdisjoint(inside) or not self._settle_whole(top, inside):
            self._fs.make_folders(top)
            self._settle_in(top, inside, twins)

    def _settle_whole(self, top: RelativePath, inside: Sequence[int]) -> bool:
        if any(self._locations.where[index] is not Where.STAGED for index in inside) or self._fs.stat(top) is not None:
            return False
        try:
            self._fs.rename(self._landing.staging / top, top)
        except OtherFileSystem:
            return False  # what is in it goes one by one
        for index in inside:
            self._locations.where[index] = Where.FINAL
        return True

    def _twins(self) -> tuple[frozenset[int], dict[int, FileStat]]:
        """Files whose very content lies under the final name already; those of which the beginning does, as it is right now.

        Raises Collision for any other content there, and for a beginning that another torrent uses.
        """
        waiting = self._locations.to_settle
        looks = PathStats(self._fs, self._locations.collision).stats([self._layout[index] for index in waiting])
        found = {index: look for index, look in zip(waiting, looks, strict=True) if look is not None}
        beginnings = {index: look for index, look in found.items() if self._begins(index, look)}
        twins = frozenset(found) - beginnings.keys()
        for index in twins:
            if not self._same(index):
                raise self._locations.collision(self._layout[index], "another file has that name")
        for index in beginnings:
            self._landing.refuse_to_adopt(index)
        return twins, beginnings

    def _begins(self, index: int, stat: FileStat) -> bool:
        """Whether what has the final name is a cut-short copy: every byte of it is the proven one's."""
        if stat.kind is not FileKind.FILE or not self._locations.undecided(index, stat):
            return False
        return self._alike(self._layout[index], self._locations.path_of(index), stat.size)

    def _make_room(self, index: int, seen: FileStat) -> None:
        """Set a beginning aside; an attempt that is killed now has the whole content in staging, and the next one goes on with it.

        Raises Collision, and gives it back, where somebody wrote to it since it was compared.
        """
        path, aside = self._layout[index], self._set_aside_as_beginning(index)
        self._fs.make_folders(aside.parent)
        self._fs.rename(path, aside)
        now = self._fs.stat(aside)
        if now is None or not same_file(now, seen):
            self._fs.rename(aside, path)
            raise self._locations.collision(path, "somebody is writing to a file of that name", UNPROVEN)

    def _set_aside_as_beginning(self, index: int) -> RelativePath:
        return self._locations.set_aside / RelativePath((f"{index}.begun",))

    def _settle_one(self, index: int, twins: frozenset[int]) -> None:
        self._fs.make_folders(self._layout[index].parent)
        if index in twins or not self._renamed(index):
            self._fs.unlink(self._locations.path_of(index))
        self._locations.where[index] = Where.FINAL

    def _renamed(self, index: int) -> bool:
        """Move one file; False where its very content appeared there meanwhile."""
        path = self._layout[index]
        try:
            self._fs.rename(self._locations.path_of(index), path)
        except Collision:
            if not self._same(index):
                raise self._locations.collision(path, "another file has that name") from None
            return False
        return True

    def _same(self, index: int) -> bool:
        """Whether the file under the final name holds just what the proven one in staging holds."""
        path, size = self._layout[index], self._manifest.files[index].size
        stat = self._fs.stat(path)
        if stat is None or stat.kind is not FileKind.FILE or stat.size != size:
            return False
        return self._alike(path, self._locations.path_of(index), size)

    def _alike(self, one: RelativePath, other: RelativePath, size: int) -> bool:
        digests = {digest(self._fs, path, size, self._landing.progress) for path in (one, other)} if size else {b""}
        return len(digests) == 1
