"""The contracts of the roles over the fake, qBittorrent 4.5 and 5.1; and that no contract is forgotten or hidden."""

from __future__ import annotations

import inspect
import json

import pytest

from tests.contracts import roles_contract, test_rtorrent
from tests.contracts.client_contract import make, path, until
from tests.contracts.roles_contract import EveryRoleContract
from tests.contracts.test_clients import FakeBench, QBittorrentBench
from torrent_mover.domain.errors import TorrentError
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.certificate import MAX_AGE
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.ports import roles

OPTIONS = {
    "autorun_enabled": True,
    "autorun_program": "/bin/true %I",
    "autorun_on_torrent_added_enabled": True,
    "autorun_on_torrent_added_program": "/bin/true %I",
    "queueing_enabled": True,
    "max_active_uploads": 7,
    "max_active_torrents": 2,
}


def test_every_role_has_its_contract_and_no_test_hides_another_one():
    named = {kind.__name__ + "Contract" for kind in roles.ROLES}
    # qBittorrent tells the files of one torrent a request, so no bench of this file has that role; both rTorrents have.
    assert roles_contract.ListsFilesContract in test_rtorrent.TestRTorrent.__bases__
    suites = [
        base for base in (*EveryRoleContract.__bases__, roles_contract.ListsFilesContract) if base.__name__ in named
    ]
    assert {suite.__name__ for suite in suites} == named
    tests = [name for suite in suites for name in vars(suite) if name.startswith("test_")]
    assert len(tests) == len(set(tests))
    assert all(any(name.startswith("test_") for name in vars(suite)) for suite in suites)


def test_every_role_of_the_port_is_listed():
    found = {
        kind
        for _, kind in inspect.getmembers(roles, inspect.isclass)
        if kind.__module__ == roles.__name__ and getattr(kind, "_is_protocol", False)
    }
    assert found == set(roles.ROLES)
    assert roles_contract.EveryRoleContract is EveryRoleContract


class TestFakeClient(EveryRoleContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return FakeBench(tmp_path)

    @pytest.fixture
    def old_certificate(self, bench):
        def wait(warrant):
            bench.clock.advance(MAX_AGE + 1)
            return warrant

        return wait

    @pytest.fixture
    def queueing(self):
        """It always keeps a queue."""


@pytest.mark.servers
class TestQBittorrent(EveryRoleContract):
    @pytest.fixture
    def bench(self, qbittorrent):
        bench = QBittorrentBench(qbittorrent)
        yield bench
        bench.client.close()

    @pytest.fixture
    def old_certificate(self, bench):
        def wait(warrant):
            bench.clock.ahead += MAX_AGE + 1
            return warrant

        return wait

    @pytest.fixture
    def queueing(self, bench):
        before = bench.server.api.json("app/preferences")["queueing_enabled"]
        bench.server.api.post("app/setPreferences", json=json.dumps({"queueing_enabled": True}))
        yield
        bench.server.api.post("app/setPreferences", json=json.dumps({"queueing_enabled": before}))

    def test_without_a_queue_no_torrent_has_a_place_and_moving_it_is_refused(self, bench):
        torrent = bench.have(make(bench), bench.data)
        assert bench.client.queue_place(torrent) is None
        with pytest.raises(TorrentError, match="keeps no queue"):
            bench.client.move_in_queue(torrent, first=True)

    @pytest.fixture
    def options(self, bench):
        """Sets options of the client; they are what they were afterwards."""
        before = {name: bench.server.api.json("app/preferences")[name] for name in OPTIONS}
        yield lambda: bench.server.api.post("app/setPreferences", json=json.dumps(OPTIONS))
        bench.server.api.post("app/setPreferences", json=json.dumps(before))

    def test_programs_and_the_queue_of_the_client_are_told(self, bench, options):
        options()
        remarks = bench.client.remarks()
        assert [remark.runs for remark in remarks if remark.runs] == [OPTIONS["autorun_program"]]
        told = [remark.what for remark in remarks]
        assert [
            word for word in ("finishes there once more", "is added", "lets 2 torrents") if word in " ".join(told)
        ] == [
            "finishes there once more",
            "is added",
            "lets 2 torrents",
        ]

    def test_a_trash_of_the_client_is_told_by_versions_that_have_one(self, bench):
        option = "torrent_content_remove_option"
        before = bench.server.api.json("app/preferences").get(option)
        bench.server.api.post("app/setPreferences", json=json.dumps({option: "MoveToTrash"}))
        told = bench.client.trash()
        bench.server.api.post("app/setPreferences", json=json.dumps({option: before or "Delete"}))
        assert (told is not None) is (before is not None)
        assert told is None or "trash" in told.what

    def test_a_torrent_that_waits_for_its_turn_to_seed_says_so(self, bench, options):
        options()
        torrents = [bench.have(make(bench, f"Turn {number}"), bench.data) for number in range(3)]
        for torrent in torrents:
            bench.server.start_torrents(torrent.hex)
        until(bench, lambda: [bench.client.get(torrent).queued for torrent in torrents].count(True) == 1)
        assert {bench.client.get(torrent).state for torrent in torrents} == {TorrentState.SEEDING}

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
