"""Every call that a move makes fails once, or is the last one of its process: the next runs end as if nothing had happened."""

from __future__ import annotations

import os

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import PIECE
from tests.faults.ledger import Entry, note
from torrent_mover.domain.errors import BadAnswer, ConnectionLost, DiskFull, ExitCode, NotWritable, Unreachable

pytestmark = pytest.mark.thorough

CHUNK = 64 * 1024
LOST_AT_MOST = PIECE + CHUNK
"""What a fault may cost to send again: the pieces in flight, none of which was whole."""


def of(*prefixes: str):
    """Labels that are about these calls."""
    return lambda label: any(label.startswith((f"before {prefix}", f"after {prefix}")) for prefix in prefixes)


def before(*prefixes: str):
    return lambda label: any(label.startswith(f"before {prefix}") for prefix in prefixes)


def on_fakes(points: int, story, *, power: bool) -> Entry:
    """The account of one loop over all points."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].partition("[")[0]
    return Entry(
        row="every call",
        what=name.removeprefix("test_").replace("_", " ") + (", unsynced bytes lost" if power else ""),
        mode="local destination" if story.local else "remote destination",
        faults=points,
        survived=points,
        seed=0,
        size=0,
        lost=0,
        sent_again=0,
        deletes=points,
        unproven=0,
        checks=2 * points,
        seconds=0.0,
        versions="fakes",
    )


def run_until_moved(story, torrent, runs: int = 3) -> None:
    for _ in range(runs):
        story.run()
        story.assert_whole_somewhere()
        if story.source.get(torrent) is None and not unfinished(story):
            return


def unfinished(story) -> bool:
    journal = story.journal()
    try:
        return bool(journal.moves())
    finally:
        journal.close()


def each_point(stories, wanted, act, *, step: int = 1, power: bool = False, anew: str = ""):
    """Make a story for every point that `wanted` selects, let `act` happen there, run again; returns how many points there are.

    Stories with a local and a remote destination share them, but in the long form. `anew`: the label of calls after which
    all of it may have to come again.
    """
    for tried, at in enumerate(stories.points(step)):
        story = stories()
        torrent = story.seed()
        fuse = Fuse(wanted)
        fuse.arm(at, lambda label, fuse=fuse: act(fuse, label))
        story.run(fuse)
        if not fuse.fired:
            note(on_fakes(tried, story, power=power))
            return fuse.count // step
        if power:
            story.there.cut_power()
        story.assert_whole_somewhere()
        run_until_moved(story, torrent)
        try:
            story.assert_moved(torrent)
            again = story.size(torrent) if fuse.fired == anew else LOST_AT_MOST
            assert story.brought <= story.size(torrent) + again
        except AssertionError as error:
            raise AssertionError(f"after a fault {fuse.fired} (point {at}): {error}") from error
    raise AssertionError("a run has no end")


def kill(fuse: Fuse, label: str) -> None:
    fuse.kill(label)


def raising(make):
    def act(_fuse: Fuse, label: str) -> None:
        raise make(f"injected {label}", kept="", remedy="")

    return act


def test_killed_before_and_after_every_write_to_the_journal(stories):
    points = each_point(stories, of("journal.save", "journal.add_", "journal.confirm", "journal.forget"), kill)
    assert points >= 30


def test_the_power_goes_before_and_after_every_write_to_the_journal(stories):
    points = each_point(stories, of("journal.save", "journal.add_h", "journal.confirm"), kill, power=True)
    assert points >= 24


def test_killed_before_and_after_every_change_that_a_client_is_asked_for(stories):
    wanted = of(
        "source.remove", *(f"destination.{name}" for name in ("add_stopped", "recheck", "start", "stop", "poll"))
    )
    assert each_point(stories, wanted, kill) >= 8


def test_killed_before_and_after_every_change_of_a_file(stories):
    names = ("create", "rename", "unlink", "make_folders", "remove_folder", "sync", "writer.write", "chown")
    assert each_point(stories, of(*(f"there.{name}" for name in names)), kill) >= 30


@pytest.mark.parametrize("error", [Unreachable, BadAnswer])
def test_every_question_to_a_client_fails_once(stories, error):
    assert each_point(stories, before("source.", "destination."), raising(error)) >= 20


def test_every_order_to_a_client_is_obeyed_but_its_answer_is_lost(stories):
    wanted = ("after source.remove", "after destination.add", "after destination.start", "after destination.recheck")
    assert each_point(stories, lambda label: label.startswith(wanted), raising(Unreachable)) >= 4


@pytest.mark.parametrize(("error", "anew"), [(ConnectionLost, ""), (NotWritable, "before there.sync")])
def test_every_call_to_the_destination_file_system_fails_once(stories, error, anew):
    """What a disk could not sync is brought anew; a sync whose answer was lost costs nothing."""
    assert each_point(stories, before("there."), raising(error), anew=anew) >= 40


def test_every_call_to_the_source_file_system_fails_once(stories):
    assert each_point(stories, before("here."), raising(ConnectionLost)) >= 8


@pytest.mark.parametrize("error", [DiskFull])
def test_every_write_to_the_journal_fails_once(stories, error):
    assert each_point(
        stories, before("journal.save", "journal.add", "journal.confirm", "journal.forget"), raising(error)
    )


def test_the_exit_code_says_done_when_the_answer_to_the_removal_was_lost(story):
    torrent = story.seed()
    fuse = Fuse(lambda label: label == "after source.remove")
    fuse.arm(1, lambda _label: raising(Unreachable)(fuse, "remove"))
    assert story.run(fuse) is ExitCode.DONE
    story.assert_moved(torrent)
