"""What the source has counted reaches the destination's files while that client is stopped, and never while it runs."""

from __future__ import annotations

import json
import os
import shlex
import signal
from contextlib import suppress

import pytest

from tests.servers import eventually
from torrent_mover.adapters.clients.qbittorrent.statistics import profile_lock
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.domain.torrent.bencode import decode, encode

pytestmark = [pytest.mark.servers, pytest.mark.logins]

COUNTED = {
    "total_uploaded": 123_456_789_012,
    "total_downloaded": 70_000,
    "active_time": 400_000,
    "finished_time": 300_000,
    "seeding_time": 300_000,
    "added_time": 1_600_000_000,
    "completed_time": 1_600_000_900,
}


class Stoppable:
    """The destination client as its owner runs it: by a pid file and two commands, that each write down that they ran."""

    def __init__(self, server: QBittorrentServer, folder, *, stops: bool = True, kills: bool = False) -> None:
        self.server = server
        self.pid_file, self.log = folder / "client.pid", folder / "orders.log"
        self.pid_file.write_text(str(server.pid))
        self.log.touch()
        home, program, profile = map(shlex.quote, map(str, (server.root, server.program, server.profile)))
        alive = f"grep -qs '^State:.[^Z]' /proc/$(cat {self.pid_file})/status"
        kill = f"kill $(cat {self.pid_file}); while {alive}; do :; done"
        once = f"mkdir {folder}/killed && kill -9 $PPID" if kills else "true"  # the run that has called it
        self.stop = self._script(folder / "stop it", f"{kill}; {once}" if stops else "true", "stop")
        start = f"HOME={home} setsid {program} --profile={profile} >/dev/null 2>&1 & echo $! >{self.pid_file}"
        self.start = self._script(folder / "start it", f"{alive} || {{ {start}; }}", "start")

    def _script(self, path, line: str, name: str) -> str:
        path.write_text(f"#!/bin/sh\necho {name} >>{shlex.quote(str(self.log))}\n{line}\ntrue\n")
        path.chmod(0o755)
        return shlex.quote(str(path))

    def settings(self) -> dict[str, str]:
        return {
            "carry_statistics": "yes",
            "stop_command": self.stop,
            "start_command": self.start,
            "resume_folder": str(self.server.state_folder),
        }

    @property
    def orders(self) -> list[str]:
        return self.log.read_text().split()

    def close(self) -> None:
        """End what the start command has left, so that the server is the tests' own again."""
        pid = int(self.pid_file.read_text())
        if not self.server.running or self.server.pid != pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            eventually(lambda: not profile_lock(self.server.state_folder)())
        self.server.start()
        self.pid_file.write_text(str(self.server.pid))


@pytest.fixture
def stoppable(tmp_path):
    """Makes the destination client of a house stoppable."""
    made = []

    def make(house, **how) -> Stoppable:
        one = Stoppable(house.destination, tmp_path, **how)
        made.append(one)
        house.config["DESTINATION_CLIENT"] = one.settings()
        return one

    yield make
    for one in made:
        one.close()


def seed_counted(house, name: str = "Counted"):
    """Seed a torrent that has a history."""
    made = house.seed(name, {"a": 70_000})
    file = house.source.state_folder / f"{made.info_hash}.fastresume"
    eventually(file.exists)
    house.source.stop()
    root = decode(file.read_bytes())
    file.write_bytes(encode(root | {key.encode(): number for key, number in COUNTED.items()}))
    house.source.start()
    house.source.wait_for(made.info_hash)
    assert told(house.source, made)["uploaded"] == COUNTED["total_uploaded"]
    return made


def told(server: QBittorrentServer, made) -> dict[str, object]:
    row = server.torrent(made.info_hash)
    return {
        name: row[name] for name in ("uploaded", "downloaded", "ratio", "seeding_time", "added_on", "completion_on")
    }


