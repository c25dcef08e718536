"""What tests of copying share: a torrent over several files, in memory on both sides, and ends that misbehave on purpose."""

from __future__ import annotations

import threading

from tests.fakes.filesystem import MemoryFileSystem, MemoryReader, MemoryWriter
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ConnectionLost
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.ports.strategy import TransferJob

PIECE = 16 << 10
WAIT = 20.0


class CopyCase:
    """`files`: sizes by name, below the folder `Show`. The source is `seedbox`, the target `nas`, with other names."""

    def __init__(self, tmp_path, files, *, source=None, target=None, piece_length=PIECE):
        self.source = source or MemoryFileSystem("seedbox:/data")
        self.target = target or MemoryFileSystem("nas:/library")
        made = tmp_path / "Show"
        made.mkdir()
        for number, (name, size) in enumerate(files.items()):
            content = _content(number, size)
            (made / name).write_bytes(content)
            self.source.plant_file(RelativePath(("Show", name)), content)
        self.manifest = Manifest.parse(make_torrent(made, piece_length=piece_length))
        self.source_paths = [file.path for file in self.manifest.files]
        self.target_paths = [RelativePath(("staging", file.path.name)) for file in self.manifest.files]

    def job(self, missing=None):
        """All of it, or the pieces of `missing`."""
        wanted = Bitfield.full(self.manifest.piece_count) if missing is None else missing
        return TransferJob(self.manifest, self.source, self.source_paths, self.target, self.target_paths, wanted)

    def came(self, file):
        """Whether the target has just what the source has."""
        return self.target.content(self.target_paths[file]) == self.source.content(self.source_paths[file])

    def all_came(self):
        return all(self.came(file.index) for file in self.manifest.files)

    def good_at_rest(self, piece):
        """Whether the target holds this piece right now."""
        hasher = self.manifest.hasher(piece)
        for span in self.manifest.spans(piece, piece):
            node = self.target.nodes.get(self.target_paths[span.file])
            if node is None:
                return False
            hasher.update(bytes(node.data[span.offset : span.offset + span.length]))
        return hasher.good()


def _content(number, size):
    """Bytes that differ from file to file and from piece to piece."""
    return b"".join(bytes([(number * 31 + step) % 256]) * 977 for step in range(-(-size // 977)))[:size]


class RottenOnce(MemoryFileSystem):
    """Flips a byte the first time that it is read."""

    def __init__(self, path, offset):
        super().__init__("seedbox:/data")
        self._at = (path, offset)
        self._done = False

    def read_at(self, span, offset):
        data = bytearray(super().read_at(span, offset))
        path, at = self._at
        if not self._done and span.path == path and offset <= at < offset + len(data):
            self._done = True
            data[at - offset] ^= 0xFF
        return bytes(data)


class LaggingFileSystem(MemoryFileSystem):
    """Takes writes at once and makes them true only when it is flushed, as a far server does."""

    def writer(self):
        return LaggingWriter(self)


class LaggingWriter(MemoryWriter):
    def __init__(self, system):
        super().__init__(system)
        self._queue = []

    def write(self, path, offset, data):
        self._check()
        self._queue.append((path, offset, bytes(data)))

    def flush(self):
        for path, offset, data in self._queue:
            super().write(path, offset, memoryview(data))
        self._queue = []


class SecondLane(MemoryFileSystem):
    """The first lane stops after its first bytes until a second one was asked for; the second breaks after `breaks_after` bytes.

    With `refuses`, asking for the second one raises this instead.
    """

    def __init__(self, *, breaks_after=None, refuses=None):
        super().__init__("seedbox:/data")
        self.asked = threading.Event()
        self.ended = threading.Event()
        self.breaks_after = breaks_after
        self._refuses = refuses
        self.count = 0

    def reader(self):
        self.count += 1
        if self.count == 1:
            return _FirstReader(self)
        self.asked.set()
        if self._refuses is not None:
            raise self._refuses
        return _BreakingReader(self)


class _FirstReader(MemoryReader):
    def read(self, spans, deliver):
        def deliver_and_wait(span, offset, data):
            deliver(span, offset, data)
            assert self._system.asked.wait(WAIT)
            assert self._system.breaks_after is None or self._system.ended.wait(WAIT)

        super().read(spans, deliver_and_wait)


class _BreakingReader(MemoryReader):
    def read(self, spans, deliver):
        left = self._system.breaks_after
        try:
            for span in spans:
                data = self._system.read_at(span, span.offset)
                deliver(span, span.offset, memoryview(data)[:left])
                left -= len(data)
                if left <= 0:
                    raise ConnectionLost("The second lane broke.")
        finally:
            self._system.ended.set()


class Blocked(MemoryFileSystem):
    """Reading blocks until somebody aborts."""

    def __init__(self):
        super().__init__("seedbox:/data")
        self.reading = threading.Event()

    def reader(self):
        return _BlockedReader(self)


class _BlockedReader(MemoryReader):
    def __init__(self, system):
        super().__init__(system)
        self._cut = threading.Event()

    def read(self, spans, _deliver):
        next(iter(spans))
        self._system.reading.set()
        assert self._cut.wait(WAIT)
        self._check()

    def abort(self):
        super().abort()
        self._cut.set()


class Hurrying:
    """A clock on which a second passes at every look: what the lane count waits for comes soon."""

    def __init__(self):
        self._now = 0.0
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self._now += 1.0
            return self._now
