"""serve where files with passwords and keys are away, as secrets that are not mounted yet: each stops what logs in with it."""

from __future__ import annotations

import signal

import httpx
import pytest

from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.e2e.test_move_arrs import an_arr
from tests.e2e.test_serve import MIB, ServeHouse
from tests.faults.ledger import SERVERS
from tests.servers import eventually

pytestmark = [pytest.mark.servers, pytest.mark.logins, pytest.mark.timeout(600)]


@pytest.mark.fault("serve", "files with passwords and keys are away", SERVERS)
def test_files_of_logins_that_are_away_stop_only_what_logs_in_with_them_until_they_are_there(house, tmp_path):
    served, secrets = ServeHouse(house, tmp_path), tmp_path / "secrets"
    made, there = house.seed("A film", 2 * MIB), house.destination
    with an_arr(house, category="tv") as arr, RealDebridDouble(DebridWorld()) as debrid:
        login = {"host": there.host, "port": str(there.port), "username": there.username}
        served.configure(
            **{
                "ARR tv": {"url": arr.url, "api_key_file": str(secrets / "tv"), "category": "tv"},
                "CLIENT other": login | {"password_file": str(secrets / "other")},
                "DEBRID rd": {"url": debrid.url, "token_file": str(secrets / "rd"), "scan_interval": "60"},
                "HEALTH other": {"client": "other", "every": "5s"},
                "HEALTH nas": {"client": "nas", "arr": "tv", "every": "5s"},
            }
        )
        with served.start() as command:
            eventually(lambda: served.left(made, made.files()), 120)
            states = {loop["name"]: loop["state"] for loop in served.ask("/loops")}
            assert set(states) == {"moves", "tier ssd", "arr tv", "other", "nas"}
            assert set(states.values()) <= {"looking", "waiting"}
            away = f"debrid cannot be begun: The file {secrets / 'rd'} with a password or key cannot be read"
            assert served.ask("/status")["trouble"].startswith(away)
            assert httpx.get(f"http://127.0.0.1:{served.port}/healthz", timeout=60).status_code == 200

            secrets.mkdir()
            for name, text in (("tv", arr.key), ("rd", debrid.token), ("other", there.password)):
                (secrets / name).write_text(f"{text}\n")
            served.until("/status", lambda seen: "debrid rd" in [loop["name"] for loop in seen["loops"]], 120)
            served.until("/debrid/status", lambda seen: seen[0]["looked_at"])
            assert served.ask("/status")["trouble"] == ""
            command.send(signal.SIGTERM)
            result = command.end(timeout=40).ended(143)
    result.says(
        "other: clocks stand", str(secrets / "other"), "[ARR tv] api_key_file", "nothing works that logs in with it"
    )
    assert result.text.count(away) == 1
    assert "parked" not in result.text
