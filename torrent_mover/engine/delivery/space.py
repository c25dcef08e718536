"""Reserves room at the destination and in the cache: what is free is asked, the sum of what is promised is ours."""

from __future__ import annotations

import errno
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from weakref import WeakSet

from torrent_mover.domain.capacity import Reservations
from torrent_mover.domain.errors import DiskFull, FileTooLarge, MoverError, NotWritable, ServerTooOld
from torrent_mover.domain.file_trouble import FAT_LARGEST, trouble_of
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import size as size_text
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.filesystem import FileSystem


class NoRoom(DiskFull):
    """The move does not fit. `later`: it may, once other moves of this run have given their room back."""

    def __init__(self, refused: DiskFull, reason: str, *, later: bool) -> None:
        super().__init__(refused.what, kept=refused.kept, remedy=refused.remedy, server=refused.server)
        self.reason = reason
        self.later = later


class Disks:
    """The file systems that fill up, one account each, for everybody in this process who writes there.

    `names`: the file system of each place, where it is known. `spaces` are those of the runs that go on: one that has ended is
    forgotten with its run, for in months there are thousands. All of it is read and changed under `lock`.
    """

    def __init__(self) -> None:
        self.lock: Final = threading.Lock()
        self.reservations: Final = Reservations()
        self.names: Final[dict[str, str]] = {}
        self.spaces: Final[WeakSet[ReservedSpace]] = WeakSet()

    def arrived(self) -> dict[InfoHash, int]:
        """Bytes of all moves under way that lie at their destinations already."""
        return {torrent: count for space in self.spaces for torrent, count in space.arrived().items()}


class ReservedSpace:
    """The reservations of a run. Safe from any thread.

    `places` are the file systems that fill up, by the name that messages use; `cache` names the one of them through which all
    bytes pass a second time, if there is one.
    """

    def __init__(
        self,
        destination: FileSystem,
        cache: FileSystem | None,
        arrived: Callable[[], Mapping[InfoHash, int]],
        disks: Disks | None = None,
    ) -> None:
        """`arrived` says how many bytes of each move under way lie at the destination already.

        `disks`: what others of this process reserve on the same file systems; None: there is nobody else.
        """
        self._places = {destination.name: destination} | ({cache.name: cache} if cache else {})
        self._cache = cache.name if cache else ""
        self._disks = disks or Disks()
        self.arrived: Final = arrived
        with self._disks.lock:
            self._disks.spaces.add(self)
        self._reservations = self._disks.reservations
        self._taken: dict[str, int] = {}  # bytes of the largest file that was tried there, and was taken
        self._lock = self._disks.lock

    @property
    def places(self) -> tuple[tuple[str, FileSystem], ...]:
        """What fills up, by name."""
        return tuple(self._places.items())

    @property
    def cache(self) -> str:
        """The name of the cache; empty without one."""
        return self._cache

    def reserve(self, torrent: InfoHash, size: int, present: int) -> None:
        """Take room for `size` bytes, `present` of which lie there already. Raises NoRoom, keeping none, where they do not fit."""
        with self._lock:
            for place in self._places:
                if not self._reservations.knows(self._disk(place)):
                    self._ask(place)
                if self._reservations.knows(self._disk(place)):
                    needed = size if place == self._cache else max(size - present, 0)
                    self._reserve(torrent, place, needed)

    def _reserve(self, torrent: InfoHash, place: str, needed: int) -> None:
        disk = self._disk(place)
        reason = self._reservations.refusal(torrent, disk, needed, place)
        if reason:
            self._ask(place)  # somebody may have made room since
            reason = self._reservations.refusal(torrent, disk, needed, place)
        try:
            self._reservations.reserve(torrent, disk, needed, place)
        except DiskFull as refused:
            self._reservations.release(torrent)
            raise NoRoom(refused, reason, later=self._reservations.fits_ever(disk, needed)) from refused

    def require_large(self, path: RelativePath, size: int, staging: RelativePath) -> None:
        """See that every place takes a file of so many bytes. Raises FileTooLarge.

        What only trying can tell is tried with an empty file of that size in `staging`, and only above what a FAT disk takes:
        what refuses less than that says so by itself (`FileSystem.largest_file`).
        """
        with self._lock:
            for place, files in self._places.items():
                largest = files.largest_file()
                if largest is None and size > FAT_LARGEST and size > self._taken.get(place, 0):
                    if not _takes(files, size, staging):
                        raise _too_large(path, size, place, None)
                    self._taken[place] = size
                elif largest is not None and size > largest:
                    raise _too_large(path, size, place, largest)

    def settle(self, torrent: InfoHash) -> None:
        """The move's bytes are at the destination for good, and out of the cache."""
        with self._lock:
            for place in self._places:
                if place != self._cache and self._reservations.knows(self._disk(place)):
                    self._reservations.settle(torrent, self._disk(place))
            self._reservations.release(torrent)

    def release(self, torrent: InfoHash) -> None:
        """Give back what it reserved; some of it may lie in staging, so that the disk is asked again."""
        with self._lock:
            self._reservations.release(torrent)
            for place in self._places:
                with suppress(MoverError):
                    self._ask(place)

    def _ask(self, place: str) -> None:
        try:
            space = self._places[place].space()
        except ServerTooOld:
            return  # a server that cannot tell: the write itself will say when it is full
        if space.disk and place != self._cache:
            self._disks.names[place] = space.disk
        self._reservations.know(self._disk(place), space.free, space.total, self._disks.arrived())

    def _disk(self, place: str) -> str:
        """What its room is counted by: all folders of one file system share it, as far as that is known."""
        return self._disks.names.get(place, place)


def _takes(files: FileSystem, size: int, staging: RelativePath) -> bool:
    """Whether an empty file of so many bytes can be made there. Raises NotWritable where no file can; leaves nothing."""
    probe = staging / f".torrent-mover-probe-{secrets.token_hex(6)}"
    try:
        files.create(probe, 1)
        try:
            files.create(probe, size)
        except NotWritable:  # some servers say only that it failed
            return False
    finally:
        with suppress(MoverError):
            files.unlink(probe)
            files.remove_folder(staging)  # goes only if it is empty
    return True


def _too_large(path: RelativePath, size: int, place: str, largest: int | None) -> FileTooLarge:
    limit = "no file of that size" if largest is None else f"files of at most {largest:,} bytes"
    return FileTooLarge(
        f"{path} has {size_text(size)} ({size:,} bytes), and {place} takes {limit}.",
        kept="Nothing was written for it; the source keeps it.",
        remedy=trouble_of(errno.EFBIG).helps(place, place),
    )
