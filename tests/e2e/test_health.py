"""torrent-mover health on real clients: what it finds, what it leaves alone, and that reporting changes nothing."""

from __future__ import annotations

import signal

import pytest

from tests.doubles.arr.library import Library
from tests.doubles.arr.polled import PolledQBittorrent
from tests.doubles.arr.products import SONARR
from tests.doubles.arr.server import ArrDouble
from tests.doubles.tracker import TrackerDouble, failure
from tests.e2e.command import Result
from tests.e2e.health_house import health_house
from tests.e2e.house import told
from tests.servers import eventually, snapshot
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers


@pytest.fixture
def tracker():
    with TrackerDouble() as double:
        yield double


@pytest.fixture
def health(qbittorrent, tracker, tmp_path):
    """On each of the two clients in turn."""
    with health_house(qbittorrent, tracker, tmp_path) as house:
        yield house


@pytest.fixture
def health_51(qbittorrent_51, tracker, tmp_path):
    """Where the client's version says nothing."""
    with health_house(qbittorrent_51, tracker, tmp_path) as house:
        yield house


def test_a4_a6_a9_a11_a22_a37_what_is_wrong_is_said_and_nothing_is_changed(health):
    server, tracker = health.server, health.tracker
    stuck, foreign = health.download("Stuck"), health.download("Foreign", category="films")
    private = health.download("Private", private=True)
    fine, gone, gateway = health.seed("Fine"), health.seed("Gone"), health.seed("Gateway")
    tracker.answers |= {
        gone.info_hash: (200, failure("Torrent not registered with this tracker.")),
        gateway.info_hash: (502, b"Bad Gateway"),
    }
    for each in (gone, gateway):
        server.api.post("torrents/reannounce", hashes=each.info_hash)
    magnet = "ab" * 20
    server.api.post("torrents/add", urls=f"magnet:?xt=urn:btih:{magnet}&tr={tracker.url}", category="tv")
    # Its tracker has answered: from then on nothing about it changes by itself.
    eventually(lambda: server.state(magnet) == "metaDL" and server.torrent(magnet)["tracker"], 30)
    health.look()
    before = told(server), snapshot(server.data)

    health.look_until(gone.info_hash, "unregistered")
    found = health.look()

    assert found == {
        stuck: ["stalled"],
        private: ["stalled"],
        magnet: ["no_metadata"],
        gone.info_hash: ["unregistered"],
    }
    assert (told(server), snapshot(server.data)) == before
    assert foreign not in found
    health.health["removals_share"] = "100"
    text = health.run().ended(ExitCode.DONE)
    text.says("tv  report  6 torrents, 4 findings, 4 due", "would replace", "would keep")
    explained = health.run("--explain", private[:8]).ended(ExitCode.DONE)
    explained.says("private", "chosen   keep", "mode     report: nothing is done")
    assert fine.info_hash not in found


def test_a8_lost_data_is_found_by_a_missing_file_and_by_a_recheck_that_looks_like_a_fresh_download(health):
    made, other = health.seed("Lost"), health.seed("Stays")
    rest = [health.seed(f"Rest {number}") for number in range(4)]
    health.look()
    made.content.rename(health.root / "aside")
    health.server.recheck(made.info_hash)
    eventually(lambda: health.server.state(made.info_hash) in ("stalledDL", "downloading", "missingFiles", "error"), 30)
    assert health.look() == {made.info_hash: ["lost_data"]}
    row = health.told("--explain", made.info_hash)["rows"][0]
    stalled = next(rule for rule in row["rules"] if rule["code"] == "stalled")
    assert not stalled["true"]
    assert (row["intent"], other.info_hash != row["hash"], len(rest)) == ("locate", True, 4)


def test_a7_without_a_tracker_a_peer_or_dht_there_is_no_strike_and_a_sign_of_life_lets_clocks_go_on(health_51):
    health = health_51
    health.health["stalled_after"] = "1h"
    health.tracker.usual = (502, b"down")
    stuck = [health.download(f"Stuck {number}") for number in range(3)]
    told = []

    def blind() -> bool:
        """Not while the client is asking a tracker anew: then it is judged."""
        told.append(health.told())
        return "network" in told[-1]["loops"][0]["blind"]

    for _ in range(3):
        eventually(blind)
    assert [each["rows"] for each in told if "network" in each["loops"][0]["blind"]] == [[]] * 3
    assert not any(finding["strikes"] for each in told for row in each["rows"] for finding in row["findings"])
    health.tracker.usual = TrackerDouble.usual_answer()
    health.server.api.post("torrents/reannounce", hashes="|".join(stuck))
    health.look_until(stuck[0], "stalled")
    (row, *_) = health.told()["rows"]
    assert row["findings"][0]["lasted"] <= 8


