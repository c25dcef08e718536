"""A client that answers, and does not list a torrent of an eviction: nothing is decided by one such answer."""

from __future__ import annotations

import pytest

from tests.duties.tiering.tier_house import House
from torrent_mover.duties.tiering.missing import GONE_AFTER

ALL = 10_000_000
FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}


def made(folder):
    folder.mkdir()
    return folder


def on_target(house, torrent):
    return house.client.seeds_good(torrent) and str(house.client.held[torrent].save_path) == str(house.hdd / "tv")


class Forgetful:
    """Has a client not list its torrents in some of its answers, counted from now on; then it is as before."""

    def __init__(self, house, answers) -> None:
        self.asked = 0
        self._answers = answers
        for name in ("get", "torrents"):
            setattr(house.client, name, self._in_place_of(getattr(house.client, name)))

    def _in_place_of(self, answer):
        def said(*arguments):
            self.asked += 1
            if self.asked in self._answers:
                return None if arguments else []
            return answer(*arguments)

        return said


@pytest.mark.parametrize("cut", [False, True], ids=["never cut short", "cut short before"])
@pytest.mark.parametrize("misses", [1, 2])
def test_an_answer_that_does_not_list_it_leaves_it_neither_stopped_nor_with_files_of_nobody(tmp_path, cut, misses):
    at = asked = 0
    while at <= asked:
        house = House(made(tmp_path / str(at)), total=ALL)
        torrent = house.torrent("Show", FILES, label="tv")
        house.round()
        house.need(ALL)
        if cut:
            house.client.on_start = lambda _torrent, client=house.client: setattr(client, "silent", True)
            house.round()
            house.client.silent, house.client.on_start = False, lambda _torrent: None
        forgetful = Forgetful(house, range(at, at + misses) if at else ())
        house.round()
        asked = max(asked, forgetful.asked)
        for _ in range(8):
            house.clock.advance(1000)
            house.round()

        assert house.journal.evictions() == (), at
        assert on_target(house, torrent), at
        assert house.names(house.ssd) == set(), at
        at += 1
    assert asked > 4


def test_one_answer_that_does_not_list_it_takes_no_torrent_off_the_queue(tmp_path):
    house = House(tmp_path, total=ALL)
    torrent = house.torrent("Show", FILES, label="tv")
    answers = iter([None])
    listed = house.client.get
    house.client.get = lambda torrent: next(answers, listed(torrent))

    assert house.round().copied == [("rtorrent", torrent)]
    assert house.names(house.hdd) == {"tv/Show/one.mkv", "tv/Show/sub/two.mkv"}


def cut_short(tmp_path):
    """A client with two torrents, one of which is in the middle of its eviction."""
    house = House(tmp_path, total=ALL)
    torrent, other = house.torrent("Show", FILES, label="tv"), house.torrent("Other", {"a.mkv": 10_000}, label="tv")
    house.round()
    house.journal.pin(other, on=True)
    house.need(ALL)
    house.client.on_start = lambda _torrent: setattr(house.client, "silent", True)
    house.round()
    house.client.silent, house.client.on_start = False, lambda _torrent: None
    assert [record.torrent for record in house.journal.evictions()] == [torrent]
    return house, torrent


def test_one_of_several_that_is_not_listed_counts_as_removed_a_minute_later(tmp_path):
    house, torrent = cut_short(tmp_path)
    del house.client.held[torrent]

    house.round()
    assert len(house.journal.evictions()) == 1
    house.clock.advance(GONE_AFTER)
    house.round()

    assert house.journal.evictions() == ()
    assert {"Show/one.mkv", "Show/sub/two.mkv"} <= house.names(house.ssd)


@pytest.mark.parametrize("between", ["the client was silent", "it was listed, and the SSD was away"])
def test_what_lies_between_two_looks_begins_the_minute_anew(tmp_path, between):
    house, torrent = cut_short(tmp_path)
    held = house.client.held.pop(torrent)
    house.round()
    house.clock.advance(GONE_AFTER)
    mark = house.ssd / ".torrent-mover" / "root-id"
    identity = mark.read_bytes()
    if between == "the client was silent":
        house.client.silent = True
    else:
        house.client.held[torrent] = held
        mark.unlink()
    house.round()
    house.client.silent = False
    mark.write_bytes(identity)
    house.client.held.pop(torrent, None)

    house.round()

    assert [record.torrent for record in house.journal.evictions()] == [torrent]
    house.client.held[torrent] = held
    house.round()
    assert house.journal.evictions() == ()
    assert on_target(house, torrent)


def test_that_files_are_left_on_the_ssd_is_told_with_what_ends_the_eviction(tmp_path):
    """A line rides along with the next write: said after the last one, a kill would leave files of which nobody knows."""
    house, torrent = cut_short(tmp_path)
    del house.client.held[torrent]
    forget, told = house.journal.forget_eviction, []

    def forgotten(key) -> None:
        told.extend(text for text in house.said if "nothing is done to it" in text)
        forget(key)

    house.journal.forget_eviction = forgotten
    house.round()
    house.clock.advance(GONE_AFTER)
    house.round()

    assert house.journal.evictions() == ()
    assert len(told) == 1
