"""What `tier --json` prints, in every form of the command, is what docs/schemas/tier.json says."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from tests.cli.schemas import SCHEMAS, fits
from tests.e2e.tier_house import MIB
from torrent_mover.cli import main

pytestmark = pytest.mark.servers


@pytest.fixture
def say(rtorrent_016, hdd, tier_at, monkeypatch, capsys):
    """Runs a form of the command in this process; the tier that it is about."""
    house = tier_at(rtorrent_016, hdd)
    schema = json.loads((SCHEMAS / "tier.json").read_text())
    seen = set()

    def run(form, *arguments, code=0):
        for name, value in house.environment.items():
            monkeypatch.setenv(name, value)
        assert main(["tier", *arguments, "--json"]) == code
        data = fits("tier", json.loads(capsys.readouterr().out))
        one = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{form}"}
        for tier in data["tiers"]:
            Draft202012Validator(one).validate(tier)
        assert data["rows"] == [row for tier in data["tiers"] for row in tier["rows"]]
        seen.add(form)
        return data["tiers"][0]

    run.house = house
    yield run
    assert seen == set(schema["$defs"])


def test_every_form_fits_its_schema(say, tmp_path, monkeypatch):
    house = say.house
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    made = house.seed("A film", 20 * MIB)
    torrent = made.info_hash
    house.evicts_at_once("60M")

    assert say("healthcheck", "--healthcheck", code=1)["healthy"] is False
    assert say("status", "--status")["worker"] is None
    (row,) = say("dry_run", "--dry-run")["rows"]
    assert (row["hash"], row["action"], row["copy_to"]) == (torrent, "copy", str(house.hdd / "films"))
    assert say("queue", torrent)["waiting"] == 1
    assert say("request", "--request")["running"] is False
    assert say("status", "--status")["queue"][0]["asker"] == "hook"
    assert say("pin", "--pin", torrent)["rows"][0]["pinned"] is True
    assert say("round", "--process-queue")["copied"] == 1
    assert say("explain", "--explain", torrent)["rows"][0]["reasons"][0]["kind"] == "pinned"
    assert say("pin", "--unpin", torrent)["rows"][0]["pinned"] is False
    assert say("recopy", "--recopy", torrent)["rows"][0]["queued"] is True
    assert say("clear_queue", "--clear-queue")["rows"][0]["dropped"] is True
    assert say("round", "--now", torrent)["copied"] == 1
    assert say("verify", "--verify")["rows"][0]["good"] is True
    (row,) = say("dry_run", "--dry-run")["rows"]
    assert (row["action"], row["frees"]) == ("evict", 20 * MIB)
    assert say("round")["rows"][-1]["end"] == "evicted"
    assert say("status", "--status")["rows"][0]["evicted_at"] > 0
    assert say("healthcheck", "--healthcheck")["healthy"] is True
    other = house.seed("Another film", MIB)
    assert say("round", "--now", other.info_hash)["copied"] == 1
    house.end.server.remove(torrent)
    (row,) = say("left", "--left")["rows"]
    assert (row["hash"], row["state"], row["bytes"]) == (torrent, "left", 20 * MIB)
    assert say("set_aside", "--set-aside")["rows"][0]["may"] is True
    monkeypatch.setattr("torrent_mover.duties.tiering.setting_aside.GONE_AFTER", 0.1)
    assert say("set_aside", "--set-aside", torrent, "--yes")["rows"][0]["moved"] is True
    (row,) = say("left", "--left")["rows"]
    assert (row["hash"], row["state"]) == (torrent, "set aside")
    assert say("status", "--status")["set_aside"] == {"copies": 1, "bytes": 20 * MIB}
    assert say("put_back", "--put-back", torrent)["rows"][0]["path"] == str(house.hdd / "films")
    config = house.environment["TORRENT_MOVER_CONFIG"]
    monkeypatch.setenv("TORRENT_MOVER_CONFIG", f"{config}.gone")
    house.environment = {}
    assert say("healthcheck", "--healthcheck", code=1)["tier"] is None
