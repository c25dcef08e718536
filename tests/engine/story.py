"""A world of fakes with one or more torrents to move, runs of the engine over it, and what must be true at the end."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from tests.engine.fuse import Fuse, Killed, Tapped
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from tests.fakes.filesystem import MemoryFileSystem
from tests.fakes.jobs import OpenJobs, begin
from torrent_mover.demo.content import write_content, write_file
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ExitCode, ServerTooOld
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import HostHealth, MoveStatus
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.moving.moving import Moving
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.duties.moving.statistics import Carrying
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
from torrent_mover.engine.run.slots import Slots
from torrent_mover.engine.run.vitals import Vitals
from torrent_mover.engine.run.work import Beside
from torrent_mover.ports.accounts import Account
from torrent_mover.ports.filesystem import FileKind
from torrent_mover.ports.statistics import StatisticsStore
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare

SAVE = ClientPath("/seed/data")
TARGET = ClientPath("/nas/data")
CATEGORY = "move-me"
PIECE = 16 * 1024

FILES = {
    "a first.bin": 3 * PIECE + 777,
    "empty": 0,
    "tiny": 10,
    "folder/second.bin": 4 * PIECE + 1,
    "folder/tiny too": 5,
    "last.bin": 2 * PIECE + 99,
}
"""Pieces that begin in one file and end in another, tiny files inside of one, files without bytes."""


def path(text: str) -> RelativePath:
    return RelativePath.parse(text)


class FsDisk:
    """The fake client's disk over a memory file system: `root` is where the client sees its top."""

    def __init__(self, files: MemoryFileSystem, root: ClientPath) -> None:
        self.files = files
        self._root = root

    def _at(self, text: str) -> RelativePath | None:
        where = ClientPath(text)
        return where.relative_to(self._root) if where.is_within(self._root) else None

    def read(self, text: str) -> bytes | None:
        at = self._at(text)
        node = self.files.nodes.get(at) if at else None
        if at is None or node is None or node.kind is not FileKind.FILE:
            return None
        rotten = bytearray(node.data)
        for where, offset in self.files._rotten:
            if where == at:
                rotten[offset] ^= 0xFF
        return bytes(rotten)

    def blocked(self, text: str) -> bool:
        at = self._at(text)
        return at in self.files.nodes and self.files.nodes[at].kind is not FileKind.FILE

    def move(self, old: str, new: str) -> None:
        source, target = self._at(old), self._at(new)
        if source in self.files.nodes and target is not None:
            self.files.make_folders(target.parent)
            self.files.rename(source, target)

    def delete(self, text: str) -> None:
        at = self._at(text)
        if at in self.files.nodes:
            self.files.unlink(at)
            while (at := at.parent).parts and self.files.remove_folder(at):
                pass


class DurableFiles(MemoryFileSystem):
    """Remembers what each file held when it was last synced, and can lose everything else, as a power cut does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._safe: dict[int, bytes] = {}

    def sync(self, paths):
        listed = list(paths)
        super().sync(listed)
        for each in listed:
            node = self.nodes[each]
            self._safe[node.serial] = bytes(node.data)

    def cut_power(self) -> None:
        """Bytes that were not synced read as zeros; names stay, as on a file system that journals its metadata."""
        with self.lock:
            for node in self.nodes.values():
                if node.kind is FileKind.FILE:
                    safe = self._safe.get(node.serial, b"")[: len(node.data)]
                    node.data[:] = safe + bytes(len(node.data) - len(safe))


class Root:
    """Accounts of a machine where everything is ours to write."""

    place = "nas"

    def ours(self) -> Account:
        return Account("root", 0)

    def names(self, uid: int, gid: int) -> tuple[str, str]:
        return str(uid), str(gid)


class StoryLook:
    """Sees the source's disk as duties.moving.cross_seeds.LinkFinder does; `blind` is an account without a shell."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def real(self, place: ClientPath) -> str:
        return self._story._real(place)

    def below(self, contents):
        if self._story.blind:
            raise ServerTooOld("No shell there.")
        found = {}
        for at, node in self._story.here.nodes.items():
            place = SAVE / at if at.parts else SAVE
            if node.kind is FileKind.FILE and node.links > 1 and any(place.is_within(one) for one in contents):
                found[str(place)] = (1, node.serial)
        return found

    def links(self, contents):
        if self._story.blind:
            raise ServerTooOld("No shell there.")
        links = {SAVE / at: node.target for at, node in self._story.here.nodes.items() if node.target is not None}
        below = {place: target for place, target in links.items() if any(place.is_within(one) for one in contents)}
        return {str(place): str(SAVE / target) for place, target in below.items()}


