"""A throw-away world for tiers: an rTorrent whose SSD is nearly full, a larger disk, and a leecher that still downloads."""

from __future__ import annotations

import configparser
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.ports import LOOPBACK
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.small_disks import MIB, DiskKind, SmallDisks
from torrent_mover.demo.web_api import WebApiError
from torrent_mover.demo.world import remove_world

TIER: Final = "demo"
LABEL: Final = "films"
_SSD_SIZE, _HDD_SIZE = 128 * MIB, 512 * MIB
FREE_LOW, FREE_HIGH = 56 * MIB, 80 * MIB
LEECHER_RATE: Final = 256 * 1024
"""Bytes a second: 16 MiB last a minute, so that it downloads on while its torrent leaves the SSD."""
_TCP_ONLY: Final = {"BitTorrent/Session\\BTProtocol": "TCP"}
"""rTorrent speaks no uTP, which the leecher would try first, again and again."""
_APART: Final = 1.1  # seconds
"""rTorrent notes in whole seconds when a torrent was finished: so the oldest is surely the oldest."""
_INTRODUCED_EVERY: Final = 2.0  # seconds between two times that the leecher is told where the seeder is

_TORRENTS: Final[tuple[tuple[str, Mapping[str, int] | int], ...]] = (
    ("Big.Buck.Bunny.2008.2160p", {"bunny.mkv": 15 * MIB, "bunny.nfo": 4_096}),
    ("Sintel.2010.1080p.mkv", 16 * MIB),
    ("Tears of Steel [2012]", {"tears.mkv": 12 * MIB, "Extras/making of.mkv": 4 * MIB}),
    ("Elephants.Dream.2006.mkv", 14 * MIB),
    ("Spring.2019.1080p", {"spring.mkv": 13 * MIB, "spring.srt": 70_001}),
    ("Cosmos.Laundromat.2015.mkv", 12 * MIB),
)
"""The oldest first: 86 MiB, so that 42 of 128 MiB are free, under the mark of 56."""


@dataclass(frozen=True, slots=True)
class WhereItIs:
    """One torrent of the demo: where rTorrent looks for it now, and how much of it the leecher has (0 to 1; None: not asked)."""

    name: str
    info_hash: str
    on_ssd: bool
    folder: Path
    seeds: bool
    leeched: float | None


