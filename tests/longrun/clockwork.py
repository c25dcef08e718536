"""One clock under a whole process, and what dies with that process: its clocks, files, journal, requests, loops."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.engine.fuse import Fuse
from tests.fakes.clock import FakeClock
from tests.longrun.known import files_below
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.http import HttpService
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.local.lanes import LocalWriter
from torrent_mover.adapters.ssh.openssh_channel import OpensshChannel
from torrent_mover.adapters.store.database import Database
from torrent_mover.domain.capacity import margin
from torrent_mover.domain.errors import Cancelled
from torrent_mover.ports.filesystem import FreeSpace

TOTAL = 100_000_000_000
"""Bytes that a simulated disk says that it has."""
KEPT = margin(TOTAL)
"""Bytes that nobody fills: what is told as free beside what there really is room for."""

CHANGES = ("make_folders", "create", "rename", "replace", "unlink", "remove_folder", "chmod", "link", "copy", "sync")
"""Methods of a file system that change something on the disk, or make it durable."""


class Disks:
    """What the simulated disks are: how much goes on each, and what of their files was synced."""

    def __init__(self) -> None:
        self.sizes: dict[Path, int] = {}
        self.lock = threading.Lock()
        self.unsynced: dict[tuple[int, int], bytes] = {}
        """Files that were written since their last sync, by device and inode, with what they held then."""
        self._measured: dict[Path, int] = {}
        self.before_unlink: Callable[[Path], None] = lambda _path: None

    def space(self, root: Path) -> FreeSpace | None:
        """Of the disk that a root lies on; None: no simulated one. Measured again where a process has changed something."""
        for place, size in self.sizes.items():
            if root.is_relative_to(place):
                return FreeSpace(max(size - self._used(place), 0) + KEPT, TOTAL)
        return None

    def _used(self, place: Path) -> int:
        measured = self._measured  # another thread may begin a new one at any time
        if place not in measured:
            measured[place] = used(place)
        return measured[place]

    def changed(self) -> None:
        """What lies on the disks is other than before."""
        self._measured = {}

    def dirty(self, path: Path) -> None:
        """A file is about to be written."""
        found = path.stat()
        with self.lock:
            self.unsynced.setdefault((found.st_dev, found.st_ino), b"")

    def clean(self, path: Path) -> None:
        """A file is durable as it is."""
        try:
            found = path.stat()
        except OSError:
            return
        with self.lock:
            self.unsynced.pop((found.st_dev, found.st_ino), None)

    def cut_power(self) -> int:
        """Bytes that no sync has followed read as zeros; how many files that hit. Names stay, as journaled metadata does."""
        hit = 0
        with self.lock:
            lost, self.unsynced = self.unsynced, {}
        for place in self.sizes:
            for path in files_below(place):
                found = path.stat()
                if lost.pop((found.st_dev, found.st_ino), None) is not None:
                    path.write_bytes(bytes(found.st_size))
                    hit += 1
        return hit


def used(place: Path) -> int:
    """Bytes of all files below a folder, each counted once however many names it has."""
    seen: dict[tuple[int, int], int] = {}
    folders = [str(place)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        seen[found.st_dev, found.st_ino] = found.st_size
        except OSError:
            continue
    return sum(seen.values())


class Life(Fuse):
    """A fuse that remembers only its last calls: a process may live for months."""

    def touch(self, label: str) -> None:
        super().touch(label)
        if len(self.labels) > 200:
            del self.labels[:100]


class Process:
    """The process that runs now. Once its fuse has killed it, nothing that it has made can do anything any more."""

    now: Process

    def __init__(self, clock: FakeClock, disks: Disks, random_: random.Random) -> None:
        self.clock = clock
        self.disks = disks
        self.fuse = Life()
        self.random = random_
        self.channels: list[OpensshChannel] = []
        """Its connections by SSH: what holds one when it is killed asks the clock as it lets go, and so never does."""
        Process.now = self

    def dies_within(self, calls: int) -> None:
        """Kill it at one of its next calls that change something."""
        self.fuse.arm(self.fuse.count + calls, self.fuse.kill)

    def hang_up(self) -> None:
        """What the kernel takes from it once it is dead."""
        for channel in list(self.channels):
            with suppress(OSError):
                channel.close()
        self.channels.clear()


@contextmanager
def clockwork() -> Iterator[None]:
    """While in this context everything that a process makes lives by the clock of `Process.now`, and dies with it."""
    with pytest.MonkeyPatch.context() as patch:
        _patch_clock(patch)
        _patch_files(patch)
        _patch_journal(patch)
        _patch_channels(patch)
        yield


def _patch_clock(patch: pytest.MonkeyPatch) -> None:
    made = SystemClock.__init__

    def begin(self: Any, stop: threading.Event | None = None) -> None:
        made(self, stop)
        self.process = Process.now

    def monotonic(self: Any) -> float:
        self.process.fuse.touch("the clock")
        return self.process.clock.monotonic()

    def wait(self: Any, seconds: float) -> None:
        self.process.fuse.touch("the clock")
        if self._stop.is_set():
            raise Cancelled(
                "The run was stopped.", kept="What was verified so far is kept; the next run goes on from there."
            )
        if seconds > 0:
            time.sleep(0.0002)  # whoever works in another thread has its turn: time may not run away from it
            self.process.clock.advance(seconds)

    patch.setattr(SystemClock, "__init__", begin)
    patch.setattr(SystemClock, "now", lambda self: self.process.clock.now())
    patch.setattr(SystemClock, "monotonic", monotonic)
    patch.setattr(SystemClock, "wait", wait)
    # What asks for the wall time beside the clock shall see the same day.
    patch.setattr(time, "time", _wall_time)


def _wall_time() -> float:
    return Process.now.clock.now()


def _patch_files(patch: pytest.MonkeyPatch) -> None:
    made = LocalFileSystem.__init__

    def begin(self: Any, *arguments: Any, **words: Any) -> None:
        made(self, *arguments, **words)
        self.process = Process.now

    patch.setattr(LocalFileSystem, "__init__", begin)
    for name in CHANGES:
        patch.setattr(LocalFileSystem, name, _touching(name, getattr(LocalFileSystem, name)))
    real_space = LocalFileSystem.space
    patch.setattr(LocalFileSystem, "space", lambda self: self.process.disks.space(self._root) or real_space(self))
    written = LocalWriter.write

    def write(self: Any, path: Any, offset: int, data: memoryview) -> None:
        process = self._places.process
        process.fuse.touch("a write")
        written(self, path, offset, data)
        process.disks.changed()
        process.disks.dirty(self._places.full(path))

    patch.setattr(LocalWriter, "write", write)


def _touching(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *arguments: Any, **words: Any) -> Any:
        process: Process = self.process
        process.fuse.touch(f"before {name}")
        if name == "sync":
            paths = list(arguments[0])
            real(self, paths)
            for path in paths:
                process.disks.clean(self.full(path))
            process.fuse.touch("after sync")
            return None
        if name == "unlink":
            process.disks.before_unlink(self.full(arguments[0]))
            process.disks.clean(self.full(arguments[0]))
        answer = real(self, *arguments, **words)
        process.disks.changed()
        process.fuse.touch(f"after {name}")
        return answer

    return call


def _patch_journal(patch: pytest.MonkeyPatch) -> None:
    made, wrote = Database.__init__, Database.write

    def begin(self: Any, *arguments: Any, **words: Any) -> None:
        made(self, *arguments, **words)
        self.process = Process.now

    def write(self: Any, statements: Any) -> int:
        self.process.fuse.touch("before a write to the journal")
        changed = wrote(self, statements)
        self.process.fuse.touch("after a write to the journal")
        return changed

    patch.setattr(Database, "__init__", begin)
    patch.setattr(Database, "write", write)
    service, asked = HttpService.__init__, HttpService.ask

    def serve(self: Any, *arguments: Any, **words: Any) -> None:
        service(self, *arguments, **words)
        self.process = Process.now

    def ask(self: Any, *arguments: Any, **words: Any) -> Any:
        self.process.fuse.touch("before a request")
        answer = asked(self, *arguments, **words)
        self.process.fuse.touch("after a request")
        return answer

    patch.setattr(HttpService, "__init__", serve)
    patch.setattr(HttpService, "ask", ask)


def _patch_channels(patch: pytest.MonkeyPatch) -> None:
    made, closed = OpensshChannel.__init__, OpensshChannel.close

    def begin(self: Any, *arguments: Any, **words: Any) -> None:
        made(self, *arguments, **words)
        self.process_of = Process.now
        self.process_of.channels.append(self)

    def close(self: Any) -> None:
        with suppress(ValueError):  # another thread closes it too
            self.process_of.channels.remove(self)
        closed(self)

    patch.setattr(OpensshChannel, "__init__", begin)
    patch.setattr(OpensshChannel, "close", close)


class Linked:
    """A client as one process sees it: what that process asks for once it is dead comes to nothing."""

    def __init__(self, inner: Any, process: Process) -> None:
        self._inner = inner
        self._process = process

    def for_route(self, _clock: Any, _files: Any = None) -> Linked:
        """See bootstrap.servers: the same client, for another route."""
        return self

    def close(self) -> None:
        """Nothing is held."""

    def role(self, kind: type) -> Any:
        """See ports.client."""
        return None if self._inner.role(kind) is None else self

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **words: Any) -> Any:
            self._process.fuse.touch(f"before {name}")
            answer = found(*arguments, **words)
            self._process.fuse.touch(f"after {name}")
            return answer

        return call
