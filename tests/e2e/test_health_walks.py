"""Stories of health that walk through several promises on one real client, of each series in turn, by a clock of their own."""

from __future__ import annotations

import json

import pytest

from tests.doubles.tracker import TrackerDouble
from tests.e2e.command import Command
from tests.e2e.health_acts_house import health_house
from tests.e2e.health_house import wait_for_trackers
from tests.servers import eventually
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.bootstrap.state import end_of, lease_folder
from torrent_mover.demo.content import sample
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.torrent.torrent import InfoHash

pytestmark = pytest.mark.servers

HOUR = 3600.0
HALF_A_DAY = 12 * HOUR
DAY = 24 * HOUR + 60  # what was taken out a day ago counts for no cap any more


@pytest.fixture
def tracker():
    with TrackerDouble() as double:
        yield double


@pytest.fixture(params=["4.5", "5.1"])
def house(request, world, tmp_path):
    """On a client that tells news quickly."""
    server = world.source if request.param == "4.5" else world.destination
    with health_house(server, tmp_path, slow_action="off", unavailable_action="off") as house:
        yield house


def announced(house, *torrents: InfoHash, works: bool = True) -> None:
    """Have the client ask their trackers, until it says how that went."""
    house.server.api.post("torrents/reannounce", hashes="|".join(torrent.hex for torrent in torrents))
    for torrent in torrents:
        wait_for_trackers(house.server, torrent.hex, (2,) if works else (4,))


def findings(report, torrent: InfoHash) -> dict[str, object]:
    """Of one torrent: code -> finding."""
    assert report.error is None, report.error
    return {each.code.value: each for each in report.assessment.findings if each.torrent == torrent}


def test_a6_a7_a12_a13_a31_a_download_is_judged_by_the_time_in_which_it_was_seen(house, swarm, tracker, tmp_path):
    house.keys |= {"arr": "", "categories": "tv", "mode": "report", "every": "12h", "stalled_after": "24h"}
    house.keys |= {"slow_action": "report", "slow_after": "0", "unavailable_action": "report", "unavailable_after": "0"}
    sizes = {"a.bin": 400_000, "b.bin": 400_000}
    made = sample(swarm.server.data, "Half", sizes, piece_length=16 * 1024, trackers=(tracker.url,))
    (made.content / "b.bin").write_bytes(b"\0" * sizes["b.bin"])
    swarm.server.add(made.metainfo)  # a seeder of one half of it
    swarm.server.wait_for(made.info_hash, ("stalledDL", "downloading"))
    nobody = [
        sample(tmp_path / "elsewhere", name, 50_000, trackers=(tracker.url,)) for name in ("Stuck", "Dead", "Gone")
    ]
    half = InfoHash(house.server.add(made.metainfo, house.data, category="tv"))
    idle = [InfoHash(house.server.add(each.metainfo, house.data, category="tv")) for each in nobody]
    stuck = idle[0]
    announced(house, half, *idle)

    house.look()
    for strikes in (0, 1, 3):  # a strike a third of 24h
        report = house.look()
        assert findings(report, stuck)["stalled"].strikes == strikes
        house.later += HALF_A_DAY
    assert findings(report, half)["stalled"].due
    assert not report.outcomes

    assert "slow" in findings(report, stuck)
    house.server.api.post("transfer/toggleSpeedLimitsMode")
    try:
        assert "slow" not in findings(house.look(), stuck), "alternative limits hold"
    finally:
        house.server.api.post("transfer/toggleSpeedLimitsMode")

    swarm.introduce(house.server, made)
    eventually(lambda: house.row(half)["downloaded"] > 380_000 and house.row(half)["availability"] > 0.4, 60)
    house.later += HALF_A_DAY
    assert "stalled" not in findings(house.look(), half), "bytes came"
    house.later += HALF_A_DAY
    report = house.look()
    assert not findings(report, half)["stalled"].due, "its clock began anew"
    assert findings(report, stuck)["stalled"].due
    assert "copies among its peers, and no seed" in findings(report, half)["unavailable"].evidence

    house.server.remove(half.hex)
    _clocks_stand_without_a_network_or_a_client(house, tracker, idle)


def _clocks_stand_without_a_network_or_a_client(house, tracker, idle) -> None:
    stuck = idle[0]
    held = findings(house.look(), stuck)["stalled"].held
    tracker.usual = (502, b"down")
    announced(house, *idle, works=False)
    for _ in range(2):
        house.later += HALF_A_DAY
        assert "the network of the client is down" in house.look().assessment.truth.blind
    tracker.usual = TrackerDouble.usual_answer()
    announced(house, *idle)
    report = house.look()
    assert not report.assessment.truth.blind
    assert findings(report, stuck)["stalled"].held == held, "clocks stood while nothing answered"

    house.server.stop()
    try:
        assert house.look().error is not None
        house.later += HALF_A_DAY
    finally:
        house.server.start()
    announced(house, *idle)
    house.server.wait_for(stuck.hex, ("stalledDL",))
    assert findings(house.look(), stuck)["stalled"].held == held, "nor while the client was away"


