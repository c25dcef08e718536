"""Failures of several moves at once are one outage; breakers outlive runs; a full disk holds the queue and fails nobody."""

from __future__ import annotations

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import FILES
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.errors import (
    ConnectionLost,
    DiskFull,
    DoesNotFit,
    ExitCode,
    LoginRefused,
    NotWritable,
    Stalled,
    Unreachable,
)
from torrent_mover.domain.report.events import MoveFailed, MoveRetried, RunEnded
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.retry import Backoff
from torrent_mover.engine.delivery.space import NoRoom
from torrent_mover.engine.hub.breakers import Breakers
from torrent_mover.engine.progress.outages import Outages

COOLDOWN = 900.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def journal(tmp_path, clock):
    journal = SqliteJournal(tmp_path / "journal.sqlite3", clock)
    yield journal
    journal.close()


def between(journal, clock, *servers):
    return Outages(Breakers(journal, clock, 3, COOLDOWN), clock, servers)


@pytest.fixture
def outages(journal, clock):
    return between(journal, clock, "seedbox", "nas")


def attempt(outages, clock, error, *, takes=20.0, progressed=False):
    """One attempt that begins now and fails so."""
    began = clock.monotonic()
    clock.advance(takes)
    return outages.failed(error, began, progressed=progressed)


LOST = ConnectionLost("The connection to seedbox broke.", server="seedbox")


def test_a_blip_that_ends_all_connections_at_once_is_one_failure(outages, clock, journal):
    began = clock.monotonic()
    clock.advance(60)

    holds = [outages.failed(LOST, began, progressed=False) for _ in range(8)]

    assert holds == [None] * 8
    assert journal.breaker("seedbox").failures == 1


def test_three_outages_in_a_row_open_the_breaker(outages, clock, journal):
    assert [attempt(outages, clock, LOST) for _ in range(2)] == [None, None]
    hold = attempt(outages, clock, LOST)
    assert hold is not None
    assert hold.until - clock.monotonic() == COOLDOWN
    assert "seedbox is left alone for 15:00 after 3 failures" in hold.why
    assert journal.breaker("nas").failures == 0


def test_the_next_run_knows_of_an_open_breaker(outages, clock, journal):
    for _ in range(3):
        attempt(outages, clock, LOST)
    clock.advance(300)
    later = between(journal, clock, "seedbox", "nas").standing()
    assert later is not None
    assert later.until - clock.monotonic() == pytest.approx(600)


def test_bytes_that_came_through_close_the_breaker(outages, clock, journal):
    attempt(outages, clock, LOST)
    attempt(outages, clock, LOST)
    attempt(outages, clock, LOST, progressed=True)
    assert journal.breaker("seedbox").failures == 0
    assert attempt(outages, clock, LOST) is None


@pytest.mark.parametrize(
    "error", [NotWritable("no"), LoginRefused("seedbox says no", server="seedbox"), DoesNotFit("needs 5 GiB on nas")]
)
def test_what_says_nothing_about_a_server_opens_no_breaker(outages, clock, journal, error):
    counted = isinstance(error, LoginRefused)
    for _ in range(2):
        attempt(outages, clock, error)
    assert journal.breaker("nas").failures == 0
    assert (journal.breaker("seedbox").failures > 0) == counted


@pytest.mark.parametrize("server", ["nas", "nas:8080"])
def test_the_server_that_an_error_carries_is_blamed_whatever_its_text_says(journal, clock, server):
    outages = between(journal, clock, "seedbox", "nas", "nas:8080")
    attempt(outages, clock, Unreachable("seedbox, nas and nas:8080 are named here.", server=server))
    names = ("seedbox", "nas", "nas:8080")
    assert [journal.breaker(name).failures for name in names] == [int(name == server) for name in names]


def test_an_error_about_no_server_is_laid_to_where_bytes_come_from(outages, clock, journal):
    attempt(outages, clock, Stalled("No sign of life for 10m; the last one was: adding to nas."))
    assert (journal.breaker("seedbox").failures, journal.breaker("nas").failures) == (1, 0)


