"""Fixtures: real servers on loopback, each started once a test process at the most. A missing program fails, never skips."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from torrent_mover.demo.programs import find_qbittorrent
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.demo.world import DemoWorld
from torrent_mover.domain.errors import MissingProgram

pytest.register_assert_rewrite("tests.engine.story")

# A shared machine pauses when it likes: time says nothing about an example.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


BRISK = {"BitTorrent/Session\\RefreshInterval": "200"}
"""Clients that tell news after 0.2 s instead of 1.5 s: a move takes 11 s instead of 14 s. The contract suite and the pair
4.5-4.5 keep the usual lag."""


def program_of(series: str) -> Path:
    """The qbittorrent-nox of a release series; ends the test with the install command where there is none."""
    try:
        return find_qbittorrent(series)
    except MissingProgram as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def open_folder():
    """A folder of this test process that any user may enter, which pytest's own temporary folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="torrent-mover-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _client_45(open_folder):
    with QBittorrentServer(open_folder / "qbittorrent-4.5", program=program_of("4.5")) as server:
        yield server


@pytest.fixture(scope="session")
def _client_51(open_folder):
    with QBittorrentServer(open_folder / "qbittorrent-5.1", program=program_of("5.1")) as server:
        yield server


def _emptied(server: QBittorrentServer) -> QBittorrentServer:
    server.start()  # a test may have stopped it
    server.clear()
    return server


@pytest.fixture
def qbittorrent_45(_client_45):
    """A running qBittorrent 4.5 without torrents, categories or files."""
    return _emptied(_client_45)


@pytest.fixture
def qbittorrent_51(_client_51):
    """A running qBittorrent 5.1 without torrents, categories or files."""
    return _emptied(_client_51)


@pytest.fixture(params=["4.5", "5.1"])
def qbittorrent(request):
    """Each of the two in turn: the test runs twice."""
    return request.getfixturevalue({"4.5": "qbittorrent_45", "5.1": "qbittorrent_51"}[request.param])


@pytest.fixture(scope="session")
def _sshd(open_folder):
    with SshServer(open_folder / "sshd") as server:
        yield server


@pytest.fixture
def ssh_server(_sshd):
    """A running sshd with internal-sftp and a key login."""
    _sshd.start()
    return _sshd


@pytest.fixture(scope="session")
def _world(open_folder):
    with DemoWorld(
        open_folder / "world", source_program=program_of("4.5"), destination_program=program_of("5.1"), settings=BRISK
    ) as world:
        yield world


@pytest.fixture
def world(_world):
    """An empty world: source 4.5, destination 5.1, sshd; all running."""
    for server in (_world.source, _world.destination, _world.ssh):
        server.start()
    _world.clear()
    return _world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test wrote may hold names that are not UTF-8; a worker can only send text that is."""
    del item
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode("utf-8")) for title, text in report.sections
    ]
    return report
