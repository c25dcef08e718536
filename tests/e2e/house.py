"""A world with its config, the commands run on it, and what must be true of it afterwards."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from tests.e2e.command import Command, Result
from tests.servers import snapshot
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.process import wait_until
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.world import CATEGORY, DemoWorld
from torrent_mover.domain.move import MAIN_ROUTE, MOVE

_VOLATILE = {"time_active", "seeding_time", "reannounce", "last_activity", "popularity", "eta", "seen_complete"}
"""What `torrents/info` says of time passing; everything else about a torrent that nobody touches stays as it is."""


_HALF = 0.5


class House:
    """`config` holds overrides by section, as DemoWorld.config takes them; a test may change it before it runs something."""

    def __init__(self, world: DemoWorld, home: Path) -> None:
        self.world = world
        self.home = home
        self.config: dict[str, dict[str, str]] = {}

    # -- running -------------------------------------------------------------------------------------------------------

    def start(self, *arguments: object, **how: Any) -> Command:
        """Start the command with the world's config; `how` as Command takes it."""
        return Command("--config", self.world.write_config(**self.config), *arguments, home=self.home, **how)

    def run(self, *arguments: object, environment: dict[str, str] | None = None) -> Result:
        """Run the command with the world's config to its end."""
        with self.start(*arguments, environment=environment) as command:
            return command.end()

    def move(self, *arguments: object) -> Result:
        """A run in plain lines."""
        return self.run("--simple", *arguments)

    # -- seeding -------------------------------------------------------------------------------------------------------

    def seed(self, name: str, sizes, *, category: str = CATEGORY, trackers: tuple[str, ...] = (), **more) -> Sample:
        """Make content at the source and seed it there. `sizes`: bytes of the one file, or path -> bytes."""
        made = sample(self.world.source.data, name, sizes, category=category, trackers=trackers, **more)
        self.world.seed(made.metainfo, made.content, category)
        return made

    def seed_again(self, made: Sample, *, category: str, trackers: tuple[str, ...]) -> str:
        """Seed a second torrent over the same content; its hash."""
        metainfo = make_torrent(made.content, piece_length=128 * 1024, trackers=trackers)
        return self.world.seed(metainfo, made.content, category)

    def have_half(self, name: str) -> Sample:
        """Have a torrent of two files at the source of which the second has not come yet."""
        made = sample(self.world.source.data, name, {"first": 65_536, "second": 65_536}, category=CATEGORY)
        (made.content / "second").unlink()
        self.source.add(made.metainfo, category=CATEGORY, stopped=True)
        self.source.recheck(made.info_hash)
        assert wait_until(lambda: (self.source.torrent(made.info_hash) or {}).get("progress") == _HALF, 30)
        return made

    # -- looking -------------------------------------------------------------------------------------------------------

    @property
    def source(self) -> QBittorrentServer:
        """The client that torrents leave."""
        return self.world.source

    @property
    def destination(self) -> QBittorrentServer:
        """The client that torrents come to."""
        return self.world.destination

    def journal(self) -> SqliteJournal:
        """The journal, to look at."""
        return SqliteJournal.open_readonly(self.world.root / "state" / "journal.sqlite3")

    def halted(self) -> bool:
        """Whether the destination client waits to be started again."""
        with contextlib.closing(self.journal()) as journal:
            return journal.scoped(MOVE, f"127.0.0.1:{self.source.port}", MAIN_ROUTE).halted()

    def picture(self) -> dict[str, object]:
        """All that a command could change: both clients' torrents and categories, every file but the servers' own."""
        return {
            "source": told(self.source),
            "destination": told(self.destination),
            "source files": snapshot(self.source.data),
            "destination files": snapshot(self.destination.data),
            "own files": sorted(path.name for path in self.world.root.iterdir()),
            "home": snapshot(self.home),
        }

    def assert_at_source(self, made: Sample, files: dict[str, bytes]) -> None:
        """Assert that the source still seeds it, with these very files."""
        assert self.source.state(made.info_hash) in SEEDING_STATES
        assert made.files() == files

    def assert_moved(self, made: Sample, files: dict[str, bytes]) -> None:
        """Assert that it seeds at the destination, with these very files, and that the source has nothing of it."""
        self.assert_arrived(made, files)
        assert self.source.torrent(made.info_hash) is None
        assert not made.content.is_file()
        assert not any(path.is_file() for path in made.content.rglob("*"))

    def assert_arrived(self, made: Sample, files: dict[str, bytes]) -> None:
        """Assert that it seeds at the destination, complete, and that its files there are these."""
        there = self.destination.torrent(made.info_hash)
        assert there is not None
        assert (there["state"] in SEEDING_STATES, there["amount_left"]) == (True, 0), there
        assert {name: (self.destination.data / name).read_bytes() for name in files} == files

    def assert_nothing_landed(self, made: Sample) -> None:
        """Assert that the destination has nothing of it under a final name, and that its client does not know it."""
        assert not (self.destination.data / made.name).exists()
        assert self.destination.torrent(made.info_hash) is None

    def assert_no_staging(self) -> None:
        """Assert that nothing of torrent_mover's own is left in the destination folder."""
        assert list(self.destination.data.glob(".torrent-mover/**/*")) == []
        assert not (self.destination.data / ".torrent-mover").exists()


def told(server: QBittorrentServer) -> dict[str, object]:
    """What a client says of its torrents and categories, without what changes by itself."""
    torrents = {
        one["hash"]: {key: value for key, value in one.items() if key not in _VOLATILE} for one in server.torrents()
    }
    return {"torrents": torrents, "categories": server.api.json("torrents/categories")}
