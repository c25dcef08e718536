"""What the destination is given last arrives, whatever interrupts, and never removes what has just been taken over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.story import TARGET
from torrent_mover.domain.errors import ExitCode, Unreachable
from torrent_mover.domain.report.events import Noticed
from torrent_mover.domain.torrent.attributes import DeferredAttributes
from torrent_mover.domain.torrent.sharing import NoOwnLimit, ShareLimits, WhenMet

ALL = {
    "limits": ShareLimits(3.0, 7200, 600),
    "super_seeding": True,
    "force_start": True,
    "auto_managed": True,
}
WANTED = DeferredAttributes(ALL["limits"], super_seeding=True, force_start=True, auto_managed=True)


def said(story) -> str:
    return "\n".join(event.text for event in story.events if isinstance(event, Noticed))


def seed_with_all(story, **fields):
    story.destination.managed_paths["move-me"] = TARGET
    return story.seed("Show", 50_000, **(ALL | fields))


def test_everything_that_can_be_set_is_set_once_the_source_is_gone(story):
    torrent = seed_with_all(story)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert DeferredAttributes.of(story.destination.get(torrent)) == WANTED
    calls = [name for name, _ in story.source.calls + story.destination.calls]
    assert "remove" in calls


@pytest.mark.parametrize("queued", [True, False])
def test_one_that_waits_in_the_queue_of_the_destination_is_told(story, queued):
    torrent = story.seed("Show", 50_000)

    def have_no_turn(method, _):
        if method == "start":
            story.destination.change(torrent, queued=queued)

    story.destination.before = have_no_turn
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert ("waits for its turn" in said(story)) is queued


@pytest.mark.parametrize(
    "label", ["after source.remove", "after destination.set_super_seeding", "before journal.confirm"]
)
def test_what_a_killed_run_did_not_give_the_next_one_gives(story, label):
    torrent = seed_with_all(story)
    story.run_until(label)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert DeferredAttributes.of(story.destination.get(torrent)) == WANTED


def test_a_client_that_is_away_gets_the_rest_in_the_next_run(story):
    torrent = seed_with_all(story)
    story.destination.fail("set_super_seeding", Unreachable("away", kept="", remedy=""))
    assert story.run() is ExitCode.DONE
    story.run()
    assert DeferredAttributes.of(story.destination.get(torrent)) == WANTED


def test_no_limit_is_set_by_which_the_destination_would_remove_it_at_once(story):
    torrent = seed_with_all(story, limits=replace(ALL["limits"], ratio=NoOwnLimit.AS_CLIENT))
    story.destination.defaults = ShareLimits(ratio=0.0, when_met=WhenMet.REMOVE_WITH_DATA)
    assert story.run() is ExitCode.DONE
    assert story.destination.get(torrent).limits == ShareLimits()
    assert "would remove it there at once" in said(story)


def test_a_limit_that_only_stops_it_is_set_and_said(story):
    torrent = seed_with_all(story, limits=replace(ALL["limits"], ratio=0.0))
    assert story.run() is ExitCode.DONE
    assert story.destination.get(torrent).limits.ratio == 0
    assert "is met already" in said(story)


def test_management_that_would_move_the_data_stays_off(story):
    torrent = seed_with_all(story)
    story.destination.managed_paths.clear()
    assert story.run() is ExitCode.DONE
    assert not story.destination.get(torrent).auto_managed
    assert "automatic management stays off" in said(story)


def test_a_torrent_that_is_not_started_there_is_not_forced_to(story):
    torrent = seed_with_all(story)
    story.policy = replace(story.policy, start_at_destination=False)
    assert story.run() is ExitCode.DONE
    assert not story.destination._held[torrent].running
    assert story.destination.get(torrent).limits == ALL["limits"]


@pytest.mark.parametrize(
    "limit",
    [
        ShareLimits(ratio=3.0),
        ShareLimits(seeding_time=7200),
        ShareLimits(ratio=NoOwnLimit.AS_CLIENT, when_met=WhenMet.REMOVE_WITH_DATA),
    ],
)
def test_a_limit_of_the_source_is_not_set_where_the_destination_would_delete_data_by_it(story, limit):
    """Whoever moves data home does not want it deleted there by what was set for the source."""
    torrent = seed_with_all(story, limits=limit)
    story.destination.defaults = ShareLimits(when_met=WhenMet.REMOVE_WITH_DATA)
    assert story.run() is ExitCode.DONE
    assert story.destination.get(torrent).limits == ShareLimits()
    assert "would delete the data there when one of them is met" in said(story)


@pytest.mark.parametrize(
    ("limits", "defaults"),
    [
        (
            ShareLimits(NoOwnLimit.AS_CLIENT, NoOwnLimit.AS_CLIENT, NoOwnLimit.AS_CLIENT),
            ShareLimits(ratio=9.0, when_met=WhenMet.REMOVE_WITH_DATA),
        ),
        (ShareLimits(3.0, 7200, 600), ShareLimits(when_met=WhenMet.REMOVE)),
    ],
    ids=["the destination's own", "which keeps the data"],
)
def test_limits_are_set_where_somebody_wants_just_that(story, limits, defaults):
    torrent = seed_with_all(story, limits=limits)
    story.destination.defaults = defaults
    assert story.run() is ExitCode.DONE
    assert story.destination.get(torrent).limits == limits