def test_a_server_on_the_way_to_another_one_is_left_alone_too(outages, clock):
    for _ in range(3):
        hold = attempt(outages, clock, Unreachable("gate:22 does not answer.", server="gate"))
    assert "gate is left alone for 15:00" in hold.why
    assert outages.standing() is not None


def test_two_routes_over_one_server_share_its_breaker(journal, clock):
    """A blip that both see is one failure, and what the one finds open, the other leaves alone."""
    breakers = Breakers(journal, clock, 3, COOLDOWN)
    films, music = (Outages(breakers, clock, ("seedbox", there)) for there in ("nas", "attic"))
    for _ in range(3):
        began = clock.monotonic()
        clock.advance(20)
        for route in (films, music):
            route.failed(LOST, began, progressed=False)
    assert journal.breaker("seedbox").failures == 3
    assert films.standing() is not None
    assert music.standing() is not None
    assert music.standing().why == films.standing().why
    music.worked()
    assert films.standing() is None


def test_the_breakers_of_another_process_count_at_once(journal, clock, outages):
    other = between(journal, clock, "seedbox", "attic")
    for _ in range(3):
        attempt(other, clock, LOST)
    assert outages.standing() is not None


def test_a_full_disk_holds_the_queue_ever_longer_and_then_leaves_it(outages, clock):
    waits = []
    for _ in range(5):
        began = clock.monotonic()
        clock.advance(1)
        for _ in range(4):  # all that ran at that time hit the same wall
            hold = outages.failed(DiskFull("No space left."), began, progressed=True)
        waits.append(hold.until - clock.monotonic())
    assert waits == [30, 60, 120, 240, float("inf")]


def test_a_move_that_ends_well_shows_that_there_is_room(outages, clock):
    first = attempt(outages, clock, DiskFull("No space left."))
    outages.has_room()
    again = attempt(outages, clock, DiskFull("No space left."))
    assert again.until - first.until == pytest.approx(20)


def test_the_queue_waits_for_room_until_the_pause_is_over(outages, clock):
    assert outages.waiting_for_room() is None
    hold = attempt(outages, clock, DiskFull("No space left."))
    assert outages.waiting_for_room() == hold
    clock.advance(31)
    assert outages.waiting_for_room() is None


# -- in a run ----------------------------------------------------------------------------------------------------------


def lose_all_connections(story, times: int):
    """The `times` first chunks that are read from the source end in a lost connection."""
    for _ in range(times):
        story.here.fail("read", ConnectionLost("The connection to seedbox broke.", kept="What arrived is kept."))


def test_several_moves_survive_a_blip_without_a_pause(story):
    story.jobs = 4
    moved = [story.seed(f"T{number}", {"x": 40_000, "y": 30_000}) for number in range(4)]
    lose_all_connections(story, 4)
    began = story.clock.monotonic()

    assert story.run() is ExitCode.DONE

    for torrent in moved:
        story.assert_moved(torrent)
    assert story.clock.monotonic() - began < COOLDOWN
    assert story.journal().breaker("seedbox").failures == 0


def test_a_disk_that_fills_up_makes_the_queue_wait_until_there_is_room(story):
    story.jobs = 2
    moved = [story.seed(f"T{number}", FILES) for number in range(3)]
    story.there.fail("write", DiskFull("No space left on nas."))

    assert story.run() is ExitCode.DONE

    for torrent in moved:
        story.assert_moved(torrent)
    assert not [event for event in story.events if isinstance(event, MoveFailed)]
    (retried,) = [event for event in story.events if isinstance(event, MoveRetried)]
    assert retried.delay == pytest.approx(30)


