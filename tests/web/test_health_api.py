"""The API of the health of downloads: what it tells, which loop an order goes to, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.tui import health_case
from tests.tui.health_case import DONE, HELD, MAGNET, PRIVATE, STALLED
from tests.web.site import TOKEN
from torrent_mover.domain.report.health import HealthFindingView
from torrent_mover.duties.health.errors import NoSuchRecord
from torrent_mover.web import health
from torrent_mover.web.endpoints import API


@pytest.fixture
def client(start):
    """Somebody who knows the token."""
    with httpx.Client(base_url=start() + API, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client


def test_rows_are_filtered_and_come_in_pages(client, monkeypatch):
    def hashes(query: str = "") -> list[str]:
        return [row["hash"] for row in client.get(f"/torrents{query}").json()["rows"]]

    assert hashes() == [one.id.hex for one in health_case.PATIENTS]
    assert hashes("?code=no_metadata") == [MAGNET.hex]
    assert hashes("?due=1&q=show") == hashes("?q=SHOW") == [STALLED.hex]
    assert hashes("?loop=films") == hashes("?q=nothing") == []
    row = client.get("/torrents?code=unregistered").json()["rows"][0]
    assert (row["intent"], row["vetoes"]) == ("retire", ["hit-and-run: 2d 4h of 3d seeded"])
    assert HealthFindingView(**row["findings"][0]) == health_case.PATIENTS[1].findings[0]
    assert row["findings"][0]["lasted"] == health_case.PATIENTS[1].findings[0].lasted
    held = client.get("/torrents?q=kept").json()["rows"][0]
    assert (held["hash"], held["held"], held["held_until"]) == (HELD.hex, True, None)
    monkeypatch.setattr(health, "ROWS_A_PAGE", 2)
    second = client.get("/torrents?page=2").json()
    assert (len(second["rows"]), second["total"], second["rows"][0]["hash"]) == (2, 5, MAGNET.hex)


def test_one_torrent_is_told_with_what_was_done_to_it(client):
    told = client.get(f"/torrents/{DONE.hex}").json()

    assert told["lines"] == list(health_case.EXPLANATION)
    assert (told["row"], told["loop"], [each["id"] for each in told["actions"]]) == (None, "tv", [12])
    assert told["actions"][0]["steps"][0] == {
        "step": "blocked",
        "at": health_case.AT - health_case.HOUR,
        "result": "in tv",
    }
    assert [each["id"] for each in client.get("/actions").json()] == [12, 11]
    assert [each["id"] for each in client.get(f"/actions?after={health_case.AT - 2 * health_case.HOUR}").json()] == [12]
    assert client.get("/bin").json()[0]["name"] == "Old.S01E01"
    assert client.get("/searches").json()[0]["state"] == "done"


def test_orders_go_to_the_loop_that_knows_the_torrent(client, web):
    for act in ("release", "reset", "act"):
        assert client.post(f"/torrents/{PRIVATE.hex}/{act}").json() == {"done": True}
    assert client.post(f"/torrents/{PRIVATE.hex}/hold", json={"time": "7d"}).status_code == 200
    assert client.post(f"/torrents/{PRIVATE.hex}/hold", json={}).status_code == 200
    assert client.post("/actions/12/undo").status_code == 200

    assert [call for call in web.health.calls if call[0] != "explain"] == [
        *((act, "tv", PRIVATE) for act in ("release", "reset", "act")),
        ("hold", "tv", PRIVATE, 7 * 86400.0),
        ("hold", "tv", PRIVATE, None),
        ("undo", "tv", 12),
    ]


def test_what_is_not_clear_is_refused_and_changes_nothing(client, web):
    loops = (health_case.a_loop(), health_case.a_loop("films"))
    acts = (health_case.REPLACED, replace(health_case.REPLACED, loop="films"))
    web.health.current = replace(web.health.current, loops=loops, acts=acts)
    hold = f"/torrents/{STALLED.hex}/hold"
    for path, body in (
        (hold, {}),
        (f"{hold}?loop=nobody", {}),
        (f"{hold}?loop=tv", {"time": "soon"}),
        ("/actions/12/undo", None),
        ("/actions/99/undo", None),
        ("/torrents/xyz/act", None),
    ):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["kept"][:7]) == (400, "Nothing"), path
    assert client.post("/actions/12/undo?loop=films").status_code == 200
    assert client.post(f"{hold}?loop=films", json={}).status_code == 200
    web.health.refusal = NoSuchRecord("No look has seen this torrent yet.")
    assert client.post(f"{hold}?loop=films", json={}).status_code == 400

    changed = [call for call in web.health.calls if call[0] != "explain"]
    assert changed == [("undo", "films", 12), ("hold", "films", STALLED, None)]


def test_figures_for_prometheus(client):
    text = client.get(f"{str(client.base_url).removesuffix(API + '/')}/metrics").text

    for wanted in (
        'torrent_mover_health_torrents{loop="tv"} 214',
        'torrent_mover_health_findings{loop="tv",code="stalled",due="true"} 1',
        'torrent_mover_health_findings{loop="tv",code="no_metadata",due="false"} 1',
        'torrent_mover_health_blind{loop="tv"} 0',
        'torrent_mover_health_taken_out{loop="tv"} 1',
    ):
        assert wanted in text
