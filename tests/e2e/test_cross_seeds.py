"""Cross-seeds on real servers: torrents over the same files, of which some are in the category."""

from __future__ import annotations

import json

import pytest

from tests.servers import snapshot
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.world import CATEGORY, OTHER_CATEGORY

pytestmark = pytest.mark.servers

SIZES = {"a.bin": 700_000, "d/b.bin": 300_001, "none": 0}


def cross_seed(house, made, tracker: str, category: str) -> str:
    metainfo = make_torrent(made.content, source=tracker, private=True)
    return house.world.seed(metainfo, made.content, category)


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload", "rsync"])
def test_of_three_cross_seeds_two_move_and_the_one_that_stays_keeps_the_data(house, mode):
    made = house.seed("Shared", SIZES)
    files, size = made.files(), sum(SIZES.values())
    second = cross_seed(house, made, "second", CATEGORY)
    stays = cross_seed(house, made, "third", OTHER_CATEGORY)
    before = snapshot(house.source.data)
    house.config = {"SETTINGS": {"transfer_mode": mode}}
    plan = json.loads(house.run("--dry-run", "--json").ended(0).out)
    assert {move["infohash"]: move["shares_files_with"] for move in plan["moves"]} == {
        made.info_hash: [second],
        second: [made.info_hash],
    }

    house.move("--parallel-jobs", "4").ended(0)

    house.assert_arrived(made, files)
    there = house.destination.torrent(second)
    assert (there["state"] in SEEDING_STATES, there["amount_left"]) == (True, 0)
    assert [house.source.torrent(each) for each in (made.info_hash, second)] == [None, None]
    assert house.source.state(stays) in SEEDING_STATES
    assert snapshot(house.source.data) == before
    assert sorted((entry.sent, entry.reused) for entry in house.journal().history()) == [(0, size), (size, 0)]
    house.assert_no_staging()


def test_a_group_that_moves_as_a_whole_is_deleted_with_its_last(house):
    made = house.seed("Whole", SIZES)
    files, size = made.files(), sum(SIZES.values())
    second = cross_seed(house, made, "second", CATEGORY)
    third = cross_seed(house, made, "third", CATEGORY)

    house.move("--parallel-jobs", "4").ended(0)

    house.assert_moved(made, files)
    assert [house.source.torrent(each) for each in (second, third)] == [None, None]
    assert [house.destination.torrent(each)["amount_left"] for each in (second, third)] == [0, 0]
    assert sum(entry.sent for entry in house.journal().history()) == size
