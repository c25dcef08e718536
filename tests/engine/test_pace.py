"""The times that a run promises: learned from the moves before, for each stage, and silent where nothing is known."""

from __future__ import annotations

import contextlib

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import Story
from torrent_mover.domain.errors import DiskFull
from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.events import Event, StageEntered
from torrent_mover.domain.report.snapshot import MoveView, Snapshot, Step
from torrent_mover.domain.report.timing import Task, Timing, usual_rate
from torrent_mover.engine.run import queue

SIZE = 6_000_000
TAKES = {Stage.TRANSFERRING: 60.0, Stage.ADDED: 5.0, Stage.CHECKING: 20.0, Stage.VERIFIED: 4.0}
"""Seconds that pass in each stage of these runs, beside what the engine itself waits."""


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def watched(story: Story) -> dict[Stage, Snapshot]:
    """One run, in which every stage takes its time; the picture at the beginning of each stage of its last move."""
    seen: dict[Stage, Snapshot] = {}
    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, Fuse())

        def look(event: Event) -> None:
            if isinstance(event, StageEntered):
                seen[event.stage] = run.snapshot()
                story.clock.advance(TAKES.get(event.stage, 0.0))

        run.subscribe(look)
        assert run.execute() == 0
    return seen


def view(snapshot: Snapshot) -> MoveView:
    return snapshot.moves[-1]


def eta_of(snapshot: Snapshot, step: Step) -> float | None:
    return next(each.eta for each in view(snapshot).steps if each.step is step)


def test_a_first_run_promises_nothing_that_it_does_not_know(story):
    story.seed("First", SIZE)

    seen = watched(story)

    for stage in (Stage.PLANNED, Stage.RESERVED):
        assert view(seen[stage]).eta is None
        assert seen[stage].eta is None
        assert {each.eta for each in view(seen[stage]).steps} == {None}


def test_a_second_run_says_from_the_first_sight_how_long_the_check_and_all_else_will_take(story):
    story.seed("First", SIZE)
    watched(story)
    story.seed("Second", 2 * SIZE)

    seen = watched(story)[Stage.PLANNED]

    assert eta_of(seen, Step.PULL) == pytest.approx(120, rel=0.05)
    assert eta_of(seen, Step.CHECK) == pytest.approx(40, rel=0.2)
    assert eta_of(seen, Step.ADD) == pytest.approx(5, abs=3)
    assert eta_of(seen, Step.FINISH) >= 4
    assert view(seen).eta == pytest.approx(sum(each.eta for each in view(seen).steps))
    assert seen.eta == pytest.approx(view(seen).eta)
    assert view(seen).eta_is_guess
    assert seen.eta_is_guess


def test_a_later_move_of_the_same_run_has_learned_from_the_first(story, monkeypatch):
    monkeypatch.setattr(queue, "_MOST_WAITING", 0)  # one after the other: the clock of a test goes on for both
    story.seed("First", SIZE)
    story.seed("Second", SIZE)

    seen = watched(story)[Stage.PLANNED]

    assert eta_of(seen, Step.CHECK) == pytest.approx(20, rel=0.2)


def test_the_promise_shrinks_as_stages_pass_and_is_never_empty(story):
    story.seed("First", SIZE)
    watched(story)
    story.seed("Second", SIZE)

    seen = watched(story)

    promised = [view(seen[stage]).eta for stage in (Stage.PLANNED, Stage.SETTLED, Stage.CHECKING, Stage.VERIFIED)]
    assert None not in promised
    assert promised == sorted(promised, reverse=True)
    assert promised[0] > promised[-1] + 60


def test_what_is_measured_on_another_way_says_nothing(story):
    story.seed("First", SIZE)
    with contextlib.closing(story.journal()) as journal:
        journal.add_timings([Timing(Task.CHECK, "another nas", SIZE, 20.0, 0.0)])

    assert eta_of(watched(story)[Stage.PLANNED], Step.CHECK) is None


def test_a_rest_that_was_brought_teaches_nothing_about_transfers_but_of_the_check(story):
    torrent = story.seed("First", SIZE)
    data = story.contents[torrent]["First"]
    story.plant(torrent, staged=True, First=data[: SIZE * 3 // 4] + bytes(SIZE - SIZE * 3 // 4))

    watched(story)

    with contextlib.closing(story.journal()) as journal:
        known = journal.timings()
    assert {each.task for each in known} == {Task.ADD, Task.CHECK, Task.FINISH}
    assert usual_rate([each for each in known if each.task is Task.CHECK]) == pytest.approx(SIZE / 20, rel=0.2)


def test_a_journal_that_cannot_take_what_was_learned_fails_no_move(story):
    torrent = story.seed("First", SIZE)
    fuse = Fuse(lambda label: label == "before journal.add_timings")

    def full(_label: str) -> None:
        raise DiskFull("No space left.", kept="All.", remedy="Make room.")

    fuse.arm(1, full)

    assert story.run(fuse) == 0
    assert fuse.fired
    story.assert_moved(torrent)
