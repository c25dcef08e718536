"""What a front end asks for happens to the real engine's moves, and each wish that changes something is said in the log."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest

from tests.engine.fuse import Gate
from tests.engine.story import PIECE, Story, path
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode, TransferError, Unreachable
from torrent_mover.domain.move import Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.quantities import PAUSE
from torrent_mover.domain.report.events import Noticed
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.engine.run.run import Run

ONE_FILE = 640_000


class Live:
    """A run that goes on in another thread."""

    def __init__(self, story: Story, run: Run, gate: Gate) -> None:
        self.story, self.control, self.gate = story, run, gate
        self.code: ExitCode | None = None
        self.time_passes = story._time_passes
        self.thread = threading.Thread(target=self._execute, daemon=True)

    def _execute(self) -> None:
        with self.time_passes():
            self.code = self.control.execute()

    def standing(self, torrent) -> MoveStatus | None:
        row = self.story.engine.roster.get(torrent)
        return row.standing if row else None

    def becomes(self, torrent, standing: MoveStatus) -> None:
        eventually(lambda: self.standing(torrent) is standing)

    def said(self, text: str, torrent=None) -> bool:
        return any(
            text in event.text for event in self.story.events if isinstance(event, Noticed) and event.torrent == torrent
        )

    def end(self) -> ExitCode | None:
        self.thread.join(120)
        assert not self.thread.is_alive()
        return self.code


@pytest.fixture
def live(story):
    """Starts a run of the story; the source's chunk number `free` waits at a gate."""
    with contextlib.ExitStack() as stack:

        def start(
            free: int = 4, *, broken: Exception | None = None, paused: Callable[[], bool] = lambda: False
        ) -> Live:
            journal = stack.enter_context(contextlib.closing(story.journal()))
            gate = Gate(free)
            one = Live(story, story.build(journal, gate), gate)
            story.engine.world.throttle._paused = paused
            if broken is not None:
                gate.broken, one.time_passes = broken, contextlib.nullcontext
            stack.callback(one.thread.join, 120)
            stack.callback(one.control.stop, now=True)
            stack.callback(gate.open)
            one.thread.start()
            return one

        yield start


def test_what_was_verified_before_a_pause_is_not_sent_again(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)

    one.control.pause(torrent)
    one.gate.open()
    one.becomes(torrent, MoveStatus.PAUSED)
    verified = story.manifest(torrent)
    have = sum(span.length for piece in story.journaled(torrent).ones() for span in verified.spans(piece, piece))
    before = story.brought
    assert one.said("paused by you; what was verified is kept", torrent)
    one.control.resume(torrent)

    assert one.end() is ExitCode.DONE
    assert 0 < have < ONE_FILE
    assert story.brought - before == ONE_FILE - have
    assert one.said("resumed by you", torrent)
    story.assert_moved(torrent)


def test_a_pause_that_is_taken_back_before_it_has_effect_pauses_nothing(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)

    one.control.pause(torrent)
    one.control.resume(torrent)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_paused_run_begins_nothing_and_goes_on_where_it_was(story, live):
    first, second = (story.seed(name, ONE_FILE, added_on=at) for at, name in enumerate(("First.mkv", "Second.mkv"), 1))
    one = live()
    assert one.gate.reached.wait(60)

    one.control.pause()
    one.gate.open()
    one.becomes(first, MoveStatus.PAUSED)
    assert one.control.snapshot().phase is Phase.PAUSED
    assert one.standing(second) is MoveStatus.QUEUED
    one.control.resume()

    assert one.end() is ExitCode.DONE
    assert one.said("no torrent is moved until you resume")
    assert one.said("resumed by you")
    story.assert_moved(first)
    story.assert_moved(second)


def test_one_torrent_waits_while_the_others_go_on(story, live):
    first, second = (story.seed(name, ONE_FILE, added_on=at) for at, name in enumerate(("First.mkv", "Second.mkv"), 1))
    one = live()
    assert one.gate.reached.wait(60)

    one.control.pause(second)
    one.gate.open()
    one.becomes(first, MoveStatus.DONE)
    assert one.standing(second) is MoveStatus.PAUSED
    assert one.thread.is_alive()
    one.control.resume(second)

    assert one.end() is ExitCode.DONE
    story.assert_moved(second)


def test_cancel_removes_what_arrived_and_touches_no_source(story, live):
    torrent, other = story.seed("Film", added_on=1), story.seed("Other.mkv", 50_000, added_on=2)
    one = live(free=2)
    assert one.gate.reached.wait(60)
    assert any(each.parts[1:2] == (torrent.hex,) for each in story.there.nodes)

    one.control.cancel(torrent)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert one.standing(torrent) is MoveStatus.SKIPPED
    assert one.said("removed from staging; the source is untouched", torrent)
    assert story.source.get(torrent) is not None
    assert story.at_source(torrent) == story.contents[torrent]
    story.assert_no_staging()
    assert not story.journaled(torrent).count()
    story.assert_moved(other)


