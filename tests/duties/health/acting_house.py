"""A loop of health that acts: a client on real folders, an Arr double that polls it, and a journal that may die at any write."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.doubles.arr.house import arr_house
from tests.doubles.arr.polled import PolledTorrent
from tests.fakes.client import FakeClient
from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.health.acting import build_acts
from torrent_mover.bootstrap.health.files import ClientFiles
from torrent_mover.bootstrap.health.neighbours import OtherClients
from torrent_mover.demo.content import Sample, sample
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.torrent.torrent import FilePriority, InfoHash, TorrentState
from torrent_mover.duties.health.health_journal import KeptHealthJournal
from torrent_mover.duties.health.model import FindingCode, HealthAction, Intent, Picture
from torrent_mover.duties.health.needs import HealthOrder, HealthWorld
from torrent_mover.duties.health.settings import HealthSettings

TREE = {"a.mkv": 100_000, "sub/b.srt": 7_000, "c.nfo": 300}


class Killed(BaseException):
    """The process ends here, without another word."""


class DyingDocuments:
    """Documents whose process is killed before or after a certain write."""

    def __init__(self, documents, dies_at: int | None = None, *, after: bool = False) -> None:
        self._documents = documents
        self._after = after
        self.left = dies_at
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._documents, name)
        return self._dying(found) if name in ("put", "put_new", "replace", "delete", "append") else found

    def _dying(self, write):
        def once(*arguments):
            self.writes += 1
            if self.writes == self.left and not self._after:
                raise Killed
            answer = write(*arguments)
            if self.writes == self.left:
                raise Killed
            return answer

        return once


class SameVerdict:
    """Another look that finds what the first one found, with the torrent as it is now; None where a test says so."""

    def __init__(self, house: ActingHouse) -> None:
        self.house = house
        self.changed = False
        self.vetoes: tuple[str, ...] = ()

    def again(self, order: HealthOrder) -> HealthOrder | None:
        torrent = self.house.client.get(order.intent.torrent)
        if self.changed or torrent is None:
            return None
        picture = replace(order.picture, torrent=torrent, trackers=tuple(self.house.client.trackers(torrent.id)))
        return replace(order, picture=picture, intent=replace(order.intent, vetoes=self.vetoes))


class Wishes:
    """Searches that are written down: the same wish twice is one."""

    def __init__(self) -> None:
        self.wished: dict[tuple, str] = {}

    def wish(self, torrent, media, why) -> None:
        self.wished.setdefault((torrent, tuple(media)), why)


class Others:
    """Nobody else works on anything, unless a test says so."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.moved: list[ClientPath] = []

    def places(self, _torrent):
        return self.moved

    def hold(self, _torrent):
        if self.trouble:
            raise self.trouble
        return nullcontext()


class PolledFake:
    """What an Arr sees in the fake client."""

    def __init__(self, client: FakeClient, data: Path) -> None:
        self._client = client
        self._data = data
        self.removed: list[str] = []

    def torrents(self) -> list[PolledTorrent]:
        found = [(torrent, torrent.state) for torrent in self._client.torrents()]
        return [
            PolledTorrent(
                torrent.id.hex,
                torrent.name,
                torrent.category,
                str(torrent.content_path).replace(str(self._data), "/downloads"),
                complete=not torrent.amount_left,
                at_its_limit=state is TorrentState.STOPPED_COMPLETE and not torrent.limits.never,
            )
            for torrent, state in found
        ]

    def remove(self, torrent: str) -> None:
        self.removed.append(torrent)
        self._client.forget(InfoHash(torrent))


