"""One clock, one count: rows, log lines, the history and the events of a run say the same figures."""

from __future__ import annotations

from tests.engine.test_control import ONE_FILE, live, why_of
from torrent_mover.domain.errors import ExitCode, Unreachable
from torrent_mover.domain.report.events import MoveDone, MoveRetried
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.text import duration

__all__ = ["live"]


def view(one, torrent):
    return next(move for move in one.control.snapshot().moves if move.id == torrent)


def of_kind(story, kind):
    return [event for event in story.events if isinstance(event, kind)]


def test_a_move_took_as_long_everywhere_and_what_lay_between_its_attempts_does_not_count(story, live):
    story.backoff = Backoff(base=5000.0, cap=50_000.0)
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live(broken=Unreachable("seedbox:22 closed the connection."))
    one.becomes(torrent, MoveStatus.RETRYING)
    story.clock.advance(161)
    one.gate.broken = None
    one.gate.open()
    one.control.retry(torrent)

    assert one.end() is ExitCode.DONE
    (entry,) = one.control.history().entries
    (done,) = of_kind(story, MoveDone)
    assert done.took == entry.took < 161
    assert why_of(one, torrent)[0].startswith(f"moved in {duration(entry.took)},")
    assert f" in {duration(entry.took)}, " in narrate(done).text


def test_a_row_and_the_log_count_attempts_alike(story, live):
    story.backoff = Backoff(base=5000.0, cap=50_000.0)
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    one.control.pause(torrent)
    one.gate.open()
    one.becomes(torrent, MoveStatus.PAUSED)
    one.gate.breaks.append(Unreachable("seedbox:22 closed the connection."))
    one.control.resume(torrent)

    assert one.end() is ExitCode.DONE
    (retried,) = of_kind(story, MoveRetried)
    assert retried.attempt == 1  # a pause was no attempt that failed
    assert view(one, torrent).attempt == 2


def test_what_is_paused_does_nothing_and_promises_nothing(story, live):
    torrent = story.seed("Film.mkv", ONE_FILE)
    one = live()
    assert one.gate.reached.wait(60)
    one.control.pause(torrent)
    one.gate.open()
    one.becomes(torrent, MoveStatus.PAUSED)

    snapshot, row = one.control.snapshot(), view(one, torrent)
    assert (row.doing, row.rate, row.eta, row.step) == ("", 0.0, None, None)
    assert {(step.rate, step.eta) for step in row.steps} == {(0.0, None)}
    assert snapshot.eta is None
    one.control.resume(torrent)
    assert one.end() is ExitCode.DONE


def test_a_torrent_that_only_waits_for_a_slot_is_not_tried_again(story, live):
    story.seed("First.mkv", ONE_FILE, added_on=1)
    second = story.seed("Second.mkv", 50_000, added_on=2)
    one = live()
    assert one.gate.reached.wait(60)

    assert not view(one, second).held
    one.control.retry(second)
    one.gate.open()

    assert one.end() is ExitCode.DONE
    assert not one.said("retried by you", second)
