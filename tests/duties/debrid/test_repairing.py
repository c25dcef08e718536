"""A repair adds the same torrent with the same files, proves it, then lets go of the old entry: whatever is cut short where."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.duties.debrid.debrid_house import HASH, SHOW, DebridHouse
from tests.duties.debrid.fake_account import FakeAccount, Killed, Known
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.debrid.errors import (
    AccountExpired,
    AccountShrank,
    DebridPaused,
    DebridUnreachable,
    TooManyRefused,
)
from torrent_mover.domain.debrid.magnets import Magnet, TorrentFile
from torrent_mover.domain.debrid.wanted import selected_of
from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.records import RepairEnd, ScanMode
from torrent_mover.duties.debrid.settings import OnRefused
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault


def dead_show(fate="ok", **settings) -> DebridHouse:
    """An account whose one torrent has died; two of its three files were selected."""
    house = DebridHouse(replace(SHOW, fate=fate), **settings)
    house.account.have(HASH, RemoteStatus.DEAD, selected=(1, 2))
    return house


def chosen(house):
    return {key: sorted(file.number for file in row.selected) for key, row in house.account.rows.items()}


def test_a_dead_torrent_is_added_again_with_the_same_files_and_the_old_entry_goes():
    house = dead_show()

    work = house.run()

    assert chosen(house) == {"E2": [1, 2]}
    assert house.account.rows["E2"].status is RemoteStatus.DOWNLOADED
    assert [record.end for record in work.report.ended] == [RepairEnd.REPAIRED]
    assert house.journal.findings() == ()
    assert "2/2 files proven, old removed" in house.said[-1]


def test_the_old_entry_goes_last_after_each_file_of_the_new_one_was_proven():
    house = dead_show()

    house.run()

    names = [name for name, _ in house.account.calls]
    assert names.index("add") < names.index("select") < names.index("check") < names.index("delete")
    assert names.count("add") == names.count("delete") == 1
    assert names.count("check") == 2


def _calls_of_a_repair() -> int:
    house = dead_show()
    house.run()
    return len(house.account.calls)


@pytest.mark.parametrize("after", [False, True])
def test_killed_before_or_after_each_call_no_healthy_torrent_is_lost_and_one_entry_is_swapped_in(after):
    for number in range(_calls_of_a_repair()):
        house = dead_show()
        other = Known("Film", (("Film.mkv", 7),), hash=InfoHash("77aa" * 10))
        house.account.known[other.hash] = other
        healthy = house.account.have(other.hash)
        house.account.kill_at, house.account.after = number, after

        with suppress(Killed):
            house.run()
        for _ in range(3):
            house.run()
            house.pass_time(4000)

        whole = [
            key for key, row in house.account.rows.items() if row.hash == HASH and row.status is RemoteStatus.DOWNLOADED
        ]
        assert healthy in house.account.rows, f"killed at call {number}"
        assert len(whole) == 1, f"killed at call {number}: {chosen(house)}"
        assert "E1" not in house.account.rows
        assert chosen(house)[whole[0]] == [1, 2]


@pytest.mark.parametrize(
    ("fate", "end", "reason"),
    [
        ("dead", RepairEnd.RETRY, "dead"),
        ("short", RepairEnd.RETRY, "1 link for 2 files"),
        ("refused", RepairEnd.REFUSED, "infringing file"),
        ("virus", RepairEnd.REFUSED, "virus"),
        ("other files", RepairEnd.REFUSED, "other files than before"),
        ("rar", RepairEnd.REFUSED, "an archive"),
    ],
)
def test_a_new_entry_that_does_not_prove_itself_is_removed_and_the_old_one_stays(fate, end, reason):
    house = dead_show(fate)

    work = house.run()

    (record,) = work.report.ended
    assert (record.end, reason in record.trouble) == (end, True)
    left = {key: row.status for key, row in house.account.rows.items()}
    assert left["E1"] is RemoteStatus.DEAD
    # A downloaded entry that is the only one to hold the files is kept, also where it is our own.
    assert all(status is RemoteStatus.DOWNLOADED for key, status in left.items() if key != "E1")


@pytest.mark.parametrize("fate", ["other files", "rar"])
def test_what_the_service_has_otherwise_than_before_is_given_up_and_nothing_is_refused(fate):
    house = DebridHouse(replace(SHOW, fate=fate), on_infringing=OnRefused.QUARANTINE)
    house.account.have(HASH, selected=(1, 2, 3), links=2)
    house.mount_shows("Show.S01")
    path = house.link()
    other = FakeAccount(SHOW)
    house.full()
    house.pass_time(1900)
    house.full()

    for _ in range(2):
        house.round(fallback=other).act()
        house.pass_time(4 * 3600)

    assert [finding.fault for finding in house.journal.findings()] == [Fault.HALF_DEAD]
    assert (house.journal.retries()[0].given_up, path in house.library.links) == (True, True)
    assert (set(house.account.rows), other.rows) == ({"E1"}, {})
    assert [name for name, _ in house.account.calls].count("add") == 1


def test_links_of_a_refused_entry_stay_where_another_entry_of_the_torrent_is_well():
    house = DebridHouse(SHOW, on_infringing=OnRefused.QUARANTINE)
    twin = house.account.have(HASH)
    house.account.have(HASH)
    house.mount_shows("Show.S01")
    path = house.link()
    house.full()
    now = house.clock.now()
    house.journal.save_finding(DebridFinding(HASH, "E2", "Show.S01", Fault.REFUSED, now, now, proven_by="refused"))

    house.round().act()
    kept = path in house.library.links
    house.journal.save_entries([replace(house.journal.entry(twin), gone_at=now)])
    house.round().act()

    assert (kept, path in house.library.links) == (True, False)


def test_three_failures_give_up_and_tell_once():
    house = dead_show("dead")
    for _ in range(5):
        house.run()
        house.pass_time(3 * 3600 + 1)

    (retry,) = house.journal.retries()
    assert (retry.tries, retry.given_up) == (3, True)
    assert [text for text in house.notices if "given up" in text] == house.notices
    assert len(house.notices) == 1
    assert [name for name, _ in house.account.calls].count("add") == 3


def test_an_uncached_torrent_waits_two_minutes_a_run_and_is_taken_out_after_six_hours():
    house = dead_show("stuck")

    first = house.run()
    house.pass_time(6 * 3600)
    second = house.run()

    assert [record.stage.value for record in first.report.waiting] == ["waiting"]
    assert sum(pause for pause in house.clock.waits[:-1] if pause < 301) <= 121 * 2
    assert [record.trouble for record in second.report.ended] == ["uncached"]
    assert set(house.account.rows) == {"E1"}
    assert house.journal.retries()[0].reason == "uncached"


def test_a_new_link_of_which_nothing_is_said_is_waited_for_and_then_it_is_a_try():
    house = dead_show()
    house.account.raising["check"] = DebridUnreachable("503/25", server="api.example")
    first = house.run()
    waiting = (len(first.report.ended), len(house.account.rows))
    house.pass_time(6 * 3600.0 + 1)
    assert [record.end for record in house.run().report.ended] == [RepairEnd.RETRY]
    assert (waiting, "E1" in house.account.rows) == ((0, 2), True)


def test_full_slots_wait_and_count_for_no_try():
    house = dead_show()
    house.account.slots = 1

    work = house.run()

    assert (work.report.ended, house.journal.retries()) == ([], ())
    assert "add" not in [name for name, _ in house.account.calls]


def test_an_add_that_is_refused_for_now_is_deferred_and_counted():
    house = dead_show()
    house.account.raising["add"] = DebridPaused("too many requests")

    house.run()

    (retry,) = house.journal.retries()
    assert (retry.tries, retry.due) == (1, house.clock.now() + 3 * 3600)


def test_five_unheard_answers_in_a_row_end_the_run():
    house = dead_show()
    house.full()
    house.account.raising["add"] = DebridUnreachable("no answer")
    work = house.round()

    with pytest.raises(DebridUnreachable):
        work.act()

    assert [name for name, _ in house.account.calls].count("add") == 5
    assert house.journal.repairs()[0].open


def test_an_expired_account_is_no_verdict_and_the_batch_is_void():
    house = dead_show()
    house.account.premium = False

    with pytest.raises(AccountExpired):
        house.run()

    assert house.journal.findings() == ()
    assert "add" not in [name for name, _ in house.account.calls]


def test_a_list_that_shrank_stops_everything_until_a_new_measure_is_taken():
    house = DebridHouse(SHOW)
    for _ in range(10):
        house.account.have(HASH)
    house.full()
    for key in ("E1", "E2"):
        del house.account.rows[key]

    with pytest.raises(AccountShrank):
        house.full()

    assert all(entry.there for entry in house.journal.entries().values())


def test_what_we_removed_is_missing_rightly_though_we_were_killed_before_we_knew_that_it_went():
    house = dead_show()
    house.account.after = True
    for call in ("select", "delete"):
        house.account.kill_at = call
        with suppress(Killed):
            house.run()
        listed = len(house.account.rows)
        house.round().list(ScanMode.QUICK)
    assert listed == 1, "two were the measure"
    house.account.have(HASH)
    house.full()
    for key in ("E2", "E3"):
        del house.account.rows[key]

    with pytest.raises(AccountShrank):
        house.full()


def test_caps_hold_a_run():
    house = dead_show(max_deletes=0)

    house.run()
    kept = set(house.account.rows)
    house.set(max_deletes=1)
    house.run()

    assert kept == {"E1", "E2"}
    assert set(house.account.rows) == {"E2"}


def test_an_entry_that_somebody_else_adds_meanwhile_is_never_ours(monkeypatch):
    house = dead_show("dead")
    house.full()
    theirs = house.account.have(HASH, RemoteStatus.CHOOSING, selected=(), links=0)
    # As at a service that answers the same entry to the same magnet.
    monkeypatch.setattr(house.account, "_add", lambda *_: house.account.rows[theirs].id)

    work = house.round()
    work.act()

    assert [record.end for record in work.report.ended] == [RepairEnd.RETRY]
    assert theirs in house.account.rows
    assert "delete" not in [name for name, _ in house.account.calls]


def test_another_entry_with_all_files_is_taken_over_and_nothing_is_added():
    house = dead_show()
    twin = house.account.have(HASH, selected=(1, 2))
    house.full()
    house.journal.save_entries(
        replace(entry, files=tuple(sorted(selected_of(house.account.rows[entry.id]))), files_at=1.0)
        for entry in house.journal.entries().values()
    )

    house.run()

    assert set(house.account.rows) == {twin}
    assert "add" not in [name for name, _ in house.account.calls]


def test_files_that_were_never_chosen_are_chosen_in_place_where_they_are_known():
    house = DebridHouse(SHOW)
    key = house.account.have(HASH, selected=(1, 2))
    house.full()
    row = house.account.rows[key]
    files = tuple(replace(file, selected=False) for file in row.files)
    house.account.rows[key] = replace(row, files=files, links=(), status=RemoteStatus.CHOOSING)

    house.run()

    assert chosen(house) == {key: [1, 2]}
    assert house.account.rows[key].status is RemoteStatus.DOWNLOADED


def test_where_nobody_knows_the_files_videos_are_chosen():
    house = DebridHouse(SHOW)
    house.account.have(HASH, RemoteStatus.MAGNET_ERROR, selected=())

    house.run()

    assert chosen(house) == {"E2": [1, 2]}


def test_blocked_hashes_are_never_added():
    house = dead_show(blocked_hashes=(HASH.hex,))

    house.run()

    assert "add" not in [name for name, _ in house.account.calls]


def wave_of(count: int, **settings) -> DebridHouse:
    known = [
        Known(f"Film {n}", ((f"Film {n}/f.mkv", 10 + n),), fate="refused", hash=InfoHash(f"{n:02x}ab" * 10))
        for n in range(1, count + 1)
    ]
    house = DebridHouse(*known, **settings)
    for each in known:
        house.account.have(each.hash, RemoteStatus.DEAD)
    return house


def test_451_for_everything_is_one_notice_and_no_further_add():
    house = wave_of(9)

    for _ in range(2):
        with pytest.raises(TooManyRefused, match="accept refused 6"):
            house.run()

    assert [name for name, _ in house.account.calls].count("add") == 6
    assert len(house.notices) == 1
    assert len(house.account.rows) == 9


def test_a_wave_goes_on_for_one_run_after_its_number_was_accepted():
    house = wave_of(9)
    with pytest.raises(TooManyRefused):
        house.run()
    wave = house.journal.wave("refused")

    house.journal.save_wave(replace(wave, accepted=True))
    house.pass_time(60)
    house.run()

    assert [name for name, _ in house.account.calls].count("add") == 9
    assert house.journal.wave("refused") is None


def test_a_refused_torrent_is_not_added_again():
    house = wave_of(1)
    for _ in range(3):
        house.run()
        house.pass_time(4 * 3600)

    assert [name for name, _ in house.account.calls].count("add") == 1
    assert house.journal.findings()[0].fault is Fault.REFUSED


def test_what_is_refused_is_added_at_the_fallback_once_with_the_same_files_and_nothing_is_removed():
    house = dead_show("refused")
    other = FakeAccount(SHOW)
    other.name = "second"
    house.full()

    house.round(fallback=other).act()
    house.round(fallback=other).act()

    assert [sorted(file.number for file in row.selected) for row in other.rows.values()] == [[1, 2]]
    assert "delete" not in [name for name, _ in (*house.account.calls, *other.calls)]
    assert set(house.account.rows) == {"E1"}


def _single(name: bytes) -> tuple[InfoHash, bytes]:
    info = {b"length": 7, b"name": name, b"piece length": 16384, b"pieces": b"x" * 20}
    return InfoHash(hashlib.sha1(encode(info), usedforsecurity=False).hexdigest()), encode(
        {b"info": info, b"announce": b"https://tracker.example/PASSKEY"}
    )


@pytest.mark.parametrize(
    ("kept", "refused", "added_by"),
    [
        ("its own", False, [TorrentFile]),
        ("its own", True, [TorrentFile, Magnet]),
        ("another's", False, [Magnet]),
        ("no torrent", False, [Magnet]),
        ("none", False, [Magnet]),
    ],
)
def test_a_kept_torrent_file_is_added_without_its_trackers_and_a_magnet_where_it_does_not_serve(
    kept, refused, added_by
):
    torrent, data = _single(b"Film.mkv")
    files = {"its own": data, "another's": _single(b"Other.mkv")[1], "no torrent": b"i7e", "none": None}
    house = DebridHouse(Known("Film.mkv", (("Film.mkv", 7),), hash=torrent))
    house.account.have(torrent, RemoteStatus.MAGNET_ERROR)
    house.account.refuses_files = refused
    house.full()

    house.round(kept=lambda _: files[kept]).act()

    assert [type(source) for source in house.account.sources] == added_by
    assert not any(b"PASSKEY" in source.data for source in house.account.sources if isinstance(source, TorrentFile))
    assert [row.status for row in house.account.rows.values()] == [RemoteStatus.DOWNLOADED]
