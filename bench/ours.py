"""One measured transfer in a process of its own, its parts wired as a move wires them: `python -m bench.ours < job.json`."""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.process.surroundings import collect_rarely
from torrent_mover.adapters.rsync.process import RsyncProcess
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.errors import Cancelled
from torrent_mover.domain.move import MAIN_ROUTE, MOVE, MoveRecord, Stage
from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.engine.delivery.checkpoint import Checkpoint
from torrent_mover.engine.delivery.landing import Landing
from torrent_mover.engine.progress.board import Flow, Legs, Track
from torrent_mover.engine.progress.sink import MoveSink, Throttle
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.ssh import SshTarget
from torrent_mover.ports.strategy import Strategy, TransferJob
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare
from torrent_mover.transfer.rsync_leg import RsyncTuning
from torrent_mover.transfer.rsyncing import LocalEnd, RsyncEndpoint, Rsyncing

_TICK = 0.05
_FLOWS = {
    "sftp": (frozenset({Flow.IN}),),
    "sftp_upload": (frozenset({Flow.IN, Flow.OUT}),),
    "rsync": (frozenset({Flow.IN}),),
}


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach the benchmark's sshd."""

    host: str
    port: int
    user: str
    key_file: str
    known_hosts: str


@dataclass(frozen=True, slots=True)
class Job:
    """What to measure. Sizes in bytes, `limit` in bytes/s.

    `stop_after`: break all off after so many bytes of each torrent. `sessions` and `downloads` are
    max_concurrent_ssh_sessions and max_concurrent_downloads.
    """

    mode: str
    login: Login
    source: str
    target: str
    state: str
    torrents: list[str]
    sessions: int = 8
    downloads: int = 4
    limit: float | None = None
    stop_after: int | None = None


@dataclass(slots=True)
class Outcome:
    """What came of it. `cpu` is ours and our children's, in seconds, from the first connection to the last line of the journal."""

    seconds: float = 0.0
    cpu_own: float = 0.0
    cpu_children: float = 0.0
    peak_rss: int = 0
    sent: int = 0
    pieces: int = 0
    good: int = 0
    curve: list[tuple[float, int]] = field(default_factory=list)
    """(seconds, bytes so far), as the ledger showed it."""

    def rate(self) -> float:
        """Bytes/s from the first byte to the last."""
        began, first = next((at, total) for at, total in self.curve if total)
        last = self.curve[-1][1]
        ended = next(at for at, total in self.curve if total == last)
        return (last - first) / max(ended - began, _TICK)

    def rate_since(self, seconds: float) -> float:
        """Bytes/s from so many seconds after the first byte to the last one."""
        began = next(at for at, total in self.curve if total) + seconds
        start, first = next((at, total) for at, total in self.curve if at >= began)
        last = self.curve[-1][1]
        ended = next(at for at, total in self.curve if total == last)
        return (last - first) / max(ended - start, _TICK)

    def rate_after(self, seconds: float) -> float:
        """Bytes/s over so many seconds from the first byte on."""
        began, first = next((at, total) for at, total in self.curve if total)
        ended, last = next((at, total) for at, total in self.curve if at >= began + seconds)
        return (last - first) / (ended - began)


class _Bench:
    """The parts that all torrents of the run share."""

    def __init__(self, job: Job, stack: ExitStack) -> None:
        self.job = job
        self.clock = SystemClock(threading.Event())
        journal = SqliteJournal(Path(job.state) / "journal.sqlite3", self.clock)
        stack.callback(journal.close)
        self.journal = journal.scoped(MOVE, "source", MAIN_ROUTE)
        self.throttle = Throttle(self.clock, lambda _flow: job.limit)
        self.target = SshTarget(
            host=job.login.host,
            port=job.login.port,
            username=job.login.user,
            key_file=LocalPath(job.login.key_file),
            known_hosts=LocalPath(job.login.known_hosts),
        )
        self.pool = self._pool(stack)
        lanes = min(self.pool.lanes, job.downloads)
        self.destination: FileSystem = LocalFileSystem(LocalPath(job.target))
        if job.mode == "sftp_upload":
            self.destination = SftpFileSystem(self._pool(stack), HostPath(job.target), holder="destination")
        self.share = LaneShare(lanes)

    def _pool(self, stack: ExitStack) -> SessionPool:
        pool = SessionPool(connect(self.target), limit=self.job.sessions)
        stack.callback(pool.close)
        return pool

    def strategy(self) -> Strategy:
        """What brings the bytes in this mode."""
        if self.job.mode != "rsync":
            return Copying(self.share)
        end = RsyncEndpoint(RsyncProcess(self.target), HostPath(self.job.source))
        return Rsyncing(end, LocalEnd(LocalPath(self.job.target), self.destination), tuning=RsyncTuning())


