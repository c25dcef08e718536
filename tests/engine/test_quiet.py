"""Quiet hours: no bytes flow while the bandwidth is paused, by the timetable or from the screen, and all goes on afterwards."""

from __future__ import annotations

import time

import pytest

from tests.engine.test_control import ONE_FILE, live, why_of
from tests.fakes.clock import FakeClock
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.quantities import PAUSE, Timetable
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.engine.progress.bandwidth import Bandwidth
from torrent_mover.engine.progress.board import Flow
from torrent_mover.engine.run.queue import Wish

__all__ = ["live"]


def at(hour: int) -> FakeClock:
    """A clock that shows that hour here."""
    return FakeClock(time.mktime((2026, 11, 20, hour, 0, 0, 0, 0, -1)))


@pytest.mark.parametrize(("hour", "paused"), [(3, True), (9, False), (23, True)])
def test_the_timetable_pauses_and_sets_no_limit_of_zero(hour: int, paused: bool):
    night = GeneralSettings(bandwidth=Timetable.parse("08:00,5M 23:00,pause"))
    bandwidth = Bandwidth(night, at(hour))

    assert bandwidth.paused is paused
    assert bandwidth.limit(Flow.IN) == (None if paused else 5 << 20)


@pytest.mark.parametrize(
    ("asked", "paused", "limit"),
    [(None, True, None), (float("inf"), False, None), (PAUSE, True, None), (7.0, False, 7.0)],
)
def test_what_is_asked_for_on_the_screen_counts_instead(asked: float | None, paused: bool, limit: float | None):
    bandwidth = Bandwidth(GeneralSettings(bandwidth=Timetable.parse("pause")), at(9))
    bandwidth.override(asked)

    assert (bandwidth.paused, bandwidth.limit(Flow.IN)) == (paused, limit)


def test_a_pause_puts_what_moves_back_into_the_queue_and_it_goes_on_afterwards(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    quiet = [True]
    story.engine.world.throttle._paused = lambda: quiet[0]
    eventually(lambda: story.engine.roster.get(torrent).wish is Wish.WAIT)
    one.gate.open()
    one.becomes(torrent, MoveStatus.QUEUED)

    snapshot = one.control.snapshot()
    assert (snapshot.phase, snapshot.eta, snapshot.incoming.limit) == (Phase.PAUSED, None, PAUSE)
    assert why_of(one, torrent) == ("the bandwidth is paused", None)
    assert one.said("bandwidth = pause: nothing moves until it changes")
    assert story.journaled(torrent).count()
    quiet[0] = False

    assert one.end() is ExitCode.DONE
    assert one.said("the bandwidth is not paused any more")
    story.assert_moved(torrent)


def test_a_run_that_begins_in_a_quiet_hour_begins_nothing(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    quiet = [True]
    one = live(10_000, paused=lambda: quiet[0])
    eventually(lambda: one.control.snapshot().phase is Phase.PAUSED)
    assert one.standing(torrent) is MoveStatus.QUEUED
    assert story.brought == 0
    quiet[0] = False

    assert one.end() is ExitCode.DONE
