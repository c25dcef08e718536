"""A house whose source, destination or both are rTorrents: its config, the commands, what is true of it afterwards."""

from __future__ import annotations

import configparser
from pathlib import Path

from tests.e2e.command import Command, Result
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.torrents import v1_hash
from torrent_mover.demo.world import CATEGORY, DemoWorld
from torrent_mover.domain.torrent.bencode import decode_document, encode

SEVERAL = {"Season 1/one.mkv": 300_001, "cover [1080p] ü.jpg": 5_000, "empty": 0}
PADDED = {"a.bin": 100_000, "b/c.bin": 70_001, "z": 10}

ClientServer = QBittorrentServer | RTorrentServer


class MixedHouse:
    """Two clients of any kind, with the world's SSH server. `config` holds overrides by section."""

    def __init__(self, world: DemoWorld, source: ClientServer, destination: ClientServer, home: Path) -> None:
        self.world = world
        self.source = source
        self.destination = destination
        self.home = home
        self.config: dict[str, dict[str, str]] = {}

    def write_config(self) -> Path:
        """The config of the route `main`, with what the test has changed."""
        parser = configparser.ConfigParser(interpolation=None)
        values = self.world.config()
        values["SOURCE_CLIENT"] = client_section(self.source)
        values["DESTINATION_CLIENT"] = client_section(self.destination)
        values["DESTINATION_PATHS"] = {"destination_path": str(self.destination.data)}
        for section, keys in self.config.items():
            values.setdefault(section, {}).update(keys)
        parser.read_dict(values)
        path = self.world.root / "config.ini"
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8") as stream:
            parser.write(stream)
        return path

    def start(self, *arguments: object) -> Command:
        return Command("--config", self.write_config(), *arguments, home=self.home)

    def run(self, *arguments: object) -> Result:
        with self.start(*arguments) as command:
            return command.end()

    def move(self, *arguments: object) -> Result:
        """A run in plain lines."""
        return self.run("--simple", *arguments)

    def seed(self, name: str, sizes, **more) -> Sample:
        """Make content at the source, and seed it there under the category or label that moves."""
        made = sample(self.source.data, name, sizes, category=CATEGORY, **more)
        seed(self.source, made)
        return made

    def assert_moved(self, made: Sample, files: dict[str, bytes]) -> None:
        """Assert that it seeds at the destination, with these very files, and that the source has nothing of it."""
        assert seeds(self.destination, made)
        assert {name: (self.destination.data / name).read_bytes() for name in files} == files
        assert not has(self.source, made)
        assert not made.content.exists()
        assert list(self.destination.data.glob("**/.torrent-mover")) == []

    def assert_stays(self, made: Sample, files: dict[str, bytes]) -> None:
        """Assert that the source has it as before, and that the destination has nothing of it."""
        assert has(self.source, made)
        assert made.files() == files
        assert not has(self.destination, made)
        assert not (self.destination.data / made.name).exists()


def client_section(server: ClientServer) -> dict[str, str]:
    """What a config says of a client."""
    if isinstance(server, RTorrentServer):
        return {"type": "rtorrent", "host": server.url}
    return {"host": server.host, "port": str(server.port), "username": server.username, "password": server.password}


def hash_at(server: ClientServer, made: Sample) -> str:
    return v1_hash(made.metainfo) if isinstance(server, RTorrentServer) else made.info_hash


def seed(server: ClientServer, made: Sample) -> None:
    """Let a client have it, complete and seeding; rTorrent 0.9.8 gets its padding, which it wants as files."""
    if isinstance(server, RTorrentServer):
        if server.version.startswith("0.9"):
            for path, size in padding_of(made):
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(bytes(size))
        server.seed(made.metainfo, made.content.parent, label=made.category)
        return
    server.add(made.metainfo, made.content.parent, category=made.category)
    server.wait_for(made.info_hash)


def padding_of(made: Sample) -> list[tuple[Path, int]]:
    """The padding files of a torrent, and their sizes."""
    files = decode_document(made.metainfo).root[b"info"].get(b"files", [])
    return [
        (made.content.joinpath(*(part.decode() for part in file[b"path"])), file[b"length"])
        for file in files
        if b"p" in file.get(b"attr", b"")
    ]


def padded(made: Sample) -> Sample:
    """The v1 torrent of a hybrid one: its files begin with a new piece each."""
    document = decode_document(made.metainfo).root
    info = {key: value for key, value in document[b"info"].items() if key not in (b"meta version", b"file tree")}
    return Sample(encode({b"info": info}), made.content, made.category, "v1")


def has(server: ClientServer, made: Sample) -> bool:
    if isinstance(server, RTorrentServer):
        return hash_at(server, made) in server.torrents()
    return server.torrent(made.info_hash) is not None


def seeds(server: ClientServer, made: Sample) -> bool:
    if isinstance(server, RTorrentServer):
        return server.ask(hash_at(server, made), "d.is_active", "d.complete", "d.hashing") == (1, 1, 0)
    there = server.torrent(made.info_hash)
    return there is not None and there["state"] in SEEDING_STATES and there["amount_left"] == 0
