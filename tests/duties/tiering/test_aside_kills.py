"""Killed anywhere while a copy is set aside or brought back: no byte is lost, and the next look settles it."""

from __future__ import annotations

from tests.duties.tiering.kills import Counter, Killed
from tests.duties.tiering.left_house import COPY, KEPT, Left
from tests.faults.tiers import note_every_call
from torrent_mover.duties.tiering.setting_aside import put_back, settle


def killed_everywhere(tmp_path, story, prepare, act, check):
    """Kill `act` at each of its calls; `check` looks at the house after a round of the worker. How many there were."""
    for at in range(1, 500):
        folder = tmp_path / str(at)
        folder.mkdir()
        house = Left(folder)
        prepare(house)
        counter = Counter(at)
        try:
            act(house, counter)
        except Killed:
            bytes_there = {name: (house.hdd / name).stat().st_size for name in house.names(house.hdd)}
            assert sorted(bytes_there.values()) == [10_000, 30_000, 50_000], counter.calls[-1]
            settle(house.world())
            check(house, counter.calls[-1])
        else:
            note_every_call(story, at - 1)
            return at
    raise AssertionError("it has no end")


def whole_at_one_place(house, where):
    there = house.names(house.hdd) - KEPT
    assert there in (COPY, house.aside), where
    (record, asides) = house.journal.copy(("rtorrent", house.left)), house.journal.set_aside()
    assert (record is None, len(asides)) == ((False, 0) if there == COPY else (True, 1)), where


def test_killed_anywhere_a_copy_is_at_its_place_or_set_aside_and_the_journal_says_which(tmp_path):
    def check(house, where):
        whole_at_one_place(house, where)
        if house.names(house.hdd) - KEPT == COPY:
            assert len(house.set_aside().moved) == 1, where
        put_back(house.world(), house.left)
        assert house.names(house.hdd) == COPY | KEPT, where

    calls = killed_everywhere(
        tmp_path,
        "a copy is set aside in quarantine",
        lambda _house: None,
        lambda house, counter: house.set_aside(counter=counter),
        check,
    )
    assert calls > 30


def test_killed_anywhere_on_the_way_back_it_comes_back(tmp_path):
    def check(house, where):
        whole_at_one_place(house, where)
        if house.journal.set_aside():
            put_back(house.world(), house.left)
        assert house.names(house.hdd) == COPY | KEPT, where
        assert house.journal.copy(("rtorrent", house.left)).counts, where

    calls = killed_everywhere(
        tmp_path,
        "a copy comes back from quarantine",
        lambda house: house.set_aside(),
        lambda house, counter: put_back(house.world(counter), house.left),
        check,
    )
    assert calls > 15