class ActingHouse:
    """`documents`: the journal's; `executor` is made anew for each process."""

    def __init__(self, arr, client: FakeClient, documents, folder: Path, **settings: Any) -> None:
        self.arr = arr
        self.client = client
        self.clock = arr.clock
        self.data: Path = arr.data
        self.documents = documents
        self.folder = folder
        self.settings = HealthSettings(client="qbit", **settings)
        self.searches = Wishes()
        self.others = Others()
        self.files = ClientFiles(())
        self.said: list[str] = []
        self.look = SameVerdict(self)
        self.manager: ArrManager | None = arr.manager
        self.neighbours: OtherClients | None = None

    @property
    def journal(self) -> KeptHealthJournal:
        return KeptHealthJournal(self.documents)

    def world(self, documents=None) -> HealthWorld:
        return HealthWorld(
            "tv",
            self.settings,
            "qbit",
            self.client,
            KeptHealthJournal(documents or self.documents),
            self.files,
            self.others,
            self.clock,
            TrackerRules(()),
            lambda _torrent, text, _level: self.said.append(text),
            manager=self.manager,
            searches=self.searches,
            neighbours=self.neighbours,
        )

    def acts(self, documents=None, files=None):
        documents = documents or self.documents
        return build_acts(self.world(documents), files or self.files, documents)

    def seed(self, name: str = "Show.S01E01", **options: Any) -> tuple[Sample, InfoHash]:
        """A torrent that lies complete below `data`, in the Arr's category, grabbed by it."""
        tree = options.pop("tree", TREE)
        running = options.pop("running", True)
        made = sample(self.data, name, tree, piece_length=16 * 1024, **options)
        torrent = self.client.seed(made.metainfo, self.data, category="tv", running=running)
        return made, torrent

    def grabbed(self, name: str = "Show.S01E01", media: int = 1, **options: Any) -> tuple[Sample, InfoHash]:
        made, torrent = self.seed(name, **options)
        self.arr.library.add_media(media, name, f"{name}.mkv")
        self.arr.library.grab(torrent.hex, media, title=name)
        return made, torrent

    def lose_pieces(self, torrent: InfoHash, file: Path) -> None:
        """The torrent is half done: what a file has is not good."""
        file.write_bytes(b"\0" * file.stat().st_size)
        self.client.recheck(torrent)
        self.clock.advance(10)
        self.client.start(torrent)
        self.clock.advance(10)
        self.client.completed.discard(torrent)
        self.client.torrents()

    def order(
        self,
        torrent: InfoHash,
        action: HealthAction = HealthAction.REPLACE,
        code: FindingCode = FindingCode.STALLED,
        detail: tuple[str, ...] = (),
    ) -> HealthOrder:
        row = self.client.get(torrent)
        assert row is not None
        intent = Intent(torrent, action, code, f"{code.value}: as a test says", (), detail)
        return HealthOrder(intent, Picture(row, trackers=tuple(self.client.trackers(torrent))), "seen by a test")

    def do(self, torrent: InfoHash, *arguments: Any, **named: Any):
        return self.acts().carry_out(self.order(torrent, *arguments, **named), self.look)

    def names(self, below: str = "") -> list[str]:
        """Files below the data folder, the bin's too."""
        root = self.data / below
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def binned(self) -> list[str]:
        """Files in the bin, without the name of the action's folder."""
        root = self.data / ".torrent-mover" / "bin"
        return sorted("/".join(path.relative_to(root).parts[1:]) for path in root.rglob("*") if path.is_file())

    def skip(self, torrent: InfoHash, *files: int) -> None:
        self.client.set_priorities(torrent, dict.fromkeys(files, FilePriority.SKIP))


@contextmanager
def acting_house(folder: Path, **settings: Any):
    """From `with` to its end."""
    (folder / "arr").mkdir(parents=True)
    polled: list[PolledFake] = []
    with arr_house(folder / "arr", client=_Late(polled)) as arr:
        arr.clock.jump(arr.library.now - arr.clock.now())
        client = FakeClient(arr.clock)
        polled.append(PolledFake(client, arr.data))
        journal = SqliteJournal(folder / "state" / "journal.db", SystemClock())
        try:
            house = ActingHouse(arr, client, journal.documents("health", "tv"), folder, **settings)
            house.polled = polled[0]
            yield house
        finally:
            journal.close()


class _Late:
    """A polled client that is made after its Arr."""

    def __init__(self, made: list[PolledFake]) -> None:
        self._made = made

    def torrents(self):
        return self._made[0].torrents()

    def remove(self, torrent: str) -> None:
        self._made[0].remove(torrent)
