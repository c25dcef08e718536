"""Scans and repairs over HTTP, on a double of Real-Debrid: each of its codes, fates and troubles, and 24 hours of it."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest

from tests.doubles.debrid_house import debrid_house
from tests.doubles.realdebrid import RealDebridDouble
from tests.duties.debrid.debrid_house import HASH, DebridHouse
from tests.faults.ledger import DOUBLES
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import AccountExpired, DebridParked, ScanIncomplete
from torrent_mover.domain.errors import Cancelled, LoginRefused, MoverError, ServerError
from torrent_mover.duties.debrid.records import RepairEnd, ScanMode
from torrent_mover.duties.debrid.verdicts import Fault

FILES = (("Show.S01/e1.mkv", 1001), ("Show.S01/e2.mkv", 1002), ("Show.S01/info.nfo", 10))


class OnTheDouble(DebridHouse):
    """See DebridHouse: its account is asked over HTTP. `service` is what stands there."""

    def __init__(self, stack: ExitStack, **settings) -> None:
        super().__init__(**settings)
        self.service = stack.enter_context(debrid_house(RealDebridDouble, RealDebridAccount, selects=True))
        self.account, self.clock = self.service.account, self.service.clock
        self.world_of = self.service.world

    def show(self, word: str = "dead", **torrent):
        """The show is in the account, two of its three files selected."""
        self.world_of.have(HASH.hex, *FILES, name="Show.S01", **torrent)
        return self.world_of.hold(HASH.hex, selected={1, 2}, word=word)

    def answers(self, answer: AnswerClass, call: str = "*", **more) -> None:
        """From now on the service says that."""
        self.service.double.fault(call, **RealDebridDouble.SAYS[answer], **more)

    def left(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Entries of the show: id -> status and what is selected."""
        return {
            entry.id: (self.world_of.status(entry), tuple(sorted(entry.selected or ())))
            for entry in self.world_of.entries
            if entry.torrent.hash == HASH.hex
        }


@pytest.fixture
def house():
    with ExitStack() as stack:
        yield OnTheDouble(stack)


def test_a_dead_torrent_is_replaced_by_one_with_the_same_files(house):
    old = house.show()

    work = house.run()

    ((new, found),) = house.left().items()
    assert (new != old.id, found) == (True, ("downloaded", (1, 2)))
    assert work.report.count(RepairEnd.REPAIRED) == 1
    assert house.world_of.downloads == {}


@pytest.mark.fault("debrid", "the answer to an order is lost, and settled by looking", DOUBLES)
@pytest.mark.parametrize("when", [{}, {"after": True}], ids=["before its effect", "after its effect"])
@pytest.mark.parametrize(
    "call", ["POST torrents/addMagnet", "POST torrents/selectFiles", "POST unrestrict/link", "DELETE torrents/delete"]
)
def test_an_answer_that_is_lost_at_a_call_that_changes_something_is_settled_by_looking(house, call, when):
    house.show()
    house.service.double.fault(call, nth=1, drop=True, **when)

    for _ in range(4):
        with suppress(MoverError):
            house.run()
        house.pass_time(3 * 3600 + 60)

    downloaded = [found for found in house.left().values() if found[0] == "downloaded"]
    assert downloaded == [("downloaded", (1, 2))]
    assert set(house.left().values()) == {("downloaded", (1, 2))}


@pytest.mark.fault("debrid", "what was added is dead, a virus, an archive, short of links, refused", DOUBLES)
@pytest.mark.parametrize(
    ("fate", "end", "reason"),
    [
        ("magnet_error", RepairEnd.RETRY, "magnet error"),
        ("error", RepairEnd.RETRY, "error"),
        ("dead", RepairEnd.RETRY, "dead"),
        ("virus", RepairEnd.REFUSED, "virus"),
        ("rar", RepairEnd.REFUSED, "archive"),
        ("short_links", RepairEnd.RETRY, "for 2 files"),
        ("refused_add", RepairEnd.REFUSED, ""),
        ("refused_link", RepairEnd.REFUSED, ""),
    ],
)
def test_what_becomes_of_a_new_entry_that_is_not_the_old_one_again(house, fate, end, reason):
    old = house.show(fate=fate)

    work = house.run()

    (record,) = work.report.ended
    assert (record.end, reason in record.trouble) == (end, True), record.trouble
    assert old.id in house.left()


