"""Rounds, status, explanations, dry runs, health, and what a person may ask for."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest

from tests.duties.tiering.tier_house import LOTS, FakeSpace, House
from tests.servers import snapshot
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import AlreadyRunning, ExitCode, ServerError, TransferError, Unreachable
from torrent_mover.domain.paths import ROOT, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering import orders
from torrent_mover.duties.tiering.amounts import DiskAmount
from torrent_mover.duties.tiering.choosing import Stay
from torrent_mover.duties.tiering.errors import (
    EvictionRefused,
    NoRoomOnTarget,
    NoSource,
    OtherMover,
    RootAway,
    TierRefused,
)
from torrent_mover.duties.tiering.lines import queue_lines, space_line, worker_line
from torrent_mover.duties.tiering.locking import lock_name
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.picture import DiskSpace
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry, queued_line
from torrent_mover.duties.tiering.records import Heartbeat
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.rounds import TierLoop
from torrent_mover.duties.tiering.settings import GIB, TierMode, TierSettings
from torrent_mover.duties.tiering.stages import EvictionStage
from torrent_mover.duties.tiering.status import dry_run, explain, health, status
from torrent_mover.duties.tiering.worker import TierWorker
from torrent_mover.ports.roles import Remark

ALL = 10_000_000


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, total=ALL)


def pictures(house):
    return PictureReader(house.world())


# Rounds


def test_the_parts_of_a_round_that_choose_share_one_listing_of_each_client(house, monkeypatch):
    house.torrent("Show", 40_000)
    house.change(mode=TierMode.REPORT)
    house.need(ALL)
    worker = house.worker()
    worker.round()
    asked = []
    listed = house.client.torrents
    monkeypatch.setattr(house.client, "torrents", lambda: asked.append(1) or listed())

    worker.round()
    assert len(asked) == 1
    house.torrent("Later", 40_000)
    assert len(worker.round().copied) == 1


def test_a_client_that_tells_the_files_of_many_at_once_is_asked_once_and_gets_the_same_verdicts(house, monkeypatch):
    for n in range(6):
        house.torrent(f"Show {n}", {"a.mkv": 40_000 + n, "b/c.nfo": 7}, finished=1000.0 + n)
    house.round()
    house.change(mode=TierMode.REPORT)
    house.need(ALL)
    at_once, one_by_one = [], []
    files_of, files = house.client.files_of, house.client.files
    monkeypatch.setattr(house.client, "files_of", lambda torrents: at_once.append(torrents) or {})
    monkeypatch.setattr(house.client, "files", lambda torrent: one_by_one.append(torrent) or files(torrent))
    singly = house.round()
    assert (len(at_once), len(one_by_one)) == (1, 6)

    at_once.clear()
    one_by_one.clear()
    monkeypatch.setattr(house.client, "files_of", lambda torrents: at_once.append(torrents) or files_of(torrents))
    together = house.round()
    assert len(at_once) == 1
    assert sum(len(plan.leaving) for _, plan in together.plans) == 6
    assert together.plans == singly.plans

    # One that the client leaves out is asked about alone.
    one_by_one.clear()
    left_out = next(iter(house.client.held))
    without = {torrent: files(torrent) for torrent in house.client.held if torrent != left_out}
    one_by_one.clear()
    monkeypatch.setattr(house.client, "files_of", lambda _torrents: without)
    assert house.round().plans == singly.plans
    assert one_by_one == [left_out]


def test_files_of_torrents_that_have_left_their_client_are_forgotten(house):
    first, second = (house.torrent(name, 40_000) for name in ("Stays", "Leaves"))
    reader = PictureReader(house.world())
    reader.torrents()
    assert {torrent for _, torrent in reader._files} == {first, second}

    del house.client.held[second]

    assert [each.id for each in reader.torrents()] == [first]
    assert {torrent for _, torrent in reader._files} == {first}


def test_a_round_heals_works_on_the_queue_sweeps_and_makes_room(house):
    queued = house.torrent("Queued", 40_000)
    swept = house.torrent("Swept", 40_000)
    orders.enqueue(house.world(), [queued])
    house.need(ALL)

    report = house.round()

    assert report.copied == [("rtorrent", queued), ("rtorrent", swept)]
    assert report.queued == [("rtorrent", swept)]
    assert set(report.evicted) == {("rtorrent", queued), ("rtorrent", swept)}
    assert report.exit_code is ExitCode.DONE


def test_a_silent_client_is_waited_for_once_a_round_however_much_there_is_to_do(house, monkeypatch):
    torrents = [house.torrent(name, 40_000) for name in ("One", "Two")]
    house.round()
    orders.enqueue(house.world(), torrents, Asker.PERSON)
    house.need(ALL)
    house.client.silent = True
    asked = []
    answer = house.client._answer
    monkeypatch.setattr(house.client, "_answer", lambda: asked.append(1) or answer())

    report = house.round()

    assert (len(asked), len(report.failed)) == (1, 1)
    assert isinstance(report.failed[0].error, ServerError)
    house.client.silent = False
    assert len(house.round().evicted) == 2


def test_nothing_is_copied_or_evicted_while_a_hook_of_the_client_moves_data_too(house):
    torrent = house.torrent("Show", 40_000)
    house.need(ALL)
    house.client.hooks = (Remark("moves the data of torrents by itself (automove: mv ...)", "rtorrent.rc", moves=True),)
    worker = house.worker()
    report = worker.round()
    assert [type(trouble.error) for trouble in report.failed] == [OtherMover]
    assert report.exit_code is ExitCode.PREFLIGHT_REFUSED
    assert (report.copied, report.evicted, report.queued) == ([], [], [])
    assert "automove" in house.journal.heartbeat().client_trouble
    with pytest.raises(OtherMover, match="two programs must not move the same files"):
        worker.evict(torrent[1] if isinstance(torrent, tuple) else torrent)

    house.client.hooks = ()
    assert worker.round().failed == []
    assert house.journal.heartbeat().client_trouble == ""


@pytest.mark.parametrize("stage", [EvictionStage.LEAVING, EvictionStage.RETURNING])
def test_what_a_person_wants_evicted_is_settled_first_where_its_eviction_was_cut_short(house, monkeypatch, stage):
    """Nobody works on it, whatever its record in the journal looks like: it goes on, or comes back and goes again."""
    torrent = house.torrent("Show", 40_000)
    house.round()
    house.need(ALL)

    def silent(_torrent):
        raise Unreachable("The client does not answer.")

    monkeypatch.setattr(house.client, "persist", silent)
    assert [type(trouble.error) for trouble in house.round().failed] == [Unreachable]
    (record,) = house.journal.evictions()
    house.journal.save_eviction(replace(record, stage=stage))
    with pytest.raises(Unreachable):
        house.worker().evict(torrent)
    monkeypatch.undo()

    assert house.worker().evict(torrent).evicted == [("rtorrent", torrent)]
    assert house.journal.evictions() == ()
    assert house.client.seeds_good(torrent)
    assert house.names(house.ssd) == set()


def test_only_one_worker_of_a_tier_works(house, tmp_path):
    path = tmp_path / "state" / lock_name("default")
    worker = TierWorker(house.world(), lambda: RunLock(path))

    with RunLock(path), pytest.raises(AlreadyRunning) as refused:
        worker.round()

    assert refused.value.exit_code is ExitCode.ALREADY_RUNNING
    worker.round()
    assert path.exists()
    assert lock_name("default") == "tier.lock"
    assert lock_name("big") != lock_name("default")


def test_labels_choose_what_the_tier_looks_after(house):
    tv = house.torrent("A", 10_000, label="tv")
    house.torrent("B", 10_000, label="music")
    house.torrent("C", 10_000, label="games")
    house.change(labels=("tv", "music"), ignore_labels=("music",))

    assert house.round().copied == [("rtorrent", tv)]


def test_torrents_that_are_not_on_the_ssd_are_left_alone(house, tmp_path):
    torrent = house.torrent("A", 10_000)
    held = house.client.held[torrent]
    held.save_path = type(held.save_path)(str(tmp_path / "elsewhere"))

    assert house.round().queued == []


def looking(house, every=None):
    worker = house.worker()
    return TierLoop(worker, house.world(), every), threading.Event()


def test_a_loop_does_nothing_once_it_is_stopped(house):
    house.torrent("A", 10_000)
    loop, stop = looking(house)
    stop.set()

    loop.look(stop)

    assert house.journal.copies() == ()
    assert (loop.name, loop.duty) == ("tier default", "tier")


def test_a_loop_begins_with_a_round_and_does_the_next_one_when_it_is_due(house):
    first = house.torrent("A", 10_000)
    loop, stop = looking(house)
    assert loop.look(stop) == 2.0
    assert house.journal.copy(("rtorrent", first)).counts
    second = house.torrent("B", 10_000)

    loop.look(stop)
    assert house.journal.copy(("rtorrent", second)) is None
    house.clock.advance(300)
    loop.look(stop)

    assert house.journal.copy(("rtorrent", second)).counts


def test_what_waits_for_room_is_tried_by_each_round_and_not_by_each_look_into_the_queue(house):
    torrent = house.torrent("A", 10_000)
    house.target_space = FakeSpace(house.hdd, 5_000)
    loop, stop = looking(house)
    loop.look(stop)
    (entry,) = house.journal.queue()
    assert "there is no room" in entry.reason
    said, waited = list(house.said), len(house.clock.waits)

    for _ in range(20):
        house.clock.advance(2.0)
        loop.look(stop)

    assert len(house.clock.waits) == waited, "its client was asked for it again"
    house.clock.advance(300)
    loop.look(stop)
    assert len(house.clock.waits) > waited
    assert house.said == said, "it was told again, though nothing has changed"
    house.target_space = FakeSpace(house.hdd, LOTS)
    loop, stop = looking(house)
    loop.look(stop)
    assert house.journal.copy(("rtorrent", torrent)).counts
    assert house.journal.queue() == ()


def test_what_was_queued_in_between_is_copied_at_once_though_another_one_waits_for_room(house):
    house.torrent("Large", 40_000, finished=1.0)
    house.target_space = FakeSpace(house.hdd, 30_000)
    loop, stop = looking(house)
    loop.look(stop)
    small = house.torrent("Small", 10_000)
    orders.enqueue(house.world(), [small])

    house.clock.advance(2.0)
    loop.look(stop)

    assert house.journal.copy(("rtorrent", small)).counts


@pytest.mark.parametrize("queued", [False, True])
def test_a_command_by_hand_in_between_is_no_failure_of_a_loop_which_goes_on_afterwards(house, queued):
    @contextlib.contextmanager
    def by_hand():
        raise AlreadyRunning("Another run is active.")
        yield

    worker = TierWorker(house.world(), lambda: by_hand() if held else contextlib.nullcontext())
    loop, stop, held = TierLoop(worker, house.world()), threading.Event(), False
    loop.look(stop)
    torrent = house.torrent("A", 10_000)
    if queued:
        orders.enqueue(house.world(), [torrent])
    house.clock.advance(300 if not queued else 10)
    held = True

    assert loop.look(stop) == 2.0
    assert house.journal.copy(("rtorrent", torrent)) is None
    held = False
    loop.look(stop)

    assert house.journal.copy(("rtorrent", torrent)).counts


def test_a_loop_copies_what_a_hook_has_queued_at_its_next_look(house):
    loop, stop = looking(house)
    loop.look(stop)
    torrent, other = house.torrent("A", 10_000), house.torrent("B", 10_000)
    orders.enqueue(house.world(), [torrent])

    loop.look(stop)

    assert house.journal.copy(("rtorrent", torrent)).counts
    assert house.journal.copy(("rtorrent", other)) is None


def test_a_loop_does_a_round_when_somebody_asks_for_one_and_only_once(house):
    loop, stop = looking(house)
    loop.look(stop)
    torrent = house.torrent("A", 10_000)
    house.clock.advance(1)
    house.journal.request(house.clock.now())

    loop.look(stop)
    assert house.journal.copy(("rtorrent", torrent)).counts
    other = house.torrent("B", 10_000)
    loop.look(stop)

    assert house.journal.copy(("rtorrent", other)) is None


def test_a_loop_gives_signs_of_life_between_rounds(house):
    loop, stop = looking(house, every=3600.0)
    for _ in range(100):
        loop.look(stop)
        assert house.clock.now() - house.journal.heartbeat().at < 20
        house.clock.advance(2)


def test_a_long_copy_gives_signs_of_life_and_says_how_far_it_is(house):
    torrent = house.torrent("Film", 400_000)
    seen = []

    def slowly(order):
        inner = order.progress
        for _ in range(10):
            house.clock.advance(60)
            inner(40_000)
            seen.append((house.clock.now() - house.journal.heartbeat().at, house.journal.heartbeat().doing))

    house.copier.during = slowly

    house.round()

    assert all(age < 20 for age, _ in seen)
    assert seen[5][1] == f"copying {torrent.short.upper()} Film 60 %"


def test_one_torrent_now(house):
    first, second = house.torrent("A", 10_000), house.torrent("B", 10_000)
    orders.enqueue(house.world(), [first, second])

    report = house.worker().copy_now(("rtorrent", second))

    assert report.copied == [("rtorrent", second)]
    assert [entry.torrent for entry in house.journal.queue()] == [first]


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([], ExitCode.DONE),
        ([NoRoomOnTarget("full")], ExitCode.DONE),
        ([RootAway("away")], ExitCode.SOME_FAILED),
        ([TransferError("EIO")], ExitCode.SOME_FAILED),
        ([TransferError("EIO"), Unreachable("gone")], ExitCode.UNREACHABLE),
    ],
)
def test_the_exit_code_of_a_round(errors, code):
    report = RoundReport()
    for error in errors:
        report.note(None, error)

    assert report.exit_code is code


# Looking on


def everything(house):
    journal = house.journal
    return (
        snapshot(house.ssd),
        snapshot(house.hdd),
        journal.queue(),
        journal.copies(),
        journal.evictions(),
        journal.roots(),
        journal.heartbeat(),
        tuple(journal.history),
        {torrent: (held.save_path, held.running) for torrent, held in house.client.held.items()},
    )


def test_a_dry_run_says_what_a_round_would_do_and_changes_nothing(house):
    copied = house.torrent("Copied", 40_000, label="tv")
    house.round()
    house.torrent("New", 30_000, label="tv")
    house.need(ALL)
    before = everything(house)

    plan = dry_run(house.world(), pictures(house))

    assert everything(house) == before
    assert len(plan.lines) == 3
    assert plan.lines[0] == f"Would copy {plan.copies[0][0].id.short.upper()} New to {house.hdd / 'tv'}"
    assert plan.lines[1] == f"Would evict {copied.short.upper()} Copied: 39.1 KiB"
    assert [row["id"] for row in plan.as_data()["rows"]] == [plan.copies[0][0].id.hex, copied.hex]
    report = house.round()
    assert copied in {torrent for _, torrent in report.evicted}


def test_a_dry_run_before_the_first_round_does_not_even_mark_the_roots(house):
    house.torrent("New", 30_000)
    before = everything(house)

    plan = dry_run(house.world(), pictures(house))

    assert everything(house) == before
    assert not (house.hdd / ".torrent-mover").exists()
    assert "Would copy" in plan.lines[0]


def test_a_dry_run_of_one_torrent(house):
    first = house.torrent("A", 10_000)
    house.torrent("B", 10_000)

    plan = dry_run(house.world(), pictures(house), first)

    assert [what.id for what, _ in plan.copies] == [first]


def test_an_explanation_names_every_reason(house):
    torrent = house.torrent("A", 10_000, tags=("keep",), upload_rate=5 << 20)
    house.change(pin_tags=("keep",))
    assert {reason.kind for reason in explain(house.world(), pictures(house), torrent).reasons} == {
        Stay.NOT_COPIED, Stay.PINNED, Stay.HOT,
    }  # fmt: skip
    house.round()
    before = everything(house)

    said = explain(house.world(), pictures(house), torrent)

    assert everything(house) == before
    assert {reason.kind for reason in said.reasons} == {Stay.PINNED, Stay.HOT}
    assert said.copy.startswith("proven, 1 piece,")
    assert any(line.strip() == "stays: it is pinned" for line in said.lines)


def test_an_explanation_of_one_that_may_leave_and_of_one_that_has_left(house):
    torrent = house.torrent("A", 10_000)
    house.round()
    assert explain(house.world(), pictures(house), torrent).lines[-1].strip() == "may leave the SSD when room is short"
    house.need(ALL)
    house.round()

    said = explain(house.world(), pictures(house), torrent)

    assert "evicted" in said.where
    assert not any("may leave" in line for line in said.lines)
    assert said.as_data()["id"] == torrent.hex


def test_the_status_comes_from_the_journal_alone(house):
    torrent = house.torrent("A", 10_000)
    house.round()
    orders.enqueue(house.world(), [InfoHash("9f3c0a11" + "0" * 32)])
    house.clock.advance(150)
    house.client.silent = True

    said = status(house.world(), running=True)

    assert said.lines[0].startswith("Worker: pid ")
    assert said.lines[1:3] == (
        "Queue status: 1 torrent(s) waiting for processing",
        "  - 9F3C0A11 (queued 2.5 minutes ago)",
    )
    assert said.lines[3].startswith("SSD 10 of 0 MiB free (high 0)")
    data = said.as_data()
    assert [(row["hash"], row["stage"]) for row in data["rows"]] == [(torrent.hex, "told")]
    assert data["queue"][0]["asker"] == "hook"


def test_the_worker_line():
    beat = Heartbeat(812, 0.0, 0.0, "copying ABCD1234 Show.S01E01 61 %")

    assert worker_line(None, running=False) == "Worker: none has run yet"
    assert worker_line(beat, running=True).endswith(", copying ABCD1234 Show.S01E01 61 %")
    assert worker_line(beat, running=False) == "Worker: none is running"
    assert "\x1b" not in worker_line(replace(beat, doing="copying \x1b[2J"), running=True)


def test_a_waiting_torrent_is_listed_with_its_reason_and_its_next_try():
    entry = QueueEntry("c", InfoHash("ab" * 20), 0.0, Asker.HOOK, tries=1, not_before=120.0, reason="no \x1b room")

    assert queue_lines([entry], 60.0)[1] == (
        "  - ABABABAB (queued 1.0 minutes ago, next try in 1.0 minutes): no \\x1b room"
    )


def test_the_space_line_counts_those_that_stay_by_their_first_reason(house):
    for number in range(2):
        house.torrent(f"Pinned {number}", 40_000, tags=("keep",))
    house.torrent("Hot", 40_000, upload_rate=5 << 20)
    free = house.torrent("Free", 40_000)
    house.change(pin_tags=("keep",))
    house.round()
    house.need(ALL)
    report = house.round()
    (disk, plan) = report.plans[0]

    assert report.evicted == [("rtorrent", free)]
    line = space_line(house.settings, disk, plan)
    assert line.endswith(": evicting 1, 39.1 KiB; 3 stay: 2 pinned, 1 hot")
    assert house.journal.heartbeat().spaces == (space_line(house.settings, house_space(house), plan),)


def house_space(house):
    (space,) = pictures(house).spaces()
    return space


def test_the_space_line_gives_free_bytes_and_both_marks():
    settings = TierSettings(client="c", ssd=(LocalPath("/ssd"),), targets=())

    assert space_line(settings, DiskSpace(LocalPath("/ssd"), int(88.1 * GIB), 500 * GIB, 1), None) == (
        "SSD 88.1 of 100.0 GiB free (high 125)"
    )


def test_the_space_line_of_a_small_disk_is_in_mib_so_that_its_amounts_differ():
    settings = TierSettings(client="c", ssd=(LocalPath("/ssd"),), targets=(), free_low=DiskAmount(100 << 20))
    settings = replace(settings, free_high=DiskAmount(150 << 20))
    disk = DiskSpace(LocalPath("/ssd"), 61 << 20, 256 << 20, 1)

    assert space_line(settings, disk, None) == "SSD 61 of 100 MiB free (high 150)"
    assert (
        space_line(settings, replace(disk, free=20 * GIB, total=40 * GIB), None) == "SSD 20.0 of 0.1 GiB free (high 0)"
    )


def test_what_is_said_of_a_torrent_that_was_queued():
    assert queued_line(1, 3, running=True) == "1 torrent queued, 3 waiting"
    assert "tier --watch" in queued_line(2, 2, running=False)


# Health


def beat(**changes):
    return replace(Heartbeat(1, 0.0, at=1000.0, ended_at=1000.0, client_at=1000.0), **changes)


@pytest.mark.parametrize(
    ("said", "troubles", "now", "healthy", "strict"),
    [
        (beat(), (), 1100.0, True, True),
        (beat(), (), 1181.0, False, False),
        (None, (), 1100.0, False, False),
        (beat(), ("config.ini:3: error",), 1100.0, False, False),
        (beat(root_trouble="/hdd is away"), (), 1100.0, False, False),
        (beat(client_at=900.0, client_trouble="silent"), (), 1100.0, False, False),
        (beat(client_at=950.0, client_trouble="silent"), (), 1100.0, True, False),
        (beat(arr_trouble="1 not told"), (), 1100.0, True, False),
        (beat(low_space="/ssd: 1 GiB free"), (), 1100.0, True, False),
    ],
)
def test_health(said, troubles, now, healthy, strict):
    verdict = health(said, troubles, now)

    assert verdict.healthy(strict=False) is healthy
    assert verdict.healthy(strict=True) is strict
    assert verdict.lines[0].startswith("System Status: ")


def test_a_finished_round_is_a_heartbeat_and_one_with_a_silent_client_is_not(house):
    house.round()
    assert house.journal.heartbeat().ended_at == house.clock.now()
    assert health(house.journal.heartbeat(), (), house.clock.now()).healthy(strict=False)
    ended = house.journal.heartbeat().ended_at
    house.clock.advance(60)
    house.client.silent = True

    assert house.round().exit_code is ExitCode.UNREACHABLE

    assert house.journal.heartbeat().ended_at != house.clock.now()
    assert house.journal.heartbeat().client_trouble
    assert ended


# Orders


def test_clearing_the_queue_leaves_what_runs_and_says_what_it_dropped(house):
    running, waiting = InfoHash("aa" * 20), InfoHash("bb" * 20)
    orders.enqueue(house.world(), [running, waiting])

    with house.leases.hold([("rtorrent", running)]):
        dropped = orders.clear_queue(house.world())

    assert [entry.torrent for entry in dropped] == [waiting]
    assert [entry.torrent for entry in house.journal.queue()] == [running]


def test_old_queue_files_are_taken_over_by_their_names_oldest_first(house, tmp_path):
    folder = tmp_path / "locks/queue"
    folder.mkdir(parents=True)
    young, old, undated = "aa" * 20, "bb" * 20, "cc" * 20
    (folder / f"{young}_1700000300.queue").write_text("whatever")
    (folder / f"{old}_1700000000.queue").write_text("")
    (folder / f"{undated}.queue").write_text("")
    (folder / "notes.txt").write_text("mine")
    files = LocalFileSystem(LocalPath(str(tmp_path / "locks")))

    taken = orders.import_old_queue(house.world(), files, RelativePath(("queue",)))

    assert taken == (InfoHash(old), InfoHash(young), InfoHash(undated))
    entries = {entry.torrent.hex: entry for entry in house.journal.queue()}
    assert (entries[old].queued_at, entries[old].asker) == (1_700_000_000.0, Asker.OLD_QUEUE)
    assert (folder / f"{old}_1700000000.queue.imported").exists()
    assert (folder / "notes.txt").exists()
    assert orders.import_old_queue(house.world(), files, RelativePath(("queue",))) == ()
    assert orders.import_old_queue(house.world(), files, RelativePath(("nothing",))) == ()
    assert orders.import_old_queue(house.world(), LocalFileSystem(LocalPath(str(tmp_path / "no"))), ROOT) == ()


def test_a_fresh_copy_needs_the_data_on_the_ssd(house):
    torrent = house.torrent("A", 10_000)
    house.round()
    house.need(ALL)
    house.round()

    with pytest.raises(NoSource):
        orders.recopy(house.world(), ("rtorrent", torrent))
    assert (house.hdd / "A").is_file()


def test_a_copy_that_another_torrent_seeds_from_is_not_set_aside(house):
    """Two torrents of the same file and label: their copies have one path. One of them has left the SSD already."""
    first = house.torrent("Film", 40_000, label="tv")
    (house.ssd / "other").mkdir()
    (house.ssd / "other/Film").write_bytes((house.ssd / "Film").read_bytes())
    second = house.client.add(
        make_torrent(house.ssd / "other/Film", piece_length=32 * 1024), house.ssd / "other", label="tv"
    )
    house.round()
    house.journal.pin(first, on=True)
    house.need(ALL)
    assert house.round().evicted == [("rtorrent", second)]
    assert {str(copy.proof.save_path) for copy in house.journal.copies()} == {str(house.hdd / "tv")}

    with pytest.raises(TierRefused, match="seeds from the copy"):
        orders.recopy(house.world(), ("rtorrent", first))

    assert house.client.seeds_good(second)
    assert (house.hdd / "tv/Film").is_file()


def test_an_unproven_copy_cannot_be_verified(house):
    torrent = house.torrent("A", 10_000)

    with pytest.raises(EvictionRefused, match="no proven copy"):
        orders.verify(house.world(), ("rtorrent", torrent))


def test_an_evicted_copy_may_be_verified_too(house):
    torrent = house.torrent("A", 10_000)
    house.round()
    house.need(ALL)
    house.round()

    record = orders.verify(house.world(), ("rtorrent", torrent))

    assert record.counts
    assert record.evicted_at
