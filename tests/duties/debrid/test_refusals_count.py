"""Refusals count wherever they were found, an accepted number serves one run, and a run has one budget for orders and round."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.duties.debrid.debrid_house import MEDIA, MOUNT, DebridHouse
from tests.duties.debrid.fake_account import Known
from torrent_mover.commands.debrid import working
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.debrid.errors import AccountExpired, DebridUnreachable, TooManyRefused
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.settings import DebridMode, OnRefused
from torrent_mover.duties.debrid.stand import DebridOrders


def films(count: int, status=RemoteStatus.DOWNLOADED, fate="ok", **settings) -> DebridHouse:
    """Films with a link each, on a sound mount that was looked at before."""
    known = [
        Known(f"Film {n}", ((f"Film {n}/f{n}.mkv", 10 + n),), fate=fate, hash=InfoHash(f"{n:02x}ab" * 10))
        for n in range(1, count + 1)
    ]
    house = DebridHouse(*known, **{"on_infringing": OnRefused.QUARANTINE, **settings})
    for n, each in enumerate(known, 1):
        house.account.have(each.hash, status)
        house.library.links[f"{MEDIA}/Films/f{n}.mkv"] = f"{MOUNT}/__all__/Film {n}/f{n}.mkv"
        house.library.folders[f"Film {n}"] = (f"f{n}.mkv",)
    house.full()
    house.round().walk()
    house.pass_time(60)
    return house


def refuse(house: DebridHouse, *numbers: int) -> None:
    """The service refuses the links of these films, and they are due."""
    house.account.refused |= {f"E{number}" for number in numbers}
    house.journal.save_entries(replace(each, well_at=0.0) for each in house.journal.entries().values())


def accept(house: DebridHouse) -> None:
    house.journal.save_wave(replace(house.journal.wave("refused"), accepted=True))


class Opened:
    """An account as the rounds of a process have it: each world has a budget of its own."""

    def __init__(self, house: DebridHouse) -> None:
        self._house = house
        self.lines: list[str] = []

    def world(self):
        return self._house.world(acts=self._house.settings.acts)

    def say(self, _torrent, text, *_):
        self.lines.append(text)

    def write_metrics(self):
        self.lines.append("metrics")


@pytest.fixture(autouse=True)
def _nothing_to_keep_up(monkeypatch):
    monkeypatch.setattr(working, "keep_up", lambda *_: None)


def a_round(house: DebridHouse, *by_hand: InfoHash, agreed=()) -> str:
    return working.round_of(Opened(house), None, DebridOrders(frozenset(agreed), by_hand))


def by_a_scan(house):
    house.round().check_links()


def by_a_report(house):
    house.set(mode=DebridMode.REPORT)
    a_round(house)
    house.set(mode=DebridMode.ACT)


def by_a_round_that_failed(house):
    work = house.round()
    work.look()
    house.account.premium = False
    with pytest.raises(AccountExpired):
        work.check_links()
    house.account.premium = True


@pytest.mark.parametrize("found", [by_a_scan, by_a_report, by_a_round_that_failed])
def test_what_was_refused_before_the_run_is_a_wave_too_and_no_link_is_set_aside(found):
    house = films(20)
    before = dict(house.library.links)
    refuse(house, *range(1, 21))
    found(house)
    house.pass_time(600)

    for _ in range(2):
        with pytest.raises(TooManyRefused, match="accept refused 20"):
            a_round(house)

    assert house.library.links == before
    assert len(house.notices) == 1


def test_where_nothing_may_be_changed_a_wave_is_told_once_and_an_accepted_one_not_again():
    house = films(7)
    house.set(mode=DebridMode.REPORT)
    refuse(house, *range(1, 8))
    for _ in range(2):
        a_round(house)
        house.pass_time(600)
    told = list(house.notices)
    accept(house)
    a_round(house, agreed=[InfoHash("01ab" * 10)])
    house.pass_time(600)
    a_round(house)

    assert len(told) == 1
    assert house.notices == told
    assert house.journal.wave("refused") is None
    assert len(house.journal.quarantine()) == 1

    house.set(mode=DebridMode.ACT)
    with pytest.raises(TooManyRefused, match="accept refused 7"):
        a_round(house)


def test_what_was_acted_on_counts_no_more(monkeypatch):
    house = films(9)
    unlink = house.library.unlink
    monkeypatch.setattr(house.library, "unlink", lambda *link: house.pass_time(1) or unlink(*link))
    for numbers in ((1, 2, 3), (4, 5, 6), (7, 8, 9)):
        refuse(house, *numbers)
        a_round(house)
        house.pass_time(600)

    assert len(house.journal.quarantine()) == 9
    assert house.notices == []


def test_what_is_found_after_the_number_was_accepted_is_another_number():
    house = films(16)
    refuse(house, *range(1, 8))
    with pytest.raises(TooManyRefused, match="accept refused 7"):
        a_round(house)
    accept(house)
    refuse(house, *range(8, 17))
    house.round().check_links()
    house.pass_time(600)

    with pytest.raises(TooManyRefused, match="accept refused 16"):
        a_round(house)

    assert house.journal.quarantine() == ()


@pytest.mark.parametrize("trouble", ["mount", "service"])
def test_an_accepted_number_serves_one_run_whatever_becomes_of_it(trouble):
    house = films(8)
    house.account.rows["E8"] = replace(house.account.rows["E8"], status=RemoteStatus.DEAD, links=())
    house.full()
    refuse(house, *range(1, 8))
    house.round().check_links()
    with pytest.raises(TooManyRefused):
        house.round().act()
    accept(house)
    house.pass_time(600)

    if trouble == "mount":
        house.library.mounted = False
        house.round().act()
        house.library.mounted = True
    else:
        house.account.raising["add"] = DebridUnreachable("no answer")
        with pytest.raises(DebridUnreachable):
            house.round().act()
        house.account.raising.clear()
    house.pass_time(600)

    with pytest.raises(TooManyRefused):
        house.round().act()
    assert house.journal.quarantine() == ()


def test_orders_by_hand_and_their_round_remove_and_repair_together_what_one_run_may():
    house = films(9, RemoteStatus.DEAD, max_deletes=3, max_repairs=5)

    a_round(house, *(InfoHash(f"{n:02x}ab" * 10) for n in range(1, 8)))
    calls = [name for name, _ in house.account.calls]

    assert (calls.count("add"), calls.count("delete")) == (5, 3)
    for _ in range(3):
        a_round(house)
    assert {row.status for row in house.account.rows.values()} == {RemoteStatus.DOWNLOADED}
    assert len(house.account.rows) == 9


def test_orders_by_hand_that_are_all_refused_are_a_wave():
    house = films(9, RemoteStatus.DEAD, fate="refused")

    with pytest.raises(TooManyRefused, match="accept refused 6"):
        a_round(house, *(InfoHash(f"{n:02x}ab" * 10) for n in range(1, 10)))

    assert [name for name, _ in house.account.calls].count("add") == 6
    assert house.journal.quarantine() == ()


def test_an_accepted_number_holds_for_the_orders_by_hand_and_their_round():
    house = films(9, RemoteStatus.DEAD, fate="refused")
    with pytest.raises(TooManyRefused):
        a_round(house)
    accept(house)
    house.pass_time(600)

    a_round(house, InfoHash("09ab" * 10))

    assert len(house.journal.quarantine()) == 9
    assert house.journal.wave("refused") is None
