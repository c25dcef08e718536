"""Cross-seeds on real servers: torrents over the same files, of which some are in the category."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.schemas import fits
from tests.servers import snapshot
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.world import CATEGORY, OTHER_CATEGORY

pytestmark = pytest.mark.servers

SIZES = {"a.bin": 700_000, "d/b.bin": 300_001, "none": 0}


KINDS = ("shares_files_with", "shares_files_with_staying", "hard_linked_with")


def hard_linked(house, made, name: str, category: str) -> str:
    """Seed a torrent of its own whose files are second names of one's files; its hash."""
    folder = house.source.data / name
    for file in (path for path in made.content.rglob("*") if path.is_file()):
        twin = folder / file.relative_to(made.content)
        twin.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, twin)
    return house.world.seed(make_torrent(folder, source=name), folder, category)


def symlinked(house, made, name: str, category: str) -> str:
    """Seed a torrent of its own whose files are symbolic links to one's files; its hash."""
    folder = house.source.data / name
    for file in (path for path in made.content.rglob("*") if path.is_file()):
        link = folder / file.relative_to(made.content)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    return house.world.seed(make_torrent(folder, source=name), folder, category)


def cross_seed(house, made, tracker: str, category: str) -> str:
    metainfo = make_torrent(made.content, source=tracker, private=True)
    return house.world.seed(metainfo, made.content, category)


def test_torrents_of_symbolic_links_keep_what_they_lead_to_and_take_their_links_along(house):
    made, alone = house.seed("Whole", SIZES), house.seed("Alone", SIZES)
    files = made.files()
    stays = symlinked(house, made, "Stays", OTHER_CATEGORY)
    moves = symlinked(house, alone, "Moves", CATEGORY)

    house.move("--parallel-jobs", "4").ended(0)

    house.assert_arrived(made, files)
    assert house.source.torrent(made.info_hash) is None
    assert made.files() == files
    assert house.source.state(stays) in SEEDING_STATES
    assert [house.source.torrent(each) for each in (moves, alone.info_hash)] == [None, None]
    left = {path.name for path in house.source.data.iterdir() if not path.name.startswith(".")}
    assert left == {"Whole", "Stays"}
    house.assert_no_staging()


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload", "rsync"])
def test_of_three_cross_seeds_two_move_and_the_one_that_stays_keeps_the_data(house, mode):
    made = house.seed("Shared", SIZES)
    files, size = made.files(), sum(SIZES.values())
    second = cross_seed(house, made, "second", CATEGORY)
    stays = cross_seed(house, made, "third", OTHER_CATEGORY)
    before = snapshot(house.source.data)
    house.config = {"SETTINGS": {"transfer_mode": mode}}
    plan = fits("dry-run", json.loads(house.run("--dry-run", "--json").ended(0).out))
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


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload"])
def test_of_three_of_which_one_is_hard_linked_no_byte_is_sent_twice_and_the_one_that_stays_keeps_all(house, mode):
    made = house.seed("Shared", SIZES)
    files, size = made.files(), sum(SIZES.values())
    linked = hard_linked(house, made, "Linked", CATEGORY)
    stays = cross_seed(house, made, "third", OTHER_CATEGORY)
    before = snapshot(made.content)
    house.config = {"SETTINGS": {"transfer_mode": mode}}
    plan = fits("dry-run", json.loads(house.run("--dry-run", "--json").ended(0).out))
    told = {move["infohash"]: move for move in plan["moves"]}
    assert plan["links_not_seen"] is None
    assert [told[made.info_hash][key] for key in KINDS] == [[linked], [stays], [linked]]
    assert [told[linked][key] for key in KINDS] == [[made.info_hash], [stays], sorted([made.info_hash, stays])]
    assert f"{stays[:8]} Shared stays" in house.run("--dry-run").ended(0).out

    house.move("--parallel-jobs", "4").ended(0)

    house.assert_arrived(made, files)
    there = house.destination.torrent(linked)
    assert (there["state"] in SEEDING_STATES, there["amount_left"]) == (True, 0)
    assert [house.source.torrent(each) for each in (made.info_hash, linked)] == [None, None]
    assert house.source.state(stays) in SEEDING_STATES
    assert snapshot(made.content) == before
    assert not any(path.is_file() for path in (house.source.data / "Linked").rglob("*"))
    assert sorted((entry.sent, entry.reused) for entry in house.journal().history()) == [(0, size), (size, 0)]
    for name, count in SIZES.items():
        one, other = (house.destination.data / folder / name for folder in ("Shared", "Linked"))
        assert one.read_bytes() == other.read_bytes() == files[f"Shared/{name}"]
        assert not count or (one.stat().st_ino, one.stat().st_nlink) == (other.stat().st_ino, 2)
    house.assert_no_staging()


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload"])
def test_what_another_torrent_has_is_linked_and_mended_apart_from_it(house, mode):
    made = house.seed("Wanted", SIZES)
    files, size = made.files(), sum(SIZES.values())
    held = house.destination.data / "Held" / "inside"
    for name in SIZES:
        (held / name).parent.mkdir(parents=True, exist_ok=True)
        (held / name).write_bytes(files[f"Wanted/{name}"])
    other = house.destination.add(make_torrent(held.parent, source="other"), house.destination.data)
    house.destination.wait_for(other)
    house.config = {"SETTINGS": {"transfer_mode": mode}}

    house.move("--test-run").ended(0)

    house.assert_arrived(made, files)
    mine, theirs = house.destination.data / "Wanted" / "a.bin", held / "a.bin"
    assert (mine.stat().st_ino, mine.stat().st_nlink) == (theirs.stat().st_ino, 2)
    assert [(entry.sent, entry.reused) for entry in house.journal().history()] == [(0, size)]
    with theirs.open("r+b") as file:
        file.seek(350_000)
        file.write(b"damaged")
    damaged, inode = theirs.read_bytes(), theirs.stat().st_ino

    house.move().ended(0)

    house.assert_moved(made, files)
    assert (theirs.read_bytes(), theirs.stat().st_ino, theirs.stat().st_nlink) == (damaged, inode, 1)
    assert mine.stat().st_nlink == 1
    assert (held / "d" / "b.bin").stat().st_nlink == 2
    assert 0 < house.journal().history()[0].sent < size / 2
    house.assert_no_staging()
