"""What happens to torrents that do not fit: those that never will are left out, the others wait for their turn."""

from __future__ import annotations

import gc
import threading

import pytest

from tests.engine.story import SAVE, Story
from tests.fakes.clock import FakeClock
from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.domain.capacity import margin
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import LeftOut, Noticed, RunEnded
from torrent_mover.domain.report.rate import Meter
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.space import Disks, NoRoom, ReservedSpace
from torrent_mover.engine.preflight.examination import Doubt
from torrent_mover.engine.preflight.space import own_space, space_checks
from torrent_mover.engine.progress.board import Flow, Legs, Track
from torrent_mover.engine.run.queue import Roster, Row
from torrent_mover.engine.run.slots import Slots

ALWAYS_FREE = margin(0)
A, B, C = (InfoHash(letter * 40) for letter in "abc")


def disk(free: int, name: str = "nas:/data") -> MemoryFileSystem:
    files = MemoryFileSystem(name)
    files.fill_after = ALWAYS_FREE + free
    return files


def test_what_never_fits_is_left_out_and_what_fits_is_moved(tmp_path):
    story = Story(tmp_path)
    story.there.fill_after = ALWAYS_FREE + 150_000
    big, small = story.seed("Big", 400_000), story.seed("Small", 100_000)

    assert story.run() is ExitCode.SOME_FAILED

    story.assert_moved(small)
    story_row = story.engine.roster.get(big)
    assert story_row.standing is MoveStatus.SKIPPED
    assert story_row.why.startswith("not moved: needs 390.6 KiB on /nas/data, ")
    assert story.source.get(big) is not None
    assert any("not moved: needs 390.6 KiB" in event.text for event in story.events if isinstance(event, Noticed))
    (told,) = [event for event in story.events if isinstance(event, LeftOut)]
    assert told.torrents == 1
    assert told.why.startswith("Big needs 390.6 KiB on /nas/data")
    assert "Free some space" in told.remedy
    ended = next(event for event in story.events if isinstance(event, RunEnded))
    assert (ended.moved, ended.failed, ended.reason) == (1, 0, "1 torrent did not fit")


def test_what_did_not_fit_is_moved_by_a_later_run_once_there_is_room(tmp_path):
    story = Story(tmp_path)
    story.there.fill_after = ALWAYS_FREE
    torrent = story.seed("Big", 400_000)
    story.run()
    story.assert_kept(torrent)

    story.there.fill_after = None

    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_room_that_another_move_holds_is_worth_waiting_for():
    space = ReservedSpace(disk(100), None, dict)
    space.reserve(A, 60, 0)

    with pytest.raises(NoRoom) as later:
        space.reserve(B, 60, 0)
    with pytest.raises(NoRoom) as never:
        space.reserve(C, 101, 0)
    space.release(A)
    space.reserve(B, 60, 0)

    assert (later.value.later, never.value.later) == (True, False)
    assert later.value.reason == (
        "needs 60 B on nas:/data, 40 B are left beside what 1 other torrent will take and the 100.0 MiB that stay free"
    )


def test_the_room_of_runs_that_are_gone_is_not_asked_about():
    disks, files = Disks(), disk(100)
    stays = ReservedSpace(files, None, lambda: {A: 1}, disks)
    gone = ReservedSpace(files, None, lambda: {B: 2}, disks)
    assert disks.arrived() == {A: 1, B: 2}

    del gone
    gc.collect()

    assert disks.arrived() == stays.arrived() == {A: 1}


def test_a_move_that_fits_in_one_place_only_keeps_nothing_of_it():
    space = ReservedSpace(disk(100), disk(10, "/tmp"), dict)

    with pytest.raises(NoRoom):
        space.reserve(A, 60, 0)

    space.reserve(B, 10, 0)
    space.release(B)
    with pytest.raises(NoRoom, match="/tmp"):
        space.reserve(C, 100, 0)


def test_room_that_somebody_made_meanwhile_is_seen():
    files = disk(10)
    space = ReservedSpace(files, None, dict)
    space.reserve(A, 5, 0)
    files.fill_after = ALWAYS_FREE + 1000

    space.reserve(B, 500, 0)


@pytest.fixture
def roster():
    made = Roster(FakeClock().monotonic, Slots(4))
    made.add([_row(A), _row(B)])
    return made


def _row(torrent: InfoHash) -> Row:
    story_torrent = _Torrent(torrent)
    track = Track(torrent, 1, Legs((frozenset({Flow.IN}),)), lambda: 0.0)
    return Row(PlannedMove(story_torrent, (), ""), track, Meter(0.0))


class _Torrent:
    size, save_path = 1, SAVE

    def __init__(self, torrent):
        self.id = torrent


def test_a_row_that_waits_for_room_goes_on_when_another_ends(roster):
    first, second = roster.take(), roster.take()
    assert roster.wait_for_room(second, "no room")
    taken: list[Row | None] = []
    taker = threading.Thread(target=lambda: taken.append(roster.take()), daemon=True)
    taker.start()
    assert second.standing is MoveStatus.QUEUED
    assert taken == []

    roster.change(first, MoveStatus.FAILED)

    taker.join(60)
    assert taken == [second]


def test_a_row_does_not_wait_for_room_where_nobody_can_give_any(roster):
    first, second = roster.take(), roster.take()
    assert roster.wait_for_room(first, "no room")

    assert not roster.wait_for_room(second, "no room")

    roster.change(second, MoveStatus.SKIPPED)
    assert roster.take() is first
    assert not roster.wait_for_room(first, "no room")


def test_the_check_says_how_many_of_the_torrents_fit():
    (check,) = space_checks(ReservedSpace(disk(100), None, dict), [60, 60, 30], jobs=4)

    with pytest.raises(Doubt, match="2 of 3 torrents fit"):
        check.ask()


def test_the_cache_needs_room_for_those_at_work_only():
    destination, cache = space_checks(ReservedSpace(disk(10_000), disk(100, "/tmp"), dict), [60, 10, 40, 20], jobs=2)

    assert destination.ask().endswith("needs 130 B")
    assert cache.ask().endswith("free in /tmp, needs 100 B")


def test_a_disk_without_inodes_is_told_whatever_its_size():
    files = disk(10_000)
    space = files.space()
    files.space = lambda: type(space)(space.free, space.total, 12)
    (check,) = space_checks(ReservedSpace(files, None, dict), [60], jobs=4)

    with pytest.raises(Doubt, match="Only 12 inodes are free"):
        check.ask()


def test_a_full_state_folder_is_told_before_the_journal_fails():
    files = disk(0, "/var/lib/torrent-mover")
    files.fill_after = 5 << 20

    with pytest.raises(Doubt, match=r"Only 5\.0 MiB are free in /var/lib/torrent-mover"):
        own_space(files)()
