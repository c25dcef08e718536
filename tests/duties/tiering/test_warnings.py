"""What of a tier's rounds warns, so that somebody is told of it, and how often."""

from __future__ import annotations

import pytest

from tests.duties.tiering.tier_house import House
from torrent_mover.domain.errors import TransferError
from torrent_mover.duties.tiering.settings import DiskAmount

ALL = 10_000_000


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, total=ALL)


def rounds(house, worker, count=3):
    """So many rounds of one worker, with the pauses that failed things need between them."""
    for _ in range(count):
        worker.round()
        house.clock.advance(5000)


def test_what_is_copied_and_leaves_is_no_warning(house):
    house.torrent("Film", 40_000)
    house.need(ALL)

    report = house.round()

    assert (len(report.copied), len(report.evicted)) == (1, 1)
    assert house.said
    assert house.warned == []


def test_a_copy_that_fails_warns(house, monkeypatch):
    house.torrent("Film", 40_000)

    def fail(_order):
        raise TransferError("The disk does not read.", kept="The SSD keeps it.")

    monkeypatch.setattr(house.copier, "bring", fail)

    house.round()

    assert [text for text in house.warned if "does not read" in text]


def test_an_eviction_that_is_refused_warns(house):
    torrent = house.torrent("Film", 40_000)
    house.round()
    next((house.ssd).rglob("Film")).write_bytes(b"\0" * 40_000)
    house.need(ALL)

    report = house.round()

    assert report.evicted == []
    assert report.about(torrent) is not None
    assert [text for text in house.warned if "Film" in text]


def test_an_ssd_that_is_short_and_of_which_nothing_may_leave_is_told_once_until_something_has(house):
    house.torrent("Pinned", 40_000, tags=("keep",))
    house.change(pin_tags=("keep",))
    house.need(ALL)
    worker = house.worker()

    rounds(house, worker)
    (told,) = house.warned
    assert told.startswith(f"{house.ssd} has less free than free_low asks for, and no torrent may leave it now.")

    house.torrent("Free", 40_000)
    rounds(house, worker)
    assert house.warned == [told, told], "over while one left, and back again"


def test_an_ssd_that_is_short_is_not_told_again_after_work_on_the_queue_alone(house):
    house.torrent("Pinned", 40_000, tags=("keep",))
    house.change(pin_tags=("keep",))
    house.need(ALL)
    worker = house.worker()

    for _ in range(3):
        rounds(house, worker)
        worker.process_queue()

    assert len(house.warned) == 1


def test_an_ssd_that_is_short_is_not_told_again_after_another_disk_was_away(house):
    house.torrent("Pinned", 40_000, tags=("keep",))
    house.change(pin_tags=("keep",))
    house.need(ALL)
    worker = house.worker()
    rounds(house, worker)

    aside = house.hdd.with_name("aside")
    house.hdd.rename(aside)
    rounds(house, worker)
    aside.rename(house.hdd)
    rounds(house, worker)

    assert len([text for text in house.warned if "no torrent may leave it now" in text]) == 1


def test_copies_that_wait_for_room_are_told_once_however_many_there_are(house):
    for number in range(3):
        house.torrent(f"Film {number}", 40_000)
    house.change(keep_free=DiskAmount(1 << 60))

    rounds(house, house.worker())

    (told,) = house.warned
    assert told.startswith(f"Copies wait for room on {house.hdd}:")


def test_a_disk_that_is_away_is_told_once_and_again_when_it_is_away_again(house):
    worker = house.worker()
    worker.round()
    aside = house.hdd.with_name("aside")
    for _ in range(2):
        house.hdd.rename(aside)
        rounds(house, worker, 2)
        aside.rename(house.hdd)
        rounds(house, worker, 2)

    assert len(house.warned) == 2
    assert all(f"{house.hdd} is not used" in text for text in house.warned)


def test_copies_that_are_gone_are_told_once(house):
    for number in range(4):
        house.torrent(f"Film {number}", 40_000)
    worker = house.worker()
    worker.round()
    for file in house.hdd.rglob("Film *"):
        if file.is_file():
            file.unlink()

    for _ in range(3):
        house.clock.advance(90_000)  # they are looked for once a day
        worker.round()

    assert len([text for text in house.warned if "proven copies are gone" in text]) == 1
