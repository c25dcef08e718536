"""A throw-away world for health: a qBittorrent with torrents in trouble, their tracker, and a stand-in for Sonarr."""

from __future__ import annotations

import configparser
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.process import wait_until
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.small_sonarr import SmallSonarr
from torrent_mover.demo.small_tracker import SmallTracker
from torrent_mover.demo.world import remove_world
from torrent_mover.domain.errors import Unreachable

LOOP: Final = "demo"
CATEGORY: Final = "tv"
MIB: Final = 1024 * 1024
STALLED, LOST, UNKNOWN, FINE = (
    "Cosmos.Laundromat.S01E01",
    "Sintel.S01E02",
    "Spring.S01E03",
    "Big.Buck.Bunny.S01E04",
)
_EPISODES: Final = {STALLED: 812, LOST: 813, UNKNOWN: 814, FINE: 815}
_SETTLES: Final = 30.0  # seconds; one or two are usual
_DOWNLOADING: Final = ("downloading", "stalledDL")
_GONE: Final = (*_DOWNLOADING, "missingFiles", "error")
_NOT_ASKED: Final = (1, 3)
"""Status of a tracker that was not asked yet, or is being asked."""


class HealthDemo:
    """A qBittorrent with four torrents of one tracker, all grabbed by one Arr: started on entering, stopped and removed on leaving.

    STALLED is half there, and nobody has the rest; the files of LOST were moved away by hand; UNKNOWN seeds, and the tracker says
    that it does not know it; FINE seeds. `root/state` and `root/log` are where the config sends torrent_mover's own files. With
    `keep` the folder stays. A program that is not installed raises MissingProgram, which names the command that installs it.
    """

    def __init__(self, root: Path | None = None, *, qbittorrent: Path | None = None, keep: bool = False) -> None:
        self.root = root or Path(tempfile.mkdtemp(prefix="torrent-mover-"))
        self.root.mkdir(parents=True, exist_ok=True)
        self._keep = keep
        self._stack = ExitStack()
        self.samples: dict[str, Sample] = {}
        try:
            self.client = QBittorrentServer(self.root / "qbittorrent", program=qbittorrent)
        except BaseException:
            self._remove()
            raise
        self.tracker = SmallTracker()
        self.sonarr = SmallSonarr(self.client, CATEGORY)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._remove)
            stack.enter_context(self.tracker)
            stack.enter_context(self.sonarr)
            stack.callback(self.client.stop)
            self.client.start()
            self._fill()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def config_file(self) -> Path:
        """Where `write_config` writes."""
        return self.root / "config.ini"

    @property
    def moved_to(self) -> Path:
        """Where somebody put the files of LOST."""
        return self.client.data / "sorted by hand"

    def _fill(self) -> None:
        for number, (name, episode) in enumerate(_EPISODES.items()):
            sizes = {f"{name}.mkv": MIB, f"{name}.nfo": 4_096}
            one = sample(
                self.client.data, name, sizes, category=CATEGORY, seed=200 + number, trackers=(self.tracker.url,)
            )
            self.samples[name] = one
            self.sonarr.grab(one.info_hash, name, episode, imported=name != STALLED)
        self.tracker.unknown.add(self.samples[UNKNOWN].info_hash)
        _halve(self.samples[STALLED].content / f"{STALLED}.mkv")
        for name, one in self.samples.items():
            self.client.add(one.metainfo, category=CATEGORY)
            self.client.wait_for(one.info_hash, _DOWNLOADING if name == STALLED else SEEDING_STATES)
        lost = self.samples[LOST]
        self.moved_to.mkdir()
        lost.content.rename(self.moved_to / LOST)
        self.client.recheck(lost.info_hash)
        self.client.wait_for(lost.info_hash, _GONE)
        if not wait_until(self._all_asked, _SETTLES):
            raise Unreachable("qBittorrent does not ask the tracker of the demo.")

    def _all_asked(self) -> bool:
        """Whether the client has an answer of the tracker for each torrent."""
        rows = [
            row
            for one in self.samples.values()
            for row in self.client.api.json("torrents/trackers", hash=one.info_hash)
            if row["url"] == self.tracker.url
        ]
        return all(row["status"] not in _NOT_ASKED for row in rows)

    def lines(self) -> list[str]:
        """What the client and the Arr say, for people."""
        listed = {one["hash"]: one for one in self.client.torrents()}
        lines = []
        for name, made in self.samples.items():
            one = listed.get(made.info_hash)
            what = f"{one['state']:<12} {one['progress']:>4.0%}" if one else f"{'not there':<17}"
            lines.append(f"{made.info_hash[:8]}  {what}  {name}")
        if self.sonarr.blocked:
            lines.append(f"Sonarr blocks {', '.join(self.sonarr.blocked)}")
        if self.sonarr.searched:
            lines.append(f"Sonarr searched for episode {', '.join(map(str, self.sonarr.searched))}")
        return lines

    def config(self, **overrides: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Section -> key -> value. `overrides` go on top: `{"HEALTH demo": {"mode": "act"}}` as `**`."""
        client = self.client
        values = {
            "CLIENT qbit": {
                "host": client.host,
                "port": str(client.port),
                "username": client.username,
                "password": client.password,
            },
            "ARR sonarr": {"url": self.sonarr.url, "api_key": self.sonarr.key, "category": CATEGORY},
            f"HEALTH {LOOP}": {
                "client": "qbit",
                "arr": "sonarr",
                "mode": "report",
                "every": "2s",
                "grace": "0s",
                "min_age": "0s",
                "stalled_after": "0s",
                "unregistered_after": "0s",
                "unregistered_action": "retire",
                "removals_share": "100",
            },
            "General": {"state_dir": str(self.root / "state"), "log_dir": str(self.root / "log")},
        }
        for section, keys in overrides.items():
            values.setdefault(section, {}).update(keys)
        return values

    def write_config(self, **overrides: Mapping[str, str]) -> Path:
        """Write `config(**overrides)` with mode 0600. Returns its path."""
        target = self.config_file
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


def _halve(file: Path) -> None:
    """Its second half is not there yet."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(size // 2)
        stream.write(bytes(size - size // 2))
