"""Whatever is raised wherever in a run, also what is none of ours: it ends with an error and an exit code; nothing is lost."""

from __future__ import annotations

import contextlib
import threading
from itertools import cycle

import pytest

from tests.engine.fuse import Fuse
from tests.engine.test_rounds import Staying
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Level, MoveFailed, Noticed, RunEnded
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.engine.run import rounds


def raising(kind):
    def act(label):
        raise kind(f"injected {label}")

    return act


def executed(story, fuse=None):
    """Run it as a front end does, in a thread of its own, which must end; what the run published last, and its exit code."""
    told, codes = [], []
    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, fuse or Fuse())
        run.subscribe(told.append)

        def work():
            with story._time_passes():
                codes.append(run.execute())

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), f"after {fuse and fuse.fired}"
        (code,) = codes
        (ended,) = [event for event in told if isinstance(event, RunEnded)]
        picture = run.snapshot()
        assert (picture.phase, picture.exit_code, ended.exit_code) == (Phase.ENDED, code, code)
    return code, ended, told


def labels_of_a_run(stories):
    story = stories()
    story.seed()
    fuse = Fuse()
    executed(story, fuse)
    return sorted({label for label in fuse.labels if label.startswith("before ")})


def test_a_run_ends_wherever_something_unexpected_is_raised(stories):
    labels = labels_of_a_run(stories)
    assert len(labels) > 30
    for wanted, kind in zip(labels, cycle((ValueError, SystemExit)), strict=False):
        story = stories()
        story.seed()
        fuse = Fuse(lambda label, wanted=wanted: label == wanted)
        fuse.arm(1, raising(kind))

        code, ended, told = executed(story, fuse)

        assert fuse.fired
        story.assert_whole_somewhere()
        if code is ExitCode.DONE:
            continue  # what only tells, or tidies up, fails no run
        assert code is ExitCode.SOME_FAILED, wanted
        failed = " ".join(event.what for event in told if isinstance(event, MoveFailed))
        assert f"{kind.__name__}: injected {wanted}" in ended.reason + failed, wanted


def test_the_last_lines_of_a_run_may_fail_and_it_ends_all_the_same(story):
    torrent = story.seed()
    fuse = Fuse(lambda label: label == "before journal.end_run")
    fuse.arm(1, raising(UnicodeError))

    code, ended, _ = executed(story, fuse)

    assert code is ExitCode.SOME_FAILED
    assert ended.moved == 1
    assert "UnicodeError: injected before journal.end_run" in ended.reason
    story.assert_moved(torrent)


def test_a_staging_folder_that_cannot_be_looked_at_fails_no_run(story):
    torrent = story.seed()
    fuse = Fuse()

    def at_the_end(label):
        if label == "before there.remove_folder" and story.engine.roster._closed:
            raise UnicodeEncodeError("latin-1", "本", 0, 1, "not there")

    fuse._wanted = lambda label: at_the_end(label) or False

    code, _, _ = executed(story, fuse)

    assert code is ExitCode.DONE
    assert story.source.get(torrent) is None
    story.assert_whole_somewhere()


def test_one_move_that_fails_unexpectedly_leaves_the_others_alone(story):
    first, second = story.seed("One"), story.seed("Two")
    fuse = Fuse(lambda label: label == "before there.writer.write")
    fuse.arm(1, raising(RuntimeError))

    code, ended, told = executed(story, fuse)

    assert (code, ended.moved, ended.failed) == (ExitCode.SOME_FAILED, 1, 1)
    (failed,) = [event for event in told if isinstance(event, MoveFailed)]
    assert failed.code == "TM-E401"
    gone = [torrent for torrent in (first, second) if story.source.get(torrent) is None]
    assert len(gone) == 1
    story.assert_whole_somewhere()


def test_housekeeping_that_fails_once_still_breaks_off_what_stands_still(story, monkeypatch):
    story.seed()
    looks = []

    class Dog:
        def look(self, _track, _now):
            looks.append(1)
            if len(looks) == 1:
                raise ZeroDivisionError

    class Slow(Fuse):
        def touch(self, label):
            super().touch(label)
            if label == "before here.reader.chunk" and not slow.is_set():
                slow.wait(60)

    slow = threading.Event()
    monkeypatch.setattr("torrent_mover.engine.run.pool._TICK", 0.01)
    fuse = Slow()
    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, fuse)
        object.__setattr__(story.engine.tuning, "watchdog", Dog())
        thread = threading.Thread(target=run.execute, daemon=True)
        thread.start()
        eventually(lambda: len(looks) > 2)
        slow.set()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def staying(story, monkeypatch):
    monkeypatch.setattr(rounds, "_TICK", 0.02)
    return Staying(story)


def ends(staying):
    eventually(lambda: not staying.thread.is_alive())
    (ended,) = staying.of_kind(RunEnded)
    assert staying.watch.snapshot().phase is Phase.ENDED
    assert staying.code is ExitCode.SOME_FAILED
    assert ended.exit_code == ExitCode.SOME_FAILED
    return ended.reason


@pytest.mark.parametrize("kind", [KeyError, SystemExit])
def test_a_run_that_stays_ends_with_the_error_of_a_look(staying, monkeypatch, kind):
    with staying:
        staying.watching()
        monkeypatch.setattr(staying.story.source, "torrents", lambda *_, **__: raising(kind)("look"))
        staying.watch.rescan()
        assert f"{kind.__name__}: " in ends(staying)


def test_a_run_that_stays_ends_with_the_error_of_its_moves(staying, monkeypatch):
    with staying:
        staying.watching()
        monkeypatch.setattr(staying.story.engine.roster, "take", lambda: raising(LookupError)("take"))
        staying.story.seed("One")
        staying.watch.rescan()
        assert "LookupError: injected take" in ends(staying)


def test_a_next_run_that_cannot_be_made_ends_it_all(staying):
    with staying:
        staying.watching()
        staying.refusal = AttributeError("injected")
        staying.settings_changed.set()
        assert "AttributeError: injected" in ends(staying)


def test_what_is_done_beside_a_run_does_not_fail_in_silence(story, monkeypatch):
    torrent = story.seed()
    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, Fuse())
        told = []
        run.subscribe(told.append)
        monkeypatch.setattr("torrent_mover.engine.run.past.dismiss", lambda *_: raising(TypeError)("dismiss"))
        run.dismiss(torrent)
        eventually(lambda: any(isinstance(event, Noticed) and "TypeError" in event.text for event in told))
        assert run.execute() is ExitCode.DONE
    assert [event.level for event in told if isinstance(event, Noticed) and "TypeError" in event.text] == [Level.ERROR]


def test_a_cancelled_move_that_cannot_be_cleared_up_does_not_keep_the_run(story, monkeypatch):
    torrent = story.seed()
    monkeypatch.setattr("torrent_mover.engine.run.pool.give_back", lambda *_: raising(OSError)("clear up"))
    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, Fuse())
        run.subscribe(lambda event: run.cancel(torrent) if type(event).__name__ == "QueuePlanned" else None)
        assert run.execute() is ExitCode.DONE
        (row,) = story.engine.roster.rows()
    assert row.standing is MoveStatus.SKIPPED
    story.assert_kept(torrent)
