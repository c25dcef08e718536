"""What a screen sees of tiers that work here, and what becomes of what it asks for."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.duties.tiering.tier_house import House
from tests.servers import eventually
from torrent_mover.domain.errors import Unreachable
from torrent_mover.domain.report.events import Level, TierRoundEnded, TiersStopped
from torrent_mover.domain.report.tiers import DiskRole, TierPhase, TierTask
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.control import RunningTiers
from torrent_mover.duties.tiering.records import EvictionMember, EvictionRecord
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.stages import EvictionStage
from torrent_mover.duties.tiering.stand import TierStand
from torrent_mover.duties.tiering.worker import TierWorker
from torrent_mover.engine.hub.publisher import Publisher

ALL = 10_000_000


class Notes:
    """The journal's notes, which nobody reads here."""

    def add_note(self, *_note: object) -> None: ...


class Desk:
    """A tier in a small world with a control over it; `step` is what its loop would do."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.stop = threading.Event()
        self.publisher = Publisher(Notes())  # type: ignore[arg-type]
        self.events: list[object] = []
        self.publisher.subscribe(self.events.append)
        self.stand = TierStand(
            house.world(), lambda world: TierWorker(world, house._alone), self.publisher.publish, every=60.0
        )
        self.control = RunningTiers([self.stand], self.publisher, self.stop, house.clock, watched=True)

    def step(self) -> None:
        self.stand.loop.look(self.stop)

    def tier(self):
        (tier,) = self.control.snapshot().tiers
        return tier

    def said(self, level: Level = Level.INFO) -> list[str]:
        return [line.text for line in self.control.log() if line.level is level]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, total=ALL)


@pytest.fixture
def desk(house):
    desk = Desk(house)
    yield desk
    if not desk.control._over.is_set():
        desk.control.ended(0)


def test_before_any_look_there_is_a_picture_that_asks_no_client(house, desk):
    house.torrent("A", 10_000, label="tv")
    house.client.torrents = None  # a call would fail

    tier = desk.tier()

    assert (tier.name, tier.client, tier.phase, tier.candidates) == ("default", "rtorrent", TierPhase.IDLE, ())


def test_a_round_is_told_and_seen_with_the_disks_and_why_torrents_stay(house, desk):
    torrent = house.torrent("A", 10_000, label="tv")

    desk.step()
    assert desk.stand.stale.is_set()
    desk.control.look()

    (ended,) = [event for event in desk.events if isinstance(event, TierRoundEnded)]
    tier = desk.tier()
    assert (ended.tier, ended.copied, ended.evicted, ended.failed) == ("default", 1, 0, 0)
    assert [(one.copied, one.failed) for one in tier.rounds] == [(1, 0)]
    assert [disk.role for disk in tier.disks] == [DiskRole.SSD, DiskRole.TARGET]
    (candidate,) = tier.candidates
    assert (candidate.id, candidate.proven, candidate.place) == (torrent, True, None)
    assert candidate.reasons == ("there is room enough on the SSD",)
    assert tier.worker is not None
    assert tier.worker.next_round_at is not None


def test_a_tier_that_somebody_has_paused_is_paused_once_its_round_has_ended(house, desk):
    torrent = house.torrent("A", 64_000, label="tv")
    seen = []

    def look(_order):
        desk.stand.world.journal.save_paused(paused=True)
        seen.append(desk.tier().phase)

    house.copier.during = look
    desk.step()

    tier = desk.tier()
    assert (seen, tier.phase) == ([TierPhase.WORKING], TierPhase.PAUSED)
    assert tier.worker.next_round_at is None
    assert house.client.seeds_good(torrent)
    desk.stand.world.journal.save_paused(paused=False)
    assert desk.tier().phase is TierPhase.IDLE


def test_torrents_that_leave_come_first_in_their_order(house, desk):
    old = house.torrent("Old", 10_000, label="tv", finished=1_700_000_000)
    young = house.torrent("Young", 10_000, label="tv", finished=1_700_000_500)
    desk.step()
    house.need(ALL - 15_000)
    desk.stand.world = replace(desk.stand.world, settings=house.settings)

    desk.stand.look(torrents=True)

    tier = desk.tier()
    assert [(each.id, each.place) for each in tier.candidates] == [(old, 1), (young, None)]
    assert tier.leaving == 1


def test_a_copy_under_way_shows_its_bytes_and_is_neither_queued_nor_a_candidate(house, desk):
    torrent = house.torrent("A", 64_000, label="tv")
    seen = []

    def look(order):
        order.progress(16_000)
        desk.control.look()
        seen.append(desk.tier())

    house.copier.during = look
    desk.step()

    (tier,) = seen
    (work,) = tier.works
    assert (work.id, work.task, work.stage) == (torrent, TierTask.COPY, "copying")
    assert (work.done, work.total, tier.phase) == (16_000, 64_000, TierPhase.WORKING)
    assert 0.02 < work.fraction < 0.7
    assert (tier.queue, tier.candidates) == ((), ())
    assert desk.tier().works == ()


def test_a_copy_under_way_promises_its_end_reading_back_included(house, desk):
    house.torrent("A", 64_000, label="tv")
    seen = []

    def look(order):
        for _ in range(2):
            order.progress(16_000)
            house.clock.advance(4)
        seen.append(desk.tier().works[0])

    house.copier.during = look
    desk.step()

    # 32,000 bytes to bring and 64,000 to read back, at 16,000 in 8 s.
    assert (seen[0].rate, seen[0].eta, seen[0].eta_is_guess) == (2000.0, 48.0, True)


def test_while_one_is_evicted_its_bytes_are_not_asked_of_others_and_its_end_asks_for_a_look(house, desk):
    old = house.torrent("Old", 10_000, label="tv", finished=1_700_000_000)
    young = house.torrent("Young", 10_000, label="tv", finished=1_700_000_500)
    desk.step()
    house.need(ALL - 15_000)
    desk.stand.world = replace(desk.stand.world, settings=house.settings)
    desk.stand.look(torrents=True)
    path = house.client.held[old].save_path
    member = EvictionMember("rtorrent", old, "Old", path, path, ran=True)
    house.journal.save_eviction(EvictionRecord("rtorrent", old, (member,), EvictionStage.SEEDING, 0.0, ""))

    with desk.stand.worker.pictures._world.leases.hold([("rtorrent", old)]):
        desk.stand.look(torrents=True)
        tier = desk.tier()

    (work,) = tier.works
    assert (work.id, work.task, work.stage, work.size, work.fraction) == (old, TierTask.EVICT, "seeding", 10_000, 0.9)
    assert [(each.id, each.place) for each in tier.candidates] == [(young, None)]
    assert desk.stand.moved.is_set()


def test_what_is_pinned_is_seen_at_once_and_unpinned_again(house, desk):
    torrent = house.torrent("A", 10_000, label="tv")
    desk.step()
    desk.control.start()

    desk.control.pin("default", torrent)
    eventually(lambda: [pin.id for pin in desk.tier().pins] == [torrent])
    desk.control.unpin("default", torrent)
    eventually(lambda: desk.tier().pins == ())

    eventually(lambda: any("A may leave the SSD again" in line for line in desk.said()))


def test_an_order_that_is_refused_is_an_error_in_the_log_with_its_code(desk):
    desk.control.start()
    missing = InfoHash("ab" * 20)

    desk.control.recopy("default", missing)

    eventually(lambda: any("cannot be copied afresh" in line and "[TM-E" in line for line in desk.said(Level.ERROR)))


def test_an_eviction_that_is_asked_for_is_done_by_the_worker_and_by_nobody_else(house, desk):
    torrent = house.torrent("A", 10_000, label="tv")
    desk.step()
    desk.control.start()

    desk.control.evict("default", torrent)
    assert (house.ssd / "A").exists()
    desk.step()

    assert not (house.ssd / "A").exists()
    assert house.client.seeds_good(torrent)
    assert any("left the SSD" in line for line in house.said)


def test_an_eviction_that_is_refused_ends_no_worker(house):
    torrent = house.torrent("A", 10_000, label="tv")
    house.change(mode=TierMode.REPORT)
    reports = Desk(house)
    reports.step()

    reports.control.evict("default", torrent)
    reports.step()

    assert [line for line in reports.said(Level.ERROR) if "only reports" in line]
    assert (house.ssd / "A").exists()


def test_what_is_queued_by_hand_waits_in_the_picture_and_a_round_that_is_asked_for_comes(house, desk):
    desk.step()
    torrent = house.torrent("A", 10_000, label="tv")
    desk.control.start()

    desk.control.queue("default", torrent)
    eventually(lambda: [entry.asker for entry in desk.tier().queue] == ["person"])
    desk.control.request_round("default")
    eventually(lambda: house.journal.requested_at() > 0)
    desk.step()

    assert desk.tier().queue == ()
    assert len(desk.tier().rounds) == 2


def test_a_silent_client_and_an_eviction_in_trouble_are_alarms_with_what_helps(house, desk):
    torrent = house.torrent("A", 10_000, label="tv")
    desk.step()
    desk.control.look()
    place = house.client.held[torrent].save_path
    member = EvictionMember("rtorrent", torrent, "A", place, place, ran=True)
    record = EvictionRecord("rtorrent", torrent, (member,), EvictionStage.CHECKING, 0.0, "", trouble="it is bad")
    house.journal.save_eviction(record)

    def silent():
        raise Unreachable("It does not answer.")

    house.client.torrents = silent
    desk.control.look()

    tier = desk.tier()
    assert [alarm.trouble.what for alarm in tier.alarms] == ["It does not answer.", "A: it is bad"]
    assert tier.alarms[1].trouble.remedy == f"torrent-mover tier --explain {torrent}"
    assert tier.candidates, "the last picture is kept"


def test_it_explains_and_ends_with_one_event(house, desk):
    torrent = house.torrent("A", 10_000, label="tv")
    desk.step()
    desk.control.start()

    assert any("on the SSD" in line for line in desk.control.explain("default", torrent))
    desk.control.stop()
    assert desk.stop.is_set()
    assert desk.tier().phase is TierPhase.STOPPING
    desk.control.ended(143, "asked to end")

    assert desk.tier().phase is TierPhase.ENDED
    assert next(event for event in desk.events if isinstance(event, TiersStopped)).exit_code == 143