def test_a14_a16_a21_a26_a38_a39_what_is_due_goes_by_waves_caps_leases_and_debts(house, tracker):
    house.keys |= {"stalled_after": "0", "outage_share": "25", "blocked_texts": "Not an upgrade", "every": "1h"}
    house.keys |= {"import_blocked_after": "0", "import_blocked_action": "replace", "not_imported_after": "0"}
    (house.folder / "tracker_rules.json").write_text(
        json.dumps({"owes.invalid": {"category": "tv", "health": {"hnr": {"mode": "time", "time": "1d", "from": 0}}}})
    )
    house.library.runs_at_once = True
    trackers = (tracker.url,)
    many = []
    for number in range(1, 7):
        made, torrent = house.half(f"Show.{number}", {"a.mkv": 40_000}, seed=number, trackers=trackers, waits=False)
        house.grab(made, torrent, number)
        many.append(torrent)
    announced(house, *many)
    setup = house.setup()
    leases = KernelLeases(lease_folder(setup))
    moved = many[0]

    with leases.hold([(end_of(setup.client, None), moved)], "a move"):
        house.look()
        for minutes in (0, 20, 20):  # five of six in one look: more likely we are wrong than all of them
            house.later += minutes * 60
            report = house.look()
            assert not report.outcomes
        assert [wave.count for wave in report.assessment.waves.values()] == [5]
        house.later += 21 * 60
        report = house.look()
        assert [each.record.state.value for each in report.outcomes] == ["done"] * 3, "as many as a look may take out"
        assert len(house.library.searches) == 3
        assert {each.why for each in report.assessment.capped if each.why} == {"removals_per_look = 3"}
        assert house.look().assessment.verdicts[moved].skipped == "another duty works on it"
        assert house.row(moved) is not None
    left = [torrent for torrent in many[1:] if house.row(torrent)]
    house.server.api.post("torrents/addTags", hashes="|".join(torrent.hex for torrent in left), tags="keep")
    house.later += DAY
    assert house.done(looks=1) == [("replace", "done", "")], "the move has let go of it"
    assert [each for each in many if house.row(each)] == left
    assert len(house.library.blocklist) == 4

    _neither_what_no_arr_grabbed_nor_what_owes(house, trackers)
    house.later += DAY
    refused, torrent = house.seed("Refused", {"a.mkv": 40_000}, seed=9, trackers=trackers)
    house.grab(refused, torrent, 9)
    house.library.messages[torrent.hex] = ["Not an upgrade for existing episode file(s)"]
    assert house.done() == [("replace", "done", "")]
    assert (house.row(torrent), len(house.library.blocklist)) == (None, 6)
    house.look()
    searched = [media for search in house.library.searches for media in search]
    assert len(searched) == len(set(searched)) == 6, "each that was replaced, once"


def _neither_what_no_arr_grabbed_nor_what_owes(house, trackers) -> None:
    house.later += DAY
    _, never = house.half("Never", {"a.mkv": 40_000}, seed=7, trackers=trackers)
    assert [state for _, state, _ in house.done()] == ["failed"], "its Arr never grabbed it"
    assert house.done(looks=2) == [], "and not again at once"
    assert (house.row(never) is None, len(house.library.blocklist)) == (False, 4)
    house.server.remove(never.hex)

    house.later += DAY
    indebted = house.half("Owes", seed=8, trackers=(*trackers, "http://owes.invalid/announce"))
    house.grab(*indebted, 8)
    assert house.done(looks=2) == []
    (veto,) = house.look().assessment.verdicts[indebted[1]].intent.vetoes
    assert "hit-and-run" in veto
    with house.health() as health:
        counted = {"not_carried": "uploaded=0 seeding_time=90000", "destination": health.world.client.name}
        entry = HistoryEntry(indebted[1], "Owes", 1, 1.0, 2.0, Outcome.MOVED, 1, 0, 1, source="seedbox:1", **counted)
        health.journal.scoped("move", "seedbox:1", "main").add_history(entry)
    assert house.done() == [("replace", "done", "")], "what was seeded before a move counts"


STEPS = {"4.5": ("block", "take out of the client", "search"), "5.1": ("stop", "put into the bin", "search")}


def test_a3_told_to_stop_in_a_step_the_command_begins_nothing_more_and_the_next_one_ends_the_rest(
    house, tracker, request
):
    house.keys |= {"stalled_after": "0", "arr": "tv"}
    house.library.runs_at_once = True
    grabbed = []
    for number in (1, 2, 3):
        trackers = (tracker.url,)
        made, torrent = house.half(f"Show.{number}", {"a.mkv": 40_000}, seed=number, trackers=trackers, waits=False)
        house.grab(made, torrent, number)
        grabbed.append(torrent)
    for number in range(4, 9):  # so that three are not too many for a day
        made = sample(house.folder / "elsewhere", f"Stopped.{number}", 20_000, seed=number)
        house.server.add(made.metainfo, house.data, category="tv", stopped=True)
    announced(house, *grabbed)
    assert not house.look().outcomes
    for count, step in enumerate(STEPS[request.node.callspec.params["house"]], 1):
        words = ("--stop", house.write_config(), step)
        with Command(*words, home=house.folder, module="tests.e2e.health_actor") as actor:
            actor.end().ended(ExitCode.TERMINATED)
        with house.health() as health:
            assert len(health.world.journal.actions()) <= count, "nothing was begun after it was told"
    for _ in range(3):
        house.look()
    assert [house.row(torrent) for torrent in grabbed] == [None] * 3
    assert len(house.library.blocklist) == 3
    assert len(house.binned()) == 3
    assert sorted(house.library.searches) == [[1], [2], [3]]


def test_a15_what_its_arr_still_waits_for_is_told_once_and_imported(house):
    house.keys |= {"stalled_action": "off", "not_imported_after": "0"}
    made, torrent = house.seed()
    house.grab(made, torrent)
    house.later = 120.0
    assert house.done() == [("hand_over", "done", "")]
    eventually(lambda: house.done(looks=1) == [] and house.library.imported_files, 60)
    house.later += HOUR
    assert house.done(looks=2) == []
    assert len(house.library.scans) + house.library.refreshed == 1
    assert house.row(torrent)["amount_left"] == 0
