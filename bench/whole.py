"""Whole runs on fake clients in a process of their own, with or without the dashboard: `python -m bench.whole < job.json`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import resource
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.ours import Job, Login, Outcome, watch
from tests.fakes.client import FakeClient, FolderDisk
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.process.system import HostMeter
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.move import MAIN_ROUTE, MOVE, Stage
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.report.events import Event, StageEntered
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.torrent.bencode import Value, encode
from torrent_mover.duties.moving.moving import Moving
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.engine.delivery.places import Destination, MovePolicy, Source, Way
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.progress.board import Flow, Legs
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.engine.progress.watchdog import Watchdog
from torrent_mover.engine.proof.recheck import RecheckPatience
from torrent_mover.engine.run.pool import Engine, Tuning
from torrent_mover.engine.run.run import Run
from torrent_mover.engine.run.shown import RunFacts
from torrent_mover.engine.run.vitals import Vitals
from torrent_mover.ports.ssh import SshTarget
from torrent_mover.simple.reporter import SimpleReporter
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare

_CATEGORY: Final = "move"
_BLOCK: Final = bytes(16 << 10)
_POLICY: Final = MovePolicy(
    delete_at_source=False,
    start_at_destination=True,
    manual_review_category="review",
    chown_user="",
    chown_group="",
    patience=RecheckPatience(60, 15, 60),
    test_run=True,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds from the start of the run to the first transfer, and what the transfer did until the run was stopped."""

    planning: float
    outcome: Outcome


class Whole:
    """A run over torrents of a fake client, from a folder behind the sshd to a local one."""

    def __init__(self, job: Job, stack: ExitStack) -> None:
        self.stop = threading.Event()
        self.clock = SystemClock(self.stop)
        journal = SqliteJournal(Path(job.state) / "journal.sqlite3", self.clock)
        stack.callback(journal.close)
        login = job.login
        target = SshTarget(
            login.host,
            login.port,
            login.user,
            key_file=LocalPath(login.key_file),
            known_hosts=LocalPath(login.known_hosts),
        )
        pool = SessionPool(connect(target), limit=job.sessions)
        stack.callback(pool.close)
        self.source = FakeClient(self.clock, FolderDisk())
        destination = FakeClient(self.clock, FolderDisk())
        here = LocalFileSystem(LocalPath(job.target))
        publisher = Publisher(journal)
        jobs = journal.scoped(MOVE, self.source.name, MAIN_ROUTE)
        planner = Planner(self.source, jobs, SelectionPolicy(_CATEGORY), TrackerRules)
        share = LaneShare(min(pool.lanes, job.downloads))
        throttle = Throttle(self.clock, lambda _flow: job.limit)
        world = World(
            Source("source", self.source, lambda path: SftpFileSystem(pool, HostPath(str(path)), holder=str(path))),
            Destination("here", destination, here, ClientPath(job.target), local=True, accounts=LocalAccounts()),
            Way("sftp", Legs((frozenset({Flow.IN}),)), lambda *_: Copying(share)),
            _POLICY,
            jobs,
            self.clock,
            publisher.publish,
            throttle,
            ReservedSpace(here, None, lambda: self.engine.arrived()),  # noqa: PLW0108 - the engine is made after it
            planner.ignored,
            run="bench",
        )
        duty = Moving(world, planner)
        self.engine = Engine(world, duty, Tuning(4, Watchdog(600.0), Backoff(), 3, 900.0), self.stop)
        facts = RunFacts("bench", "0", "sftp", "source", "here", "config.ini", test_run=True)
        vitals = Vitals((), None, journal, self.clock)
        self.run = Run(
            facts, self.engine, duty, publisher.of("main"), (), vitals, HostMeter(self.clock).read, lambda _limit: None
        )
        self.transferring = threading.Event()
        self.settled = threading.Event()
        publisher.subscribe(self._note)

    def seed(self, torrents: list[str], source: str) -> None:
        """Have these torrents, complete, as one listing."""
        plain, self.source._show = self.source._show, lambda: None  # type: ignore[method-assign]
        for torrent in torrents:
            self.source.seed(Path(torrent).read_bytes(), source, category=_CATEGORY)
        self.source._show = plain  # type: ignore[method-assign]
        self.source._show()

    def seed_many(self, count: int, source: str) -> None:
        """Have so many torrents of one small file each, whose files are there."""
        digest = hashlib.sha1(_BLOCK, usedforsecurity=False).digest()
        plain, self.source._show = self.source._show, lambda: None  # type: ignore[method-assign]
        for number in range(count):
            name = f"torrent {number:05}.bin"
            (Path(source) / name).write_bytes(_BLOCK)
            info: dict[bytes, Value] = {
                b"length": len(_BLOCK),
                b"name": name.encode(),
                b"piece length": len(_BLOCK),
                b"pieces": digest,
            }
            self.source.seed(encode({b"info": info}), source, category=_CATEGORY)
        self.source._show = plain  # type: ignore[method-assign]
        self.source._show()

    def _note(self, event: Event) -> None:
        if isinstance(event, StageEntered):
            happened = {Stage.TRANSFERRING: self.transferring, Stage.SETTLED: self.settled}.get(event.stage)
            if happened is not None:
                happened.set()


def measure(job: Job, front: str, count: int) -> Measured:
    """Run until the first torrent is settled (or, with `count` small ones, until the first transfer starts), then stop."""
    outcome = Outcome()
    with ExitStack() as stack:
        whole = Whole(job, stack)
        whole.seed_many(count, job.source) if count else whole.seed(job.torrents, job.source)
        over = threading.Event()
        watcher = threading.Thread(target=watch, args=(lambda: _sent(whole), over, outcome), daemon=True)
        started = time.monotonic()
        worker = threading.Thread(target=whole.run.execute, daemon=True)
        with ExitStack() as screen:
            _show(front, whole, screen)
            worker.start()
            watcher.start()
            whole.transferring.wait(120)
            planning = time.monotonic() - started
            if not count:
                whole.settled.wait(300)
            over.set()
            watcher.join()
            whole.run.stop(now=True)
            worker.join()
    outcome.peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(planning, outcome)


def _sent(whole: Whole) -> int:
    return sum(row.track.ledger.sent for row in whole.engine.roster.rows())


def _show(front: str, whole: Whole, stack: ExitStack) -> None:
    """Start the front end beside the run."""
    if front == "dashboard":
        from torrent_mover.tui.shell.app import MoverApp
        from torrent_mover.tui.shell.options import DashboardOptions

        app = MoverApp(whole.run, DashboardOptions(refresh=4.0))
        thread = threading.Thread(target=lambda: asyncio.run(app.run_async(headless=True, size=(120, 40))), daemon=True)
        thread.start()
        stack.callback(thread.join, 10)
        stack.callback(app.call_from_thread, app.exit)
    elif front == "simple":
        nowhere = io.StringIO()
        reporter = SimpleReporter(whole.run, nowhere, nowhere, tty=False)
        threading.Thread(target=reporter.run_until_ended, daemon=True).start()


def main() -> None:
    """Read the job from standard input, print what was measured."""
    said = json.load(sys.stdin)
    front, count = said.pop("front"), said.pop("count")
    login = Login(**said.pop("login"))
    print(json.dumps(asdict(measure(Job(login=login, **said), front, count))))


if __name__ == "__main__":
    main()
