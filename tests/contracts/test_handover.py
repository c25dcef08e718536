"""What the hand-over asks of a client, over the fake, qBittorrent 4.5 and 5.1."""

from __future__ import annotations

import json

import pytest

from tests.contracts.client_contract import add, checked, flip, make, path, state_of, until
from tests.contracts.test_clients import FakeBench, QBittorrentBench
from torrent_mover.domain.torrent.attributes import ShareLimits, with_sources
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import TorrentState, Tracker
from torrent_mover.ports.client import RecheckVerdict

OPTIONS = {
    "autorun_enabled": True,
    "autorun_program": "/bin/true %I",
    "autorun_on_torrent_added_enabled": True,
    "autorun_on_torrent_added_program": "/bin/true %I",
    "queueing_enabled": True,
    "max_active_uploads": 7,
    "max_active_torrents": 2,
}


class HandoverContract:
    """Run over every client: subclass it and supply the fixture `bench`."""

    def test_priorities_are_set_when_adding_returns(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted, priorities=((0, 7), (1, 0)))
        assert [file.priority for file in bench.client.files(torrent)] == [7, 0, 1, 1]
        assert [file.wanted for file in bench.client.files(torrent)] == [True, False, True, True]

    def test_a_recheck_is_good_when_all_that_is_wanted_is_there(self, bench):
        wanted = make(bench, "Aligned", tree={"a.bin": 64 * 1024, "b.bin": 64 * 1024, "c.bin": 64 * 1024})
        (wanted.content / "b.bin").unlink()
        torrent = add(bench, wanted, priorities=((1, 0),))

        assert checked(bench, torrent) is RecheckVerdict.GOOD

        assert bench.client.get(torrent).complete
        assert bench.client.pieces(torrent).missing == tuple(range(4, 8))

    def test_a_recheck_is_bad_when_a_wanted_file_is(self, bench):
        wanted = make(bench, "Damaged", tree={"a.bin": 64 * 1024, "b.bin": 64 * 1024})
        (wanted.content / "b.bin").unlink()
        flip(wanted.content / "a.bin")
        assert checked(bench, add(bench, wanted, priorities=((1, 0),))) is RecheckVerdict.BAD

    def test_share_limits_are_set_and_read_back(self, bench):
        torrent = bench.have(make(bench), bench.data)
        for limits in (ShareLimits(2.5, 3600, -1), ShareLimits(-2, -2, -1), ShareLimits()):
            bench.client.set_share_limits(torrent, limits)
            assert ShareLimits.of(bench.client.get(torrent)) == limits

    def test_the_limits_of_all_torrents_are_told(self, bench):
        assert bench.client.share_defaults().met_by(bench.client.get(bench.have(make(bench), bench.data))) == ""

    def test_what_happens_to_what_arrives_is_told_only_where_something_does(self, bench):
        assert bench.client.remarks() == ()

    def test_what_is_removed_is_deleted_unless_its_options_say_otherwise(self, bench):
        assert bench.client.trash() is None

    def test_super_seeding_and_forced_start_are_switched(self, bench):
        torrent = bench.have(make(bench), bench.data)
        bench.client.set_super_seeding(torrent, on=True)
        bench.client.set_force_start(torrent, on=True)
        there = bench.client.get(torrent)
        assert (there.super_seeding, there.force_start, there.state) == (True, True, TorrentState.SEEDING)
        bench.client.set_super_seeding(torrent, on=False)
        assert not bench.client.get(torrent).super_seeding

    def test_automatic_management_where_the_data_lies_moves_nothing(self, bench):
        folder = bench.client.managed_path("films")
        assert str(folder).endswith("/films")
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        if bench.client.managed_path("") == path(bench.data):
            bench.client.set_auto_managed(torrent, on=True)
            assert bench.client.get(torrent).auto_managed
        assert bench.client.get(torrent).save_path == path(bench.data)
        assert len(wanted.files()) > 0

    def test_trackers_tiers_and_web_seeds_arrive_with_the_metainfo(self, bench):
        wanted = make(bench, trackers=("http://old.invalid/announce",))
        trackers = (Tracker("http://a.invalid/x", 0, working=False), Tracker("http://b.invalid/y", 1, working=False))
        seeds = ("http://one.invalid/f/", "http://two.invalid/f/")
        metainfo = with_sources(wanted.metainfo, trackers, seeds)
        assert Manifest.parse(metainfo).hashes == Manifest.parse(wanted.metainfo).hashes

        torrent = add(bench, wanted.__class__(metainfo, wanted.content, "", "v1"))

        until(bench, lambda: len(bench.client.trackers(torrent)) == len(trackers))
        assert [(one.url, one.tier) for one in bench.client.trackers(torrent)] == [
            (one.url, one.tier) for one in trackers
        ]
        assert sorted(bench.client.web_seeds(torrent)) == sorted(seeds)
        assert state_of(bench, torrent) is TorrentState.STOPPED_INCOMPLETE


class TestFakeClient(HandoverContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return FakeBench(tmp_path)


@pytest.mark.servers
class TestQBittorrent(HandoverContract):
    @pytest.fixture
    def bench(self, qbittorrent):
        bench = QBittorrentBench(qbittorrent)
        yield bench
        bench.client.close()

    @pytest.fixture
    def options(self, bench):
        """Sets options of the client; they are what they were afterwards."""
        before = {name: bench.server.api.json("app/preferences")[name] for name in OPTIONS}
        yield lambda: bench.server.api.post("app/setPreferences", json=json.dumps(OPTIONS))
        bench.server.api.post("app/setPreferences", json=json.dumps(before))

    def test_programs_and_the_queue_of_the_client_are_told(self, bench, options):
        options()
        told = [remark.what for remark in bench.client.remarks()]
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
