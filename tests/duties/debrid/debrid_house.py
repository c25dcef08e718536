"""What tests of the debrid duty begin with: an account, a library of links in memory, a journal that outlives kills, a clock."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from tests.duties.debrid.fake_account import FakeAccount, Known
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.domain.debrid.links import LibraryLink, MountLook, TargetLook, TargetState
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.kinds import AccountMount
from torrent_mover.duties.debrid.layouts import MountLayout
from torrent_mover.duties.debrid.needs import DebridWorld, budget_of
from torrent_mover.duties.debrid.records import ScanMode
from torrent_mover.duties.debrid.rounds import DebridRound
from torrent_mover.duties.debrid.settings import DebridMode, DebridSettings

HASH = InfoHash("3f2a" * 10)
MOUNT, MEDIA = "/mnt/zurg", "/media/tv"
SHOW = Known("Show.S01", (("Show.S01/e1.mkv", 100), ("Show.S01/e2.mkv", 200), ("Show.S01/n.txt", 1)))


class MemoryLibrary:
    """See ports.links.LinkLibrary. `links`: path -> target; the mount shows `folders` (name -> files)."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self.folders: dict[str, tuple[str, ...]] = {}
        self.mounted = True
        self.sentinel = True
        self.trouble = ""
        self.troubled: set[str] = set()  # links whose target alone cannot be looked at

    def walk(self, root, stopped):
        for path, target in sorted(self.links.items()):
            if LocalPath(path).is_within(root) and not stopped():
                yield LibraryLink(LocalPath(path), target)

    def read(self, link):
        return self.links.get(str(link))

    def target(self, link):
        if self.trouble:
            return TargetLook(TargetState.TROUBLE, self.trouble)
        if str(link) in self.troubled:
            return TargetLook(TargetState.TROUBLE, "Input/output error")
        path = self.links.get(str(link), str(link))
        parts = path.removeprefix(f"{MOUNT}/__all__/").split("/")
        there = self.mounted and len(parts) == 2 and parts[1] in self.folders.get(parts[0], ())
        return TargetLook(TargetState.THERE if there else TargetState.MISSING)

    def mount(self, _path, _groups, _sentinel, sample):
        names = frozenset(self.folders) if self.mounted else frozenset()
        seen = sum(name in names for name in sample)
        return MountLook(self.mounted, len(names), self.sentinel, len(sample), seen, names=names)

    def place(self, link, target):
        if str(link) in self.links:
            raise NotWritable("something has that name already")
        self.links[str(link)] = target

    def unlink(self, link, target):
        return self.links.get(str(link)) == target and bool(self.links.pop(str(link)))

    def turn(self, link, old, new):
        if self.links.get(str(link)) != old:
            return False
        self.links[str(link)] = new
        return True


class DebridHouse:
    """All of it. `world()` is what a new process would begin with: account, links and journal are as they were left."""

    def __init__(self, *known: Known, **settings) -> None:
        self.account = FakeAccount(*(known or (SHOW,)))
        self.library = MemoryLibrary()
        self.documents = UnwrittenDocuments(None)
        self.clock = FakeClock()
        self.said: list[str] = []
        self.notices: list[str] = []
        self.arrs: dict[str, object] = {}
        self.settings = DebridSettings(
            token=Secret("t"), mode=DebridMode.ACT, media_roots=(LocalPath(MEDIA),), workers=1,
            mounts=(AccountMount(LocalPath(MOUNT), MountLayout.ZURG),), mount_refresh=0.0, **settings,
        )  # fmt: skip

    def set(self, **changes) -> None:
        self.settings = replace(self.settings, **changes)

    @property
    def journal(self) -> DebridJournal:
        return DebridJournal(self.documents)

    def world(self, **changes) -> DebridWorld:
        values = {
            "settings": self.settings, "account": self.account, "journal": self.journal, "library": self.library,
            "clock": self.clock, "say": self.say, "notice": self.notices.append, "lease": lambda _: nullcontext(),
            "budget": budget_of(self.settings), "quarantine": "/quarantine", "arrs": self.arrs, "acts": True,
        }  # fmt: skip
        return DebridWorld(**{**values, **changes})

    def say(self, _torrent, text, level=Level.INFO) -> None:
        self.said.append(f"{level.value} {text}")

    def round(self, **changes) -> DebridRound:
        return DebridRound(self.world(**changes))

    def full(self) -> None:
        """A full scan, by a process of its own."""
        self.round().list(ScanMode.FULL)

    def run(self) -> DebridRound:
        """Look at the account, and act."""
        work = self.round()
        work.list(ScanMode.FULL)
        work.act()
        return work

    def pass_time(self, seconds: float) -> None:
        self.clock.wait(seconds)

    def mount_shows(self, *names: str, files=("e1.mkv", "e2.mkv")) -> None:
        self.library.folders = {name: tuple(files) for name in names}

    def link(self, file: str = "e1.mkv", folder: str = "Show.S01") -> str:
        path = f"{MEDIA}/Show/{file}"
        self.library.links[path] = f"{MOUNT}/__all__/{folder}/{file}"
        return path
