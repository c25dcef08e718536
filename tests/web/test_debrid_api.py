"""The API of debrid accounts: what it tells, what it orders, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.tui import debrid_case
from tests.tui.debrid_case import ASIDE, AT, BANNED, BEGUN, DEAD, HALF, MENDED, WAITS, an_account
from tests.web.site import TOKEN
from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.web.debrid import DebridNumber
from torrent_mover.web.endpoints import API


@pytest.fixture
def client(start):
    """Somebody who knows the token."""
    with httpx.Client(base_url=start() + API, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client


def test_accounts_are_told_with_their_plan_and_trouble(client, web):
    gone = Trouble("TM-E222", "The premium has ended.", "", "Renew it.")
    box = an_account("box", acts=False, findings=(), repairs=(), trouble=gone)
    web.debrid.current = replace(web.debrid.current, accounts=(an_account(), box))
    rd, box = client.get("/debrid/status").json()

    assert (rd["mode"], rd["phase"], rd["slots"], rd["total"]) == ("act", "waiting", 10, 12004)
    assert (rd["suspect"], rd["proven"], rd["repairing"], rd["done"]) == (1, 2, 1, 1)
    assert rd["plan"] == [BEGUN.hex, DEAD.hex]
    assert (box["mode"], box["plan"], box["trouble"]["code"]) == ("report", [], "TM-E222")
    assert [each["name"] for each in client.get("/debrid/status?account=box").json()] == ["box"]


def test_what_was_found_is_repaired_waits_or_is_set_aside(client):
    def ids(part: str) -> list[str]:
        return [row["id"] for row in client.get(f"/debrid/{part}").json()]

    assert ids("findings") == [DEAD.hex, BANNED.hex, HALF.hex]
    assert ids("repairs") == [BEGUN.hex, MENDED.hex]
    assert client.get("/debrid/repairs").json()[0]["stage"] == "waiting"
    assert ids("retries") == [WAITS.hex]
    assert [row["key"] for row in client.get("/debrid/quarantine").json()] == [ASIDE[0].key]
    told = client.get(f"/debrid/torrents/{DEAD.hex}").json()
    assert told == {"account": "rd", "lines": list(debrid_case.EXPLANATION)}


def test_numbers_are_those_of_the_last_while(client, web):
    for days, value in ((3, 1.0), (0.5, 2.0)):
        web.numbers.append(DebridNumber("rd", AT - days * 86400, "scan", "duration", value, {"mode": "full"}))

    assert [each["value"] for each in client.get("/debrid/metrics").json()] == [2.0]
    assert [each["value"] for each in client.get("/debrid/metrics?since=7d").json()] == [1.0, 2.0]
    assert client.get("/debrid/metrics?since=soon").status_code == 400


def test_orders_reach_the_account(client, web):
    for path in (
        "/debrid/scan",
        f"/debrid/repair?path={debrid_case.FINDINGS[0].links[0]}",
        f"/debrid/torrents/{WAITS.hex}/retry",
        f"/debrid/quarantine/{ASIDE[0].key}/restore",
    ):
        answer = client.post(path)
        assert (answer.status_code, answer.json()) == (200, {"done": True}), path
    assert client.post("/debrid/act", json={"count": 2}).status_code == 200

    assert web.debrid.calls == [
        ("scan", "rd"),
        ("repair", "rd", DEAD),
        ("retry", "rd", WAITS),
        ("restore", "rd", ASIDE[0].key),
        ("act", "rd", (BEGUN, DEAD)),
    ]


def test_what_is_not_clear_is_refused_and_changes_nothing(client, web):
    for path, body in (
        ("/debrid/act", {"count": 3}),
        ("/debrid/act", {"count": 0}),
        ("/debrid/act", {}),
        ("/debrid/repair", None),
        ("/debrid/repair?path=/media/tv/nothing.mkv", None),
        ("/debrid/scan?account=nobody", None),
        ("/debrid/torrents/xyz/retry", None),
    ):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["kept"][:7]) == (400, "Nothing"), path
    web.debrid.current = replace(web.debrid.current, accounts=(an_account(), an_account("box")))
    assert "several accounts: rd, box" in client.post("/debrid/scan").json()["what"]
    assert client.post("/debrid/scan?account=box").status_code == 200
    web.debrid.current = replace(web.debrid.current, accounts=(an_account(findings=(), repairs=()),))
    assert client.post("/debrid/act", json={"count": 0}).status_code == 400
    web.debrid.refusal = UsageError("There is no account rd.")
    assert client.get(f"/debrid/torrents/{DEAD.hex}").status_code == 400

    assert [call for call in web.debrid.calls if call[0] != "explain"] == [("scan", "box")]
