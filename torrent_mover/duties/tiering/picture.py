"""What a tier sees: torrents with the names of their files, copies with their proof, disks with their space. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState

Identity: TypeAlias = tuple[int, int]
"""Device and inode: two names with the same one are hard links of one file."""

TorrentKey: TypeAlias = tuple[str, InfoHash]
"""A client's name and an infohash: the same torrent may be in two clients."""


@dataclass(frozen=True, slots=True)
class NameFound:
    """One name of a regular file, as a look at the disk found it.

    `real` is where the name leads when symbolic links in it are followed. Size in bytes, `mtime_ns` in nanoseconds since
    1970, `links` counts the names that the file has. `owner`: the numbers of its user and group; None in records that do not
    say.
    """

    path: LocalPath
    real: LocalPath
    size: int
    mtime_ns: int
    identity: Identity
    links: int = 1
    owner: tuple[int, int] | None = None

    def stamp(self, path: str) -> FileStamp:
        """What a proof keeps of it. `path` is the name that the torrent gives it."""
        return FileStamp(path, self.size, self.mtime_ns, self.identity[1])


@dataclass(frozen=True, slots=True)
class FileStamp:
    """How a file was when its bytes were proven: equal again, it is taken for unchanged.

    `path` is relative to the torrent's save path. The device is left out, because its number changes when a disk is
    mounted again.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class CopyProof:
    """A copy whose pieces were all good at `at` (Unix seconds).

    `root` is the target's folder and `root_id` its identity; the copy's save path is `folder` below it. `copies` are the
    files there, `originals` those on the SSD, both as they were then. `read_back` False: only hashed on the way.
    """

    at: float
    root: LocalPath
    root_id: str
    folder: RelativePath
    copies: tuple[FileStamp, ...]
    originals: tuple[FileStamp, ...]
    pieces: int
    read_back: bool

    @property
    def paths(self) -> tuple[RelativePath, ...]:
        """The copy's files below the target, in the order of `copies`."""
        return tuple(self.folder / RelativePath.parse(stamp.path) for stamp in self.copies)

    @property
    def save_path(self) -> LocalPath:
        """The folder that the client is given, as we see it."""
        return self.root / self.folder if self.folder.parts else self.root


@dataclass(frozen=True, slots=True)
class TierTorrent:
    """One torrent of a client as the decisions of a tier need it.

    `save_path` as we see it. Unix seconds, bytes, bytes a second; `idle` and `seeding_time` in seconds. `unwanted`: files
    of it are not selected. `names` are its files on the SSD, empty where nobody looked.
    """

    client: str
    id: InfoHash
    name: str
    label: str
    tags: tuple[str, ...]
    state: TorrentState
    complete: bool
    size: int
    save_path: LocalPath
    finished_at: float
    ratio: float = 0.0
    seeding_time: float = 0.0
    idle: float = 0.0
    upload_rate: int = 0
    unwanted: bool = False
    names: tuple[NameFound, ...] = ()

    @property
    def key(self) -> TorrentKey:
        """Which torrent of which client."""
        return self.client, self.id


@dataclass(frozen=True, slots=True)
class LinkFound:
    """A symbolic link on the SSD. `real` is where it leads in the end, `text` what stands in it.

    `again`: it is a name below a link root, to be made again on the target when what it leads to leaves.
    """

    path: LocalPath
    real: LocalPath
    text: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Bytes free and in all on the disk of an SSD folder or of a target. `device` tells disks apart."""

    root: LocalPath
    free: int
    total: int
    device: int


def found_below(path: LocalPath, roots: Iterable[LocalPath]) -> tuple[LocalPath, RelativePath] | None:
    """The root that holds `path`, and the way from there; the innermost one where several do. None: none does."""
    inside = [root for root in roots if path.is_within(root)]
    if not inside:
        return None
    root = max(inside, key=lambda each: len(each.parts))
    return root, path.relative_to(root)


def same_files(stamps: Iterable[FileStamp], found: Mapping[str, NameFound | None]) -> tuple[str, ...]:
    """Paths of files that are not as their stamps say (size, time, inode); empty: all are unchanged."""
    changed = []
    for stamp in stamps:
        now = found.get(stamp.path)
        if now is None or (now.size, now.mtime_ns, now.identity[1]) != (stamp.size, stamp.mtime_ns, stamp.inode):
            changed.append(stamp.path)
    return tuple(changed)
