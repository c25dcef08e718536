"""What a run would refuse is known without touching anything, and the look is bounded."""

from __future__ import annotations

from itertools import count

from tests.engine.story import CATEGORY, TARGET
from torrent_mover.domain.errors import ExitCode, Unreachable
from torrent_mover.domain.report.events import MoveFailed
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.duties.moving.foresight import Foresight, foresee
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.engine.delivery.places import Destination, Source

NAMESAKES = {"ReadMe.txt": 20_000, "readme.txt": 21_000}


def foreseen(story, client=None, **options):
    client = client or story.source
    source = Source(story.source.name, client, lambda _: story.here)
    destination = Destination("nas", story.destination, story.there, TARGET, local=True)
    plan = Planner(story.source, None, SelectionPolicy(CATEGORY), lambda: TrackerRules(())).plan()
    return foresee(source, destination, plan, **{"monotonic": story.clock.monotonic} | options)


def test_what_a_run_refuses_is_foreseen_in_the_same_words(story):
    fine = story.seed("Fine")
    bad = story.seed("Bad", NAMESAKES)
    foresight = foreseen(story)
    assert [(one.id, one.code) for one in foresight.refused] == [(bad, "TM-E313")]
    assert foresight.unread == 0

    assert story.run() is ExitCode.SOME_FAILED
    (failed,) = [event for event in story.events if isinstance(event, MoveFailed)]
    assert failed.what == foresight.refused[0].what
    assert "readme.1.txt" in foresight.refused[0].remedy
    story.assert_moved(fine)


def test_with_thousands_of_torrents_it_ends_in_time_and_says_how_many_were_not_read(story):
    for number in range(5):
        story.seed(f"Show {number}", 20_000)
    ticks = count(step=10)
    assert foreseen(story, monotonic=lambda: next(ticks), patience=25).unread == 3


def test_a_client_that_stops_answering_ends_it_without_an_error(story):
    class Silent:
        def files(self, _):
            raise Unreachable("No answer.")

    story.seed("Bad", NAMESAKES)
    story.seed("Fine")
    assert foreseen(story, Silent()) == Foresight((), 2)