def test_cancel_gives_back_what_lay_there_before(story, live):
    torrent = story.seed("Show", added_on=1)
    half = story.contents[torrent]["Show/folder/second.bin"][: 2 * PIECE]
    story.plant(torrent, **{"second.bin": half})
    one = live()
    assert one.gate.reached.wait(60)
    assert path("Show/folder/second.bin") not in story.there.nodes, "it was not adopted"

    one.control.cancel(torrent)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert one.said("2 files that lay there before put back; the source is untouched", torrent)
    back = story.there.nodes[path("Show/folder/second.bin")]
    assert bytes(back.data)[: len(half)] == half
    story.assert_kept(torrent)
    story.assert_no_staging()


def test_cancel_replaces_nothing_by_what_it_gives_back(story, live):
    torrent = story.seed("Show", added_on=1)
    half = story.contents[torrent]["Show/folder/second.bin"][: 2 * PIECE]
    story.plant(torrent, **{"second.bin": half})
    one = live()
    assert one.gate.reached.wait(60)
    story.there.plant_file(path("Show/folder/second.bin"), b"put there meanwhile")

    one.control.cancel(torrent)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert one.said("what had arrived could not be removed", torrent)
    assert bytes(story.there.nodes[path("Show/folder/second.bin")].data) == b"put there meanwhile"
    staged = story.there.nodes[path(f".torrent-mover/{torrent.hex}/Show/folder/second.bin")]
    assert bytes(staged.data)[: len(half)] == half


@contextlib.contextmanager
def taken_by_another_run(_torrent):
    raise TransferError("Another run works on this torrent at nas:8080 right now.")
    yield


