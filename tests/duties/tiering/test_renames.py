"""A torrent whose user renames it: the copy follows, no byte is copied again, and only our own old names go."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests.duties.tiering.kills import Counter, Killed
from tests.duties.tiering.tier_client import ReadingClient
from tests.duties.tiering.tier_house import House
from tests.faults.ledger import trying
from tests.faults.points import dealt
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.paths import ClientPath

ALL = 10_000_000
FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}
FILE_RENAMED = ("Show/first.mkv", "Show/sub/two.mkv")
ROOT_RENAMED = ("My Show/one.mkv", "My Show/sub/two.mkv")


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, total=ALL)


def rename(house, torrent, names, root=None):
    """As the client does it: on the disk, and in its list."""
    held = house.client.held[torrent]
    root = root or house.ssd
    for old, new in zip(held.paths, names, strict=True):
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / str(old)).rename(root / new)
    held.renamed = names
    for folder in sorted((each for each in root.rglob("*") if each.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


@pytest.fixture
def renamed(house):
    """A copied torrent, whose copy's names are asked for, and which is renamed."""

    def make(names):
        torrent = house.torrent("Show", FILES, label="tv")
        house.round()
        before = {path.stat().st_ino for path in (house.hdd / "tv").rglob("*") if path.is_file()}
        rename(house, torrent, names)
        return torrent, before

    return make


@pytest.mark.parametrize("names", [FILE_RENAMED, ROOT_RENAMED])
def test_the_copy_follows_a_rename_and_the_torrent_can_leave(house, renamed, names):
    torrent, before = renamed(names)
    written = house.copier.written
    house.need(ALL)

    house.rounds(3)

    assert house.names(house.hdd) == {f"tv/{name}" for name in names}
    assert {path.stat().st_ino for path in (house.hdd / "tv").rglob("*") if path.is_file()} == before
    assert house.copier.written == written
    assert house.client.seeds_good(torrent)
    assert str(house.client.held[torrent].save_path) == str(house.hdd / "tv")
    assert house.names(house.ssd) == set()
    assert sorted(path.name for path in (house.hdd / "tv").iterdir()) == [names[0].partition("/")[0]]
    assert house.journal.copy(("rtorrent", torrent)).former is None


def test_a_file_of_the_copy_that_is_not_as_it_was_proven_is_neither_used_nor_removed(house, renamed):
    torrent, _ = renamed(ROOT_RENAMED)
    mine = house.hdd / "tv/Show/one.mkv"
    mine.write_bytes(b"somebody's own words")
    house.need(ALL)

    house.rounds(3)

    assert mine.read_bytes() == b"somebody's own words"
    assert house.client.seeds_good(torrent)
    assert str(house.client.held[torrent].save_path) == str(house.hdd / "tv")


def test_names_that_another_torrent_uses_stay(house, renamed):
    torrent, _ = renamed(ROOT_RENAMED)
    other = ReadingClient("other", house.clock)
    metainfo = make_torrent(house.hdd / "tv/Show", piece_length=32 * 1024)
    second = other.add(metainfo, house.hdd / "tv")
    house.clients["other"] = other
    house.need(ALL)

    house.rounds(3)

    assert other.seeds_good(second)
    assert house.client.seeds_good(torrent)
    assert house.names(house.hdd) == {f"tv/{name}" for name in (*ROOT_RENAMED, "Show/one.mkv", "Show/sub/two.mkv")}


def test_a_silent_client_keeps_the_old_names_until_it_answers(house, renamed):
    renamed(ROOT_RENAMED)
    house.need(ALL)
    house.round()  # the rename is seen
    other = ReadingClient("other", house.clock)
    other.silent = True
    house.clients["other"] = other
    house.clock.advance(5000)
    house.need(0)
    house.round()
    assert "tv/Show/one.mkv" in house.names(house.hdd)

    other.silent = False
    house.clock.advance(5000)
    house.round()

    assert house.names(house.hdd) == {f"tv/{name}" for name in ROOT_RENAMED}


def test_a_taken_name_gives_a_copy_of_its_own_and_the_old_names_go(house, renamed):
    torrent, before = renamed(ROOT_RENAMED)
    taken = house.hdd / "tv/My Show/one.mkv"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"other data")
    written = house.copier.written
    house.need(ALL)

    house.rounds(3)

    assert taken.read_bytes() == b"other data"
    assert house.copier.written == written
    assert house.names(house.hdd) == {"tv/My Show/one.mkv", *(f"tv/{torrent.short}/{name}" for name in ROOT_RENAMED)}
    assert {(house.hdd / "tv" / torrent.short / name).stat().st_ino for name in ROOT_RENAMED} == before
    assert house.client.seeds_good(torrent)


def test_a_kill_at_any_step_leaves_the_copy_whole_and_the_next_rounds_end_it(tmp_path):
    with trying("tiers", "a copy that takes its client's new names is killed at each call") as tried:
        renamed_and_killed(tmp_path, tried)


def renamed_and_killed(tmp_path, tried):
    for limit in dealt(of=3):
        folder = tmp_path / str(limit)
        folder.mkdir()
        house = House(folder, total=ALL)
        torrent = house.torrent("Show", FILES, label="tv")
        house.round()
        rename(house, torrent, ROOT_RENAMED)
        house.need(ALL)
        house.round()  # sees the rename, and queues it
        house.need(0)
        house.clock.advance(5000)
        counter = Counter(limit)
        killed = True
        with contextlib.suppress(Killed):
            house.worker(counter).round()
            killed = False
        if killed:
            tried.injected()
        house.clock.advance(5000)
        house.rounds(2)
        assert house.names(house.hdd) == {f"tv/{name}" for name in ROOT_RENAMED}, limit
        assert house.journal.copy(("rtorrent", torrent)).counts, limit
        if not killed:
            assert counter.count > 8
            return
    raise AssertionError("a round has no end")


def test_an_evicted_torrent_that_its_client_renames_is_known_under_its_new_names(house):
    torrents = [house.torrent(f"Film {number}", {"a.mkv": 20_000}, label="tv") for number in range(4)]
    house.round()
    house.need(ALL)
    assert len(house.round().evicted) == 4
    for number, torrent in enumerate(torrents):
        rename(house, torrent, (f"Renamed {number}/b.mkv",), house.hdd / "tv")
    house.clock.advance(100_000)

    report = house.round()

    assert [trouble.error.code for trouble in report.failed] == []
    for number, torrent in enumerate(torrents):
        proof = house.journal.copy(("rtorrent", torrent)).proof
        assert [stamp.path for stamp in proof.copies] == [f"Renamed {number}/b.mkv"]
    moved = house.hdd / "elsewhere"
    moved.mkdir()
    os.rename(house.hdd / "tv/Renamed 0", moved / "Renamed 0")  # noqa: PTH104  as the client moves it
    house.client.held[torrents[0]].save_path = ClientPath(str(moved))
    house.clock.advance(100_000)
    assert house.round().failed == []
    assert Path(str(house.journal.copy(("rtorrent", torrents[0])).proof.save_path)) == moved
