"""The torrent client contract over both fakes, qBittorrent 4.5 and qBittorrent 5.1."""

from __future__ import annotations

import pytest

from tests.contracts.client_contract import TorrentClientContract
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from tests.fakes.core_client import CoreClient
from tests.servers import eventually
from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.certificate import MAX_AGE
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.roles import ROLES


class FakeBench:
    versions = ("v1", "v2", "hybrid")

    def __init__(self, data):
        self.data = data
        self.clock = FakeClock()
        self.client = FakeClient(self.clock)

    def have(self, torrent, save_path, category=""):
        return self.client.seed(torrent.metainfo, save_path, category=category)

    def lose(self, torrent):
        self.client.forget(torrent)

    def restart(self):
        self.client.restart()


class CoreBench:
    versions = ("v1", "v2", "hybrid")

    def __init__(self, data):
        self.data = data
        self.clock = FakeClock()
        self.client = CoreClient(self.clock)

    def have(self, torrent, save_path, category=""):
        assert not category
        return self.client.seed(torrent.metainfo, save_path)

    def lose(self, torrent):
        self.client.forget(torrent)

    def restart(self):
        self.client.restart()


class LateClock(SystemClock):
    """A real clock that a test can set forward."""

    ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead


class QBittorrentBench:
    versions = ("v1", "v2", "hybrid")

    def __init__(self, server):
        self.server = server
        self.data = server.data
        self.clock = LateClock()
        self.client = QBittorrentClient(
            QBittorrentSettings(server.url, server.username, Secret(server.password)), self.clock
        )

    def have(self, torrent, save_path, category=""):
        added = self.server.add(torrent.metainfo, save_path, category=category)
        self.server.wait_for(added)
        return InfoHash(added)

    def lose(self, torrent):
        self.server.remove(torrent.hex)
        eventually(lambda: self.server.torrent(torrent.hex) is None)

    def restart(self):
        self.server.kill()
        self.server.start()


class TestFakeClient(TorrentClientContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return FakeBench(tmp_path)

    @pytest.fixture
    def old_certificate(self, bench):
        def wait(certificate):
            bench.clock.advance(MAX_AGE + 1)
            return certificate

        return wait


class TestCoreClient(TestFakeClient):
    """One that has no role, and knows nothing of qBittorrent's ways."""

    @pytest.fixture
    def bench(self, tmp_path):
        return CoreBench(tmp_path)

    def test_it_has_no_role(self, bench):
        assert [kind for kind in ROLES if bench.client.role(kind)] == []


@pytest.mark.servers
class TestQBittorrent(TorrentClientContract):
    @pytest.fixture
    def bench(self, qbittorrent):
        bench = QBittorrentBench(qbittorrent)
        yield bench
        bench.client.close()

    @pytest.fixture
    def old_certificate(self, bench):
        def wait(certificate):
            bench.clock.ahead += MAX_AGE + 1
            return certificate

        return wait
