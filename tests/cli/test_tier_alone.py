"""A config that has a tier and no route, or no config but the environment: what each command of the mover says then."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from tests.cli.schemas import SCHEMAS, fits
from torrent_mover.cli import main
from torrent_mover.commands import status
from torrent_mover.commands.tiering.configured import configured
from torrent_mover.domain.errors import NotWritable
from torrent_mover.duties.tiering.reports import RoundReport

TIER = """\
[CLIENT box]
type = rtorrent
url = {folder}/nobody.sock

[TIER ssd]
client = box
ssd = {folder}/ssd
targets = *:{folder}/hdd
free_low = 5G
"""


@pytest.fixture
def desk(desk):
    for name in ("ssd", "hdd"):
        (desk.folder / name).mkdir()
    state = f"[General]\nstate_dir = {desk.folder}/state\n"
    desk.config.write_text(TIER.format(folder=desk.folder) + state)
    return desk


def everything(folder):
    """Every path below a folder, with what tells whether it was changed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        found[str(path)] = (stat.st_ino, stat.st_mode, stat.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


def test_check_config_names_client_and_tier(desk):
    told = desk.run("--check-config")

    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == f"client box: rtorrent at scgi+unix://{desk.folder}/nobody.sock"
    assert lines[1].startswith("tier ssd: client box (rtorrent at ")
    assert f"SSD {desk.folder}/ssd, copies to *:{desk.folder}/hdd; evicts below 5G free" in lines[1]
    assert lines[2].endswith("no error.")


def test_check_config_tells_of_an_arr_that_a_tier_names_and_that_is_none(desk):
    desk.config.write_text(desk.config.read_text().replace("free_low", "arr = sonarr\nfree_low"))

    told = desk.run("--check-config")

    assert told.code == 2
    assert "arr names 'sonarr'" in told.out + told.err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ((), "tier ssd: torrent-mover tier --watch"),
        (("--dry-run",), "tier ssd: torrent-mover tier --dry-run"),
        (("--watch",), "tier ssd: torrent-mover tier --watch"),
        (("--test-run",), "tier ssd: torrent-mover tier --watch"),
    ],
)
def test_a_run_says_that_no_route_is_configured_and_which_command_does_the_work(desk, arguments, command):
    told = desk.run(*arguments)

    assert (told.code, told.err) == (0, "")
    assert "No route is configured" in told.out
    assert command in told.out


def test_a_dry_run_for_programs_has_no_moves(desk):
    assert fits("dry-run", desk.run("--dry-run", "--json").data)["moves"] == []


def test_a_route_that_is_asked_for_and_not_there_is_an_error(desk):
    assert desk.run("--route", "films").code == 2


def test_status_shows_the_tiers(desk):
    told = desk.run("status")

    assert told.code == 0
    assert told.out.startswith("tier ssd:\n  Worker: none has run yet\n  Queue status: 0 torrent(s)")
    (tier,) = fits("status", desk.run("status", "--json").data)["others"]
    assert (tier["heading"], tier["error"]) == ("tier ssd", None)
    assert [f"  {line}" for line in tier["lines"]] == told.out.splitlines()[1:]
    assert [tier["data"]] == desk.run("tier", "--status", "--json").data["tiers"]


def test_the_schema_of_status_says_of_a_tier_what_that_of_tier_says():
    schemas = {name: json.loads((SCHEMAS / f"{name}.json").read_text()) for name in ("status", "tier")}
    others = schemas["status"]["properties"]["others"]["items"]["properties"]

    assert others["data"]["anyOf"] == [{"type": "null"}, schemas["tier"]["$defs"]["status"]]


def test_status_for_programs_says_why_a_tier_cannot_be_told(desk, monkeypatch):
    def away():
        raise NotWritable("The disk is away.", kept="", remedy="")

    (tier,) = configured(str(desk.config))
    monkeypatch.setattr(status, "others_of", lambda _arguments: ((replace(tier, status=away),), False))

    (told,) = fits("status", desk.run("status", "--json").data)["others"]

    assert (told["lines"], told["data"]) == ([], None)
    assert told["error"] == {"code": NotWritable.code, "what": "The disk is away."}


def test_status_for_programs_has_no_other_duty_where_none_is_configured_or_the_config_is_broken(desk):
    desk.config.write_text(desk.config.read_text().replace("free_low = 5G", "free_low = much"))

    assert fits("status", desk.run("status", "--json").data)["others"] == []


def test_doctor_asks_clients_disks_and_who_works(desk):
    told = desk.run("doctor", "--json")

    checks = {check["name"]: check for check in fits("doctor", told.data)["checks"]}
    assert told.code == 3
    assert {check["section"] for check in checks.values()} == {None, "tier ssd", "own records"}
    assert checks["client box"]["state"] == "failed"
    assert checks[f"SSD {desk.folder}/ssd"]["state"] == checks[f"target {desk.folder}/hdd"]["state"] == "passed"
    assert checks["two disks"]["state"] == "warning"
    assert "Tier ssd\n" in desk.run("doctor").out


