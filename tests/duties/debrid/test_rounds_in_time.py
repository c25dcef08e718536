"""When what is looked at and done: scans by the clock, retries, what is well, workers, leases, notices, a journal that is full."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from tests.duties.debrid.debrid_house import HASH, MOUNT, SHOW, DebridHouse
from tests.duties.debrid.fake_account import Known
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.debrid.errors import (
    AccountExpired,
    AccountShrank,
    DebridParked,
    DebridPaused,
    DebridUnreachable,
    MountDown,
    TokenRefused,
    TooManyRefused,
)
from torrent_mover.domain.errors import DiskFull, TransferError
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.alerts import alert, all_clear
from torrent_mover.duties.debrid.records import BrokenLink, LinkState, RepairEnd, ScanMode
from torrent_mover.duties.debrid.telling import families, reasons_of, status_of
from torrent_mover.duties.debrid.verdicts import Fault

HOUR = 3600.0
DAY = 24 * HOUR


def films(count: int, status=RemoteStatus.DOWNLOADED, fate="ok", **settings) -> DebridHouse:
    known = [
        Known(f"Film {n}", ((f"Film {n}/f.mkv", 10 + n),), fate=fate, hash=InfoHash(f"{n:02x}ab" * 10))
        for n in range(1, count + 1)
    ]
    house = DebridHouse(*known, **settings)
    for each in known:
        house.account.have(each.hash, status)
    house.full()
    return house


# -- scans -------------------------------------------------------------------------------------------------------------


def test_a_full_scan_comes_first_and_every_day_links_after_it_and_else_a_quick_one():
    house = DebridHouse(SHOW)
    house.account.have(HASH)
    house.mount_shows("Show.S01")
    house.link()
    modes = []
    for _ in range(4):
        work = house.round()
        work.look()
        modes.append(([listed.mode.value for listed in work.report.listed], work.report.links is not None))
        house.pass_time(8 * HOUR + 60)

    assert modes == [(["full"], True), (["quick"], False), (["quick"], False), (["full"], True)]


def test_a_full_scan_that_was_cut_short_is_due_at_once():
    house = films(1)
    house.journal.save_scan(replace(house.journal.scan(ScanMode.FULL), began_at=house.clock.now() + 1))
    house.pass_time(60)

    work = house.round()
    work.look()

    assert [listed.mode for listed in work.report.listed] == [ScanMode.FULL]


@pytest.mark.parametrize(
    ("status", "age", "fault"),
    [
        (RemoteStatus.MAGNET_ERROR, 0, Fault.MAGNET_ERROR),
        (RemoteStatus.ERROR, 0, Fault.ERROR),
        (RemoteStatus.VIRUS, 0, Fault.VIRUS),
        (RemoteStatus.DEAD, 0, Fault.DEAD),
        (RemoteStatus.CHOOSING, HOUR + 1, Fault.CHOICE_FORGOTTEN),
        (RemoteStatus.CHOOSING, HOUR - 1, None),
        (RemoteStatus.DOWNLOADING, 90 * DAY, None),
        (RemoteStatus.DOWNLOADED, 90 * DAY, None),
    ],
)
def test_a_quick_scan_keeps_what_the_account_calls_failed_and_nothing_else(status, age, fault):
    house = DebridHouse(SHOW)
    house.account.added_at = house.clock.now() - age
    house.account.have(HASH, status, selected=() if status is RemoteStatus.CHOOSING else None)

    house.round().list(ScanMode.QUICK)

    assert [finding.fault for finding in house.journal.findings()] == [fault] * (fault is not None)


def test_what_was_found_well_is_asked_about_again_only_after_its_time():
    house = films(3, recheck_after=30 * DAY)
    asked = []
    for days in (0, 1, 28, 2):
        house.pass_time(days * DAY)
        house.full()
        before = len(house.account.calls)
        house.round().check_links()
        asked.append(sum(name == "check" for name, _ in house.account.calls[before:]))

    assert asked == [3, 0, 0, 3]


def test_a_link_less_than_before_makes_a_suspect_at_once_whatever_was_well():
    house = DebridHouse(SHOW)
    key = house.account.have(HASH)
    house.full()
    house.round().check_links()
    house.account.rows[key] = replace(house.account.rows[key], links=house.account.rows[key].links[:-1])

    house.full()

    (finding,) = house.journal.findings()
    assert (finding.fault, finding.proven) == (Fault.HALF_DEAD, False)


def test_no_more_links_than_an_hour_allows_are_asked_about():
    house = films(9, link_checks_per_hour=4)
    counts = []
    for _ in range(3):
        counts.append(house.round().check_links().asked)
        house.pass_time(1900)

    assert counts == [4, 0, 4]


# -- an account that ends in the middle --------------------------------------------------------------------------------


def ends_after(house: DebridHouse, calls: int) -> None:
    """The premium ends once so many further calls were made."""
    account, call = house.account, house.account._call
    until = len(account.calls) + calls

    def counted(name, what, act):
        answer = call(name, what, act)
        account.premium = account.premium and len(account.calls) < until
        return answer

    account._call = counted


@pytest.mark.parametrize("mode", [ScanMode.FULL, ScanMode.QUICK])
def test_what_an_account_lists_while_it_expires_is_no_verdict_and_is_listed_again(mode):
    house = DebridHouse(SHOW)
    key = house.account.have(HASH)
    house.full()
    healthy = house.account.rows[key]
    house.account.rows[key] = replace(healthy, status=RemoteStatus.DEAD, links=())
    ends_after(house, 2)

    with pytest.raises(AccountExpired) as raised:
        house.round().list(mode)
    void = house.journal.findings()
    house.account.rows[key], house.account.premium = healthy, True
    del house.account._call
    house.round().list(mode)

    assert (raised.value.exit_code, void) == (3, ())
    assert house.journal.findings() == ()


@pytest.mark.parametrize("how", ["dead", "refused", "well"])
def test_what_links_of_an_account_say_while_it_expires_is_no_verdict(how):
    house = films(2)
    if how != "well":
        getattr(house.account, how).update(house.account.rows)
    ends_after(house, 5)

    with pytest.raises(AccountExpired):
        house.round().check_links()

    assert house.journal.findings() == ()
    assert not any(entry.well_at for entry in house.journal.entries().values())
    assert house.journal.trial("E1 0") is house.journal.trial("E2 0") is None


# -- repairs -----------------------------------------------------------------------------------------------------------


def test_the_count_of_tries_survives_whatever_is_listed_in_between():
    house = films(1, RemoteStatus.DEAD, fate="dead")
    for _ in range(2):
        house.run()
        house.full()
        house.round().list(ScanMode.QUICK)
        house.pass_time(3 * HOUR + 1)

    (retry,) = house.journal.retries()
    assert (retry.tries, retry.given_up) == (2, False)


@pytest.mark.parametrize("workers", [1, 4])
def test_as_many_repairs_go_on_side_by_side_as_there_are_workers(workers):
    house = films(8, RemoteStatus.DEAD)
    house.set(workers=workers)
    together, most, lock = [0], [0], threading.Lock()
    gate = threading.Barrier(workers)
    select = house.account.select

    def selected(*chosen):
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        with suppress(threading.BrokenBarrierError):
            gate.wait(60)  # only where all are here at the same time does it open
        with lock:
            together[0] -= 1
        return select(*chosen)

    house.account.select = selected
    work = house.round()
    work.act()

    assert (work.report.count(RepairEnd.REPAIRED), most[0], gate.broken) == (8, workers, False)


def test_a_torrent_that_somebody_else_works_on_is_left_to_them():
    house = films(2, RemoteStatus.DEAD)
    theirs = InfoHash("01ab" * 10)

    @contextmanager
    def lease(torrent):
        if torrent == theirs:
            raise TransferError("Another run works on it.")
        yield

    work = house.round(lease=lease)
    work.act()

    assert [record.hash for record in work.report.ended] == [InfoHash("02ab" * 10)]
    assert [what for name, what in house.account.calls if name == "add"] == [InfoHash("02ab" * 10)]
    assert "E1" in house.account.rows


def test_a_repair_that_only_waits_holds_up_no_worker():
    house = films(4, RemoteStatus.DEAD, fate="stuck")
    house.set(workers=1)

    house.round().act()

    assert sum(name == "add" for name, _ in house.account.calls) == 4


def test_slots_are_kept_free_for_others():
    house = films(5, RemoteStatus.DEAD, fate="stuck")
    house.set(workers=5, keep_slots=1)
    house.account.slots = 4

    house.round().act()

    assert sum(name == "add" for name, _ in house.account.calls) == 3


def test_an_entry_that_never_shows_its_files_is_taken_out_after_ten_minutes():
    house = films(1, RemoteStatus.DEAD)
    add = house.account._add

    def converting(torrent, source):
        key = add(torrent, source).text
        house.account.rows[key] = replace(house.account.rows[key], status=RemoteStatus.CONVERTING, files=())
        return house.account.rows[key].id

    house.account._add = converting
    house.round().act()
    waits = house.journal.repairs()[0].open
    house.pass_time(700)
    work = house.round()
    work.act()

    assert waits
    assert [record.trouble for record in work.report.ended] == ["the new entry never showed its files"]
    assert set(house.account.rows) == {"E1"}


# -- who is told -------------------------------------------------------------------------------------------------------


def test_the_end_of_the_premium_is_told_a_week_and_a_day_before_once_each():
    house = films(1)
    told, standing = [], house.account.standing
    for days in (9, 6.9, 5, 0.9, 0.5, 300, 6):
        house.account.standing = lambda days=days: replace(standing(), premium_seconds=days * DAY)
        house.round().tell_of_premium()
        told.append(len(house.notices))

    assert told == [0, 1, 1, 2, 2, 2, 3]
    assert ("within 7 days" in house.notices[0], "within 1 day" in house.notices[1]) == (True, True)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AccountExpired("The premium has ended."), 2),
        (TokenRefused("The token is refused."), 2),
        (MountDown("It is not mounted."), 2),
        (AccountShrank("It lists 5, and had 9."), 2),
        (TooManyRefused("8 at once: it has told so itself."), 0),
        (DebridUnreachable("No answer: that ends by itself."), 0),
        (DebridPaused("Too many requests."), 0),
        (DebridParked("The traffic is used up."), 0),
    ],
)
def test_what_only_a_person_can_end_is_told_once_and_again_when_it_comes_back(error, told):
    house = films(1)
    for _ in range(3):
        alert(house.world(), error)
    all_clear(house.world())
    alert(house.world(), error)

    assert len(house.notices) == told


def test_status_says_the_pace_and_until_when_the_service_is_left_alone():
    house = films(1)
    now = house.clock.now()
    lines = []
    for record in ({}, {"rate": 2.1}, {"rate": 1.0, "closed_until": now + 600}, {"parked_until": now + 600}):
        house.documents.put("pace", "limiter", record)
        lines.append(status_of(house.journal, house.settings, "", now)[0][0])
    numbers = {name: samples for name, _, samples in families(house.journal, "rd", now - 60)}

    assert [line.rpartition("; ")[2][:10] for line in lines] == ["pace 3.3/s", "pace 2.1/s", "left alone", "traffic us"]
    house.documents.put("pace", "limiter", {"rate": 2.1, "closed_until": now})
    numbers = {name: samples for name, _, samples in families(house.journal, "rd", now - 60)}
    assert (numbers["pace"][0][1], numbers["closed_seconds"][0][1]) == (2.1, 60.0)


@pytest.mark.parametrize("pace", [{}, {"rate": 2.1, "closed_until": 0.0}])
def test_no_number_for_a_collector_stands_twice(pace):
    house = films(1)
    if pace:
        house.documents.put("pace", "limiter", pace)

    names = [name for name, _, _ in families(house.journal, "rd", house.clock.now())]

    assert len(names) == len(set(names))
    assert ("pace" in names, "closed_seconds" in names) == (bool(pace), True)


def test_explaining_says_whether_account_and_mounts_were_believed():
    house = films(1, RemoteStatus.DEAD)
    before = reasons_of(house.journal, house.settings, InfoHash("01ab" * 10))
    house.mount_shows("Film 1")
    house.round().walk()

    after = reasons_of(house.journal, house.settings, InfoHash("01ab" * 10))
    assert any(line.startswith("account good 20") for line in after)
    assert "mount /mnt/zurg never found sound" in before
    assert any(line.startswith("mount /mnt/zurg sound 20") for line in after)


# -- a journal that cannot be written ----------------------------------------------------------------------------------


class FullDisk(UnwrittenDocuments):
    """Takes so many writes, and then no more."""

    left = 10**9

    def put(self, table, key, content):
        self.left -= 1
        if self.left < 0:
            raise DiskFull("The disk is full.")
        super().put(table, key, content)


def _writes_of_a_run() -> int:
    house = films(1, RemoteStatus.DEAD)
    documents = FullDisk(None)
    documents._tables = house.documents._tables
    house.documents = documents
    documents.left = 1000
    house.run()
    return 1000 - documents.left


def test_a_disk_that_is_full_ends_the_run_before_the_next_act_whatever_was_to_be_written():
    for left in range(_writes_of_a_run()):
        house = films(1, RemoteStatus.DEAD)
        full = FullDisk(None)
        full._tables, full.left = house.documents._tables, left
        house.documents = full
        with pytest.raises(DiskFull):
            house.run()
        changes = [name for name, _ in house.account.calls if name in ("add", "select", "delete")]
        assert len(changes) == len(set(changes)), f"{left} writes: {changes}"
        assert house.account.rows, f"{left} writes"
        full.left = 10**9
        for _ in range(3):
            house.run()
            house.pass_time(4000)
        whole = [row for row in house.account.rows.values() if row.status is RemoteStatus.DOWNLOADED]
        assert len(whole) == len(house.account.rows) == 1, f"{left} writes: {house.account.rows}"


def test_entries_that_are_gone_for_long_are_forgotten_unless_something_leads_to_them():
    house = films(3)
    now, entries = house.clock.now(), house.journal.entries()
    ages = {"E1": 91, "E2": 91, "E3": 89}
    house.journal.save_entries([replace(entries[key], gone_at=now - age * DAY) for key, age in ages.items()])
    target = f"{MOUNT}/__all__/Film 2/f.mkv"
    house.journal.save_broken([BrokenLink("/media/f.mkv", target, MOUNT, LinkState.BROKEN, "02ab" * 10, now)])

    assert house.journal.long_gone(now - 90 * DAY) == ["E1"]
