"""What is written down of a torrent before it is taken out: all that brings it back, and where each of its files goes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.paths import ROOT, ClientPath, RelativePath
from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import ClientFile, FilePriority, InfoHash, Torrent, TorrentState
from torrent_mover.ports.documents import Documents

_TABLE: Final = "taken_out"
_RUNNING: Final = (TorrentState.DOWNLOADING, TorrentState.SEEDING)

UNFINISHED: Final = ".!qB"
"""What a client puts behind the name of an unfinished file."""


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One file of the torrent: its path below the folder that holds it, as the client has it.

    `size` and `identity` (device, inode) as it was found on disk; None: it was not there, or that is not told. `suffix`: what
    the client puts behind the name of an unfinished file.
    """

    index: int
    path: str
    priority: FilePriority
    size: int | None = None
    identity: tuple[int, int] | None = None
    suffix: str = ""

    @property
    def lies_at(self) -> RelativePath:
        """Its name on disk."""
        return RelativePath.parse(self.path + self.suffix)


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A torrent as it was.

    `folder`: what the paths of its files are below, and so is the bin; it is the save path unless the client keeps unfinished
    data elsewhere. `bin`: its folder in the bin, below `folder`; blank: nothing goes there. `metainfo`: the .torrent in base64;
    blank: a magnet link without metadata. `part`: the name of its part file, where there is one. `media`: what its release was
    grabbed for; `arr_searches`: its Arr was seen to search by itself. `told_not_to_search`: the Arr
    is told so with the block that is under way. `limits`: its share limits, as JSON. `warranted`: its client was told to take it
    out, or was just about to be told. `probe`: the name of the empty file that tries the way into the bin just now; blank: none.
    """

    number: int
    torrent: InfoHash
    name: str
    category: str
    tags: tuple[str, ...]
    save_path: ClientPath
    folder: ClientPath
    metainfo: str
    running: bool
    amount_left: int
    complete: bool
    upload_limit: int
    download_limit: int
    limits: str
    sequential: bool
    first_last_piece_first: bool
    super_seeding: bool
    force_start: bool
    auto_managed: bool
    files: tuple[OwnFile, ...]
    bin: str = ""
    part: str = ""
    part_size: int = 0
    media: tuple[int, ...] = ()
    arr_searches: bool = False
    told_not_to_search: bool = False
    warranted: bool = False
    probe: str = ""

    @property
    def share_limits(self) -> ShareLimits:
        """The torrent's own."""
        return ShareLimits.from_data(json.loads(self.limits))

    @property
    def torrent_file(self) -> bytes:
        """The .torrent."""
        return base64.b64decode(self.metainfo)

    @property
    def part_lies_at(self) -> RelativePath:
        """Its part file."""
        return RelativePath.parse(self.part)

    @property
    def going(self) -> tuple[OwnFile, ...]:
        """Those of its files that go into the bin; of the others only names and priorities are known."""
        return tuple(file for file in self.files if file.size is not None)

    @property
    def probed_in(self) -> tuple[RelativePath, ...]:
        """Folders from which it goes into the bin."""
        return tuple(dict.fromkeys((ROOT, *(file.lies_at.parent for file in self.going))))

    def in_bin(self, path: RelativePath) -> RelativePath:
        """Where a file of it lies in the bin."""
        return RelativePath.parse(self.bin) / path

    def same(self, torrent: Torrent) -> bool:
        """Whether the torrent is what it was: at the same place, in the same category, and no byte has come since."""
        stays = (torrent.save_path, torrent.category) == (self.save_path, self.category)
        return stays and torrent.amount_left >= self.amount_left


def noted(number: int, torrent: Torrent, files: Sequence[OwnFile], metainfo: bytes, folder: ClientPath) -> TakenOut:
    """The record of a torrent, nothing done yet."""
    return TakenOut(
        number=number,
        torrent=torrent.id,
        name=torrent.name,
        category=torrent.category,
        tags=torrent.tags,
        save_path=torrent.save_path,
        folder=folder,
        metainfo=base64.b64encode(metainfo).decode("ascii"),
        running=torrent.state in _RUNNING,
        amount_left=torrent.amount_left,
        complete=torrent.complete,
        upload_limit=torrent.upload_limit,
        download_limit=torrent.download_limit,
        limits=json.dumps(torrent.limits.to_data()),
        sequential=torrent.sequential,
        first_last_piece_first=torrent.first_last_piece_first,
        super_seeding=torrent.super_seeding,
        force_start=torrent.force_start,
        auto_managed=torrent.auto_managed,
        files=tuple(files),
    )


def staying(files: Iterable[ClientFile | OwnFile]) -> tuple[OwnFile, ...]:
    """Of files that go into no bin: their names and priorities, which the client must be told again."""
    return tuple(OwnFile(file.index, file.path, file.priority) for file in files)


def lying_in(torrent: Torrent, files: Sequence[ClientFile]) -> ClientPath:
    """The folder that the paths of its files are below now: a client may keep unfinished data elsewhere, also below the save path.

    By where the client says that all of it lies: the file itself, the one folder that all paths begin with, or, where there is no
    such folder, what holds the files.
    """
    at = torrent.content_path
    if at is None or not files:
        return torrent.save_path
    paths = [tuple(file.path.split("/")) for file in files]
    for inside in _tops(paths):
        if not inside or _without_suffix(at.parts[-len(inside) :]) == inside:
            return ClientPath("/" + "/".join(at.parts[: len(at.parts) - len(inside)]))
    return torrent.save_path if at.is_within(torrent.save_path) else at


def _tops(paths: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    """What a client may mean by all of a torrent, below the folder that holds it. A single file may be one beside padding."""
    if any(len(path) == 1 for path in paths):
        return (paths[0],) if len(paths) == 1 else ((),)
    first = {path[0] for path in paths}
    if len(first) > 1:
        return ((),)
    return (paths[0], paths[0][:1]) if len(paths) == 1 else (paths[0][:1],)


def _without_suffix(parts: tuple[str, ...]) -> tuple[str, ...]:
    return (*parts[:-1], parts[-1].removesuffix(UNFINISHED)) if parts else parts


class TakenOutRecords:
    """The journal's records of torrents that were taken out. Every write is on stable storage when it returns."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def get(self, number: int) -> TakenOut | None:
        """Of one action."""
        found = self._documents.get(_TABLE, str(number))
        return None if found is None else from_plain(TakenOut, found)

    def save(self, record: TakenOut) -> None:
        """Write it, by its number."""
        self._documents.put(_TABLE, str(record.number), to_plain(record))

    def forget(self, number: int) -> None:
        """Of an action that was refused before anything was done."""
        self._documents.delete(_TABLE, str(number))
