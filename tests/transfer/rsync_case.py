"""One torrent, a real sshd, and the folders that rsync moves between: what the tests of rsync on real servers share."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import psutil

from tests.fakes.sink import RecordingSink
from tests.servers import target_of
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.demo.content import sample
from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.ports.strategy import TransferJob
from torrent_mover.transfer.proof import read_back
from torrent_mover.transfer.rsync_leg import RsyncTuning
from torrent_mover.transfer.rsync_progress import Counted, RsyncOutput
from torrent_mover.transfer.rsyncing import LocalEnd, RsyncEndpoint, Rsyncing

STAGE = RelativePath(("stage", "1"))
MIB = 1 << 20


class Tapped:
    """The real rsync, with its output and calls kept: what rsync itself says that it sent."""

    def __init__(self, program: RsyncProcess) -> None:
        self._program = program
        self.calls = []
        self.results = []
        self.output = b""

    @property
    def server(self):
        return self._program.server

    def run(self, call, watcher, on_abort):
        self.calls.append(call)
        outer = self

        class Tap:
            def output(self, data):
                outer.output += data
                watcher.output(data)

            def tick(self, activity):
                watcher.tick(activity)

        result = self._program.run(call, Tap(), on_abort)
        self.results.append(result)
        return result

    @property
    def literal(self) -> int:
        """Bytes that went over the wire as such, in all calls that ended well."""
        said = RsyncOutput().feed(self.output)
        return sum(what.count for what in said if isinstance(what, Counted) and what.literal)


class Case:
    """A torrent below `folder`/`source`, to be brought to `folder`/`destination`, there below STAGE.

    `sizes`: path in the torrent -> bytes.
    """

    def __init__(
        self,
        folder: Path,
        server,
        sizes,
        *,
        version="v1",
        piece_length=64 * 1024,
        source="src",
        destination="dst",
        **target,
    ):
        self.server = server
        self.source = folder / source
        self.destination = folder / destination
        self.cache = folder / "cache"
        for path in (self.destination, self.cache):
            path.mkdir(parents=True, exist_ok=True)
        self.sample = sample(self.source, "T", sizes, version=version, piece_length=piece_length)
        self.manifest = Manifest.parse(self.sample.metainfo)
        self.paths = [RelativePath(("T", *relative(path, self.sample.content))) for path in self._real_files()]
        self.rsync = Tapped(RsyncProcess(target_of(server, **target)))
        self.files = LocalFileSystem(LocalPath(str(self.destination)))

    def _real_files(self) -> list[Path]:
        """In the manifest's order; the manifest itself shows harmless names."""
        found = [Path(folder) / name for folder, _, names in os.walk(self.sample.content) for name in names]
        by_size = {path.stat().st_size: path for path in found}
        assert len(by_size) == len(found), "give every file its own size"
        return [by_size[file.size] for file in self.manifest.files]

    def job(self, missing: Bitfield | None = None) -> TransferJob:
        return TransferJob(
            self.manifest,
            LocalFileSystem(LocalPath(str(self.source))),
            self.paths,
            self.files,
            [STAGE / path for path in self.paths],
            self.missing() if missing is None else missing,
        )

    def strategy(self, *, limit: int | None = None, timeout: float = 60, options=()) -> Rsyncing:
        """rsync: one leg."""
        pull = RsyncEndpoint(self.rsync, HostPath(str(self.source)), lambda: limit)
        local = LocalEnd(LocalPath(str(self.destination)), self.files)
        return Rsyncing(pull, local, tuning=RsyncTuning(tuple(options), timeout))

    def upload(self, *, push_to: Path | None = None, limit: int | None = None) -> Rsyncing:
        """rsync_upload: two legs."""
        pull = RsyncEndpoint(self.rsync, HostPath(str(self.source)), lambda: limit)
        push = RsyncEndpoint(self.rsync, HostPath(str(push_to or self.destination)))
        cache = LocalEnd(LocalPath(str(self.cache)), LocalFileSystem(LocalPath(str(self.cache))))
        return Rsyncing(pull, cache, push, RsyncTuning(timeout=60))

    def target(self, index: int) -> Path:
        return self.destination / str(STAGE) / os.fsdecode(bytes(self.paths[index]))

    def index(self, name: str) -> int:
        return next(index for index, path in enumerate(self.paths) if path.name == name)

    def original(self, index: int) -> Path:
        return self.source / os.fsdecode(bytes(self.paths[index]))

    def missing(self) -> Bitfield:
        """Pieces that are not good at the target: what the engine finds out before it calls a strategy."""
        length = [stat.size if (stat := self.files.stat(STAGE / path)) is not None else -1 for path in self.paths]
        candidates = Bitfield(self.manifest.piece_count)
        for piece in range(self.manifest.piece_count):
            if all(span.offset + span.length <= length[span.file] for span in self.manifest.spans(piece, piece)):
                candidates.set(piece)
        everything = Bitfield.full(self.manifest.piece_count)
        if not candidates.count():
            return everything
        paths = [STAGE / path for path in self.paths]
        return everything.difference(read_back(self.manifest, self.files, paths, candidates, lambda _count: None))

    def bytes_of(self, pieces: Bitfield) -> int:
        return sum(span.length for piece in pieces.ones() for span in self.manifest.spans(piece, piece))

    def arrived(self) -> bool:
        """Every file is there, byte for byte."""
        return all(
            self.target(index).read_bytes() == self.original(index).read_bytes() for index in range(len(self.paths))
        )

    def local_processes(self) -> list[psutil.Process]:
        """What rsync runs of this test process have started, however deep."""
        served = set(self.server.children()) if self.server.running else set()
        return [
            process
            for process in psutil.Process().children(recursive=True)
            if process.pid not in served
            and process.name() in ("rsync", "ssh", "sh")
            and process.status() != psutil.STATUS_ZOMBIE
        ]

    def remote_rsyncs(self) -> list[psutil.Process]:
        """What of rsync the server's logins started."""
        found = []
        for pid in self.server.children():
            try:
                process = psutil.Process(pid)
                if process.name() == "rsync":
                    found.append(process)
            except psutil.Error:
                continue
        return found


class Background:
    """A transfer in a thread of its own; `error` is what it raised."""

    def __init__(self, strategy: Rsyncing, job: TransferJob, sink: RecordingSink) -> None:
        self.error: BaseException | None = None
        self._work = (strategy, job, sink)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        strategy, job, sink = self._work
        try:
            strategy.transfer(job, sink)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def join(self, timeout: float = 30) -> BaseException | None:
        """Wait for its end and say what it raised."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the transfer hangs"
        return self.error


def relative(path: Path, folder: Path) -> tuple[str, ...]:
    return path.relative_to(folder).parts
