"""A service that answers slowly, and a mount that is down while a repair settles: both are waited for."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.duties.debrid.debrid_house import HASH, MOUNT, SHOW, DebridHouse
from tests.duties.debrid.fake_account import Known
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.records import RepairEnd, RepairStage


def dead_show(**settings) -> DebridHouse:
    house = DebridHouse(SHOW, **settings)
    house.account.have(HASH, RemoteStatus.DEAD, selected=(1, 2))
    return house


def slow_checks(house, monkeypatch, seconds):
    check = house.account.check
    monkeypatch.setattr(house.account, "check", lambda *link: house.pass_time(seconds) or check(*link))


def test_a_proof_that_takes_too_long_is_stopped_and_after_three_of_them_the_repair_has_failed(monkeypatch):
    house = dead_show(max_attempts=1)
    slow_checks(house, monkeypatch, 700)
    first, second = house.run().report, house.run().report

    assert [name for name, _ in house.account.calls].count("check") == 3, "the second file is not asked for after that"
    assert [(record.stage, record.slow) for record in first.waiting] == [(RepairStage.PROVING, 2)]
    (ended,) = second.ended
    assert (ended.end, "too slowly" in ended.trouble) == (RepairEnd.GIVEN_UP, True)
    assert [retry.tries for retry in house.journal.retries()] == [1]
    assert ["too slowly" in text for text in house.notices] == [True]
    assert house.account.rows["E1"].status is RemoteStatus.DEAD


def test_a_service_that_is_quicker_again_in_time_proves_it(monkeypatch):
    house = dead_show()
    with monkeypatch.context() as slowly:
        slow_checks(house, slowly, 700)
        house.run()

    house.run()

    assert {key: row.status for key, row in house.account.rows.items()} == {"E2": RemoteStatus.DOWNLOADED}
    assert house.journal.retries() == ()


def test_torrents_are_proven_one_after_the_other(monkeypatch):
    films = [Known(f"Film {n}", ((f"f{n}.mkv", n),), hash=InfoHash(f"{n:02x}ab" * 10)) for n in (1, 2)]
    house = DebridHouse(*films)
    house.set(workers=2)
    for each in films:
        house.account.have(each.hash, RemoteStatus.DEAD)
    both, met = threading.Barrier(2), []
    check = house.account.check

    def meeting(*link):
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)
            met.append(link)
        return check(*link)

    monkeypatch.setattr(house.account, "check", meeting)

    house.run()

    assert met == []
    assert {row.status for row in house.account.rows.values()} == {RemoteStatus.DOWNLOADED}


@pytest.mark.parametrize("refresh", [0.0, 600.0])
def test_links_that_are_left_wait_for_their_mount_and_are_turned_once_it_is_sound(refresh):
    house = dead_show()
    house.set(mount_refresh=refresh)
    house.mount_shows("Show.S01")
    path = house.link()
    house.full()
    house.round().walk()
    house.journal.save_finding(replace(house.journal.findings()[0], links=(path,)))
    house.account.known[HASH] = replace(SHOW, name="Show.S01.REPACK")
    house.library.mounted = False
    held = []
    for _ in range(3):
        work = house.run()
        held.append([record.stage for record in work.report.waiting])
        house.pass_time(3600)
    before = house.library.links[path]
    house.library.mounted = True
    if refresh:  # the mount is sound again, and still shows what it did
        house.mount_shows("Else")
        held.append([record.stage for record in house.run().report.waiting])
    house.mount_shows("Show.S01.REPACK")

    work = house.run()

    assert held == [[RepairStage.SETTLING]] * len(held)
    assert before == f"{MOUNT}/__all__/Show.S01/e1.mkv"
    assert house.library.links[path] == f"{MOUNT}/__all__/Show.S01.REPACK/e1.mkv"
    assert [record.end for record in work.report.ended] == [RepairEnd.REPAIRED]


def test_links_that_a_sound_mount_never_shows_hold_the_repair_only_as_long_as_a_mount_may_take():
    house = dead_show()
    house.set(mount_refresh=600.0)
    house.mount_shows("Else")
    path = house.link()
    house.full()
    house.journal.save_finding(replace(house.journal.findings()[0], links=(path,)))

    first = house.run()
    house.pass_time(601)
    second = house.run()

    assert [record.stage for record in first.report.waiting] == [RepairStage.SETTLING]
    assert [record.end for record in second.report.ended] == [RepairEnd.REPAIRED]
    assert any("1 link of its library cannot be followed yet" in line for line in house.said)