@pytest.mark.fault("debrid", "the service refuses an add, in each of its ways", DOUBLES)
@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (AnswerClass.FULL, RepairEnd.PARKED),
        (AnswerClass.PARK, RepairEnd.PARKED),
        (AnswerClass.PAUSE, RepairEnd.RETRY),
        (AnswerClass.REFUSED, RepairEnd.REFUSED),
        (AnswerClass.OURS, RepairEnd.RETRY),
        (AnswerClass.DONE, RepairEnd.RETRY),
    ],
)
def test_what_an_answer_to_an_add_leads_to(house, answer, end):
    old = house.show()
    house.full()
    house.answers(answer, "POST torrents/addMagnet")

    work = house.round()
    with suppress(ServerError):
        work.act()

    assert [record.end for record in house.journal.repairs()] == [end]
    assert list(house.left()) == [old.id]
    assert bool(house.journal.retries()) is (end is not RepairEnd.REFUSED)
    assert sum(entry.tries for entry in house.journal.retries()) == (end is RepairEnd.RETRY)


@pytest.mark.fault("debrid", "the account is locked in the middle", DOUBLES)
def test_an_account_that_is_locked_in_the_middle_ends_the_run_and_leaves_the_record_open(house):
    old = house.show()
    house.full()
    house.answers(AnswerClass.STOP, "POST torrents/addMagnet")

    with pytest.raises((AccountExpired, LoginRefused)) as caught:
        house.round().act()

    assert caught.value.exit_code == 3
    assert list(house.left()) == [old.id]


@pytest.mark.fault("debrid", "the account expires while it is listed", DOUBLES)
def test_an_account_that_expires_while_it_is_listed_voids_the_batch(house):
    house.show()
    house.world_of.premium_until = house.clock.now() - 1

    with pytest.raises(AccountExpired):
        house.full()

    assert house.journal.findings() == ()


@pytest.mark.fault("debrid", "a list that is no list", DOUBLES)
@pytest.mark.parametrize("how", ["HTML", "cut", "empty", "503"])
def test_a_list_that_is_no_list_leaves_nothing_gone(house, how):
    house.show("")
    house.full()
    faults = {
        "HTML": {"status": 200, "text": "<!DOCTYPE html><html></html>", "headers": {"Content-Type": "text/html"}},
        "cut": {"cut": True},
        "empty": {"status": 204},
        "503": {"status": 503, "data": {"error": "service_unavailable", "error_code": 25}},
    }
    house.service.double.fault("GET torrents", **faults[how])

    with pytest.raises((ServerError, ScanIncomplete)):
        house.full()

    assert all(entry.there for entry in house.journal.entries().values())
    assert house.journal.findings() == ()


def thousands(house, count: int) -> None:
    for number in range(count):
        digits = f"{number:08x}" * 5
        house.world_of.have(digits, (f"Film {number}.mkv", 1000 + number), name=f"Film {number}")
        house.world_of.hold(digits)


def test_12000_torrents_are_listed_in_15_requests_and_a_kill_goes_on_where_it_was(house):
    thousands(house, 12_000)
    lists_of = house.service.double
    with suppress(Cancelled):
        house.round(stopped=lambda: sum(asked.path == "torrents" for asked in lists_of.asked) == 7).list(ScanMode.FULL)
    seen = house.journal.scan(ScanMode.FULL).offset

    listed = house.round().list(ScanMode.FULL)

    lists = [asked for asked in house.service.double.asked if asked.path == "torrents"]
    assert listed.torrents == 12_000
    assert seen == 7 * 990
    assert len(lists) <= 15
    assert house.journal.scan(ScanMode.FULL).done_at


@pytest.mark.fault("debrid", "entries come and go while it lists", DOUBLES)
def test_entries_that_come_and_go_while_it_lists_are_all_seen_and_none_is_lost(house):
    thousands(house, 2_500)
    double, answer = house.service.double, house.service.double.answer
    added = []

    def meanwhile(asked):
        reply = answer(asked)
        if asked.path == "torrents" and len(added) < 4:
            house.world_of.have(f"{len(added):02x}ee" * 10, ("New.mkv", 5))
            added.append(house.world_of.hold(f"{len(added):02x}ee" * 10).id)
            house.world_of.remove(house.world_of.entries[-1])
        return reply

    double.answer = meanwhile
    listed = house.round().list(ScanMode.FULL)

    there = {entry.id for entry in house.journal.entries().values() if entry.there}
    assert there == {entry.id for entry in house.world_of.entries}
    assert set(added) <= there
    assert listed.torrents == 2_500


