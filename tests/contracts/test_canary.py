"""What every client does with a canary: find it where it is, nowhere else, and leave nothing behind."""

from __future__ import annotations

import shutil

import pytest

from tests.contracts.client_contract import make, path
from tests.contracts.test_clients import FakeBench, QBittorrentBench
from tests.servers import snapshot
from torrent_mover.domain.torrent.canary import Canary


@pytest.fixture
def canary():
    return Canary.hatch(b"by chance")


class CanaryContract:
    def test_finds_a_canary_and_leaves_nothing_behind(self, bench, canary):
        folder = bench.data / "library [1] ü"
        folder.mkdir()
        (folder / canary.name).write_bytes(canary.content)
        before = snapshot(bench.data)

        assert bench.client.locate(canary, [path(folder)]) == path(folder)

        assert bench.client.torrents() == []
        assert snapshot(bench.data) == before

    def test_tells_which_of_several_folders_has_it(self, bench, canary):
        folder = bench.data / "b"
        folder.mkdir()
        (folder / canary.name).write_bytes(canary.content)
        (bench.data / "a").mkdir()

        asked = [path(bench.data / name) for name in ("a", "missing", "b")]

        assert bench.client.locate(canary, asked) == path(folder)
        assert bench.client.locate(canary, asked, by_reading=True) == path(folder)
        assert bench.client.torrents() == []

    def test_does_not_find_what_is_not_there_and_makes_no_folder(self, bench, canary):
        assert bench.client.locate(canary, [path(bench.data / "missing"), path(bench.data)]) is None

        assert bench.client.torrents() == []
        assert not (bench.data / "missing").exists()

    def test_leaves_every_other_torrent_as_it_is(self, bench, canary):
        held = bench.have(make(bench), bench.data)
        before = snapshot(bench.data)

        assert bench.client.locate(canary, [path(bench.data)]) is None

        assert [torrent.id for torrent in bench.client.torrents()] == [held]
        assert snapshot(bench.data) == before

    def test_knows_the_folders_of_its_torrents(self, bench):
        folder = bench.data / "elsewhere"
        folder.mkdir()
        made = make(bench)
        shutil.move(made.content, folder)
        bench.have(made, folder)

        assert path(folder) in bench.client.folders()


class TestFakeClient(CanaryContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return FakeBench(tmp_path)


@pytest.mark.servers
class TestQBittorrent(CanaryContract):
    @pytest.fixture
    def bench(self, qbittorrent):
        bench = QBittorrentBench(qbittorrent)
        yield bench
        bench.client.close()

    def test_says_how_far_its_clock_is_off(self, bench):
        ahead = bench.client.info().clock_ahead

        assert ahead is not None
        assert abs(ahead) < 3

    def test_a_client_that_lists_folders_gets_no_torrent_for_the_question(self, qbittorrent_51):
        """It would run its external program for it, and mail somebody that it is finished."""
        bench, canary = QBittorrentBench(qbittorrent_51), Canary.hatch(b"one that no other test has asked about")
        (bench.data / canary.name).write_bytes(canary.content)

        assert bench.client.locate(canary, [path(bench.data)]) == path(bench.data)

        bench.client.close()
        log = qbittorrent_51.api.json("log/main")
        assert [entry["message"] for entry in log if canary.name in entry["message"]] == []

    def test_removes_the_canary_that_a_killed_run_left(self, bench, canary, monkeypatch):
        bench.server.add(canary.metainfo(3), bench.data, stopped=True)
        stranger = bench.have(make(bench), bench.data)
        now = bench.clock.now()
        monkeypatch.setattr(bench.clock, "now", lambda: now + 3600)

        assert bench.client.locate(Canary.hatch(b"another"), [path(bench.data)]) is None

        assert [torrent.id for torrent in bench.client.torrents()] == [stranger]
