"""Leases of torrents, held by the kernel: of two threads, processes or configs of a user, one works on a torrent of a client."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import struct
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from torrent_mover.adapters.lockfile import open_lock
from torrent_mover.domain.errors import NotWritable, TransferError
from torrent_mover.domain.torrent.torrent import InfoHash

_LEASES: Final = "torrents.lock"
_PLACE_BYTES: Final = 7
"""Of a hash: enough to tell any two torrents apart, and within what a file offset can be."""
_FLOCK: Final = "hhqqi4x"
"""`struct flock`: type, whence, start, length, process."""


class KernelLeases:
    """See ports.leases.Leases. `folder` is the same for all configs of a user; `names` says how messages call a client.

    A lease is one byte of one file, at a place that follows from client and infohash, locked for as long as its file
    descriptor is open: see fcntl(2), F_OFD_SETLK. Two descriptors of one process stand in each other's way as well.
    """

    def __init__(self, folder: Path, names: Mapping[str, str] | None = None) -> None:
        self._path = folder / _LEASES
        self._names = dict(names or {})
        self._here: dict[int, str] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def hold(self, ends: Iterable[tuple[str, InfoHash]], route: str = "") -> Iterator[None]:
        """See the port. Taken in one order by all, so that of two who want the same ends one gets them."""
        wanted = {_place(client, torrent): (client, torrent) for client, torrent in ends}
        descriptor = open_lock(self._path)
        taken: list[int] = []
        try:
            for place in sorted(wanted):
                if not self._take(descriptor, place):
                    raise self._refusal(wanted[place][0], place)
                with self._lock:
                    self._here[place] = route
                taken.append(place)
            yield
        finally:
            with self._lock:
                for place in taken:
                    del self._here[place]
            os.close(descriptor)

    def held(self, client: str, torrent: InfoHash) -> bool:
        """See the port. Where no lease was ever taken, no file is made."""
        descriptor = self._opened()
        if descriptor is None:
            return False
        try:
            return _first_held(descriptor, _place(client, torrent), 1) is not None
        finally:
            os.close(descriptor)

    def _opened(self) -> int | None:
        """The lock file; None: no lease was ever taken."""
        try:
            return os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotWritable(
                f"The lock {self._path} cannot be read: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Give it to the user that runs torrent-mover, or remove it while nothing runs.",
            ) from error

    def held_among(self, client: str, torrents: Collection[InfoHash]) -> frozenset[InfoHash]:
        """Those that are held, by a few questions for all of them: usually none is."""
        descriptor = self._opened()
        if descriptor is None:
            return frozenset()
        try:
            places = set(_held_between(descriptor, 0, 1 << (8 * _PLACE_BYTES)))
        finally:
            os.close(descriptor)
        return frozenset(each for each in torrents if _place(client, each) in places) if places else frozenset()

    def _take(self, descriptor: int, place: int) -> bool:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _request(place))
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise NotWritable(
                f"The lock {self._path} cannot be taken: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Set state_dir in [General] to a folder on a local disk.",
            ) from error
        return True

    def _refusal(self, client: str, place: int) -> TransferError:
        with self._lock:
            route = self._here.get(place)
        who = "Another run" if route is None else f"The route {route}" if route else "Another job of this run"
        name = self._names.get(client, "")
        return TransferError(
            f"{who} works on this torrent{f' at {name}' if name else ''} right now.",
            kept="Nothing was started.",
            remedy="It is tried again; if the other one has moved it by then, there is only the hand-over left to do.",
            server=name,
        )


def _place(client: str, torrent: InfoHash) -> int:
    digest = hashlib.sha256(f"{client}\0{torrent.hex}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:_PLACE_BYTES], "big")


def _request(place: int, length: int = 1) -> bytes:
    return struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, length, 0)


def _first_held(descriptor: int, start: int, length: int) -> tuple[int, int] | None:
    """Place and length of a lock of others in that range, whichever the kernel finds; None: there is none."""
    answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _request(start, length))
    kind, _, at, size, _ = struct.unpack(_FLOCK, answer)
    return None if kind == fcntl.F_UNLCK else (at, size)


def _held_between(descriptor: int, start: int, end: int) -> Iterator[int]:
    """The places that are held from `start` to before `end`. The kernel joins neighbours of one holder to one lock."""
    left = [(start, end)]
    while left:
        begin, over = left.pop()
        found = _first_held(descriptor, begin, over - begin) if begin < over else None
        if found is not None:
            at, size = found
            yield from range(max(at, begin), min(at + size, over))
            left += [(begin, at), (at + size, over)]
