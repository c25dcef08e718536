"""An Arr that has not imported holds a torrent, for a while; a block counts only when the history shows it."""

from __future__ import annotations

import threading

import pytest

from tests.doubles.arr.house import EPISODES, HASH, PACK, arr_house
from tests.doubles.arr.polled import PolledTorrent
from tests.doubles.arr.products import SONARR_3
from tests.doubles.arr.server import Fault
from tests.engine.arr_story import ArrStory
from tests.fakes.handovers import MemoryHandovers
from tests.servers import eventually
from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.local.largest_file import largest_file
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.arrs.errors import BlockNotProven, DeletionByArr
from torrent_mover.domain.arrs.handover import HandoverStep
from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.paths import ArrPath, LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.blocking import block
from torrent_mover.engine.arrs.desk import ArrDesk, ArrWishes
from torrent_mover.engine.arrs.holds import FRESH, ArrHolds, HoldingArr
from torrent_mover.engine.arrs.path_finding import PathFinder
from torrent_mover.engine.arrs.silences import DUTY, Silences
from torrent_mover.engine.arrs.telling import ArrTelling
from torrent_mover.engine.hub.loops import Supervisor


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path) as house:
        house.clock.jump(house.library.now - house.clock.now())
        yield house


class Asking(ArrHolds):
    """Holds that are asked some time after the last question, so that they look anew."""

    def of(self, torrent, category):
        self.clock.advance(FRESH)
        return super().of(torrent, category)


@pytest.fixture
def holds(house):
    return Asking([HoldingArr(house.manager, 3600.0)], house.clock)


# Holds


def test_what_was_grabbed_and_not_imported_is_held_and_says_since_when(house, holds):
    house.pack(2)
    house.clock.advance(250)
    held = holds.of(HASH, "tv")
    assert held.words(house.clock.now()).startswith("tv: importPending, ")
    assert held.since == pytest.approx(house.library.now, abs=3)


def test_what_is_imported_is_not_held(house, holds):
    house.pack(2)
    house.library.scan(f"/downloads/{PACK}", HASH.hex.upper(), "Copy")
    assert holds.of(HASH, "tv") is None


def test_a_part_that_is_missing_holds(house, holds):
    house.library.refuses = {EPISODES[1]: "Sample"}
    house.pack(2)
    house.library.scan(f"/downloads/{PACK}", HASH.hex.upper(), "Copy")
    assert holds.of(HASH, "tv").word == "importPending"


def test_what_failed_or_was_never_grabbed_or_is_of_another_category_is_not_held(house, holds):
    house.pack(1, grabbed=False)
    assert holds.of(HASH, "tv") is None
    house.library.grab(HASH.hex, 1)
    assert holds.of(HASH, "films") is None
    assert holds.of(HASH, "tv") is not None
    house.library.fail(HASH.hex)
    assert holds.of(HASH, "tv") is None


def test_an_arr_that_cannot_see_the_data_holds_nothing(house, holds):
    house.pack(1)
    house.client.moved(HASH.hex, f"/home/seedbox/{PACK}")
    assert holds.of(HASH, "tv") is None


def test_a_hold_ends_by_its_limit(house, holds):
    house.pack(1)
    assert holds.of(HASH, "tv") is not None
    house.clock.advance(3601)
    assert holds.of(HASH, "tv") is None


def test_an_arr_that_is_away_holds_too_and_no_longer_than_its_limit(house, holds):
    house.pack(1)
    house.double.faults["*"] = Fault.BAD_GATEWAY
    assert holds.of(HASH, "tv").word == "does not answer"
    house.clock.advance(3500)
    assert holds.of(HASH, "tv") is not None
    house.clock.advance(200)
    assert holds.of(HASH, "tv") is None
    house.double.faults.clear()
    house.library.scan(f"/downloads/{PACK}", HASH.hex.upper(), "Copy")
    assert holds.of(HASH, "tv") is None


def test_an_arr_that_refuses_the_question_is_as_one_that_is_away(house, holds):
    house.pack(1)
    house.double.faults["/queue/details"] = Fault.ERROR
    assert holds.of(HASH, "tv").word == "does not answer"
    house.double.faults = {"/history": Fault.ERROR}
    assert holds.of(HASH, "tv").word == "does not answer"