def test_doctor_names_a_disk_that_is_not_there_and_one_that_cannot_be_told_apart_stays_unasked(desk):
    (desk.folder / "hdd").rmdir()

    checks = {check["name"]: check for check in desk.run("doctor", "--json").data["checks"]}

    assert checks[f"target {desk.folder}/hdd"]["state"] == "failed"
    assert checks["two disks"]["state"] == "skipped"


def test_check_config_names_routes_and_tiers_of_one_config(desk):
    route = (
        "[CLIENT far]\ntype = rtorrent\nmachine = here\nurl = 127.0.0.1:9\n\n[MACHINE here]\nhost = 127.0.0.1\nusername = jane\n\n"
        "[ROUTE films]\nfrom = far\nto = box\ncategory = films\n"
        f"destination_path = {desk.folder}/library\n"
    )
    desk.config.write_text(desk.config.read_text() + route)

    told = desk.run("--check-config")

    assert told.code == 0, told.out
    assert [line.partition(":")[0] for line in told.out.splitlines()[:4]] == [
        "client box", "client far", "route films", "tier ssd",
    ]  # fmt: skip


def test_whoever_only_looks_makes_and_changes_nothing(desk):
    desk.run("tier", "a" * 40)
    before = everything(desk.folder)
    assert any("journal" in path for path in before)

    for arguments in (
        ("--check-config",), ("doctor",), ("doctor", "--healthcheck"), ("status",), (), ("--dry-run",),
        ("tier", "--dry-run"), ("tier", "--status"), ("tier", "--healthcheck"), ("tier", "--explain", "a" * 40),
    ):  # fmt: skip
        desk.run(*arguments)
        assert everything(desk.folder) == before, arguments


def test_without_a_config_the_environment_describes_the_tier(desk, monkeypatch, capsys):
    monkeypatch.chdir(desk.folder)
    desk.config.unlink()
    for name, value in (
        ("DOWNLOAD_PATH_SSD", desk.folder / "ssd"),
        ("FINAL_DEST_BASE_HDD", desk.folder / "hdd"),
        ("SCGI_URL", desk.folder / "nobody.sock"),
        ("LOCK_DIR", desk.folder / "state"),
        ("LOG_LEVEL", "LOUD"),
    ):
        monkeypatch.setenv(name, str(value))
    before = everything(desk.folder)
    said = {}
    for arguments in (["--check-config"], [], ["--dry-run"], ["status"], ["doctor"]):
        code = main(arguments)
        said[" ".join(arguments)] = (code, capsys.readouterr().out)

    assert said["--check-config"][0] == said[""][0] == said["--dry-run"][0] == said["status"][0] == 0
    assert "tier default: client default (rtorrent at " in said["--check-config"][1]
    assert "$LOG_LEVEL: 'LOUD' is no level" in said["--check-config"][1]
    assert "the environment: no error." in said["--check-config"][1]
    assert "tier default: torrent-mover tier --watch" in said[""][1]
    assert "Worker: none has run yet" in said["status"][1]
    assert said["doctor"][0] == 3
    assert everything(desk.folder) == before
    assert not os.environ.get("TORRENT_MOVER_CONFIG")


@pytest.mark.parametrize("action", [(), ("--verify",)])
def test_q_says_nothing_of_what_went_well(desk, action, monkeypatch):
    monkeypatch.setattr("torrent_mover.duties.tiering.worker.TierWorker.round", lambda _worker: RoundReport())

    told = desk.run("tier", "-q", *action)

    assert (told.code, told.out, told.err) == (0, "", "")


def test_q_says_why_a_round_has_failed(desk):
    told = desk.run("tier", "-q")

    assert told.code == 3
    assert "[TM-E" in told.out + told.err


def test_q_says_why_a_tier_is_not_well(desk):
    told = desk.run("tier", "-q", "--healthcheck")

    assert told.code == 1
    assert "System Status: UNHEALTHY" in told.out


MACHINE = """
[MACHINE nas]
host = nas
username = somebody
key_file = {folder}/no-such-key
"""


def test_a_key_that_is_missing_for_one_machine_stops_nothing_that_does_not_use_it(desk):
    desk.config.write_text(desk.config.read_text() + MACHINE.format(folder=desk.folder))

    checked = desk.run("--check-config")
    assert checked.code == 0
    (said,) = [line for line in checked.out.splitlines() if "key_file" in line]
    assert "warning: [MACHINE nas] key_file:" in said
    assert f"there is no file {desk.folder}/no-such-key" in said
    assert desk.run("tier", "--status").code == 0
    assert "nobody.sock" in desk.run("tier", "-q").out, "the round has begun, and says what is wrong with the client"
