"""What is written down of a torrent before it is taken out: all that brings it back, and where each of its files goes."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.paths import ROOT, ClientPath, RelativePath
from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import ClientFile, FilePriority, InfoHash, Torrent, TorrentState
from torrent_mover.ports.documents import Documents

_TABLE: Final = "taken_out"
_RUNNING: Final = (TorrentState.DOWNLOADING, TorrentState.SEEDING)


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
    def probed_in(self) -> tuple[RelativePath, ...]:
        """Folders from which it goes into the bin."""
        return tuple(dict.fromkeys((ROOT, *(file.lies_at.parent for file in self.files if file.size is not None))))

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


def lying_in(torrent: Torrent, files: Sequence[ClientFile]) -> ClientPath:
    """The folder that the paths of its files are below: the save path, unless the client keeps unfinished data elsewhere."""
    at = torrent.content_path
    if at is None or at.is_within(torrent.save_path) or not files:
        return torrent.save_path
    shared = _common([tuple(file.path.split("/")) for file in files])
    if shared and at.parts[-len(shared) :] == shared:
        return ClientPath("/" + "/".join(at.parts[: -len(shared)]))
    return at


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all paths begin with; of a single file, all of it."""
    if len(paths) == 1:
        return paths[0]
    found = []
    for parts in zip(*(path[:-1] for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return tuple(found)


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
