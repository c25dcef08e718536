"""A run that stays: looks again each interval, extends its queue, and gives way to another one when the settings change."""

from __future__ import annotations

import contextlib
import threading

import pytest

from tests.engine.fuse import Fuse
from tests.engine.test_faults_everywhere import LOST_AT_MOST
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode, LoginRefused, NotWritable, Unreachable
from torrent_mover.domain.events import Level, Noticed, QueuePlanned, RoundEnded, RunEnded
from torrent_mover.domain.snapshot import Phase, Standing
from torrent_mover.engine import rounds
from torrent_mover.engine.rounds import Rounds, Watching
from torrent_mover.engine.watch import Watch

INTERVAL = 300.0


class Staying:
    """A story's run that stays, executed by a thread; `changed` is what the next look at the settings says."""

    def __init__(self, story):
        self.story = story
        self.settings_changed = threading.Event()
        self.code = None
        self.stack = contextlib.ExitStack()
        self.watch = Watch(self.begin(), self.following)
        self.told = []
        self.watch.subscribe(self.told.append)
        self.runs = 1
        self.refusal = None
        self.thread = threading.Thread(target=self._execute, daemon=True)

    def begin(self):
        journal = self.stack.enter_context(contextlib.closing(self.story.journal()))
        run = self.story.build(journal, Fuse())
        run._rounds = Rounds(self.story.engine, Watching(INTERVAL, self._changed))
        return run

    def following(self):
        if self.refusal is not None:
            raise self.refusal
        self.stack.close()
        self.runs += 1
        return self.begin()

    def _changed(self):
        changed = self.settings_changed.is_set()
        self.settings_changed.clear()
        return changed

    def _execute(self):
        self.code = self.watch.execute()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.watch.stop(now=True)
        self.thread.join(20)
        self.stack.close()
        assert not self.thread.is_alive()

    def phase(self, wanted):
        return lambda: self.watch.snapshot().phase is wanted

    def watching(self):
        eventually(self.phase(Phase.WATCHING), 20)

    def of_kind(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    def warned(self, text):
        def found():
            return any(
                event.level in (Level.WARN, Level.ERROR) and text in event.text for event in self.of_kind(Noticed)
            )

        eventually(found, 20)


@pytest.fixture
def staying(story, monkeypatch):
    monkeypatch.setattr(rounds, "_TICK", 0.02)  # real seconds, of which a test has few
    return Staying(story)


def moved(staying, torrent):
    def is_moved():
        return staying.story.source.get(torrent) is None and staying.phase(Phase.WATCHING)()

    eventually(is_moved, 20)


def test_it_waits_for_the_next_look_after_the_last_torrent(staying):
    first = staying.story.seed("One")
    with staying:
        moved(staying, first)
        assert 0 < staying.watch.snapshot().next_scan_in <= INTERVAL
        (ended,) = staying.of_kind(RoundEnded)
        assert (ended.moved, ended.failed, ended.sent) == (1, 0, staying.story.size(first))
        assert staying.of_kind(RunEnded) == []
    assert staying.code is ExitCode.INTERRUPTED
    (ended,) = staying.of_kind(RunEnded)
    assert ended.moved == 1
    staying.story.assert_moved(first)


def test_new_torrents_are_found_after_the_interval_and_extend_the_totals(staying):
    first = staying.story.seed("One")
    with staying:
        moved(staying, first)
        second = staying.story.seed("Two", 100_000)
        assert staying.story.source.get(second) is not None
        staying.story.clock.advance(INTERVAL)
        moved(staying, second)
        snapshot = staying.watch.snapshot()
        assert snapshot.extended == "+1 torrent, 97.7 KiB"
        assert snapshot.count(Standing.DONE) == 2
        assert snapshot.total_bytes == staying.story.size(first) + 100_000
        assert [event.torrents for event in staying.of_kind(QueuePlanned)] == [1, 1]
    staying.story.assert_moved(second)


def test_the_user_can_ask_for_a_look(staying):
    with staying:
        staying.watching()
        torrent = staying.story.seed("One")
        staying.watch.rescan()
        moved(staying, torrent)


def test_a_source_that_does_not_answer_is_asked_again_at_the_next_look(staying, monkeypatch):
    with staying:
        staying.watching()
        asked = staying.story.source.torrents
        monkeypatch.setattr(staying.story.source, "torrents", _raising(Unreachable("seedbox does not answer.")))
        staying.watch.rescan()
        staying.warned("seedbox does not answer")
        monkeypatch.setattr(staying.story.source, "torrents", asked)
        torrent = staying.story.seed("One")
        eventually(lambda: staying.watch.snapshot().next_scan_in, 20)
        staying.story.clock.advance(INTERVAL)
        moved(staying, torrent)


def test_a_refused_login_is_not_repeated_until_somebody_asks(staying, monkeypatch):
    with staying:
        staying.watching()
        asked = staying.story.source.torrents
        monkeypatch.setattr(staying.story.source, "torrents", _raising(LoginRefused("seedbox refuses the login.")))
        staying.watch.rescan()
        staying.warned("Nothing is asked again")
        eventually(lambda: staying.watch.snapshot().next_scan_in is None)
        monkeypatch.setattr(staying.story.source, "torrents", asked)
        torrent = staying.story.seed("One")
        staying.watch.check_again()
        moved(staying, torrent)
        assert staying.watch.snapshot().next_scan_in is not None


def _raising(error):
    def refuse(*_arguments):
        raise error

    return refuse


def test_a_torrent_that_the_user_left_is_not_begun_again(staying):
    staying.story.seed("One")
    with staying:
        staying.watch.pause()
        eventually(staying.phase(Phase.PAUSED), 20)
        (row,) = staying.watch.snapshot().moves
        staying.watch.skip(row.id)
        staying.watch.resume()
        staying.watching()
        staying.story.seed("Two", 1000)
        staying.watch.rescan()
        eventually(lambda: staying.watch.snapshot().count(Standing.DONE) == 1 and staying.phase(Phase.WATCHING)(), 20)
        assert staying.watch.snapshot().count(Standing.SKIPPED) == 1


def test_a_changed_config_begins_a_new_run_that_the_front_end_takes_for_the_same(staying):
    with staying:
        staying.watching()
        lines = staying.watch.log()
        staying.settings_changed.set()
        eventually(lambda: staying.runs == 2 and staying.phase(Phase.WATCHING)(), 20)
        torrent = staying.story.seed("One")
        staying.watch.rescan()
        moved(staying, torrent)
        assert staying.of_kind(RunEnded) == []
        later = staying.watch.log(lines[-1].number)
        assert later
        assert min(line.number for line in later) > lines[-1].number
        assert staying.watch.history().entries[0].id == torrent
    assert len(staying.of_kind(RunEnded)) == 1


def test_a_move_under_way_goes_on_in_the_new_run_and_sends_no_verified_piece_twice(staying):
    torrent = staying.story.seed("One", 4_000_000)
    with staying:
        eventually(lambda: staying.watch.snapshot().moves)
        staying.settings_changed.set()
        eventually(lambda: staying.runs == 2, 20)
        moved(staying, torrent)
    staying.story.assert_moved(torrent)
    # The pieces in flight at the change were not whole.
    assert staying.story.brought <= staying.story.size(torrent) + LOST_AT_MOST


def test_a_new_run_that_cannot_be_begun_ends_it_with_its_exit_code(staying):
    staying.refusal = NotWritable("The state folder cannot be written.")
    with staying:
        staying.watching()
        staying.settings_changed.set()
        eventually(lambda: staying.code is not None, 20)
        assert staying.watch.snapshot().phase is Phase.ENDED
    assert staying.code is ExitCode.PREFLIGHT_REFUSED
    (ended,) = staying.of_kind(RunEnded)
    assert "state folder" in ended.reason


def test_a_failed_torrent_rests_for_an_hour_before_it_is_tried_again(staying):
    torrent = staying.story.seed("One")
    with staying:
        moved(staying, torrent)
        second = staying.story.seed("Two", 50_000)
        staying.story.here.unlink(next(path for path in staying.story.here.nodes if path.parts == ("Two",)))
        staying.watch.rescan()
        eventually(lambda: staying.watch.snapshot().count(Standing.FAILED) == 1, 20)
        staying.watching()
        before = len(staying.of_kind(QueuePlanned))
        staying.watch.rescan()
        third = staying.story.seed("Three", 1000)
        staying.watch.rescan()
        moved(staying, third)
        assert [event.torrents for event in staying.of_kind(QueuePlanned)[before:]] == [1]
        staying.story.clock.advance(3600)
        eventually(lambda: len(staying.of_kind(QueuePlanned)) > before + 1, 20)
        assert staying.story.source.get(second) is not None


def test_a_torrent_that_failed_and_is_tried_again_counts_in_the_round_that_moves_it(staying):
    torrent = staying.story.seed("One", 50_000)
    path, node = next((path, node) for path, node in staying.story.here.nodes.items() if path.parts == ("One",))
    staying.story.here.unlink(path)
    with staying:
        eventually(lambda: staying.of_kind(RoundEnded), 20)
        staying.story.here.nodes[path] = node
        staying.watch.retry(torrent)
        moved(staying, torrent)
        eventually(lambda: len(staying.of_kind(RoundEnded)) == 2, 20)

    first, second = staying.of_kind(RoundEnded)
    assert (first.moved, first.failed, first.sent) == (0, 1, 0)
    assert (second.moved, second.failed, second.sent) == (1, 0, 50_000)


def test_it_is_seen_alive_only_while_it_goes_round(staying):
    with staying:
        staying.watching()
        assert staying.watch.alive(60)
        loop = staying.watch._run._rounds
        staying.watch.stop()
        staying.thread.join(20)
        loop.beat -= 100
        assert staying.watch.alive(60)  # it ended: nothing goes round any more, and nothing hangs
        staying.watch._run._phase = Phase.WATCHING
        assert not staying.watch.alive(60)


def test_an_idle_run_makes_room_for_a_fresh_one_before_it_grows_too_large(staying, monkeypatch):
    monkeypatch.setattr(rounds, "_MOST_ROWS", 1)
    torrent = staying.story.seed("One")
    with staying:
        eventually(lambda: staying.runs == 2 and staying.phase(Phase.WATCHING)(), 20)
        assert staying.watch.snapshot().moves == ()
        assert staying.of_kind(RunEnded) == []
    staying.story.assert_moved(torrent)
