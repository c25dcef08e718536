"""A loop of health over a fake client and a real journal, and an executor that only says how it went."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.client import FakeClient, FolderDisk
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.health.world import JournalFacts
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.health_journal import KeptHealthJournal
from torrent_mover.duties.health.model import ActionOutcome, ActionRecord, ActionState
from torrent_mover.duties.health.needs import HealthWorld
from torrent_mover.duties.health.settings import HealthSettings
from torrent_mover.duties.health.worker import HealthWorker
from torrent_mover.ports.client import AddSpec

END = "http://fake:8080"
SETTINGS = HealthSettings(client="qbit", grace=0.0, min_age=0.0, stalled_after=0.0, removals_share=100.0)


class Executor:
    """See needs.Acts: does nothing, and says how it went. `meanwhile` happens before each is looked at again."""

    def __init__(self, journal):
        self.journal = journal
        self.orders, self.resumed, self.emptied = [], 0, 0
        self.meanwhile = lambda _order: None
        self.end = ActionState.DONE

    def resume(self):
        self.resumed += 1
        return ()

    def empty_bin(self, *, everything):  # noqa: ARG002
        self.emptied += 1
        return ()

    def carry_out(self, order, second_look):
        self.meanwhile(order)
        now = second_look.again(order)
        self.orders.append(order)
        state = self.end if now is not None and not now.intent.vetoes else ActionState.DROPPED
        intent, name = order.intent, order.picture.torrent.name
        record = ActionRecord(
            0, 0.0, "tv", "qbit", intent.torrent, name, intent.action, intent.code, intent.reason, order.evidence, state
        )
        return ActionOutcome(self.journal.open_action(record))


class OutOfReach:
    """See needs.HealthFiles: the client's files are on another machine."""

    def here(self, _path):
        return None

    def disk(self, _path):
        return None


class Looker:
    """A loop over a fake client, with the journal that stays when it is made anew."""

    def __init__(self, root):
        self.root, self.clock = root, FakeClock()
        self.client = FakeClient(self.clock, FolderDisk(root / "data"), refresh=0.0, resume_time=0.0)
        self.file = SqliteJournal(root / "journal.sqlite3", self.clock)
        self.journal = KeptHealthJournal(self.file.documents("health", "tv"))
        self.leases = KernelLeases(root)
        self.said: list[str] = []
        self.settings, self.rules = SETTINGS, TrackerRules()
        self.acts: Executor | None = None
        self.arr = self.neighbours = None
        self.other_arrs = []
        self.made = 0
        self.paced = False

    def worker(self, **changes) -> HealthWorker:
        world = HealthWorld(
            "tv",
            replace(self.settings, **changes),
            "qbit",
            self.client,
            self.journal,
            OutOfReach(),
            JournalFacts(self.file, self.leases, END, "fake:8080", "health tv", self.clock),
            self.clock,
            self.rules,
            lambda _torrent, text, _level: self.said.append(text),
            self.arr,
            neighbours=self.neighbours,
            other_arrs=self.other_arrs,
            paced=lambda: self.paced,
        )
        return HealthWorker(world, self.acts, staying=True)

    def download(self, category="tv") -> InfoHash:
        self.made += 1
        content = self.root / "elsewhere" / f"Show {self.made}"
        content.parent.mkdir(exist_ok=True)
        content.write_bytes(bytes([self.made]) * 40_000)
        metainfo = make_torrent(content, piece_length=16 * 1024, trackers=("http://tracker.org/announce",))
        torrent = self.client.add_stopped(metainfo, AddSpec(ClientPath("/data"), category=category))
        self.client.start(torrent)
        self.client.calls.clear()
        return torrent

    def looks(self, worker, count=2):
        for _ in range(count):
            report = worker.look()
            self.clock.advance(300)
        return report
