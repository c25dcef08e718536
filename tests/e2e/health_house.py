"""A client with torrents in all kinds of trouble, trackers of our own, and `torrent-mover health` to look at them."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.schemas import fits
from tests.doubles.tracker import TrackerDouble
from tests.doubles.web_ui_gate import WebUiGate
from tests.e2e.command import Command, Result
from tests.servers import eventually
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.qbittorrent_server import QBittorrentServer

KIB = 1024
SIZE = 256 * KIB


@contextmanager
def health_house(server: QBittorrentServer, tracker: TrackerDouble, root: Path) -> Iterator[HealthHouse]:
    """From `with` to its end: then it must have changed nothing."""
    with WebUiGate(server) as gate:
        house = HealthHouse(server, tracker, root, gate)
        yield house
        house.changed_nothing()


def wait_for_trackers(server: QBittorrentServer, torrent: str, told: Collection[int]) -> None:
    """Until each tracker of a torrent has one of these states (2: works, 4: does not).

    A client that is busy may drop an announce, and ask next in half an hour: so it is told to ask, again and again.
    """
    asked = time.monotonic()

    def looked() -> bool:
        nonlocal asked
        rows = server.api.json("torrents/trackers", hash=torrent)
        if all(row["status"] in told for row in rows if not row["url"].startswith("** [")):
            return True
        if time.monotonic() - asked > 5:
            server.api.post("torrents/reannounce", hashes=torrent)
            asked = time.monotonic()
        return False

    eventually(looked, 60)


class HealthHouse:
    """`health`: keys of [HEALTH tv]; `more`: further text of the config. All that is timed is due at once unless a test says so.

    The program reaches the client through `gate`. When the test is over, it must have changed nothing there, unless `mode` was act.
    """

    def __init__(self, server: QBittorrentServer, tracker: TrackerDouble, root: Path, gate: WebUiGate) -> None:
        self.server, self.tracker, self.root, self.gate = server, tracker, root, gate
        self.home = root / "home"
        self.state = root / "state"
        self.health: dict[str, object] = {
            "client": "qbit",
            "categories": "tv",
            "every": "2s",
            "grace": 0,
            "min_age": 0,
            "stalled_after": 0,
            "unregistered_after": 0,
            "no_metadata_after": 0,
        }
        self.more = ""

    def changed_nothing(self) -> None:
        """That not one request which changes anything has left the program, and that it asked at all."""
        assert self.gate.asked
        assert self.health.get("mode") == "act" or self.gate.changing == []

    # -- torrents ------------------------------------------------------------------------------------------------------

    def download(self, name: str, *, category: str = "tv", trackers: tuple[str, ...] | None = None, **more) -> str:
        """A download that nobody seeds; its hash, once its tracker was asked."""
        made = sample(
            self.root / "elsewhere", name, SIZE, seed=hash(name) % 1000, trackers=self._urls(trackers), **more
        )
        return self._announced(self.server.add(made.metainfo, category=category))

    def seed(self, name: str, *, category: str = "tv", trackers: tuple[str, ...] | None = None, **more) -> Sample:
        """A torrent that is complete, once its tracker was asked."""
        made = sample(
            self.server.data,
            name,
            {"a.bin": SIZE, "b.bin": SIZE},
            seed=hash(name) % 1000,
            trackers=self._urls(trackers),
            **more,
        )
        self.server.add(made.metainfo, category=category)
        self.server.wait_for(made.info_hash)
        self._announced(made.info_hash)
        return made

    def _urls(self, trackers: tuple[str, ...] | None) -> tuple[str, ...]:
        return (self.tracker.url,) if trackers is None else trackers

    def _announced(self, torrent: str) -> str:
        wait_for_trackers(self.server, torrent, (2, 4))
        return torrent

    # -- looking -------------------------------------------------------------------------------------------------------

    def write_config(self) -> Path:
        """The config as it is now."""
        server = self.server
        lines = [
            "[CLIENT qbit]",
            f"host = http://{server.host}",
            f"port = {self.gate.port}",
            f"username = {server.username}",
            f"password = {server.password}",
            "[General]",
            f"state_dir = {self.state}",
            "[HEALTH tv]",
            *(f"{key} = {value}" for key, value in self.health.items()),
        ]
        path = self.root / "config.ini"
        path.write_text("\n".join([*lines, self.more, ""]))
        path.chmod(0o600)
        return path

    def start(self, *arguments: object) -> Command:
        """Start `health` with these arguments."""
        return Command("--config", self.write_config(), "health", *arguments, home=self.home)

    def run(self, *arguments: object) -> Result:
        """Run `health` to its end."""
        with self.start(*arguments) as command:
            return command.end()

    def look(self, *arguments: object) -> dict[str, list[str]]:
        """One look; hash -> codes of what was found."""
        told = self.told(*arguments)
        return {row["hash"]: [each["code"] for each in row["findings"]] for row in told["rows"]}

    def told(self, *arguments: object) -> dict:
        """What --json says, once it fits its schema."""
        return fits("health", json.loads(self.run("--json", *arguments).out))

    def look_until(self, torrent: str, code: str) -> None:
        """Look again and again until that is found. Two looks lie as far apart as the client needs to tell news."""
        deadline = time.monotonic() + 60
        while code not in self.look().get(torrent, []):
            assert time.monotonic() < deadline, self.run("--explain", torrent).text
            self.server.api.post("torrents/reannounce", hashes=torrent)  # a busy client drops an announce
