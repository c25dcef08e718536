"""--watch on real servers: new torrents, a changed config, systemd, and whoever is told."""

from __future__ import annotations

import json
import signal
import socket
import sys
import urllib.request

import pytest

from tests.cli.schemas import fits
from tests.e2e.command import Command
from tests.e2e.house import House
from tests.servers import eventually
from torrent_mover.demo.ports import free_port


@pytest.fixture
def house(world, tmp_path):
    """An empty world and the commands to run on it."""
    (world.root / "tracker_rules.json").unlink(missing_ok=True)
    (world.root / "config.ini").unlink(missing_ok=True)
    return House(world, tmp_path / "home")


@pytest.mark.servers
def test_it_stays_finds_new_torrents_reloads_the_config_and_ends_by_a_signal(house, tmp_path):
    first = house.seed("One", 70_000)
    files = first.files()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        systemd = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with house.start("--watch", "10s", "--simple", environment=systemd) as command:
            assert manager.recv(4096) == b"READY=1"
            command.wait_for("all done for now: 1 moved, 0 failed")
            second = house.seed("Two", 60_000, seed=2)
            more = second.files()
            command.wait_for(f"{second.info_hash[:8]} done: ")

            config = house.world.root / "config.ini"
            good = config.read_text()
            config.write_text(good.replace("transfer_mode = sftp", "transfer_mode = ftp"))
            command.wait_for("has errors; the old one is kept: .*transfer_mode")
            config.write_text(good.replace(f"category_to_move = {first.category}", "category_to_move = other"))
            command.wait_for("the config was changed; in effect now: category_to_move")
            third = house.seed("Three", 50_000, seed=3, category="other")
            kept = third.files()
            command.wait_for(f"{third.info_hash[:8]} done: ")

            command.send(signal.SIGTERM)
            result = command.end().ended(143)
        assert len(result.lines("has errors")) == 1
        heard = []
        while "STOPPING=1" not in "".join(heard):
            heard.append(manager.recv(4096).decode())
    for made, expected in ((first, files), (second, more), (third, kept)):
        house.assert_moved(made, expected)
    house.assert_no_staging()


@pytest.mark.servers
def test_changes_break_no_transfer_off_and_what_needs_a_new_start_waits_for_its_end(house):
    house.config = {"General": {"sftp_download_limit_mbps": "0.5"}}
    slow = house.seed("Slow", 400_000)
    files = slow.files()
    rules = house.world.root / "tracker_rules.json"
    with house.start("--watch", "10s", "--simple") as command:
        command.wait_for(f"{slow.info_hash[:8]} start: ")
        rules.write_text('{"tracker.example": "tv"}')
        config = house.world.root / "config.ini"
        text = config.read_text().replace("sftp_download_limit_mbps = 0.5", "sftp_download_limit_mbps = 0.6")
        config.write_text(text)
        command.wait_for("in effect now: sftp_download_limit_mbps")
        config.write_text(text.replace("[General]", "[General]\nwatchdog_timeout = 20m"))
        command.wait_for("a restart is needed for: watchdog_timeout; current moves finish first")
        command.wait_for(f"{slow.info_hash[:8]} done: ")
        first = command.wait_for(r" run [0-9a-f]{8}: ").split(" run ")[1][:8]

        def idle_again():
            said = status(house)["progress"]
            return said if said and said["phase"] == "watching" and said["run"] != first else None

        progress = eventually(idle_again, 60)
        assert (progress["done"], progress["rate"], progress["fraction"]) == (1, 0, None)
        assert progress["last_round"]["moved"] == 1
        assert "idle; last round 1 moved, 0 failed; next look 0:" in look(house, "status").out
        rules.write_text('{"tracker.example": }')
        command.wait_for("the tracker rules were changed and have errors; the old ones are kept: .*line 1")
        command.send(signal.SIGTERM)
        result = command.end().ended(143)
    assert len(result.lines("[0-9a-f]{8} start: ")) == 1
    assert len(result.lines("preflight ok")) == 2
    assert len(result.lines("rules were changed and have errors")) == 1
    house.assert_moved(slow, files)