class Story:
    """One source, one destination, one journal, on `folder`. `local`: the destination's files are read back by us.

    Every `run` is a new process: new objects over the same clients, files and journal.
    """

    def __init__(self, folder: Path, *, local: bool = True, clock: FakeClock | None = None) -> None:
        self.folder = folder
        self.local = local
        self.clock = clock or FakeClock()
        self.here = MemoryFileSystem("seedbox:/seed/data")
        self.there = DurableFiles("nas:/nas/data" if not local else "/nas/data")
        self.source = FakeClient(self.clock, FsDisk(self.here, SAVE), name="seedbox:8080", check_time=0.3)
        self.destination = FakeClient(self.clock, FsDisk(self.there, TARGET), name="nas:8080", check_time=0.3)
        self.contents: dict[InfoHash, dict[str, bytes]] = {}
        self.metainfo: dict[InfoHash, bytes] = {}
        self.events: list[Event] = []
        self.policy = MovePolicy(
            delete_at_source=True,
            start_at_destination=True,
            manual_review_category="manual-review",
            chown_user="",
            chown_group="",
            patience=RecheckPatience(stuck=60, stopped=15, grace=90),
        )
        self.backoff = Backoff(base=0.0)
        self.rest: Backoff | None = None
        self.rules = TrackerRules(())
        self.jobs = 1
        self.links: dict[str, str] = {}
        self.store: Callable[[Fuse], StatisticsStore] | None = None
        self.blind = False
        self.category = CATEGORY
        self.look: StoryLook | None = StoryLook(self)
        self.torrent_folder: ClientPath | None = None
        self.elsewhere: Callable[[InfoHash, ClientPath], MemoryFileSystem | None] | None = None
        self.engine: Engine

    # -- what there is -------------------------------------------------------------------------------------------------

    def seed(
        self, name: str = "Show", sizes=FILES, *, version="v1", renames=None, number: int | None = None, **fields
    ) -> InfoHash:
        """Make a torrent, with its data at the source; its content is that of the torrent `number`, or its own."""
        made, number = self.folder / "content" / name, len(self.contents) if number is None else number
        content = write_file(made, sizes, number) if isinstance(sizes, int) else write_content(made, sizes, number)
        metainfo = make_torrent(content, version=version, piece_length=PIECE)
        found = [content] if content.is_file() else [each for each in content.rglob("*") if each.is_file()]
        files = {str(each.relative_to(content.parent)): each.read_bytes() for each in found}
        files = {(renames or {}).get(each, each): data for each, data in files.items()}
        for each, data in files.items():
            self.here.plant_file(path(each), data)
        torrent = self.source.seed(metainfo, SAVE, **({"category": CATEGORY} | fields), renames=renames)
        self.contents[torrent], self.metainfo[torrent] = files, metainfo
        shutil.rmtree(self.folder / "content")
        return torrent

    def manifest(self, torrent: InfoHash) -> Manifest:
        return Manifest.parse(self.metainfo[torrent])

    def plant(self, torrent: InfoHash, *, staged: bool = False, **changes: bytes) -> None:
        """Put files of a torrent at the destination: all of its own content, but `changes` by file name where given."""
        for name, data in self.contents[torrent].items():
            place = path(name)
            if staged:
                place = path(f".torrent-mover/{torrent.hex}") / place
            self.there.plant_file(place, changes.get(name.rpartition("/")[2], data))

    def journal(self) -> OpenJobs:
        return OpenJobs(begin(self.folder / "state" / "journal.sqlite3"), self.clock, self.source.name)

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self, fuse: Fuse | None = None) -> ExitCode | None:
        """One process, to its end; None where it was killed."""
        fuse = fuse or Fuse()
        with contextlib.closing(self.journal()) as journal:
            run = self.build(journal, fuse)
            try:
                with self._time_passes():
                    code = run.execute()
            except Killed:
                assert fuse.dead
                return None
            return None if fuse.dead else code

    def run_until(self, *labels: str) -> None:
        """One process that is killed at the first call of any of these labels."""
        fuse = Fuse(lambda label: label.startswith(labels))
        fuse.arm(1, fuse.kill)
        assert self.run(fuse) is None

    @contextlib.contextmanager
    def _time_passes(self):
        """Where all that is left waits for a later time, that time comes at once."""
        over = threading.Event()
        roster = self.engine.roster

        def work() -> None:
            while not over.wait(0.005):
                rows = roster.rows()
                waiting = [row for row in rows if row.standing in (MoveStatus.QUEUED, MoveStatus.RETRYING)]
                if waiting and not any(row.standing is MoveStatus.ACTIVE for row in rows):
                    late = min(row.ready_at for row in waiting) - self.clock.monotonic()
                    if late > 0:
                        self.clock.advance(late)
                        with roster._changed:
                            roster._changed.notify_all()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def build(
        self,
        journal: OpenJobs,
        fuse: Fuse,
        facts: RunFacts | None = None,
        publisher: Publisher | None = None,
        slots: Slots | None = None,
        beside: Beside | None = None,
    ) -> Run:
        if isinstance(self.source, FakeClient):
            self.source.have_category(CATEGORY)
        quiet = frozenset({"close", "abort"})
        book = Tapped("journal", journal, fuse, quiet)
        source_client = Tapped("source", self.source, fuse, quiet)
        destination_client = Tapped("destination", self.destination, fuse, quiet)
        there = Tapped("there", self.there, fuse, quiet)
        here = Tapped("here", self.here, fuse, quiet)
        facts = facts or RunFacts("test", "0", "sftp", "seedbox", "nas", "config.ini", test_run=False)
        publisher = publisher or Publisher(book)
        publisher.subscribe(self.events.append)
        route = publisher.of(facts.route)
        planner = Planner(
            source_client, book, SelectionPolicy(self.category), lambda: self.rules, self.look, "nas:8080"
        )
        share = LaneShare(1)
        way = Way("sftp", Legs((frozenset({Flow.IN}),)), lambda *_: Copying(share))
        throttle = Throttle(self.clock, lambda _flow: None)
        world = World(
            Source("seedbox", source_client, lambda at: self.opened(at, here), self._real, self.torrent_folder),
            Destination(
                "nas", destination_client, there, TARGET, self.local, accounts=Root(), elsewhere=self.elsewhere
            ),
            way,
            self.policy,
            book,
            self.clock,
            route.publish,
            throttle,
            ReservedSpace(there, None, lambda: self.engine.arrived()),  # noqa: PLW0108  the engine is made after it
            planner.ignored,
            run="test",
            route=facts.route,
        )
        duty = Moving(world, planner, Carrying(world, self.store(fuse) if self.store else None))
        engine = self.engine = Engine(
            world, duty, Tuning(self.jobs, Watchdog(600.0), self.backoff, 3, 900.0, self.rest), threading.Event(), slots
        )
        fuse.on_death = engine.roster.close
        return Run(
            facts,
            engine,
            duty,
            route,
            (),
            Vitals((), None, book, self.clock),
            lambda: HostHealth(0, 0, 0),
            lambda _limit: None,
            beside=beside,
        )

    def opened(self, at: ClientPath, here):
        """The files below a folder of the source; `here` are those below its save path."""
        assert at == SAVE
        return here

    def _real(self, place: ClientPath) -> str:
        for link, target in self.links.items():
            if str(place).startswith(link):
                return str(place).replace(link, target, 1)
        node = self.here.nodes.get(place.relative_to(SAVE)) if place.is_within(SAVE) else None
        return str(SAVE / node.target) if node is not None and node.target is not None else str(place)

    def history(self):
        """What ended, the last first."""
        with contextlib.closing(self.journal()) as journal:
            return journal.history()

    # -- what must be true ---------------------------------------------------------------------------------------------

    @property
    def brought(self) -> int:
        """Bytes that were read at the source, by all runs."""
        return sum(self.here.reads.values())

    def size(self, torrent: InfoHash) -> int:
        return sum(map(len, self.contents[torrent].values()))

    def at_destination(self, torrent: InfoHash) -> dict[str, bytes | None]:
        nodes = self.there.nodes
        return {name: bytes(nodes[path(name)].data) if path(name) in nodes else None for name in self.contents[torrent]}

    def at_source(self, torrent: InfoHash) -> dict[str, bytes | None]:
        nodes = self.here.nodes
        return {name: bytes(nodes[path(name)].data) if path(name) in nodes else None for name in self.contents[torrent]}

    def assert_whole_somewhere(self) -> None:
        """Assert that no fault so far has cost the last good copy of anything, and that no source went without a certificate."""
        with contextlib.closing(self.journal()) as journal:
            for torrent, files in self.contents.items():
                if self.source.get(torrent) is None:
                    assert self.at_destination(torrent) == files
                    assert journal.certificate_text(torrent) is not None
                else:
                    assert self.at_source(torrent) == files
            removed = [certificate.torrent for certificate in self.source.removed]
            assert len(removed) == len(set(removed))

    def assert_moved(self, torrent: InfoHash) -> None:
        """Assert that everything is where it should be, and nothing where it should not."""
        self.assert_whole_somewhere()
        assert self.at_destination(torrent) == self.contents[torrent]
        row = self.destination._held[torrent]
        assert (row.running, all(row.have)) == (True, True)
        assert self.source.get(torrent) is None
        assert set(self.at_source(torrent).values()) == {None}
        self.assert_no_staging()
        with contextlib.closing(self.journal()) as journal:
            assert journal.move(torrent) is None
            entry = next(entry for entry in journal.history() if entry.id == torrent)
            assert (entry.outcome, entry.confirmed) == (Outcome.MOVED, True)

    def assert_kept(self, torrent: InfoHash) -> None:
        """Assert that the source has it still, whole and listed."""
        assert self.source.get(torrent) is not None
        assert self.at_source(torrent) == self.contents[torrent]
        assert not self.source.removed

    def assert_no_staging(self) -> None:
        staged = [str(each) for each in self.there.nodes if each.parts[:1] == (".torrent-mover",)]
        assert staged == []

    def state_there(self, torrent: InfoHash) -> TorrentState | None:
        row = self.destination.get(torrent)
        return row.state if row else None

    def journaled(self, torrent: InfoHash) -> Bitfield:
        with contextlib.closing(self.journal()) as journal:
            stored = journal.pieces(torrent)
        count = self.manifest(torrent).piece_count
        return Bitfield.from_bytes(stored, count) if stored else Bitfield(count)
