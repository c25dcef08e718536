"""What a look asks beside its own client and its own Arr: the other clients of the machine, the other Arrs of the config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.arr.house import arr_house
from tests.doubles.arr.server import Fault
from tests.duties.health.looker import Looker
from tests.fakes.client import FakeClient
from torrent_mover.bootstrap.health.neighbours import NeighbourCounts, OtherClients
from torrent_mover.bootstrap.health.world import AskedArr
from torrent_mover.domain.errors import ExitCode, Unreachable
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.duties.health.belonging import not_ours
from torrent_mover.duties.health.explaining import explain_lines, look_lines
from torrent_mover.duties.health.health_journal import KeptHealthJournal
from torrent_mover.duties.health.model import HealthHold
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.stages import CopyStage
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal

NO_ANSWER = set(Fault) - {Fault.NONE, Fault.HANG, Fault.NO_NAME}


@pytest.fixture
def looker(tmp_path):
    made = Looker(tmp_path)
    yield made
    made.file.close()


def asked(house, name: str, **settings) -> AskedArr:
    house.manager.name = name
    return AskedArr(house.manager, house.settings(**settings))


def orphaned(report, torrent) -> str | None:
    """Why it is, or is not; None: it is not judged."""
    verdict = report.assessment.verdicts[torrent]
    (said,) = (said for code, said in verdict.judged.items() if code.value == "orphaned")
    return f"{said.true} {said.words}"


def test_a_torrent_is_orphaned_only_where_no_arr_of_the_config_wants_it(looker, tmp_path):
    torrent = looker.download()
    with arr_house(tmp_path / "tv") as own, arr_house(tmp_path / "uhd") as other:
        looker.arr, looker.other_arrs = asked(own, "tv"), [asked(other, "uhd")]
        worker = looker.worker()
        for house in (own, other):
            house.library.add_media(1, "Show", "e1.mkv")
            house.library.grab(torrent.hex, 1)
        looker.looks(worker)
        assert not other.double.requests, "an Arr that is not the loop's own is asked about what is orphaned alone"

        own.library.media[1].monitored = False
        assert orphaned(looker.looks(worker), torrent) == "False uhd wants it"

        other.library.media[1].monitored = False
        assert orphaned(looker.looks(worker), torrent) == "True tv does not monitor it"

        other.library.history = [{**each, "eventType": "downloadFolderImported"} for each in other.library.history]
        assert orphaned(looker.looks(worker), torrent) == "None whether another Arr wants it is not known", "no grab"

        other.library.history.clear()
        assert orphaned(looker.looks(worker), torrent) == "True tv does not monitor it"

        other.double.faults["*"] = Fault.DROP
        assert orphaned(looker.looks(worker), torrent) == "None whether another Arr wants it is not known"


@pytest.mark.parametrize("fault", sorted(NO_ANSWER, key=str), ids=lambda each: each.value)
def test_whatever_an_arr_answers_instead_its_rules_do_not_judge_and_the_others_do(looker, tmp_path, fault):
    torrent = looker.download()
    with arr_house(tmp_path / "tv") as house:
        house.library.add_media(1, "Show", "e1.mkv")
        house.library.grab(torrent.hex, 1)
        looker.arr = asked(house, "tv")
        worker = looker.worker()
        looker.looks(worker)
        house.double.faults["*"] = fault
        report = looker.looks(worker)
        assert report.exit_code is ExitCode.UNREACHABLE
        assert [each.code.value for each in report.assessment.findings] == ["stalled"]
        assert "does not answer" in report.assessment.verdicts[torrent].intent.vetoes[0]
        house.double.faults.clear()
        refused_for_good = fault is Fault.BASIC  # a key is not tried again before the config changes
        assert bool(looker.looks(worker).assessment.verdicts[torrent].intent.vetoes) is refused_for_good


def test_an_arr_that_never_said_what_is_its_own_stands_the_clocks_and_says_what_helps(looker, tmp_path):
    """A command that looks once begins anew each time: nothing that it knew is lost, and nothing counts as judged."""
    torrent = looker.download()
    with arr_house(tmp_path / "tv") as house:
        looker.arr = asked(house, "tv")
        looker.looks(looker.worker())
        before = looker.journal.memory().strands
        assert before
        house.double.faults["*"] = Fault.DROP
        looker.arr = asked(house, "tv")

        report = looker.looks(looker.worker(), 1)

        seen = report.assessment
        assert report.exit_code is ExitCode.UNREACHABLE
        assert (
            seen.truth.blind
            == "tv does not answer, so which torrents are its own is not known: none of 1 torrent is judged"
        )
        assert looker.said[-1] == f"clocks stand: {seen.truth.blind}"
        said = "\n".join(look_lines("tv", seen, looker.settings))
        assert seen.truth.blind in said
        assert "Write category = ... in [ARR tv], or categories = ... in [HEALTH tv]" in said
        assert not_ours(seen.look).startswith("tv does not answer")
        assert (seen.verdicts, looker.journal.memory().strands) == ({}, before)

        looker.arr = asked(house, "tv", category="tv")
        named = looker.looks(looker.worker(), 1)
        assert (named.assessment.truth.blind, list(named.assessment.verdicts)) == ("", [torrent])
        assert named.exit_code is ExitCode.UNREACHABLE


def test_an_arr_that_starts_is_asked_again_soon_each_time(looker, tmp_path):
    looker.download()
    with arr_house(tmp_path / "tv") as house:
        looker.arr = asked(house, "tv")
        worker = looker.worker()
        house.double.faults["*"] = Fault.STARTING
        for _ in range(6):
            worker.look()
            looker.clock.advance(16)
        before = len(house.double.requests)
        worker.look()
        assert len(house.double.requests) > before


@pytest.mark.parametrize("away", [False, True])
def test_what_another_client_of_the_machine_has_too_is_seen_before_anything_is_done(looker, away):
    torrent = looker.download()
    other = FakeClient(looker.clock)
    inner = ((ClientPath("/inside"), LocalPath("/data")),)
    counts = NeighbourCounts(looker.file.documents("health", "tv"), looker.clock)
    looker.neighbours = OtherClients((), [("other", other, inner)], counts)
    worker = looker.worker()
    assert _picture(looker.looks(worker, 3), torrent).shared, "a list that is empty at first may not be all of it"
    assert not _picture(looker.looks(worker), torrent).shared
    if away:
        other.fail("torrents", *[Unreachable("away")] * 4)
    else:
        _same_data(looker, other, torrent)
    report = looker.looks(worker)
    assert _picture(report, torrent).shared
    lines = explain_lines("tv", report.assessment.verdicts[torrent], report.assessment, worker.world.settings)
    assert "then     stop, take out of the client, its data stays: other torrents use it" in lines


def test_one_hash_in_two_clients_has_rows_of_its_own_in_each_and_one_last_copy(looker, tmp_path):
    other = Looker(tmp_path / "other")
    other.file.close()
    other.file, other.journal = looker.file, KeptHealthJournal(looker.file.documents("health", "other"))
    torrent = looker.download()
    assert other.download() == torrent

    looker.looks(looker.worker())
    assert {each for each, _ in looker.journal.memory().strands} == {torrent}
    assert not other.journal.memory().strands, "what one loop has seen is nothing that the other knows"
    looker.journal.save_hold(HealthHold(torrent, 0.0))
    assert looker.looks(looker.worker(), 1).assessment.verdicts[torrent].skipped == "held"
    assert not other.looks(other.worker()).assessment.verdicts[torrent].skipped

    tier = KeptTierJournal(looker.file.documents("tier", "ssd"))
    tier.save_copy(CopyRecord("qbit", torrent, "Show", CopyStage.TOLD, 1.0, evicted_at=5.0))
    for each in (looker, other):
        assert _picture(each.looks(each.worker(), 1), torrent).last_copy


def test_where_nothing_moves_one_tracker_that_works_says_that_the_network_is_there(looker):
    """What was read in the look itself says so too: then no other torrent is asked about."""
    stuck = looker.download()
    others = [looker.download(category="elsewhere") for _ in range(4)]
    asked: list = []
    ask = looker.client.trackers_of
    looker.client.trackers_of = lambda torrents: asked.append(list(torrents)) or ask(torrents)
    worker = looker.worker(categories=("tv",))
    assert looker.looks(worker, 1).assessment.truth.blind == ""
    assert asked == [[stuck]]

    asked.clear()
    for each in (stuck, *others):
        looker.client.set_trackers(each, [replace(told, working=False) for told in looker.client.trackers(each)])
    assert "the network of the client is down" in looker.looks(worker, 1).assessment.truth.blind
    assert {each for some in asked for each in some} == {stuck, *others}

    asked.clear()
    working = looker.client.trackers(others[-1])
    looker.client.set_trackers(others[-1], [replace(told, working=True) for told in working])
    assert looker.looks(worker, 1).assessment.truth.blind == ""


def _picture(report, torrent):
    return report.assessment.verdicts[torrent].picture


def _same_data(looker: Looker, other: FakeClient, torrent) -> None:
    """The other client has a torrent at the same place, which it calls /inside."""
    there = looker.client.get(torrent)
    twin = other.seed(looker.client.metainfo(torrent), Path("/inside"), category="x")
    assert str(other.get(twin).content_path) == str(there.content_path).replace("/data", "/inside", 1)