def test_pages_get_smaller_where_the_service_does_not_manage_them(house):
    thousands(house, 300)
    double, answer = house.service.double, house.service.double.answer

    def slow(asked):
        if asked.path == "torrents" and int(asked.query["limit"]) > 200:
            return type(answer(asked))(503, {"error": "service_unavailable", "error_code": 25})
        return answer(asked)

    double.answer = slow

    assert house.round().list(ScanMode.FULL).torrents == 300


@pytest.mark.parametrize(
    ("torrents", "every", "checks"),
    [pytest.param(24, 3600, 12, id="a small account"), pytest.param(120, 600, 120, id="busy", marks=pytest.mark.long)],
)
def test_24_hours_beside_another_client_without_a_429_and_with_one_entry_a_hash(house, torrents, every, checks):
    for number in range(torrents):
        digits = f"{number + 16:02x}ab" * 10
        house.world_of.have(digits, (f"Film {number}.mkv", 1000 + number), cached=number % 3 > 0, download=600.0)
        house.world_of.hold(digits, word="" if number % 4 else "dead")
    ends = house.clock.now() + 86_400
    house.set(max_repairs=4, media_roots=(), mounts=(), workers=4, recheck_after=7 * 3600.0)
    house.set(link_checks_per_hour=checks)
    house.service.double.beside(40)

    while house.clock.now() < ends:
        work = house.round()
        work.look()
        work.act()
        house.pass_time(every)

    ours = len(house.service.double.asked)
    assert (house.service.double.fullest <= 250, ours > torrents * 10) == (True, True), (
        house.service.double.fullest,
        ours,
    )
    assert not [heard for heard in house.service.heard if heard.answer is AnswerClass.PAUSE]
    hashes = [entry.torrent.hash for entry in house.world_of.entries]
    assert len(hashes) == len(set(hashes)) == torrents
    assert {house.world_of.status(entry) for entry in house.world_of.entries} == {"downloaded"}


@pytest.mark.fault("debrid", "a storm of 429", DOUBLES)
def test_a_429_storm_pauses_up_to_a_quarter_of_an_hour_and_recovers(house):
    house.show()
    house.full()
    house.answers(AnswerClass.PAUSE)
    pauses = []
    for _ in range(12):
        with suppress(ServerError):
            house.round().list(ScanMode.QUICK)
        pauses.append(house.service.gate.closed_for())
        house.pass_time(pauses[-1] + 1)
    sent = len(house.service.double.asked)
    house.service.double.faults.clear()
    for _ in range(12):  # one request in half a minute to begin with, and quicker again with each answer
        house.run()
        house.pass_time(60)

    assert pauses[:4] == pytest.approx([60, 120, 240, 480])
    assert pauses[-1] == pytest.approx(900)
    assert sent < 60
    assert list(house.left().values()) == [("downloaded", (1, 2))]


@pytest.mark.fault("debrid", "the traffic is used up", DOUBLES)
def test_traffic_that_is_used_up_parks_the_proof_and_removes_nothing(house):
    old = house.show()
    house.full()
    house.answers(AnswerClass.PARK, "POST unrestrict/link")

    with suppress(DebridParked):
        house.round().act()
    house.service.double.faults.clear()
    house.pass_time(26 * 3600)
    kept = old.id in house.left()
    house.run()

    assert kept
    assert list(house.left().values()) == [("downloaded", (1, 2))]


@pytest.mark.fault("debrid", "one link, of which the service cannot say whether it lives", DOUBLES)
@pytest.mark.parametrize("answer", ["503/25", "400/2", "404/7"])
def test_a_link_of_which_the_service_says_nothing_keeps_no_other_one_and_no_repair(house, answer):
    house.set(media_roots=())
    house.show(word="").links[0].state = answer
    for digits, word in (("ab", ""), ("cd", "dead")):
        house.world_of.have(digits * 20, ("a.mkv", 5), name=digits)
        house.world_of.hold(digits * 20, word=word)

    work = house.round()
    work.look()
    work.act()

    assert [record.end for record in work.report.ended] == [RepairEnd.REPAIRED]
    assert {entry.name: bool(entry.well_at) for entry in house.journal.entries().values() if entry.there} == {
        "Show.S01": False,
        "ab": True,
        "cd": True,
    }
    assert house.journal.findings() == ()
    again = house.round()
    again.look()
    assert again.report.checked.asked == 0, "it is asked about again a day later"


def test_a_virus_is_final(house):
    house.show("virus")

    house.run()

    assert house.journal.findings()[0].fault is Fault.VIRUS
    assert house.service.double.calls("POST torrents/addMagnet") == []
