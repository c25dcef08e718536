"""Fixtures of the end-to-end suite."""

from __future__ import annotations

import pytest

from tests.conftest import BRISK, program_of
from tests.e2e.handover import PAIRS, Swarm
from tests.e2e.house import House
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
    """A house for each pair of client versions in turn: the test runs once with each."""
    name = {"4.5-5.1": "_world", "4.5-4.5": "_same_45", "5.1-5.1": "_same_51"}[request.param]
    world = request.getfixturevalue(name)
    for server in (world.source, world.destination, world.ssh):
        server.start()
    world.clear()
    return _house(world, tmp_path / "home")


@pytest.fixture(scope="session")
def _swarm(open_folder):
    with QBittorrentServer(open_folder / "swarm", program=program_of("5.1")) as server:
        yield server


@pytest.fixture
def swarm(_swarm):
    """Another client that has what the source shall download."""
    _swarm.clear()
    return Swarm(_swarm)