def newest(house) -> dict[str, object]:
    return json.loads(house.run("history", "--json").ended(0).out)["entries"][0]


@pytest.mark.parametrize(("pair", "mode"), [("4.5-4.5", "sftp"), ("4.5-5.1", "sftp_upload")], indirect=["pair"])
def test_a_stopped_client_gets_what_the_source_has_counted(pair, mode, stoppable):
    client = stoppable(pair)  # in the second mode the commands and the files are reached by SSH
    pair.config["SETTINGS"] = {"transfer_mode": mode}
    first, second = seed_counted(pair), pair.seed("Fresh", {"b": 90_000})
    files, before = first.files(), told(pair.source, first)

    pair.move().ended(0).says("statistics carried")

    assert client.orders == ["stop", "start"]
    pair.assert_arrived(first, files)
    after = told(pair.destination, first)
    exact = ("uploaded", "downloaded", "ratio", "added_on", "completion_on")
    assert {name: after[name] for name in exact} == {name: before[name] for name in exact}
    assert before["seeding_time"] <= after["seeding_time"] <= before["seeding_time"] + 120
    assert pair.destination.state(second.info_hash) in SEEDING_STATES
    entry = newest(pair)
    assert ("statistics carried" in entry["detail"], entry["not_carried"]) == (True, "")
    assert sorted(path.suffix for path in pair.destination.state_folder.iterdir() if "fastresume" in path.name) == [
        ".fastresume",
        ".fastresume",
    ]

    pair.move().ended(0)
    assert client.orders == ["stop", "start"]  # nothing is owed any more


def test_a_client_that_goes_on_running_is_left_alone_and_the_next_run_carries_it(house, stoppable):
    client = stoppable(house, stops=False)
    made = seed_counted(house)
    files = made.files()

    house.move().ended(0).says("statistics are not carried yet", "stop_command")

    house.assert_moved(made, files)
    assert client.orders == ["stop", "start"]
    assert told(house.destination, made)["uploaded"] == 0
    assert "uploaded=123456789012" in newest(house)["not_carried"]

    client.close()
    again = stoppable(house)
    house.move().ended(0).says("statistics carried")
    assert again.orders == ["stop", "start", "stop", "start"]
    assert told(house.destination, made)["uploaded"] == COUNTED["total_uploaded"]


def test_a_client_that_keeps_its_state_in_a_database_is_refused_and_not_stopped(house, stoppable):
    destination = house.destination
    destination.api.post("app/setPreferences", json='{"resume_data_storage_type":"SQLite"}')
    destination.restart()
    client = stoppable(house)
    try:
        made = house.seed("Counted", {"a": 70_000})
        files = made.files()

        house.move().ended(0).says("torrents.db", "Resume data storage type")

        house.assert_moved(made, files)
        assert client.orders == []
        house.run("doctor").says("folder for statistics", "torrents.db")
    finally:
        destination.api.post("app/setPreferences", json='{"resume_data_storage_type":"Legacy"}')
        destination.restart()
        client.pid_file.write_text(str(destination.pid))


def test_a_run_that_is_killed_while_the_client_is_stopped_is_followed_by_one_that_starts_it_again(house, stoppable):
    client = stoppable(house, kills=True)
    made = seed_counted(house)
    files = made.files()

    house.move().ended(-signal.SIGKILL)

    assert client.orders == ["stop"]
    assert house.halted()
    house.move().ended(0).says("had been stopped by an earlier run", "statistics carried")
    assert client.orders == ["stop", "start", "stop", "start"]
    assert not house.halted()
    house.assert_arrived(made, files)
    assert told(house.destination, made)["uploaded"] == COUNTED["total_uploaded"]


def test_what_is_needed_for_it_is_asked_for_before_anything_begins(house):
    house.config["DESTINATION_CLIENT"] = {"carry_statistics": "yes", "stop_command": "true"}

    house.move().ended(2).says("start_command", "resume_folder", "docs/handover.md")