def test_cancel_leaves_what_another_run_is_moving_to_the_same_place(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    one.control.pause(torrent)
    one.gate.open()
    one.becomes(torrent, MoveStatus.PAUSED)
    before = set(story.there.nodes)
    story.engine.world.claim = taken_by_another_run

    one.control.cancel(torrent)

    assert one.end() is ExitCode.DONE
    assert set(story.there.nodes) == before
    assert one.said("Another run works on this torrent", torrent)


def test_cancel_of_a_paused_torrent_removes_what_arrived_too(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    one.control.pause(torrent)
    one.gate.open()
    one.becomes(torrent, MoveStatus.PAUSED)

    one.control.cancel(torrent)

    assert one.end() is ExitCode.DONE
    assert one.said("removed from staging; the source is untouched", torrent)
    story.assert_kept(torrent)
    story.assert_no_staging()


def test_skip_keeps_what_arrived_for_a_later_run(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)

    one.control.skip(torrent)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert one.said("skipped by you until a later run; what arrived is kept", torrent)
    assert story.journaled(torrent).count()
    story.assert_kept(torrent)


def test_a_skipped_torrent_is_taken_up_again_by_retry(story, live):
    torrent, other = story.seed("Film.mkv", ONE_FILE, added_on=1), story.seed("Other.mkv", 50_000, added_on=2)
    one = live()
    assert one.gate.reached.wait(60)
    one.control.skip(other)
    assert one.standing(other) is MoveStatus.SKIPPED

    one.control.retry(other)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert one.said("retried by you", other)
    story.assert_moved(torrent)
    story.assert_moved(other)


def test_retry_does_not_wait_out_the_back_off(story, live):
    story.backoff = Backoff(base=5000.0, cap=50_000.0)
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live(free=10_000, broken=Unreachable("Cannot reach seedbox."))
    one.becomes(torrent, MoveStatus.RETRYING)
    one.gate.broken = None

    one.control.retry(torrent)

    assert one.end() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_torrent_that_is_moved_up_goes_first(story, live):
    names = ("First.mkv", "Second.mkv", "Third.mkv")
    first, second, third = (story.seed(name, ONE_FILE, added_on=at) for at, name in enumerate(names, 1))
    one = live()
    assert one.gate.reached.wait(60)

    one.control.reorder(third, -1)
    one.control.reorder(first, 1)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    ended = [entry.id for entry in one.control.history().entries]
    assert ended == [second, third, first]  # newest first
    assert one.said("moved up in the queue, by you", third)
    assert not one.said("moved down in the queue, by you", first)


def why_of(one, torrent) -> tuple[str, float | None]:
    """What the screen says of a row that does not move: the reason, and in how many seconds it is tried."""
    (view,) = (move for move in one.control.snapshot().moves if move.id == torrent)
    return view.why, view.retry_in


def test_a_row_that_waits_says_for_what_and_one_that_is_over_how_it_ended(story, live):
    story.backoff = Backoff(base=30.0)
    torrent = story.seed("Broken.mkv", ONE_FILE)
    one = live(broken=Unreachable("seedbox:22 closed the connection."))
    one.becomes(torrent, MoveStatus.RETRYING)
    why, seconds = why_of(one, torrent)
    assert why == "seedbox:22 closed the connection."
    assert 0 < seconds <= 60

    one.gate.broken = None
    one.gate.open()
    one.control.pause()
    one.control.retry(torrent)
    eventually(lambda: why_of(one, torrent) == ("the whole run is paused", None))
    one.control.resume()
    assert one.end() is ExitCode.DONE

    ended = why_of(one, torrent)[0]
    assert ended.startswith("moved in ")
    assert ended.endswith(", source deleted")


def test_a_failure_stands_in_the_history_until_somebody_has_dealt_with_it(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    with contextlib.closing(story.journal()) as journal:
        now = story.clock.now()
        journal.save_move(
            MoveRecord(
                torrent, "Film.mkv", ONE_FILE, Stage.CHECKING, now, now + 60, error="34 pieces are bad.",
                remedy="Look at the disk.", mark=Mark.RECHECK_FAILED,
            )
        )  # fmt: skip
    story.seed("Other.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)

    (entry,) = one.control.history().entries
    assert (entry.id, entry.outcome) == (torrent, Outcome.FAILED)
    assert entry.detail == "34 pieces are bad. (recheck failed: not tried again by itself) Look at the disk."
    one.control.dismiss(torrent)
    eventually(lambda: one.said("its failure is marked as handled, by you", torrent))
    assert one.control.history().entries == ()
    one.gate.open()

    assert one.end() is ExitCode.DONE
    with contextlib.closing(story.journal()) as journal:
        assert journal.move(torrent).mark is Mark.RECHECK_FAILED  # still not tried by itself


def test_a_new_torrent_is_found_by_looking_again(story, live):
    first = story.seed("First.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    second = story.seed("Second.mkv", 50_000)

    one.control.rescan()
    eventually(lambda: one.story.engine.roster.get(second))
    eventually(lambda: one.control.snapshot().extended == "+1 torrent, 48.8 KiB")
    one.gate.open()

    assert one.end() is ExitCode.DONE
    story.assert_moved(first)
    story.assert_moved(second)


def test_looking_again_takes_up_nothing_twice_and_says_so(story, live):
    torrent = story.seed("First.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)

    one.control.rescan()
    eventually(lambda: one.said("looked again: nothing new"))
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert [entry.id for entry in one.control.history().entries] == [torrent]


def test_a_torrent_that_was_set_aside_is_tried_again_by_retry(story, live):
    first, marked = story.seed("First.mkv", ONE_FILE), story.seed("Marked.mkv", 50_000)
    with contextlib.closing(story.journal()) as journal:
        now = story.clock.now()
        journal.save_move(
            MoveRecord(marked, "Marked.mkv", 50_000, Stage.PLANNED, now, now, attempts=3, mark=Mark.RECHECK_FAILED)
        )
    one = live()
    assert one.gate.reached.wait(60)
    assert [each.id for each in one.control.snapshot().not_moved] == [marked]

    one.control.retry(marked)
    eventually(lambda: story.engine.roster.get(marked))
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert one.said("its mark is cleared, by you", marked)
    story.assert_moved(first)
    story.assert_moved(marked)


def test_nothing_is_asked_of_a_run_that_is_over(story, live):
    torrent = story.seed("First.mkv", 50_000)
    one = live(free=10_000)
    assert one.end() is ExitCode.DONE
    count = len(story.events)

    for wish in (one.control.pause, one.control.retry, one.control.skip, one.control.cancel):
        wish(torrent)
    one.control.rescan()

    assert [event.text for event in story.events[count:] if isinstance(event, Noticed)] == [
        "the run is over; a new one looks for torrents again"
    ]


def test_a_limit_is_told_in_units_people_read(story, live):
    set_to: list[float | None] = []
    story.seed("First.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    one.control._set_limit = set_to.append

    one.control.limit(5 * 1024**2)
    one.control.limit(None)
    one.control.limit(float("inf"))
    one.control.limit(PAUSE)

    assert set_to == [5 * 1024**2, None, float("inf"), PAUSE]
    assert one.said("no bandwidth limit, by you")
    assert one.said("bandwidth paused: nothing moves, by you")
    assert one.said("limited to 5.0 MiB/s, by you")
    assert one.said("bandwidth as configured again, by you")


def test_every_wish_comes_back_at_once_while_the_source_is_silent(story, live):
    torrent = story.seed("First.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)

    for wish in (one.control.skip, one.control.pause, one.control.resume, one.control.cancel):
        wish(torrent)
    assert one.standing(torrent) is MoveStatus.ACTIVE
    assert one.control.snapshot().moves[0].name == "First.mkv"
    one.gate.open()

    assert one.end() is ExitCode.DONE
    story.assert_no_staging()
    assert isinstance(story.journaled(torrent), Bitfield)
