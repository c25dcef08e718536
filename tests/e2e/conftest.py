"""Fixtures of the end-to-end suite."""

from __future__ import annotations

import pytest

from tests.conftest import BRISK, emptied_world, program_of
from tests.e2e.handover import PAIRS, Swarm
from tests.e2e.house import House
from tests.e2e.tier_house import QBittorrentEnd, RTorrentEnd, TierHouse, tmpfs
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.world import DemoWorld


def _house(world: DemoWorld, home) -> House:
    for name in ("tracker_rules.json", "config.ini"):
        (world.root / name).unlink(missing_ok=True)
    return House(world, home)


@pytest.fixture
def house(world, tmp_path):
    """An empty world and the commands to run on it."""
    return _house(world, tmp_path / "home")


@pytest.fixture(scope="session")
def _same_45(open_folder):
    with DemoWorld(
        open_folder / "world-4.5", source_program=program_of("4.5"), destination_program=program_of("4.5")
    ) as world:
        yield world


@pytest.fixture(scope="session")
def _same_51(open_folder):
    programs = {"source_program": program_of("5.1"), "destination_program": program_of("5.1")}
    with DemoWorld(open_folder / "world-5.1", **programs, settings=BRISK) as world:
        yield world


@pytest.fixture(params=PAIRS)
def pair(request, tmp_path):
    """A house for each pair of client versions in turn: the test runs once with each. 4.5-4.5 asks for passwords."""
    name = {"4.5-5.1": "_world", "4.5-4.5": "_same_45", "5.1-5.1": "_same_51"}[request.param]
    world = request.getfixturevalue(name)
    asks = request.param == "4.5-4.5" or request.node.get_closest_marker("logins") is not None
    return _house(emptied_world(world, asks=asks), tmp_path / "home")


@pytest.fixture(scope="session")
def _swarm(open_folder):
    with QBittorrentServer(open_folder / "swarm", program=program_of("5.1")) as server:
        yield server


@pytest.fixture
def swarm(_swarm):
    """Another client that has what the source shall download."""
    _swarm.clear()
    return Swarm(_swarm)


@pytest.fixture
def ssd(tmp_path):
    """64 MiB of fast disk."""
    with tmpfs(tmp_path / "ssd", "64m") as folder:
        yield folder


@pytest.fixture
def hdd(tmp_path):
    """Another disk, with more room than a tier leaves free by default."""
    with tmpfs(tmp_path / "hdd", "20g") as folder:
        yield folder


def _tier_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def tiered(rtorrent, ssd, hdd, tmp_path):
    """A tier on rTorrent, each of the two series in turn."""
    return TierHouse(RTorrentEnd(rtorrent), ssd, hdd, _tier_home(tmp_path))


@pytest.fixture
def tiered_qbittorrent(qbittorrent, ssd, hdd, tmp_path):
    """A tier on qBittorrent, each of the two series in turn."""
    return TierHouse(QBittorrentEnd(qbittorrent), ssd, hdd, _tier_home(tmp_path))


TIER_CLIENTS = ["rtorrent 0.9.8", "rtorrent 0.16", "qbittorrent 4.5", "qbittorrent 5.1"]


@pytest.fixture(params=TIER_CLIENTS)
def tier(request, ssd, hdd, tmp_path):
    """A tier on each client in turn: the test runs four times."""
    kind, series = request.param.split()
    server = request.getfixturevalue(f"{kind}_{series.replace('.', '')}")
    end = RTorrentEnd(server) if kind == "rtorrent" else QBittorrentEnd(server)
    return TierHouse(end, ssd, hdd, _tier_home(tmp_path), TIER_CLIENTS.index(request.param))


@pytest.fixture
def tier_at(ssd, tmp_path):
    """Makes a tier on a given rTorrent with a given disk behind the SSD."""
    return lambda server, disk: TierHouse(RTorrentEnd(server), ssd, disk, _tier_home(tmp_path))


@pytest.fixture
def tier_of(ssd, hdd, tmp_path):
    """Makes a tier on a given client of either kind."""

    def make(server) -> TierHouse:
        end = QBittorrentEnd(server) if isinstance(server, QBittorrentServer) else RTorrentEnd(server)
        return TierHouse(end, ssd, hdd, _tier_home(tmp_path))

    return make