class TierDemo:
    """An rTorrent over two small disks, with torrents on the SSD, and a qBittorrent that downloads the oldest of them.

    Started on entering, stopped and removed on leaving. `disks.kind` says what the disks are. `root/state` and `root/log` are
    where the config sends torrent_mover's own files. With `keep` the folder stays, but for file systems in memory. A server
    program that is not installed raises MissingProgram, which names the command that installs it.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        rtorrent: Path | None = None,
        qbittorrent: Path | None = None,
        mount: bool | None = None,
        leecher_rate: int = LEECHER_RATE,
        keep: bool = False,
    ) -> None:
        """`rtorrent` and `qbittorrent`: the programs; `mount` as in SmallDisks; `leecher_rate` in bytes a second, 0: no limit."""
        self.root = root or Path(tempfile.mkdtemp(prefix="torrent-mover-"))
        self.root.mkdir(parents=True, exist_ok=True)
        self._keep = keep
        self._leecher_rate = leecher_rate
        self._stack = ExitStack()
        self.samples: list[Sample] = []
        try:
            self.disks = SmallDisks(self.root / "disks", ssd_size=_SSD_SIZE, hdd_size=_HDD_SIZE, mount=mount)
            self.client = RTorrentServer(self.root / "rtorrent", program=rtorrent)
            self.leecher = QBittorrentServer(self.root / "leecher", program=qbittorrent, settings=_TCP_ONLY)
        except BaseException:
            self._remove()
            raise

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._remove)
            stack.enter_context(self.disks)
            for server in (self.client, self.leecher):
                stack.callback(server.stop)
                server.start()
            self._fill()
            self._leech(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def folder(self) -> Path:
        """Where the torrents lie on the SSD."""
        return self.disks.ssd / LABEL

    def _fill(self) -> None:
        """Put the torrents on the SSD, the oldest first, and have rTorrent seed them."""
        for number, (name, sizes) in enumerate(_TORRENTS):
            one = sample(self.folder, name, sizes, category=LABEL, seed=100 + number)
            self.client.seed(one.metainfo, self.folder, label=LABEL)
            self.samples.append(one)
            if number == 0:
                time.sleep(_APART)

    def _leech(self, stack: ExitStack) -> None:
        """Have the leecher download the oldest torrent, slowly, and find its seeder again whenever that was away."""
        oldest = self.samples[0]
        self.leecher.add(oldest.metainfo, dlLimit=str(self._leecher_rate))
        over = threading.Event()
        introduces = threading.Thread(
            target=self._introduce, args=(oldest.info_hash, over), name="introduce", daemon=True
        )
        introduces.start()
        stack.callback(introduces.join, _INTRODUCED_EVERY * 5)
        stack.callback(over.set)

    def _introduce(self, torrent: str, over: threading.Event) -> None:
        """What a tracker would do: tell the leecher again and again where the seeder is."""
        port = self.client.call("network.listen.port")
        while True:
            with suppress(OSError, WebApiError):
                self.leecher.api.post("torrents/addPeers", hashes=torrent, peers=f"{LOOPBACK}:{port}")
            if over.wait(_INTRODUCED_EVERY):
                return

    def where(self) -> list[WhereItIs]:
        """Where each torrent is now, the oldest first."""
        leeched = {one["hash"]: float(one["progress"]) for one in self.leecher.torrents()}
        found = []
        for one in self.samples:
            folder, active, complete = self.client.ask(one.info_hash, "d.directory", "d.is_active", "d.complete")
            place = Path(str(folder))
            found.append(
                WhereItIs(
                    one.name,
                    one.info_hash,
                    place.is_relative_to(self.disks.ssd),
                    place,
                    (active, complete) == (1, 1),
                    leeched.get(one.info_hash),
                )
            )
        return found

    def lines(self) -> list[str]:
        """Where each torrent is, for people."""
        lines = []
        for one in self.where():
            place = "SSD " if one.on_ssd else "disk"
            seeds = "seeds" if one.seeds else "does not seed"
            leeched = "" if one.leeched is None else f", the leecher has {one.leeched:.0%} of it"
            lines.append(f"{one.info_hash[:8].upper()}  {place}  {seeds}  {one.name}{leeched}")
        return lines

    def config(self, **overrides: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Section -> key -> value. `overrides` go on top: `{"TIER demo": {"mode": "report"}}` as `**`."""
        copies = sum(path.stat().st_size for one in self.samples for path in _files(one.content))
        marks = {
            name: self.disks.free_mark(mark, copies)
            for name, mark in (("free_low", FREE_LOW), ("free_high", FREE_HIGH))
        }
        values = {
            "CLIENT rtorrent": {
                "type": "rtorrent",
                "url": self.client.url,
                "session_folder": str(self.client.session),
            },
            f"TIER {TIER}": {
                "client": "rtorrent",
                "ssd": str(self.disks.ssd),
                "targets": f"*:{self.disks.hdd}",
                **{name: f"{mark // 1024}K" for name, mark in marks.items()},
                "keep_free": "16M",
                "min_age": "0s",
                "keep_active": "off",
                "sweep_every": "10s",
            },
            "General": {"state_dir": str(self.root / "state"), "log_dir": str(self.root / "log")},
        }
        for section, keys in overrides.items():
            values.setdefault(section, {}).update(keys)
        return values

    def write_config(self, path: Path | None = None, **overrides: Mapping[str, str]) -> Path:
        """Write `config(**overrides)` as a config.ini with mode 0600; default: `root/config.ini`. Returns its path."""
        target = path or self.root / "config.ini"
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(self.config(**overrides))
        target.touch(mode=0o600)
        target.chmod(0o600)
        with target.open("w", encoding="utf-8") as stream:
            parser.write(stream)
        return target

    def _remove(self) -> None:
        if not self._keep:
            remove_world(self.root)


def kept_after(kind: DiskKind) -> str:
    """What stays of a demo whose folder is kept."""
    if kind is DiskKind.FOLDERS:
        return "the two disks too"
    return "what was in memory is gone"


def _files(content: Path) -> list[Path]:
    return [content] if content.is_file() else [path for path in content.rglob("*") if path.is_file()]
