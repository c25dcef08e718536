"""What debrid accounts hold, and what becomes of what is added: the world behind all doubles, on a clock of its own."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.clock import FakeClock

PREMIUM = 63 * 86400.0
LINK_ALIVE = "alive"


@dataclass
class WorldTorrent:
    """A torrent of the world outside. `files`: path and size; `convert`, `download`: seconds until its files are known, and there.

    `cached`: the service has it already. `fate`: ok, magnet_error, error, dead, virus, stuck, rar, short_links, refused_add,
    refused_link.
    """

    hash: str
    name: str
    files: list[tuple[str, int]]
    cached: bool = True
    convert: float = 0.0
    download: float = 60.0
    fate: str = "ok"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files)


@dataclass
class WorldLink:
    """What a file is fetched by. `state`: alive, or the words of the double for what is wrong with it."""

    text: str
    name: str
    size: int
    state: str = LINK_ALIVE


@dataclass
class Entry:
    """One entry of the account. `selected`: numbers of files from 1; None: not chosen yet. `word`: a status set by hand."""

    id: str
    torrent: WorldTorrent
    added: float
    selected: set[int] | None = None
    selected_at: float = 0.0
    links: list[WorldLink] = field(default_factory=list)
    word: str = ""


class DebridWorld:
    """`entries` newest first. `slots`: how many may be under way. `selects`: files are chosen after the add."""

    def __init__(self, clock: FakeClock | None = None, *, selects: bool = True) -> None:
        self.clock = clock or FakeClock()
        self.selects = selects
        self.lock = threading.RLock()
        self.torrents: dict[str, WorldTorrent] = {}
        self.entries: deque[Entry] = deque()
        self.links: dict[str, WorldLink] = {}
        self.downloads: dict[str, WorldLink] = {}
        self.user = "maria"
        self.premium_until = self.clock.now() + PREMIUM
        self.locked = False
        self.slots = 10
        self.lying_checks = False
        self.link_format = "https://real-debrid.com/d/{:013d}"
        self._numbers = itertools.count(1)

    def have(self, digits: str, *files: tuple[str, int], name: str = "", **more: Any) -> WorldTorrent:
        """A torrent of the world outside."""
        made = WorldTorrent(
            digits, name or f"Release.{digits[:6]}", list(files) or [("Film.mkv", 3_000_000_000)], **more
        )
        self.torrents[digits] = made
        return made

    def number(self) -> int:
        """A number that nothing else has."""
        return next(self._numbers)

    def new_id(self) -> str:
        """13 characters, as Real-Debrid makes them; a number where files are not chosen."""
        return f"ABCDEFGH{self.number():05d}" if self.selects else str(self.number())

    def add(self, digits: str) -> Entry:
        """A new entry, as an add makes it. A torrent that is not known is one of a single file."""
        torrent = self.torrents.get(digits) or self.have(digits)
        entry = Entry(self.new_id(), torrent, self.clock.now())
        self.entries.appendleft(entry)
        if not self.selects:
            self.select(entry, set(range(1, len(torrent.files) + 1)))
        return entry

    def hold(self, digits: str, *, selected: set[int] | None = None, word: str = "") -> Entry:
        """An entry that is there since long, downloaded."""
        entry = self.add(digits)
        entry.added -= 30 * 86400
        self.select(entry, selected or set(range(1, len(entry.torrent.files) + 1)))
        entry.selected_at -= 30 * 86400
        entry.word = word
        self.settle(entry)
        return entry

    def select(self, entry: Entry, numbers: set[int]) -> None:
        """Choose files."""
        entry.selected, entry.selected_at = set(numbers), self.clock.now()

    def find(self, own: str) -> Entry | None:
        """An entry by its id."""
        return next((entry for entry in self.entries if entry.id == own), None)

    def remove(self, entry: Entry) -> None:
        """It is gone, and its links with it."""
        self.entries.remove(entry)
        for link in entry.links:
            self.links.pop(link.text, None)

    def status(self, entry: Entry) -> str:
        """Its status now, in Real-Debrid's words."""
        if entry.word:
            return entry.word
        torrent, now = entry.torrent, self.clock.now()
        if now - entry.added < torrent.convert:
            return "magnet_conversion"
        if torrent.fate == "magnet_error":
            return "magnet_error"
        if entry.selected is None:
            return "waiting_files_selection"
        return self._downloading(entry, now - max(entry.selected_at, entry.added + torrent.convert))

    def _downloading(self, entry: Entry, gone: float) -> str:
        torrent = entry.torrent
        whole = 0.0 if torrent.cached else torrent.download
        if torrent.fate == "stuck":
            return "downloading"
        if gone < whole:
            return "queued" if gone < 1 else "downloading" if gone < whole - 1 else "uploading"
        return torrent.fate if torrent.fate in ("error", "dead", "virus") else "downloaded"

    def progress(self, entry: Entry) -> float:
        """Percent."""
        if self.status(entry) == "downloaded":
            return 100.0
        if entry.selected is None or entry.torrent.fate == "stuck":
            return 0.0
        return min(99.5, 100 * (self.clock.now() - entry.selected_at) / max(entry.torrent.download, 1.0))

    def settle(self, entry: Entry) -> list[WorldLink]:
        """Its links, which come to be when it is downloaded."""
        if self.status(entry) == "downloaded" and not entry.links:
            chosen = [entry.torrent.files[number - 1] for number in sorted(entry.selected or ())]
            if entry.torrent.fate == "rar":
                chosen = [(f"{entry.torrent.name}.rar", sum(size for _, size in chosen))]
            if entry.torrent.fate == "short_links":
                chosen = chosen[:-1]
            for path, size in chosen:
                link = WorldLink(self.link_format.format(self.number()), path.rpartition("/")[2], size)
                if entry.torrent.fate == "refused_link":
                    link.state = "451/35"
                entry.links.append(link)
                self.links[link.text] = link
        return entry.links

    def entry_of(self, link: WorldLink) -> Entry | None:
        """The entry that a link belongs to."""
        return next((entry for entry in self.entries if link in entry.links), None)

    def working(self) -> int:
        """How many are under way."""
        return sum(
            self.status(entry) in ("magnet_conversion", "queued", "downloading", "compressing", "uploading")
            for entry in self.entries
        )
