"""Moves from, to and between real rTorrents, of both series, by the command itself."""

from __future__ import annotations

import configparser
import itertools
from pathlib import Path

import pytest

from tests.conftest import program_of, rtorrent_program
from tests.e2e.command import Command
from torrent_mover.demo.content import sample
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.torrents import v1_hash
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

LABEL = "move me"
SERIES = ("0.9.8", "0.16")
SHAPES = {
    "Ünï Show 'x' 😀": {"a.bin": 300_000, "sub/ü – b.bin": 70_001, "none.nfo": 0},
    "One.File.mkv": 400_001,
}


class RTorrentEnd:
    """An rTorrent as one end of a move."""

    def __init__(self, root: Path, series: str) -> None:
        self.server = RTorrentServer(root, program=rtorrent_program(series))
        self.data = self.server.data

    @property
    def config(self) -> dict[str, str]:
        return {"type": "rtorrent", "url": str(self.server.socket)}

    def seed(self, made) -> None:
        self.server.seed(made.metainfo, label=LABEL)

    def seeds(self, made) -> bool:
        if made.info_hash not in self.server.torrents():
            return False
        return self.server.ask(made.info_hash, "d.is_active", "d.complete", "d.hashing") == (1, 1, 0)

    def lists(self, made) -> bool:
        return made.info_hash in self.server.torrents()


class QBittorrentEnd:
    """A qBittorrent as one end of a move."""

    def __init__(self, root: Path) -> None:
        self.server = QBittorrentServer(root, program=program_of("5.1"))
        self.data = self.server.data

    @property
    def config(self) -> dict[str, str]:
        server = self.server
        return {"host": server.host, "port": str(server.port), "username": server.username, "password": server.password}

    def seed(self, made) -> None:
        self.server.add(made.metainfo, category=LABEL)
        self.server.wait_for(made.info_hash)

    def seeds(self, made) -> bool:
        return self.server.state(made.info_hash) in ("uploading", "stalledUP")

    def lists(self, made) -> bool:
        return self.server.torrent(made.info_hash) is not None


@pytest.fixture
def ends(open_folder, request):
    """Makes a source and a destination, named by their series; both run."""
    numbers = itertools.count()
    started = []

    def make(*names: str):
        made = []
        for name in names:
            root = open_folder / f"end-{request.node.name[:8]}-{next(numbers)}"
            end = QBittorrentEnd(root) if name == "qbittorrent" else RTorrentEnd(root, name)
            started.append(end.server.start())
            made.append(end)
        return made

    yield make
    for server in started:
        server.stop()


def write_config(folder: Path, source, destination, ssh) -> Path:
    """A config of these two ends, whose files are reached through the same SSH server."""
    server = {
        "host": ssh.host,
        "port": str(ssh.port),
        "username": ssh.user,
        "key_file": str(ssh.key_file),
        "known_hosts": str(ssh.known_hosts),
    }
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_dict(
        {
            "CLIENT from": {**source.config, "machine": "box"},
            "CLIENT to": destination.config,
            "MACHINE box": server,
            "ROUTE films": {
                "from": "from",
                "to": "to",
                "category": LABEL,
                "destination_path": str(destination.data),
                "transfer_mode": "sftp",
            },
            "General": {"state_dir": str(folder / "state"), "log_dir": str(folder / "log")},
        }
    )
    path = folder / "config.ini"
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as stream:
        parser.write(stream)
    return path


@pytest.mark.parametrize(
    ("source", "destination"),
    [("0.9.8", "0.16"), ("0.16", "0.9.8"), ("qbittorrent", "0.9.8"), ("0.9.8", "qbittorrent"), ("qbittorrent", "0.16")],
)
def test_torrents_move_whole_and_the_source_lets_go(ends, ssh_server, tmp_path, source, destination):
    source, destination = ends(source, destination)
    torrents = [sample(source.data, name, sizes, seed=seed) for seed, (name, sizes) in enumerate(SHAPES.items())]
    files = {}
    for made in torrents:
        files |= made.files()
        source.seed(made)
    config = write_config(tmp_path, source, destination, ssh_server)
    with Command("--config", config, "--simple", home=tmp_path) as command:
        command.end().ended(ExitCode.DONE)
    assert [destination.seeds(made) for made in torrents] == [True] * len(torrents)
    assert [source.lists(made) for made in torrents] == [False] * len(torrents)
    assert {name: (destination.data / name).read_bytes() for name in files} == files
    assert not any(path.is_file() for path in source.data.rglob("*"))


@pytest.mark.parametrize(("version", "reason"), [("hybrid", "hybrid torrent (v1 and v2)"), ("v2", "knows v1 alone")])
def test_what_rtorrent_would_know_by_another_infohash_stays_and_the_reason_is_said(
    ends, ssh_server, tmp_path, version, reason
):
    source, destination = ends("qbittorrent", "0.16")
    made = sample(source.data, "Show", {"a.bin": 100_000, "b.bin": 70_001}, version=version)
    source.seed(made)
    before = made.files()
    config = write_config(tmp_path, source, destination, ssh_server)
    with Command("--config", config, "--simple", home=tmp_path) as command:
        command.end().ended(ExitCode.SOME_FAILED).says(reason)
    assert source.seeds(made)
    assert made.files() == before
    assert destination.server.torrents() == []
    assert list(destination.data.iterdir()) == []


def test_a_hybrid_torrent_moves_between_two_rtorrents(ends, ssh_server, tmp_path):
    source, destination = ends("0.16", "0.16")
    made = sample(source.data, "Show", {"a.bin": 100_000, "b.bin": 70_001}, version="hybrid")
    files = made.files()
    source.seed(made)
    config = write_config(tmp_path, source, destination, ssh_server)
    with Command("--config", config, "--simple", home=tmp_path) as command:
        command.end().ended(ExitCode.DONE)
    assert destination.server.torrents() == [v1_hash(made.metainfo)]
    assert source.server.torrents() == []
    assert {name: (destination.data / name).read_bytes() for name in files} == files