def test_one_look_at_an_arr_serves_all_torrents_of_a_plan(house):
    house.pack(1)
    holds = ArrHolds([HoldingArr(house.manager, 3600.0)], house.clock)
    house.manager.info()
    before = len(house.double.requests)
    torrents = [InfoHash(f"{number:040x}") for number in range(100)]
    assert [holds.of(torrent, "tv") for torrent in torrents] == [None] * 100
    assert len(house.double.requests) == before + 2
    house.double.faults["*"] = Fault.BAD_GATEWAY
    house.clock.advance(FRESH)
    assert all(holds.of(torrent, "tv").word == "does not answer" for torrent in torrents)
    assert len(house.double.requests) == before + 3


def test_how_long_an_arr_is_silent_and_whose_it_is_outlives_the_process(house, tmp_path):
    journal = SqliteJournal(tmp_path / "journal.sqlite3", house.clock)
    house.pack(1)

    def asking(*, writes=True):
        return Asking(
            [HoldingArr(house.manager, 3600.0)], house.clock, Silences(journal.documents(DUTY, "holds"), writes)
        )

    asking().of(HASH, "tv")  # it answers, and says which category it has
    house.double.faults["*"] = Fault.BAD_GATEWAY
    assert asking().of(HASH, "films") is None
    assert asking(writes=False).of(HASH, "tv").word == "does not answer"
    since = asking().of(HASH, "tv").since
    house.clock.advance(3000)
    assert asking().of(HASH, "tv").since == since
    house.clock.advance(600)
    assert asking().of(HASH, "tv") is None
    journal.close()


# Blocks


def test_a_block_is_proven_by_the_history_and_leaves_torrent_and_data(house):
    house.pack(3)
    blocked = block(house.manager, HASH, house.clock, complete=True, limits_lifted=False)
    assert (blocked.media, blocked.arr_searches) == ((1, 2, 3), False)
    assert len(house.double.library.blocklist) == 3
    assert house.client.removed == []
    assert len(list((house.data / PACK).iterdir())) == 3


def test_a_block_is_asked_for_once(house):
    house.pack(1)
    block(house.manager, HASH, house.clock, complete=False, limits_lifted=False)
    before = len(house.library.history)
    assert block(house.manager, HASH, house.clock, complete=False, limits_lifted=False).media == (1,)
    assert len(house.library.history) == before


def test_an_arr_that_cannot_leave_out_its_search_is_known_to_search(tmp_path):
    with arr_house(tmp_path, SONARR_3) as house:
        house.pack(1)
        assert block(house.manager, HASH, house.clock, complete=False, limits_lifted=False).arr_searches
        assert house.library.searches == [[1]]


def test_what_left_the_queue_is_blocked_by_its_grab(house):
    house.pack(2)
    house.client.listed.clear()
    blocked = block(house.manager, HASH, house.clock, complete=False, limits_lifted=False)
    assert (blocked.media, blocked.arr_searches) == ((1, 2), True)
    assert len(house.double.asked("POST", f"/history/failed/{house.library.history[1]['id']}")) == 1


def test_a_block_that_did_nothing_is_not_believed(house):
    house.pack(1)
    house.library.blocks_nothing = True
    with pytest.raises(BlockNotProven, match="does not show it as failed") as caught:
        block(house.manager, HASH, house.clock, complete=False, limits_lifted=False)
    assert caught.value.kept == "The torrent and its data were not touched."


def test_what_was_never_grabbed_cannot_be_blocked(house):
    house.pack(1, grabbed=False)
    with pytest.raises(BlockNotProven, match="never grabbed it"):
        block(house.manager, HASH, house.clock, complete=False, limits_lifted=False)