def test_what_finds_no_room_while_the_queue_waits_for_it_waits_as_well(story):
    """It was on its way to reserve its room when another one found the disk full."""
    torrent = story.seed()
    story.run()
    engine, clock = story.engine, story.clock
    row, refused = engine.roster.get(torrent), DiskFull("No space left on nas.")
    hold = engine.outages.failed(refused, clock.monotonic(), progressed=True)

    engine._no_room(row, NoRoom(refused, "needs 1 MiB", later=False))
    assert (row.standing, row.ready_at, row.why) == (MoveStatus.QUEUED, hold.until, "waits for room: needs 1 MiB")

    clock.advance(31)
    engine._no_room(row, NoRoom(refused, "needs 1 MiB", later=False))
    assert (row.standing, row.why) == (MoveStatus.SKIPPED, "not moved: needs 1 MiB")


def test_a_disk_that_stays_full_fails_one_move_and_leaves_the_others(story):
    moved = [story.seed(f"T{number}", FILES) for number in range(3)]
    for _ in range(20):
        story.there.fail("write", DiskFull("No space left on nas."))

    assert story.run() is ExitCode.SOME_FAILED

    standings = sorted(row.standing.value for row in story.engine.roster.rows())
    assert standings == sorted([MoveStatus.FAILED.value, MoveStatus.SKIPPED.value, MoveStatus.SKIPPED.value])
    for torrent in moved:
        story.assert_kept(torrent)
    story.there.heal()
    assert story.run() is ExitCode.DONE
    for torrent in moved:
        story.assert_moved(torrent)


def test_tries_are_counted_across_runs(story):
    torrent = story.seed()
    story.backoff = Backoff(base=15.0, jitter=0.0, attempts=5)
    for _ in range(20):
        story.source.fail("metainfo", Stalled("nothing comes"))
    assert story.run() is ExitCode.SOME_FAILED
    journal = story.journal()
    assert journal.move(torrent).attempts == 5
    assert len(journal.attempts(torrent)) == 5
    journal.close()

    story.events.clear()
    assert story.run() is ExitCode.SOME_FAILED
    assert not [event for event in story.events if isinstance(event, MoveRetried)]  # one more try, no five


def test_bytes_that_come_again_and_again_without_a_new_piece_are_no_progress(story):
    torrent = story.seed("Big", 10 * 64 * 1024)
    story.here.break_reading_after = 3 * 64 * 1024

    assert story.run() is ExitCode.SOME_FAILED

    (failed,) = [event for event in story.events if isinstance(event, MoveFailed)]
    assert "connection" in failed.what
    story.assert_kept(torrent)
    story.here.heal()
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_what_only_a_person_can_mend_is_not_retried_and_costs_no_tries(story):
    torrent = story.seed()
    story.there.fail("create", NotWritable("Permission denied.", remedy="chown media /nas/data"))
    fuse = Fuse(lambda label: label.startswith("before there.create"))

    assert story.run(fuse) is ExitCode.SOME_FAILED

    assert not [event for event in story.events if isinstance(event, MoveRetried)]
    (failed,) = [event for event in story.events if isinstance(event, MoveFailed)]
    assert failed.remedy == "chown media /nas/data"
    journal = story.journal()
    assert journal.move(torrent).attempts == 0
    journal.close()
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


@pytest.mark.parametrize(
    ("call", "error", "code", "said"),
    [
        ("begin_run", DiskFull("No space left for the journal."), ExitCode.PREFLIGHT_REFUSED, "No space left"),
        (
            "begin_run",
            RuntimeError("a slip"),
            ExitCode.SOME_FAILED,
            "Something unexpected happened: RuntimeError: a slip",
        ),
        ("end_run", DiskFull("No space left for the journal."), ExitCode.DONE, "its end could not be written down"),
    ],
)
def test_a_run_ends_for_all_who_look_on_though_its_journal_cannot_be_written(story, call, error, code, said):
    torrent = story.seed()

    def fail(_label: str) -> None:
        raise error

    fuse = Fuse(lambda label: label == f"before journal.{call}")
    fuse.arm(1, fail)
    assert story.run(fuse) is code
    (ended,) = [event for event in story.events if isinstance(event, RunEnded)]
    assert (ended.exit_code, ended.reason[: len(said)]) == (code, said)
    if code is ExitCode.DONE:
        story.assert_moved(torrent)
    else:
        story.assert_kept(torrent)
