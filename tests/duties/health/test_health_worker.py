"""Whole looks of a loop over a fake client and a real journal: what is remembered, what is asked, what is never done."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.duties.health.looker import END, SETTINGS, Executor, Looker
from torrent_mover.domain.errors import BadAnswer, ExitCode, NamesNotTold, Unreachable
from torrent_mover.domain.rules import Rule, TrackerRules
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.health_journal import KeptHealthJournal
from torrent_mover.duties.health.loop import HealthLoop
from torrent_mover.duties.health.model import (
    ActionState,
    FindingCode,
    HealthAction,
    HealthHold,
    HealthMemory,
    Strand,
)
from torrent_mover.duties.health.settings import HealthMode
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.stages import CopyStage
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal


@pytest.fixture
def looker(tmp_path):
    made = Looker(tmp_path)
    yield made
    made.file.close()


def codes(report):
    return [(each.torrent, each.code) for each in report.assessment.findings]


def test_a37_report_mode_finds_and_asks_only_and_a_peek_remembers_nothing(looker):
    looker.acts = Executor(looker.journal)
    stuck = looker.download()
    looker.download("films")
    worker = looker.worker(categories=("TV",))
    report = looker.looks(worker)
    assert codes(report) == [(stuck, FindingCode.STALLED)]
    assert report.assessment.verdicts[stuck].intent.action is HealthAction.REPLACE
    assert (looker.client.calls, looker.acts.orders) == ([], [])
    before = looker.journal.memory()
    assert codes(worker.peek()) == codes(report)
    assert looker.journal.memory() == before
    assert looker.said == [f"stalled: Show 1: {report.assessment.findings[0].evidence}"], "told once"


def test_a13_a_download_is_not_slow_while_our_own_bandwidth_limit_holds(looker):
    looker.download()
    worker = looker.worker(slow_action=HealthAction.REPORT, slow_after=0.0, stalled_action=HealthAction.OFF)
    looker.paced = True
    assert codes(looker.looks(worker)) == []
    looker.paced = False
    assert [code for _, code in codes(looker.looks(worker))] == [FindingCode.SLOW]


def test_what_was_found_survives_a_restart_and_a_reset_begins_it_anew(looker):
    stuck = looker.download()
    looker.looks(looker.worker(stalled_after=3600.0))
    report = looker.looks(looker.worker(stalled_after=3600.0))
    assert report.assessment.findings[0].held == 600
    looker.journal.forget(stuck)
    report = looker.looks(looker.worker(stalled_after=3600.0), 1)
    assert [each.held for each in report.assessment.findings] == [0.0]
    assert looker.journal.resets() == []


def test_a5_an_action_is_done_once_and_dropped_where_the_torrent_is_no_longer_as_it_was(looker):
    looker.acts = Executor(looker.journal)
    first, second = looker.download(), looker.download()
    worker = looker.worker(mode=HealthMode.ACT)

    def meanwhile(order):
        if order.intent.torrent == second:
            looker.client.change(second, category="films")

    looker.acts.meanwhile = meanwhile
    worker = looker.worker(mode=HealthMode.ACT, categories=("tv",))
    report = looker.looks(worker)
    states = {each.record.torrent: each.record.state for each in report.outcomes}
    assert states == {first: ActionState.DONE, second: ActionState.DROPPED}
    assert looker.looks(worker).outcomes == ()
    assert looker.acts.resumed > 1  # what waits for a server is taken further by each look
    assert [each.number for each in looker.journal.actions()] == [1, 2]


def test_nothing_goes_on_and_no_bin_is_emptied_while_the_list_is_empty(looker):
    looker.acts = Executor(looker.journal)
    looker.download()
    worker = looker.worker(mode=HealthMode.ACT, stalled_action=HealthAction.OFF)
    looker.looks(worker, 3)
    assert (looker.acts.resumed, looker.acts.emptied) == (3, 3)
    listed, looker.client.torrents = looker.client.torrents, list
    looker.looks(worker, 2)
    looker.client.torrents = listed
    assert (looker.acts.resumed, looker.acts.emptied) == (3, 3)
    looker.client.fail("torrents", Unreachable("away"))
    looker.looks(worker, 1)
    assert looker.acts.resumed == 3
    looker.looks(worker, 1)
    assert (looker.acts.resumed, looker.acts.emptied) == (4, 4)


def test_nothing_goes_on_in_the_grace_and_a_look_before_it_began_does_not_end_it(looker):
    looker.acts = Executor(looker.journal)
    looker.download()
    looker.looks(looker.worker(mode=HealthMode.ACT), 3)
    worker, before = looker.worker(mode=HealthMode.ACT, grace=600.0), looker.acts.resumed
    worker.peek()
    looker.looks(worker, 2)
    assert looker.acts.resumed == before
    looker.looks(worker, 1)
    assert looker.acts.resumed == before + 1


@pytest.mark.parametrize("jump", [400 * 86400.0, -400 * 86400.0])
def test_a_wall_clock_that_jumps_empties_no_bin_for_a_day(looker, jump):
    looker.acts = Executor(looker.journal)
    looker.download()
    worker = looker.worker(mode=HealthMode.ACT, stalled_action=HealthAction.OFF)
    looker.looks(worker)
    looker.clock.jump(jump)
    looker.looks(worker, 5)
    assert looker.acts.emptied == 2
    looker.clock.advance(86400)
    looker.looks(worker, 1)
    assert looker.acts.emptied == 3


def test_a_jump_before_a_restart_or_while_the_client_is_away_empties_no_bin_for_a_day_either(looker):
    looker.acts = Executor(looker.journal)
    looker.download()

    def worker(grace=0.0):
        return looker.worker(mode=HealthMode.ACT, stalled_action=HealthAction.OFF, grace=grace)

    looker.looks(worker(), 3)
    for away in (False, True):
        emptied = looker.acts.emptied
        looker.clock.jump(400 * 86400.0)
        stays = worker(600.0)
        if away:
            looker.client.fail("torrents", Unreachable("away"), Unreachable("away"))
        looker.looks(stays, 5)
        assert looker.acts.resumed > emptied, "it acts again"
        looker.looks(worker(), 3)  # and a process that has seen no jump
        assert looker.acts.emptied == emptied
        looker.clock.advance(86400)
        looker.looks(worker(), 1)
        assert looker.acts.emptied == emptied + 1


def test_what_a_look_saw_of_the_whole_client_takes_nothing_out_a_minute_later(looker):
    looker.acts = Executor(looker.journal)
    for _ in range(3):
        looker.download()
    slow = [59.0, 2.0, 0.0]
    looker.acts.meanwhile = lambda _order: looker.clock.advance(slow.pop(0) if slow else 0.0)
    worker = looker.worker(mode=HealthMode.ACT)
    report = looker.looks(worker)
    wanted = [each.torrent for each in report.assessment.orders]
    assert len(wanted) == 3
    assert [each.record.torrent for each in report.outcomes] == wanted[:2]
    assert "1 action left to the next look" in looker.said[-1]
    assert wanted[2] in [each.record.torrent for each in looker.looks(worker, 1).outcomes]


def test_a_torrent_whose_tracker_works_again_by_now_stays(looker):
    looker.acts = Executor(looker.journal)
    gone, back, works = (looker.download() for _ in range(3))
    trackers = {torrent: looker.client.trackers(torrent) for torrent in (gone, back, works)}
    for torrent in (gone, back):
        told = [replace(each, working=False, message="Unregistered torrent") for each in trackers[torrent]]
        looker.client.set_trackers(torrent, told)
    looker.acts.meanwhile = lambda _order: looker.client.set_trackers(back, trackers[back])
    acts = {"stalled_action": HealthAction.OFF, "unregistered_action": HealthAction.REPLACE}
    worker = looker.worker(mode=HealthMode.ACT, unregistered_after=0.0, **acts)
    states = {each.record.torrent: each.record.state for each in looker.looks(worker, 1).outcomes}
    assert states == {gone: ActionState.DONE, back: ActionState.DROPPED}


@pytest.mark.parametrize("trouble", [NamesNotTold("not told"), BadAnswer("it makes no sense")])
def test_files_that_a_client_cannot_tell_of_one_torrent_are_unknown_and_the_others_are_judged(looker, trouble):
    first, second = looker.download(), looker.download()
    worker = looker.worker(exclude_files=("Show",), unwanted_files_after=0.0, stalled_action=HealthAction.OFF)
    looker.client.before = lambda method, torrent: _raise(trouble) if (method, torrent) == ("files", first) else None
    report = looker.looks(worker)
    assert report.exit_code is ExitCode.DONE
    assert codes(report) == [(second, FindingCode.UNWANTED_FILES)]
    looker.client.before = lambda method, _torrent: _raise(Unreachable("away")) if method == "files" else None
    assert looker.looks(worker).exit_code is ExitCode.UNREACHABLE, "a client that is away is no matter of one torrent"


def _raise(error):
    raise error


def test_a_calm_look_is_written_down_within_the_grace_so_that_an_absence_begins_it_anew(looker):
    looker.journal = KeptHealthJournal(looker.file.documents("health", "tv"), grace=600.0)
    looker.download()
    looker.looks(looker.worker(stalled_action=HealthAction.OFF, grace=600.0), 7)
    assert looker.clock.now() - looker.journal.memory().trusted_at < 600


def test_what_was_done_is_remembered_before_anybody_is_told(looker):
    looker.acts = Executor(looker.journal)
    stuck = looker.download()
    worker = looker.worker(mode=HealthMode.ACT)
    remembered = []
    outdated = worker.looker.listing.outdated

    def told():
        remembered.extend(key for key, strand in looker.journal.memory().strands.items() if strand.acted)
        outdated()

    worker.looker.listing.outdated = told
    looker.looks(worker)
    assert remembered == [(stuck, FindingCode.STALLED)]


def test_an_action_that_failed_is_told_ends_with_1_and_waits(looker):
    looker.acts = Executor(looker.journal)
    looker.acts.end = ActionState.FAILED
    looker.download()
    worker = looker.worker(mode=HealthMode.ACT)
    worker.look()
    looker.clock.advance(300)
    assert worker.look().exit_code is ExitCode.SOME_FAILED
    looker.clock.advance(100)
    assert worker.look().outcomes == ()


def test_a31_a_client_that_is_away_stops_the_clocks_and_its_return_begins_the_grace_anew(looker):
    looker.settings = replace(SETTINGS, grace=600.0, stalled_after=3600.0)
    looker.download()
    looker.looks(looker.worker(), 5)
    worker = looker.worker()
    assert looker.looks(worker, 1).assessment.truth.waiting, "so does a start"
    held = looker.looks(worker, 5).assessment.findings[0].held
    assert not worker.peek().assessment.truth.waiting
    for _ in range(2):
        looker.client.fail("torrents", Unreachable("qbit does not answer."))
        assert worker.look().exit_code is ExitCode.UNREACHABLE
        looker.clock.advance(300)
    assert [text for text in looker.said if "clocks stand" in text] == [
        f"clocks stand: qbit does not answer. [{Unreachable.code}]"
    ], "told once"
    back = worker.look().assessment
    assert back.truth.waiting
    assert back.findings[0].held == held


def test_a39_what_a_move_works_on_is_left_alone_until_it_lets_go(looker):
    stuck = looker.download()
    worker = looker.worker()
    looker.looks(worker)
    with looker.leases.hold([(END, stuck)], "main"):
        report = looker.looks(worker)
        assert report.assessment.findings == ()
        assert "another duty" in report.assessment.verdicts[stuck].skipped
    assert codes(looker.looks(worker)) == [(stuck, FindingCode.STALLED)]


def test_a_hold_and_an_ignored_tracker_keep_a_torrent_out(looker):
    stuck = looker.download()
    looker.rules = TrackerRules((Rule("tracker.org", "Ignore"),))
    assert "Ignore" in looker.looks(looker.worker()).assessment.verdicts[stuck].skipped
    looker.rules = TrackerRules()
    looker.journal.save_hold(HealthHold(stuck, looker.clock.now(), looker.clock.now() + 400))
    assert "held" in looker.looks(looker.worker(), 1).assessment.verdicts[stuck].skipped
    assert codes(looker.looks(looker.worker(), 3))


def test_what_a_tier_has_evicted_is_the_last_verified_copy_until_it_is_back_on_the_ssd(looker):
    tier = KeptTierJournal(looker.file.documents("tier", "ssd"))
    evicted, copied = looker.download(), looker.download()
    for torrent, at in ((evicted, 5.0), (copied, 0.0)):
        tier.save_copy(CopyRecord("qbit", torrent, "Show", CopyStage.TOLD, 1.0, evicted_at=at))

    def last_copies():
        return [each.last_copy for each in looker.worker().look().assessment.look.pictures.values()]

    assert last_copies() == [True, False]
    tier.save_copy(CopyRecord("qbit", evicted, "Show", CopyStage.TOLD, 1.0))
    assert last_copies() == [False, False]


def test_the_journal_gives_back_what_it_was_given(looker):
    torrent, code = InfoHash("a" * 40), FindingCode.SLOW
    memory = HealthMemory(
        1.5, 1.0, 7, 1, 0.5, {code: (1.0, 2)}, {(torrent, code): Strand(1.0, 2.0, 3, 4.0)}, {torrent: 9}, {torrent: 3.0},
        frozenset({torrent}), 5.5,
    )  # fmt: skip
    looker.journal.save_memory(memory)
    assert KeptHealthJournal(looker.file.documents("health", "tv")).memory() == memory
    assert KeptHealthJournal(looker.file.documents("health", "films")).memory() == HealthMemory()


class Broken:
    """A loop whose worker cannot be made at first."""

    def __init__(self, looker):
        self.looker, self.built, self.closed = looker, 0, 0

    def begin(self, _stop):
        self.built += 1

        def let_go():
            self.closed += 1

        return self.looker.worker(every=60.0), let_go


def test_a30_a_renewed_loop_goes_by_new_settings_over_new_connections_at_its_next_look(looker):
    broken = Broken(looker)
    loop = HealthLoop("tv", broken.begin)
    stop = threading.Event()
    assert loop.look(stop) == 60
    loop.look(stop)
    assert (broken.built, broken.closed) == (1, 0)
    loop.renew()
    loop.look(stop)
    assert (broken.built, broken.closed) == (2, 1)


def test_a_loop_rests_15_seconds_then_30_where_its_client_is_away_and_an_own_fault_begins_it_anew(looker):
    broken = Broken(looker)
    loop, stop = HealthLoop("tv", broken.begin), threading.Event()
    looker.client.fail("torrents", *[Unreachable("away")] * 7)
    assert [loop.look(stop) for _ in range(8)] == [15, 30, 60, 120, 240, 480, 600, 60]
    looker.client.fail("torrents", RuntimeError("a fault of ours"))
    with pytest.raises(RuntimeError):
        loop.look(stop)
    assert broken.closed == 1
    assert loop.look(stop) == 60
