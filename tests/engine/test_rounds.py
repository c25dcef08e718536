"""A run that stays: looks again each interval, extends its queue, and gives way to another one when the settings change."""

from __future__ import annotations

import contextlib
import sys
import threading
from dataclasses import replace

import pytest

from tests.engine.fuse import Gate
from tests.engine.story import CATEGORY, SAVE, path
from tests.servers import eventually
from torrent_mover.adapters.outlets.metrics import exposition
from torrent_mover.adapters.outlets.run_state import as_data
from torrent_mover.adapters.outlets.systemd import status_text
from torrent_mover.domain.errors import ExitCode, LoginRefused, NotWritable, Unreachable
from torrent_mover.domain.report.events import Level, MoveFailed, Noticed, QueuePlanned, RoundEnded, RunEnded
from torrent_mover.domain.report.narrate import at_rest, narrate
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.domain.retry import REST
from torrent_mover.domain.rules import Rule, TrackerRules
from torrent_mover.domain.text import clock
from torrent_mover.domain.torrent.torrent import Tracker
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.engine.run import rounds
from torrent_mover.engine.run.rounds import Rounds, Watching
from torrent_mover.engine.run.watch import Watch
from torrent_mover.simple.format import stats_text

INTERVAL = 300.0


class Staying:
    """A story's run that stays, executed by a thread; `changed` is what the next look at the settings says.

    Where `gate.free` is set before, what is read after so many chunks waits until the gate is opened.
    """

    def __init__(self, story):
        self.story = story
        self.settings_changed = threading.Event()
        self.gate = Gate(sys.maxsize)
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
        run = self.story.build(journal, self.gate)
        run._rounds = Rounds(self.story.engine, Watching(INTERVAL, self._changed))
        return run

    def following(self):
        if self.refusal is not None:
            raise self.refusal
        self.settings_changed.clear()
        self.stack.close()
        self.runs += 1
        return self.begin()

    def _changed(self):
        return self.settings_changed.is_set()

    def _execute(self):
        self.code = self.watch.execute()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.gate.open()
        self.watch.stop(now=True)
        self.thread.join(120)
        self.stack.close()
        assert not self.thread.is_alive()

    def phase(self, wanted):
        return lambda: self.watch.snapshot().phase is wanted

    def watching(self):
        eventually(self.phase(Phase.WATCHING))

    def of_kind(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    def warned(self, text):
        def found():
            return any(
                event.level in (Level.WARN, Level.ERROR) and text in event.text for event in self.of_kind(Noticed)
            )

        eventually(found)


@pytest.fixture
def staying(story, monkeypatch):
    story.rest = REST
    monkeypatch.setattr(rounds, "_TICK", 0.02)  # real seconds, of which a test has few
    return Staying(story)


def moved(staying, torrent):
    def is_moved():
        return staying.story.source.get(torrent) is None and staying.phase(Phase.WATCHING)()

    eventually(is_moved)


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
        assert snapshot.count(MoveStatus.DONE) == 2
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
        eventually(lambda: staying.watch.snapshot().next_scan_in)
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
    staying.watch.pause()  # before it begins: on a busy machine it could be at its end by then
    with staying:
        eventually(lambda: staying.phase(Phase.PAUSED)() and staying.watch.snapshot().moves)
        (row,) = staying.watch.snapshot().moves
        staying.watch.skip(row.id)
        staying.watch.resume()
        staying.watching()
        staying.story.seed("Two", 1000)
        staying.watch.rescan()
        eventually(lambda: staying.watch.snapshot().count(MoveStatus.DONE) == 1 and staying.phase(Phase.WATCHING)())
        assert staying.watch.snapshot().count(MoveStatus.SKIPPED) == 1


def test_a_changed_config_begins_a_new_run_that_the_front_end_takes_for_the_same(staying):
    with staying:
        staying.watching()
        lines = staying.watch.log()
        staying.settings_changed.set()
        eventually(lambda: staying.runs == 2 and staying.phase(Phase.WATCHING)())
        torrent = staying.story.seed("One")
        staying.watch.rescan()
        moved(staying, torrent)
        assert staying.of_kind(RunEnded) == []
        later = staying.watch.log(lines[-1].number)
        assert later
        assert min(line.number for line in later) > lines[-1].number
        assert staying.watch.history().entries[0].id == torrent
    assert len(staying.of_kind(RunEnded)) == 1


def test_a_move_under_way_ends_before_a_changed_config_begins_a_new_run(staying):
    torrent, later = staying.story.seed("One", 4_000_000, added_on=1), staying.story.seed("Two", 9_000, added_on=2)
    staying.gate.free = 2
    with staying:
        assert staying.gate.reached.wait(60)
        staying.settings_changed.set()
        staying.gate.open()
        eventually(lambda: staying.runs == 2)
        moved(staying, torrent)
        moved(staying, later)
    for each in (torrent, later):
        staying.story.assert_moved(each)
    assert staying.story.brought == staying.story.size(torrent) + staying.story.size(later)


def test_counters_and_graph_go_on_in_the_run_that_follows(staying):
    torrent = staying.story.seed("One", 400_000)
    with staying:
        moved(staying, torrent)
        staying.story.clock.advance(10)
        eventually(lambda: len(staying.watch.snapshot().incoming.samples) > 10)
        before = staying.watch.snapshot()
        staying.settings_changed.set()
        eventually(lambda: staying.runs == 2 and staying.phase(Phase.WATCHING)())
        after = staying.watch.snapshot()
        assert after.count(MoveStatus.DONE) == 1
        assert after.total_bytes == before.total_bytes
        assert after.started_at == before.started_at
        assert after.incoming.samples[: len(before.incoming.samples)] == before.incoming.samples
        assert after.last_round == before.last_round
        second = staying.story.seed("Two", 1000)
        staying.watch.rescan()
        moved(staying, second)
        assert staying.watch.snapshot().count(MoveStatus.DONE) == 2
        assert [event.moved for event in staying.of_kind(RoundEnded)] == [1, 1]
    (ended,) = staying.of_kind(RunEnded)
    assert (ended.moved, ended.sent) == (2, 401_000)
    with contextlib.closing(staying.story.journal()) as journal:
        assert sum(run.moved for run in journal.runs()) == 1  # both runs of a story have one name: the last is kept


def test_a_rule_holds_from_the_next_look_on_and_breaks_nothing_off(staying):
    active = staying.story.seed("One", 4_000_000, added_on=1)
    sorted_anew = staying.story.seed("Two", 9_000, added_on=2)
    ignored = staying.story.seed("Three", 9_000, added_on=3)
    for torrent, domain in ((active, "a.org"), (sorted_anew, "b.org"), (ignored, "c.org")):
        staying.story.source._held[torrent].trackers = (Tracker(f"http://{domain}/announce", 0, working=True),)
    staying.gate.free = 2
    with staying:
        assert staying.gate.reached.wait(60)
        staying.watch.pause(sorted_anew)
        staying.story.rules = TrackerRules((Rule("b.org", "tv"), Rule("c.org", "Ignore")))
        staying.watch.rescan()
        eventually(lambda: the_row(staying, ignored).standing is MoveStatus.SKIPPED)
        assert the_row(staying, ignored).why == "not moved: the rule for c.org says Ignore"
        staying.watch.resume(sorted_anew)
        staying.watch.rescan()
        staying.gate.open()
        moved(staying, active)
        moved(staying, sorted_anew)
        assert staying.runs == 1
        assert [len(the_row(staying, active).why) > 0, the_row(staying, active).attempt] == [True, 1]
        assert staying.story.source.get(ignored) is not None


def test_a_new_run_that_cannot_be_begun_ends_it_with_its_exit_code(staying):
    staying.refusal = NotWritable("The state folder cannot be written.")
    with staying:
        staying.watching()
        staying.settings_changed.set()
        eventually(lambda: staying.code is not None)
        assert staying.watch.snapshot().phase is Phase.ENDED
    assert staying.code is ExitCode.PREFLIGHT_REFUSED
    (ended,) = staying.of_kind(RunEnded)
    assert "state folder" in ended.reason


def test_an_idle_run_shows_zeros_and_a_graph_that_goes_on_in_every_place_that_repeats_it(staying):
    first = staying.story.seed("One")
    with staying:
        moved(staying, first)
        eventually(lambda: staying.watch.snapshot().last_round)
        eventually(lambda: staying.watch.snapshot().incoming.average)  # the meter has seen the bytes
        before = staying.watch.snapshot()
        assert (before.incoming.now, before.fraction, before.eta) == (0.0, 0.0, None)
        staying.story.clock.advance(20)
        eventually(lambda: len(staying.watch.snapshot().incoming.samples) >= len(before.incoming.samples) + 20)
        snapshot = staying.watch.snapshot()
        assert snapshot.incoming.average > 0
        assert set(snapshot.incoming.samples[-15:]) == {0.0}
        said = f"idle; last round 1 moved, 0 failed; next look {clock(snapshot.next_scan_in)}"
        assert at_rest(snapshot) == status_text(snapshot) == said
        assert stats_text(snapshot) == f"stats: {said} (0 transferring, 0 queued, 1 done)"
        assert 'network_bytes_per_second{direction="in"} 0\n' in exposition(snapshot)
        published = as_data(snapshot)
        assert (published["rate"], published["fraction"], published["eta"]) == (0, None, None)
        assert published["last_round"] == {"at": snapshot.last_round.at, "moved": 1, "copied": 0, "failed": 0}
        assert published["next_look_at"] == round(snapshot.at + snapshot.next_scan_in)
        assert "all done for now: 1 moved" in narrate(snapshot.last_round).text
        assert "; next look in " in narrate(snapshot.last_round).text


def test_a_paused_run_and_one_that_waits_for_a_server_promise_nothing(staying):
    staying.story.seed("One")
    staying.watch.pause()  # before it begins: on a busy machine it could be at its end by then
    with staying:
        eventually(staying.phase(Phase.PAUSED))
        eventually(lambda: not staying.watch.snapshot().count(MoveStatus.ACTIVE))
        paused = staying.watch.snapshot()
        assert (paused.incoming.now, paused.eta) == (0.0, None)
        assert at_rest(paused).startswith("paused; ")
        for row in staying.story.engine.roster.rows():
            row.standing, row.ready_at, row.why = (
                MoveStatus.QUEUED,
                staying.story.clock.monotonic() + 90,
                "nas is left alone",
            )
        staying.watch._run._engine.roster.pause_all(paused=False)
        held = staying.watch.snapshot()
        assert (held.phase, held.eta) == (Phase.RUNNING, None)
        assert at_rest(held).endswith(": nas is left alone")
        assert "nas is left alone" in stats_text(held)


def failing(staying):
    """A torrent that has just failed: its data is gone from the disk of the source."""
    torrent = staying.story.seed("Two", 50_000)
    gone = next(path for path in staying.story.here.nodes if path.parts == ("Two",))
    node = staying.story.here.nodes[gone]
    staying.story.here.unlink(gone)
    staying.watch.rescan()
    eventually(lambda: staying.watch.snapshot().count(MoveStatus.FAILED) == 1)
    staying.watching()
    return torrent, lambda: staying.story.here.nodes.__setitem__(gone, node)


def the_row(staying, torrent):
    return next(move for move in staying.watch.snapshot().moves if move.id == torrent)


def failures(staying, torrent):
    return [event for event in staying.of_kind(MoveFailed) if event.torrent == torrent]


def test_a_failed_torrent_is_tried_again_after_waits_that_grow_and_says_when(staying):
    with staying:
        staying.watching()
        torrent, mend = failing(staying)
        assert 50 < the_row(staying, torrent).retry_in <= 60
        assert [event.again_in for event in failures(staying, torrent)] == [60.0]
        staying.story.clock.advance(60)
        eventually(lambda: len(failures(staying, torrent)) == 2)
        staying.watching()
        assert 110 < the_row(staying, torrent).retry_in <= 120
        assert "Next try in 2m00s." in narrate(failures(staying, torrent)[1]).text
        mend()
        staying.story.clock.advance(120)
        moved(staying, torrent)
    staying.story.assert_moved(torrent)


def test_a_failed_torrent_is_left_until_its_time_and_the_plan_of_others_says_so_too(staying):
    with staying:
        staying.watching()
        torrent, mend = failing(staying)
        mend()
        third = staying.story.seed("Three", 1000)
        with contextlib.closing(staying.story.journal()) as journal:
            planner = Planner(staying.story.source, journal, SelectionPolicy(CATEGORY), TrackerRules)
            plan = planner.plan(now=staying.story.clock.now())
            (held,) = plan.held
            assert ([move.torrent.id for move in plan.moves], held.id) == ([third], torrent)
            assert held.again_at == journal.move(torrent).next_try_at
            assert held.reason.startswith("failed, tried again in ")
            assert {move.torrent.id for move in planner.plan().moves} == {torrent, third}


def test_who_asks_for_a_look_has_failed_torrents_tried_at_once(staying):
    with staying:
        staying.watching()
        torrent, mend = failing(staying)
        mend()
        staying.watch.rescan()
        moved(staying, torrent)
    staying.story.assert_moved(torrent)


def test_a_torrent_that_is_removed_and_added_again_is_moved_without_waiting(staying):
    with staying:
        staying.watching()
        torrent, mend = failing(staying)
        mend()
        staying.story.clock.advance(5)
        staying.story.source._held.pop(torrent)
        staying.story.source.seed(staying.story.metainfo[torrent], SAVE, category=CATEGORY, added_on=2**40)
        staying.story.clock.advance(INTERVAL)
        moved(staying, torrent)
    staying.story.assert_moved(torrent)


def test_a_torrent_that_was_moved_and_comes_back_at_the_source_is_moved_again(staying):
    first = staying.story.seed("One", 50_000)
    with staying:
        moved(staying, first)
        for name, data in staying.story.contents[first].items():
            staying.story.here.plant_file(path(name), data)
        staying.story.destination._held.pop(first)
        staying.story.source.seed(staying.story.metainfo[first], SAVE, category=CATEGORY)
        staying.story.clock.advance(INTERVAL)
        moved(staying, first)
        assert [event.moved for event in staying.of_kind(RoundEnded)] == [1, 1]


def test_what_was_copied_is_not_copied_at_each_look(staying):
    world = staying.story.engine.world
    world.policy = replace(world.policy, delete_at_source=False)
    first = staying.story.seed("One", 50_000)
    with staying:
        eventually(lambda: staying.watch.snapshot().count(MoveStatus.DONE) == 1 and staying.phase(Phase.WATCHING)())
        second = staying.story.seed("Two", 1000)
        staying.watch.rescan()
        eventually(lambda: staying.watch.snapshot().count(MoveStatus.DONE) == 2 and staying.phase(Phase.WATCHING)())
        assert [event.torrents for event in staying.of_kind(QueuePlanned)] == [1, 1]
    staying.story.assert_kept(first)
    staying.story.assert_kept(second)


def test_swapped_ends_move_nothing_back_that_came_from_there(staying):
    torrent = staying.story.seed("One", 50_000)
    with staying:
        moved(staying, torrent)
    story = staying.story
    back = story.destination.get(torrent)
    assert (back.category, back.complete) == (CATEGORY, True)
    rule = Rule("a.org", CATEGORY, again=True)
    story.destination._held[torrent].trackers = (Tracker("http://a.org/announce", 0, working=True),)
    with contextlib.closing(story.journal()) as journal:

        def plan(*rules, again=False):
            policy, known = SelectionPolicy(CATEGORY, again=again), TrackerRules(rules)
            return Planner(story.destination, journal, policy, lambda: known, None, "seedbox:8080").plan()

        (left,) = plan().not_moved
        assert left.reason == "an earlier run has brought it here from seedbox:8080; --again moves it back"
        assert not plan().moves
        for allowed in (plan(again=True), plan(rule)):
            assert [move.torrent.id for move in allowed.moves] == [torrent]


def test_a_torrent_that_failed_and_is_tried_again_counts_in_the_round_that_moves_it(staying):
    torrent = staying.story.seed("One", 50_000)
    path, node = next((path, node) for path, node in staying.story.here.nodes.items() if path.parts == ("One",))
    staying.story.here.unlink(path)
    with staying:
        eventually(lambda: staying.of_kind(RoundEnded))
        staying.story.here.nodes[path] = node
        staying.watch.retry(torrent)
        moved(staying, torrent)
        eventually(lambda: len(staying.of_kind(RoundEnded)) == 2)

    first, second = staying.of_kind(RoundEnded)
    assert (first.moved, first.failed, first.sent) == (0, 1, 0)
    assert (second.moved, second.failed, second.sent) == (1, 0, 50_000)


def test_it_is_seen_alive_only_while_it_goes_round(staying):
    with staying:
        staying.watching()
        assert staying.watch.alive(60)
        loop = staying.watch._run._rounds
        staying.watch.stop()
        staying.thread.join(60)
        loop.beat -= 100
        assert staying.watch.alive(60)  # it ended: nothing goes round any more, and nothing hangs
        staying.watch._run._phase = Phase.WATCHING
        assert not staying.watch.alive(60)


def test_an_idle_run_makes_room_for_a_fresh_one_before_it_grows_too_large(staying, monkeypatch):
    monkeypatch.setattr(rounds, "_MOST_ROWS", 1)
    torrent = staying.story.seed("One")
    with staying:
        eventually(lambda: staying.runs == 2 and staying.phase(Phase.WATCHING)())
        snapshot = staying.watch.snapshot()
        assert snapshot.moves == ()
        assert snapshot.count(MoveStatus.DONE) == 1
        assert staying.of_kind(RunEnded) == []
    staying.story.assert_moved(torrent)