def test_a_complete_torrent_that_the_arr_would_delete_is_not_blocked(house):
    house.library.removes_failed = True
    house.pack(1)
    house.client.have(PolledTorrent(HASH.hex, PACK, "tv", f"/downloads/{PACK}", at_its_limit=True))
    with pytest.raises(DeletionByArr, match="removes failed downloads"):
        block(house.manager, HASH, house.clock, complete=True, limits_lifted=False)
    assert house.double.asked("DELETE", f"/queue/{house.manager.queue()[0].number}") == []
    house.client.have(PolledTorrent(HASH.hex, PACK, "tv", f"/downloads/{PACK}"))
    assert block(house.manager, HASH, house.clock, complete=True, limits_lifted=True).media == (1,)
    assert house.client.removed == []


def test_an_arr_that_searches_for_no_person_is_known_not_to_search(house):
    house.pack(1)
    house.client.listed.clear()
    house.library.policy["autoRedownloadFailedFromInteractiveSearch"] = False
    house.library.history[0]["data"]["releaseSource"] = "InteractiveSearch"
    assert block(house.manager, HASH, house.clock, complete=False, limits_lifted=False).arr_searches is False
    assert house.library.searches == []


@pytest.mark.parametrize("name", [None, "as it was called before"])
def test_a_line_that_names_no_client_of_the_arr_may_be_of_one_that_deletes(house, name):
    house.library.removes_failed = True
    house.library.calls_its_client = name
    house.pack(1)
    with pytest.raises(DeletionByArr, match="of qbit "):
        block(house.manager, HASH, house.clock, complete=True, limits_lifted=False)


# Side by side


def test_one_arr_that_hangs_keeps_no_other(tmp_path):
    clock, journal, leases = SystemClock(), MemoryHandovers(), KernelLeases(tmp_path)
    names = ("tv", "films", "music", "books")
    with (
        arr_house(tmp_path / "0") as one,
        arr_house(tmp_path / "1") as two,
        arr_house(tmp_path / "2") as three,
        arr_house(tmp_path / "3") as four,
    ):
        houses = (one, two, three, four)
        folders = [house.pack(2) for house in houses]
        one.double.faults["*"] = Fault.HANG
        desks = []
        for name, house in zip(names, houses, strict=True):
            manager = ArrManager(name, house.settings())
            pairs = (ArrPair(ArrPath("/downloads"), LocalPath(str(folders[0].parent))),)
            for other in houses[1:]:
                other.library.folders["/downloads"] = one.data
            desks.append(
                ArrDesk(
                    manager,
                    ArrWishes("tv"),
                    journal,
                    PathFinder(manager, journal, pairs),
                    clock,
                    lambda *_: None,
                    leases,
                )
            )
        telling = ArrTelling(desks, journal, clock, largest_file)
        telling.tell(HASH, "tv", folders[0])
        supervisor = Supervisor(clock.monotonic)
        for desk in desks:
            supervisor.start(desk)

        def three_have_it():
            return sum(record.step is HandoverStep.IMPORTED for record in journal.handovers()) == 3

        assert eventually(three_have_it)
        assert journal.handover(HASH, "tv").step is HandoverStep.WAITING
        one.double._released.set()
        supervisor.stop(30)
        for desk in desks:
            desk.manager.close()


def test_two_processes_that_hand_over_the_same_tell_once(house):
    stories = [ArrStory(house), ArrStory(house, leases=KernelLeases(house.data.parent / "leases"))]
    stories[1].journal = stories[0].journal
    for story in stories:
        story.pairs = (ArrPair(ArrPath("/downloads"), LocalPath(str(house.data))),)
        story.start()
    stories[0].tell(house.pack(2))
    house.library.runs_at_once = True
    house.library.refuses = {EPISODES[1]: "Sample"}
    scan, other_looked = house.manager.scan, []

    def scan_while_the_other_looks(path, torrent):
        if not other_looked:
            other_looked.append(stories[1].desk.look(threading.Event()))
        return scan(path, torrent)

    house.manager.scan = scan_while_the_other_looks
    stories[0].look()
    assert other_looked == [2.0]
    stories[1].run(lambda record: record.tries == 1)
    assert len(house.library.scans) == 1


def test_a_desk_that_is_stopped_begins_nothing_more(house):
    story = ArrStory(house)
    story.start()
    story.tell(house.pack(1))
    stop = threading.Event()
    stop.set()
    assert story.desk.look(stop) == 0.0
    assert story.record().step is HandoverStep.WAITING
    assert story.scans == []