class _Move:
    """One torrent: surveyed before the clock starts, then brought."""

    def __init__(self, bench: _Bench, torrent: Path) -> None:
        self._bench = bench
        metainfo = torrent.read_bytes()
        self.manifest = Manifest.parse(metainfo)
        self.id = self.manifest.hashes.client_id
        layout = [file.path for file in self.manifest.files]
        self.landing = Landing(
            bench.destination,
            self.manifest,
            self.id,
            layout,
            owner=lambda _path: None,
            progress=lambda _count: None,
            adopting=lambda _paths: None,
        )
        legs = Legs(_FLOWS[bench.job.mode])
        self.track = Track(self.id, self.manifest.total_size, legs, bench.clock.monotonic)
        now = bench.clock.now()
        name = self.manifest.name
        bench.journal.save_move(MoveRecord(self.id, name, self.manifest.total_size, Stage.TRANSFERRING, now, now))
        stored = bench.journal.pieces(self.id)
        count = self.manifest.piece_count
        self.verified = Bitfield.from_bytes(stored, count) if stored else Bitfield(count)
        self._layout = layout

    def bring(self) -> None:
        """As engine.mover.Mover brings it."""
        bench = self._bench
        missing = Bitfield.full(self.manifest.piece_count).difference(self.verified)
        source = SftpFileSystem(bench.pool, HostPath(bench.job.source), holder=self.id.hex, follow_symlinks=True)
        self.track.landed = self.verified
        with (
            suppress(Cancelled),
            Checkpoint(bench.journal, self.landing, self.id, self.verified, bench.clock) as checkpoint,
        ):
            sink = MoveSink(self.track, bench.throttle, checkpoint.landed)
            job = TransferJob(self.manifest, source, self._layout, bench.destination, self.landing.paths, missing)
            bench.strategy().transfer(job, sink)


def run(job: Job) -> Outcome:
    """Run the job in this process."""
    outcome = Outcome()
    with ExitStack() as stack:
        bench = _Bench(job, stack)
        moves = [_Move(bench, Path(torrent)) for torrent in job.torrents]
        over = threading.Event()
        watching = (
            lambda: sum(move.track.ledger.sent for move in moves),
            over,
            outcome,
            lambda: _break_off(job, moves),
        )
        watcher = threading.Thread(target=watch, args=watching, daemon=True)
        before, started = _cpu(), time.monotonic()
        watcher.start()
        workers = [threading.Thread(target=move.bring) for move in moves]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        outcome.seconds = time.monotonic() - started
        over.set()
        watcher.join()
    after = _cpu()
    outcome.cpu_own, outcome.cpu_children = after[0] - before[0], after[1] - before[1]
    outcome.peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    outcome.sent = sum(move.track.ledger.sent for move in moves)
    outcome.pieces = sum(move.manifest.piece_count for move in moves)
    outcome.good = sum(move.verified.count() for move in moves)
    return outcome


def watch(
    total: Callable[[], int], over: threading.Event, outcome: Outcome, look: Callable[[], None] = lambda: None
) -> None:
    """Note the bytes so far twenty times a second, as a screen does; `look` is called each time."""
    started = time.monotonic()
    while not over.wait(_TICK):
        outcome.curve.append((time.monotonic() - started, total()))
        look()


def _break_off(job: Job, moves: list[_Move]) -> None:
    for move in moves:
        if job.stop_after and move.track.ledger.sent >= job.stop_after:
            move.track.break_off(Cancelled("The benchmark has seen enough."), gently=True)


def _cpu() -> tuple[float, float]:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def main() -> None:
    """Read the job from standard input, print the outcome."""
    said = json.load(sys.stdin)
    collect_rarely()  # as the command does
    login = Login(**said.pop("login"))
    print(json.dumps(asdict(run(Job(login=login, **said)))))


if __name__ == "__main__":
    main()
