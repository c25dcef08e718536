"""Bytes that go bad at an rTorrent that takes over, before its check: repaired piece by piece, file by file, or kept for review."""

from __future__ import annotations

import os

import pytest

from tests.e2e.rtorrent_house import MixedHouse, hash_at, seeds
from tests.e2e.test_damage_at_the_destination import Damage, assembled
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

SIZES = {"one.mkv": 500_001, "two": 70_000, "empty": 0}


@pytest.fixture
def to_rtorrent(world, rtorrent, tmp_path):
    """A qBittorrent 4.5 whose torrents go to an rTorrent."""
    return MixedHouse(world, world.source, rtorrent, tmp_path / "home")


def run_with(house, call, act):
    house.config["General"] = {"recheck_stopped_timeout": "5"}
    return assembled(house.write_config(), call, act)


@pytest.mark.parametrize("call", ["add_stopped", "recheck"])
def test_a_byte_that_goes_bad_before_the_check_is_brought_again(to_rtorrent, call):
    house = to_rtorrent
    made = house.seed("Show", SIZES)
    files = made.files()
    damage = Damage(house.destination.data / "Show" / "one.mkv")

    code, failures = run_with(house, call, damage)

    assert (code, failures, damage.done) == (ExitCode.DONE, [], 1)
    eventually(lambda: seeds(house.destination, made), 30)
    house.assert_moved(made, files)


def test_a_file_that_is_bad_again_is_brought_anew(to_rtorrent):
    house = to_rtorrent
    made = house.seed("Show", SIZES)
    files = made.files()
    damage = Damage(house.destination.data / "Show" / "one.mkv", times=2)

    code, failures = run_with(house, "recheck", damage)

    assert (code, failures, damage.done) == (ExitCode.DONE, [], 2)
    house.assert_moved(made, files)


def test_a_file_that_is_cut_short_or_gone_before_the_check_is_brought_again(to_rtorrent):
    house = to_rtorrent
    made = house.seed("Show", SIZES)
    files = made.files()
    left = ["one.mkv", "two"]

    def harm():
        if left:
            os.truncate(house.destination.data / "Show" / "one.mkv", 100_000)
            (house.destination.data / "Show" / "two").unlink()
            left.clear()

    code, failures = run_with(house, "recheck", harm)

    assert (code, failures) == (ExitCode.DONE, [])
    house.assert_moved(made, files)


def test_bytes_that_go_bad_before_every_check_end_in_review_and_the_source_stays(to_rtorrent):
    house = to_rtorrent
    made = house.seed("Show", SIZES)
    files = made.files()
    damage = Damage(house.destination.data / "Show" / "one.mkv", times=99)

    code, (failure,) = run_with(house, "recheck", damage)

    assert code is ExitCode.SOME_FAILED
    assert damage.done == 3
    assert f"--clear-recheck-failure {made.info_hash}" in failure.remedy
    assert made.files() == files
    torrent = hash_at(house.destination, made)
    assert house.destination.ask(torrent, "d.is_active", "d.custom1") == (0, "review-failed")
    # Nobody downloads: what is bad lies there for review.
    assert house.destination.ask(torrent, "d.state", "d.complete") == (0, 0)

    house.run("--clear-recheck-failure", made.info_hash[:10]).ended(0)
    house.move().ended(0)
    house.assert_moved(made, files)
