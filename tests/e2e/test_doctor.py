"""doctor on real servers: what it says of a good world and of broken ones, and that it changes nothing."""

from __future__ import annotations

import json

import pytest

from tests.cli.schemas import fits
from torrent_mover.adapters.lockfile import hold, lock_paths

pytestmark = [pytest.mark.servers, pytest.mark.logins]

CHECKS = [
    "config",
    "open files",
    "second copy running?",
    "source client",
    "destination client",
    "clocks",
    "what arrives there",
    "what leaves there",
    "ssh source: 127.0.0.1",
    "source files",
    "disk of the destination",
    "destination folder",
    "left open by a killed run",
    "space here",
    "plan",
    "path as destination client sees it",
    "space destination",
    "room for journal and logs",
    "journal",
    "journal, all of it",
    "serve",
]


def states(answer: str) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(answer)["checks"]}


def remedy(answer: str, name: str) -> str:
    return next(check["remedy"] for check in json.loads(answer)["checks"] if check["name"] == name)


def test_a_good_world_passes_every_check_and_stays_as_it_is(house):
    house.seed("Show", {"a.mkv": 100_000, "b.nfo": 10})
    house.world.write_config()
    before = house.picture()

    result = house.run("doctor").ended(0)

    assert house.picture() == before
    result.says("all is well", "1 torrent to move, 97.7 KiB", "logged in by publickey, ssh-ed25519 host key known")
    assert [line[3:39].strip() for line in result.lines(r"^ ✓")] == [f"{name}"[:36] for name in CHECKS]


def test_the_answers_as_data_keep_their_schema(house):
    answer = fits("doctor", json.loads(house.run("doctor", "--json").ended(0).out))

    assert (answer["schema"], answer["mode"], answer["exit_code"]) == (1, "sftp", 0)
    assert [check["name"] for check in answer["checks"]] == CHECKS
    assert all(check["state"] == "passed" for check in answer["checks"])


def test_rsync_upload_asks_both_servers_their_rsync_and_the_cache(house):
    house.config["SETTINGS"] = {"transfer_mode": "rsync_upload"}

    found = states(house.run("doctor", "--json").ended(0).out)

    assert set(found.values()) == {"passed"}
    assert {"ssh destination: 127.0.0.1", "rsync here / 127.0.0.1 / 127.0.0.1", "space cache"} < set(found)


def test_a_run_is_refused_before_anything_moves_where_the_client_does_not_see_the_folder(house):
    made = house.seed("Show", {"a.mkv": 100_000})
    files = made.files()
    house.config["DESTINATION_PATHS"] = {"remote_destination_path": "/downloads"}

    refused = house.move().ended(4)

    refused.says("TM-E107", "does not see that folder as /downloads", "Remove remote_destination_path")

    house.assert_at_source(made, files)
    house.assert_nothing_landed(made)
    assert house.destination.torrents() == []


def test_the_pair_of_the_source_is_found_in_the_home_of_the_login(house, tmp_path):
    made = house.seed("Show", {"a.mkv": 100_000})
    elsewhere = str(tmp_path / "nowhere")
    house.config["SOURCE_CLIENT"] = {"path_map": f"{house.source.data} = {elsewhere}"}

    result = house.run("doctor", "--json").ended(4)

    assert states(result.out)["source files"] == "failed"
    assert "path_map without the pair that leads to" in remedy(result.out, "source files")
    house.assert_at_source(made, made.files())


def test_what_the_destination_does_with_what_arrives_is_told_and_stops_nothing(house):
    def switch(program: str) -> None:
        options = {"autorun_enabled": bool(program), "autorun_program": program}
        house.destination.api.post("app/setPreferences", json=json.dumps(options))

    switch("/usr/local/bin/unpack %F")
    result = house.run("doctor", "--json")
    switch("")

    result.ended(0)
    assert states(result.out)["what arrives there"] == "warning"
    assert "Options > Downloads" in remedy(result.out, "what arrives there")


def test_everything_is_asked_even_when_the_logins_fail(house):
    house.config["SOURCE_CLIENT"] = {"password": "not this one"}
    house.config["SOURCE_SERVER"] = {"port": "1"}

    result = house.run("doctor").ended(3)

    result.says("2 problems", "TM-E201", "TM-E202")
    result.says("✓ destination client", "✓ destination folder", "✓ path as destination client sees it")
    assert [line[3:].split("  ")[0] for line in result.lines("^ ·")] == [
        "clocks",
        "what leaves there",
        "source files",
        "plan",
    ]


def test_a_broken_config_is_one_failed_check_with_its_lines(house):
    house.config["SETTINGS"] = {"transfer_mode": "carrier pigeon", "chown_usr": "me"}

    result = house.run("doctor").ended(2)

    result.says("TM-E101", "transfer_mode", "chown_usr", "chown_user")
    answer = json.loads(house.run("doctor", "--json").ended(2).out)
    assert (answer["exit_code"], [check["state"] for check in answer["checks"]]) == (2, ["failed"])


def test_a_container_asks_both_clients_and_the_ssh_server_and_nothing_is_written(house):
    house.seed("Show", {"a.mkv": 100_000})
    house.world.write_config()
    before = house.picture()

    result = house.run("doctor", "--healthcheck", "--strict").ended(0)

    assert house.picture() == before
    assert result.out.splitlines()[0] == "System Status: HEALTHY"
    assert [line.partition(":")[0] for line in result.out.splitlines()[1:]] == ["config", "route main", "own records"]

    house.config["SOURCE_SERVER"] = {"port": "1"}
    house.run("doctor", "--healthcheck").ended(1).says("route main: NOT WELL: ssh source: 127.0.0.1: ")


def test_it_may_be_asked_while_a_run_is_active(house):
    state, shared = house.world.root / "state", house.home / ".local" / "state" / "torrent-mover"
    with hold(lock_paths(state, shared, house.source.url, house.destination.url)):
        house.run("doctor").ended(0).says("yes: process")
        house.move().ended(5)

    house.run("doctor").ended(0)
    assert states(house.run("doctor", "--json").out)["second copy running?"] == "passed"


def test_json_goes_with_doctor_and_dry_run_only(house):
    house.run("--json").ended(2).says("--json works only with")


def test_a_notification_is_tried_out_as_a_check_of_its_own(house, tmp_path):
    told = tmp_path / "told"
    house.config = {"General": {"notify_command": f"tee {told}"}}

    answer = house.run("doctor", "--notify", "--json").ended(0).out

    assert states(answer)["notifications"] == "passed"
    assert json.loads(told.read_text())["title"] == "a test"
