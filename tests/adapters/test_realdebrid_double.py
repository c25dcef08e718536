"""The double of Real-Debrid is as strict as the service: its limits, its ban, its words, its download hosts, faults on demand."""

# ruff: noqa: S310  its own address on loopback

from __future__ import annotations

import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble

HASH = "3f2a" * 10


@pytest.fixture
def double():
    with RealDebridDouble(DebridWorld()) as made:
        yield made


def ask(double, method, path, form=None, body=None, **headers):
    """Status, headers and JSON (or text) of an answer."""
    data = urlencode(form).encode() if form else body
    sent = {"Authorization": f"Bearer {double.token}", **headers}
    request = urllib.request.Request(f"{double.url}{path}", data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, told, text = answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, told, text = error.code, error.headers, error.read().decode()
    return status, told, json.loads(text) if text[:1] in ("{", "[") else text


def code(answer):
    return answer[0], answer[2]["error_code"]


def test_more_than_250_requests_in_a_minute_are_refused_until_the_minute_is_over(double):
    double.other_client(249)
    assert ask(double, "GET", "user")[0] == 200
    assert code(ask(double, "GET", "user")) == (429, 34)
    double.world.clock.advance(61)
    assert ask(double, "GET", "user")[0] == 200


def test_refused_requests_count_and_500_close_it_for_ten_minutes(double):
    double.other_client(500)
    assert code(ask(double, "GET", "user")) == (429, 34)
    double.world.clock.advance(300)
    assert code(ask(double, "GET", "user")) == (429, 34)
    double.world.clock.advance(400)
    assert ask(double, "GET", "user")[0] == 200


def test_more_than_75_lists_in_a_minute_are_refused_and_other_calls_are_not(double):
    answers = [ask(double, "GET", "torrents")[0] for _ in range(76)]
    assert answers == [204] * 75 + [429]
    assert ask(double, "GET", "user")[0] == 200


def test_json_an_auth_token_and_an_unknown_call_are_refused_and_noted(double):
    assert code(ask(double, "POST", "torrents/addMagnet", body=b"{}", **{"Content-Type": "application/json"})) == (
        400,
        1,
    )
    assert code(ask(double, "GET", "user?auth_token=x")) == (400, 1)
    assert code(ask(double, "GET", "torrents/instantAvailability/x")) == (404, 3)
    assert len(double.violations) == 3


def test_another_token_is_refused(double):
    assert code(ask(double, "GET", "user", Authorization="Bearer ANOTHER")) == (401, 8)


def test_an_unknown_filter_is_ignored(double):
    double.world.hold(HASH)
    assert len(ask(double, "GET", "torrents?filter=failed")[2]) == 1
    assert ask(double, "GET", "torrents?filter=active")[0] == 204


def test_a_torrent_goes_through_its_states_on_the_clock_of_the_world(double):
    double.world.have(HASH, ("Film.mkv", 5), cached=False, convert=5.0, download=60.0)
    own = ask(double, "POST", "torrents/addMagnet", {"magnet": f"magnet:?xt=urn:btih:{HASH}"})[2]["id"]

    def status():
        return ask(double, "GET", f"torrents/info/{own}")[2]["status"]

    seen = [status()]
    double.world.clock.advance(6)
    seen.append(status())
    assert ask(double, "POST", f"torrents/selectFiles/{own}", {"files": "1"})[0] == 204
    assert ask(double, "POST", f"torrents/selectFiles/{own}", {"files": "1"})[0] == 202
    assert code(ask(double, "POST", f"torrents/selectFiles/{own}", {"files": "9"})) == (404, 7)
    for seconds in (0.5, 30, 29, 5):
        double.world.clock.advance(seconds)
        seen.append(status())
    assert len(own) == 13
    assert seen == [
        "magnet_conversion",
        "waiting_files_selection",
        "queued",
        "downloading",
        "uploading",
        "downloaded",
    ]


@pytest.mark.parametrize("fate", ["magnet_error", "error", "dead", "virus"])
def test_each_fate_comes_true(double, fate):
    double.world.have(HASH, ("Film.mkv", 5), fate=fate)
    assert ask(double, "GET", f"torrents/info/{double.world.hold(HASH).id}")[2]["status"] == fate


def test_download_hosts_serve_ranges_and_say_when_the_traffic_is_used_up(double):
    entry = double.world.hold(HASH)
    (link,) = entry.links
    told = ask(double, "POST", "unrestrict/link", {"link": link.text})[2]
    request = urllib.request.Request(told["download"], headers={"Range": "bytes=0-9"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert (answer.status, len(answer.read())) == (206, 10)
    link.state = "503/23"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=60)
    assert (raised.value.code, raised.value.headers["X-Error"]) == (403, "bytes_limit_reached")
    raised.value.close()


def test_faults_strike_once_or_at_a_share_before_or_after_the_effect(double):
    double.fault("GET user", 503, {"error": "x", "error_code": 25}, nth=2)
    assert [ask(double, "GET", "user")[0] for _ in range(3)] == [200, 503, 200]
    double.faults.clear()
    double.fault("GET user", 503, {"error": "x", "error_code": 25}, share=0.25)
    assert [ask(double, "GET", "user")[0] for _ in range(8)].count(503) == 2
    double.faults.clear()
    magnet = {"magnet": f"magnet:?xt=urn:btih:{HASH}"}
    double.fault("POST", 503, {"error": "x", "error_code": 25}, nth=1)
    assert ask(double, "POST", "torrents/addMagnet", magnet)[0] == 503
    assert len(double.world.entries) == 0
    double.faults.clear()
    double.fault("POST", 503, {"error": "x", "error_code": 25}, nth=1, after=True)
    assert ask(double, "POST", "torrents/addMagnet", magnet)[0] == 503
    assert len(double.world.entries) == 1