@pytest.mark.servers
def test_swapped_ends_move_nothing_straight_back(house):
    made = house.seed("One", 70_000)
    files = made.files()
    house.move().ended(0)
    house.assert_moved(made, files)
    house.config = {
        "SETTINGS": {"source_client_section": "DESTINATION_CLIENT", "destination_client_section": "SOURCE_CLIENT"},
        "DESTINATION_PATHS": {"destination_path": str(house.source.data)},
    }
    name = f"127.0.0.1:{house.source.port}"
    house.run("--dry-run").ended(0).says("Nothing to move.", f"an earlier run has brought it here from {name}")
    house.run("--dry-run", "--again").ended(0).says("1 torrent would be moved")
    with house.start("--watch", "10s", "--simple") as command:
        command.wait_for("1 torrent of an earlier run not moved back; --again moves it")
        said = eventually(lambda: (data := status(house))["not_moved"] and data, 60)
        assert said["not_moved"][0]["infohash"] == made.info_hash
        assert f"brought it here from {name}; --again" in look(house, "status").out
        command.send(signal.SIGTERM)
        command.end().ended(143)
    house.assert_arrived(made, files)


@pytest.mark.servers
def test_whoever_the_config_names_is_told(house, tmp_path):
    house.seed("One", 70_000)
    port, told = free_port(), tmp_path / "told"
    program = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    house.config = {
        "General": {
            "notify_command": f"'{sys.executable}' -c \"{program}\" '{told}'",
            "event_log": str(tmp_path / "events.jsonl"),
            "metrics_file": str(tmp_path / "torrent_mover.prom"),
            "metrics_port": str(port),
        }
    }
    with house.start("--watch", "--simple") as command:
        command.wait_for("all done for now")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert 'torrent_mover_torrents{standing="done"} 1' in answer.read().decode()
        notice = json.loads(eventually(lambda: told.exists() and told.read_text()))
        command.send(signal.SIGINT)
        command.end().ended(130)

    assert (notice["on"], notice["event"], notice["moved"]) == ("end", "round_ended", 1)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    events = [fits("event", json.loads(line))["event"] for line in lines]
    assert events[0] == "run_started"
    assert events[-1] == "run_ended"
    assert "move_done" in events
    assert 'torrent_mover_phase{phase="ended"} 1' in (tmp_path / "torrent_mover.prom").read_text()


def look(house, *arguments):
    """Another command with the same config, which is not written again: a run that stays would begin again."""
    with Command("--config", house.world.root / "config.ini", *arguments, home=house.home) as command:
        return command.end().ended(0)


def status(house):
    return fits("status", json.loads(look(house, "status", "--json").out))


@pytest.mark.servers
def test_the_status_shows_a_run_that_is_active_and_what_it_has_copied(house):
    made = house.seed("One", 400_000), house.seed("Two", 390_000, seed=2)  # either is brought for some seconds
    house.config = {"General": {"sftp_download_limit_mbps": "0.5"}}

    def one_moves_and_one_waits():
        data = status(house)
        return data if {move["state"] for move in data["moves"]} == {"moving", "queued"} else None

    with house.start("--watch", "--simple", "--test-run", "--parallel-jobs", "1") as command:
        command.wait_for(" start: ")
        data = eventually(one_moves_and_one_waits, 60)
        assert str(command.pid) in data["active"]
        assert (data["progress"]["test_run"], data["progress"]["queued"]) == (True, 1)
        command.wait_for("all done for now: 2 copied, kept at the source, 0 failed")
        command.send(signal.SIGTERM)
        command.end().ended(143).says("2 copied, kept at the source", "source kept (test run)")

    after = status(house)
    assert (after["active"], after["progress"], after["moves"]) == (None, None, [])
    assert (after["runs"][0]["moved"], after["runs"][0]["copied"]) == (0, 2)
    assert not (house.world.root / "state" / "run.json").exists()
    for torrent in made:
        fits("log", json.loads(look(house, "log", torrent.info_hash, "--json").out))
        assert len(look(house, "log", torrent.info_hash).lines("stage: seeding")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--watch", "--dry-run"],
        ["--watch", "5s"],
        ["--watch", "soon"],
        ["--watch", "--check-config"],
        ["--watch", "5m", "status"],
        ["--again", "--check-config"],
    ],
)
def test_a_watch_that_makes_no_sense_is_refused(desk, arguments):
    assert desk.run(*arguments).code == 2