def test_a13_what_alternative_limits_slow_down_is_not_slow(health_51):
    health = health_51
    health.health |= {"slow_action": "report", "slow_after": 0}
    stuck = health.download("Slow")
    health.look()
    assert "slow" in health.look()[stuck]
    health.server.api.post("transfer/toggleSpeedLimitsMode")
    try:
        assert "slow" not in health.look()[stuck]
    finally:
        health.server.api.post("transfer/toggleSpeedLimitsMode")


def test_a9_a_hold_a_reset_a_check_and_a_dry_run_do_what_they_say(health_51):
    health = health_51
    stuck = health.download("Stuck")
    health.look()
    assert health.look() == {stuck: ["stalled"]}
    health.run("--check").ended(ExitCode.SOME_FAILED)

    own = snapshot(health.state)
    assert health.look("--dry-run") == {stuck: ["stalled"]}
    assert snapshot(health.state) == own, "a dry run writes nothing"

    health.run("--hold", stuck, "--for", "7d").ended(ExitCode.DONE).says("left alone for 7d")
    assert health.look() == {}
    health.run("--check").ended(ExitCode.DONE)
    health.run("--explain", stuck[:6]).says("held for")
    health.run("--release", stuck).says("no longer held")
    assert health.look() == {stuck: ["stalled"]}
    health.run("--reset", stuck).ended(ExitCode.DONE)
    (row,) = health.told()["rows"]
    assert row["findings"][0]["lasted"] == 0
    health.run("--actions").ended(ExitCode.DONE).says("Nothing was done yet.")
    health.run("--explain", "00" * 20).says("TM-E142")
    health.run("nonsense").ended(ExitCode.USAGE).says("there are: tv")


def test_a31_a_client_and_an_arr_that_are_away_stop_the_clocks_and_nothing_else(health_51):
    health = health_51
    health.health |= {"arr": "sonarr"}
    health.more = "[ARR sonarr]\nurl = http://127.0.0.1:9\napi_key = k\ncategory = tv"
    stuck = health.download("Stuck")
    health.run().ended(ExitCode.UNREACHABLE)

    def stalled() -> Result | None:
        told = health.run().ended(ExitCode.UNREACHABLE)
        return told if "stalled" in told.text else None

    eventually(stalled).says("TM-E", "its Arr does not answer")
    assert stuck in health.look()
    health.server.stop()
    try:
        health.run().ended(ExitCode.UNREACHABLE).says("clocks stand", "TM-E201")
    finally:
        health.server.start()


def test_a1_a3_a30_loops_are_apart_a_changed_config_counts_at_once_and_a_wrong_one_changes_nothing(health):
    stuck = health.download("Stuck")
    films = health.download("Film", category="films")
    library = Library(SONARR, PolledQBittorrent(health.server.api), {}, "/library")
    with ArrDouble(library) as double:
        double.hang()
        hanging = (
            f"[ARR hangs]\nurl = {double.url}\napi_key = {double.key}\ntimeout = 60s\n"
            "[HEALTH hangs]\nclient = qbit\narr = hangs\n"
        )
        others = "".join(
            f"[HEALTH {name}]\nclient = qbit\ncategories = {name}\nevery = 2s\ngrace = 0\nmin_age = 0\nstalled_after = 0\n"
            for name in ("films", "music")
        )
        health.more = hanging + others
        with health.start("--watch") as command:
            command.wait_for("stalled: Stuck")
            command.wait_for("stalled: Film")
            assert health.run("tv").ended(ExitCode.DONE).lines("stalled")
            health.run("--watch").ended(ExitCode.ALREADY_RUNNING)

            good = health.health["every"]
            health.health["every"] = "nonsense"
            health.write_config()
            command.wait_for("has errors; the old one holds")
            health.health["every"] = good
            health.health["failed_category"] = "broken"
            health.write_config()
            command.wait_for("the config was read again")
            command.send(signal.SIGHUP)
            command.send(signal.SIGTERM)
            ended = command.end(60)
    assert ended.code == ExitCode.TERMINATED
    assert stuck != films
    assert "restarting" not in ended.out
