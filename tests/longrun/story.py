"""What happens in the months of a long run apart from faults: torrents arrive, complete, stall, are archived, go; entries die."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.doubles.debrid_world import Entry
from tests.longrun.known import TRACKER, KnownTorrent
from tests.longrun.place import Place
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash, Tracker
from torrent_mover.ports.client import AddSpec

HOUR, DAY = 3600.0, 86400.0
UNREGISTERED = "Unregistered torrent"
PEOPLE, TRACKERS = "by a person", "by its tracker"


class Story:
    """`step` lets happen what the time brings. `arrives`: whether new torrents still come."""

    def __init__(self, place: Place, random_: random.Random) -> None:
        self.place = place
        self.random = random_
        self.known: dict[InfoHash, KnownTorrent] = {}
        self.media = 0
        self.made = 0
        self.arrives = True
        self._answered = 0
        self._next = {name: self._after(mean) for name, mean in self._means().items()}
        self._later: list[tuple[float, Callable[[], None]]] = []

    @staticmethod
    def _means() -> dict[str, float]:
        """Seconds between two of each, on average."""
        return {"series": DAY / 2, "film": DAY, "forgets": 4 * DAY, "entry dies": 2 * DAY}

    def _after(self, mean: float) -> float:
        return self.now + self.random.expovariate(1 / mean)

    @property
    def now(self) -> float:
        return self.place.clock.now()

    def alive(self) -> list[KnownTorrent]:
        """Those that have not left the story."""
        return [known for known in self.known.values() if not known.ended]

    def step(self) -> None:
        """Everything whose time has come."""
        acts = {"series": self._series, "film": self._film, "forgets": self._forgets, "entry dies": self._entry_dies}
        for name, mean in self._means().items():
            while self._next[name] <= self.now:
                self._next[name] = self._after(mean)
                if self.arrives:
                    acts[name]()
        due, self._later = [e for e in self._later if e[0] <= self.now], [e for e in self._later if e[0] > self.now]
        for _, act in due:
            act()
        for known in self.alive():
            self._goes_on(known)
        self._indexer_answers()
        self._renews()
        for client in self.place.clients.values():
            client.age()
        self.show_mount()
        self.place.disks.changed()
        library = self.place.library
        with library.lock:
            library.now = max(library.now, self.now)

    # -- torrents ------------------------------------------------------------------------------------------------------

    def _make(self, title: str, kind: str, media: int = 0, fate: str = "well") -> KnownTorrent:
        self.made += 1
        name = f"{title}.{self.made}"
        choice = self.random.random()
        if choice < 0.5:
            sizes = {f"{name}.mkv": self.random.randint(20_000, 200_000)}
        else:
            sizes = {f"{name}/{name}.mkv": self.random.randint(20_000, 150_000), f"{name}/{name}.nfo": 300}
            if choice > 0.8:
                sizes[f"{name}/Subs/{name}.srt"] = self.random.randint(1, 40_000)
        now = self.now
        known = KnownTorrent(
            name, self.random.getrandbits(48), sizes, kind, fate, media,
            completes_at=now + self.random.uniform(HOUR, 20 * HOUR),
            archives_at=now + self.random.uniform(3, 12) * DAY,
            leaves_at=now + self.random.uniform(16, 35) * DAY,
        )  # fmt: skip
        self.known[known.id] = known
        return known

    def _download(self, known: KnownTorrent, client: str, folder: str) -> None:
        there = self.place.clients[client]
        spec = AddSpec(ClientPath(str(self.place.root / folder)), category=known.kind)
        with there.by_hand():
            there.add_stopped(known.metainfo, spec)
            there.change(known.id, added_on=int(self.now), completed_on=0)
            there.start(known.id)
        if known.fate == "stalls":
            there.pulsing[known.id] = {"swarm_seeds": 0, "swarm_peers": 0}

    def _series(self) -> None:
        """The Arr has its client download an episode."""
        self.media += 1
        self._grab(self.media, "stalls" if self.random.random() < 0.08 else "well")

    def _grab(self, media: int, fate: str) -> None:
        known = self._make(f"Show.S01E{media}", "tv", media, fate)
        library = self.place.library
        with library.lock:
            library.now = max(library.now, self.now)
            if media not in library.media:
                library.add_media(media, f"Episode {media}")
            wanted = library.media[media]
            wanted.files = (*wanted.files, *(Path(name).name for name in known.sizes if name.endswith(".mkv")))
            library.grab(known.id.hex, media, title=known.name)
        self._download(known, "home", "home/ssd")

    def _film(self) -> None:
        """Somebody adds a film on the seedbox."""
        self._download(self._make("Film", "films"), "seedbox", "seedbox/data")

    def _goes_on(self, known: KnownTorrent) -> None:
        clients = self.place.clients
        if not known.complete and known.fate != "stalls" and self.now >= known.completes_at:
            for client in clients.values():
                if known.id in client.listed():
                    client.fill(known.id, known.files())
                    known.complete = True
        elif known.complete and not known.archived and self.now >= known.archives_at and self.arrives:
            home = clients["home"]
            if known.id in home.listed() and known.fate == "well":
                home.change(known.id, category="archive")
                known.archived = True
        elif known.archived and self.now >= known.leaves_at and self.arrives:
            nas = clients["nas"]
            if known.id in nas.listed() and all(
                known.id not in each.listed() for each in clients.values() if each is not nas
            ):
                self._person_removes(known)

    def _person_removes(self, known: KnownTorrent) -> None:
        """With its data, in its client."""
        nas = self.place.clients["nas"]
        held = nas.listed()[known.id]
        known.ended = PEOPLE
        nas.forget(known.id)
        for name in held.paths:
            nas.disk.delete(str(held.row.save_path / name))

    def _forgets(self) -> None:
        """The tracker of a torrent does not know it any more."""
        home, nas = self.place.clients["home"], self.place.clients["nas"]
        choice = [
            (client, known)
            for known in self.alive()
            for client in (home, nas)
            if known.complete
            and known.fate == "well"
            and known.id in client.listed()
            and (known.kind == "tv" or client is nas)
        ]
        if not choice:
            return
        client, known = self.random.choice(choice)
        others = [each for each in self.place.clients.values() if each is not client and known.id in each.listed()]
        if others or (client is home and known.archived):
            return
        known.fate = "unregistered"
        client.set_trackers(known.id, [Tracker(TRACKER, 0, working=False, message=UNREGISTERED)])

    def _indexer_answers(self) -> None:
        """What the Arr was asked to search for, it finds and grabs, once for each search."""
        searches = self.place.library.searches
        for media in searches[self._answered :]:
            for number in media:
                self._later.append((self.now + HOUR, lambda number=number: self._grab(number, "well")))  # type: ignore[misc]
        self._answered = len(searches)

    # -- the account ---------------------------------------------------------------------------------------------------

    def begin_account(self, count: int) -> None:
        """So many shows lie in the account since long, each with links in the library."""
        self._renews_at = self._told_of_premium()
        for number in range(count):
            digits = f"{number + 1:02x}ab" * 10
            name = f"Lent.{number}"
            self.place.account.have(
                digits,
                (f"{name}/{name}.e1.mkv", 1001),
                (f"{name}/{name}.e2.mkv", 1002),
                (f"{name}/info.nfo", 10),
                name=name,
            )
            self.place.account.hold(digits, selected={1, 2})
            for file in ("e1", "e2"):
                link = self.place.root / "media" / name / f"{file}.mkv"
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(self.place.root / "mount/__all__" / name / f"{name}.{file}.mkv")
        self.show_mount()

    def _told_of_premium(self) -> float:
        """When its owner renews it: some days after the program has told that a week is left, now and then too late."""
        return self.place.account.premium_until - 7 * DAY + self.random.uniform(0, 9) * DAY

    def _renews(self) -> None:
        account = self.place.account
        if self.now >= self._renews_at:
            with account.lock:
                account.premium_until = max(account.premium_until, self.now) + 30 * DAY
            self._renews_at = self._told_of_premium()

    def _entry_dies(self) -> None:
        """The service has lost an entry: it says so, or its links are dead."""
        account = self.place.account
        with account.lock:
            well = [entry for entry in account.entries if account.status(entry) == "downloaded"]
            if not well:
                return
            entry = self.random.choice(well)
            if self.random.random() < 0.7:
                entry.word = self.random.choice(("dead", "error"))
            else:
                self.place.account.remove(entry)

    def show_mount(self) -> None:
        """The mount shows what the account has."""
        account, top = (
            self.place.account,
            self.place.root / ("mount" if self.place.mounted else ".mount-away") / "__all__",
        )
        with account.lock:
            shown = {entry.torrent.name: entry for entry in account.entries if self._shows(entry)}
        for folder in top.iterdir():
            if folder.name not in shown:
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()
        for name, entry in shown.items():
            for number in sorted(entry.selected or ()):
                file = top / name / entry.torrent.files[number - 1][0].rpartition("/")[2]
                if not file.exists():
                    file.parent.mkdir(exist_ok=True)
                    file.write_bytes(b"x")

    def _shows(self, entry: Entry) -> bool:
        account = self.place.account
        account.settle(entry)
        return account.status(entry) == "downloaded"
