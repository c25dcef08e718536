"""The API: who may ask, what is answered, and that the OpenAPI document says so."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import socket
import time
from contextlib import closing, suppress
from dataclasses import replace
from http.client import HTTPConnection
from types import SimpleNamespace

import httpx
import psutil
import pytest
from jsonschema import Draft202012Validator

from tests.fakes.snapshots import a_hash
from tests.servers import eventually
from tests.web.site import TOKEN
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.web import application, server
from torrent_mover.web.debrid import DebridNumber
from torrent_mover.web.endpoints import API, Endpoint
from torrent_mover.web.guard import WRONG_A_MINUTE, WrongTokens, host_is_known

FIRST = a_hash(1)


@pytest.fixture
def client(start):
    """Somebody who knows the token."""
    with httpx.Client(base_url=start() + API, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client


@pytest.fixture
def stranger(start):
    """Somebody who does not, anywhere on the site."""
    with httpx.Client(base_url=start(), timeout=30) as client:
        yield client


# -- who may ask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [f"{API}/status", f"{API}/stream", f"{API}/openapi.json", f"{API}/nothing", "/metrics"]
)
def test_without_a_token_nothing_is_said(stranger, path):
    answer = stranger.get(path)

    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "what", "kept", "remedy"}
    assert TOKEN not in answer.text


@pytest.mark.parametrize("headers", [{"authorization": f"Bearer {TOKEN}"}, {"x-api-token": TOKEN}])
def test_both_headers_carry_the_token(stranger, headers):
    assert stranger.get(f"{API}/status", headers=headers).status_code == 200


def test_a_token_in_the_address_or_a_cookie_counts_nothing(stranger):
    assert stranger.get(f"{API}/status?token={TOKEN}").status_code == 401
    assert stranger.get(f"{API}/status", headers={"cookie": f"token={TOKEN}"}).status_code == 401


def test_the_sixth_wrong_token_in_a_minute_is_not_looked_at(stranger):
    codes = [
        stranger.get(f"{API}/status", headers={"x-api-token": f"guess-{number}"}).status_code
        for number in range(WRONG_A_MINUTE + 2)
    ]
    right = stranger.get(f"{API}/status", headers={"x-api-token": TOKEN})

    assert codes == [401] * WRONG_A_MINUTE + [429] * 2
    assert right.status_code == 429
    assert right.headers["retry-after"] == "60"
    assert stranger.get("/healthz").status_code == 200


def test_wrong_tokens_are_forgotten_after_a_minute_and_of_many_addresses_only_the_last_are_kept():
    wrong = WrongTokens()
    for number in range(5000):
        wrong.wrong(f"10.0.{number // 256}.{number % 256}", 0.0)
    for _ in range(WRONG_A_MINUTE):
        wrong.wrong("me", 100.0)

    assert len(wrong.moments) <= 1000
    assert wrong.is_too_many("me", 159.0)
    assert not wrong.is_too_many("me", 161.0)
    assert not wrong.is_too_many("you", 100.0)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8676", "", "localhost.evil.example", "localhost:/page/x?"]
)
def test_a_host_that_is_not_ours_is_refused_with_the_right_token(stranger, host):
    answer = stranger.get(f"{API}/status", headers={"host": host, "x-api-token": TOKEN})

    assert answer.status_code == 403 if host else answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8676", "127.0.0.1:1", "[::1]:8676", "192.168.1.7", "nas.lan:80"]
)
def test_names_of_this_machine_are_known(host):
    assert host_is_known(host, ("nas.lan",))


@pytest.mark.parametrize(
    "host",
    ["localhost:/config?", "localhost/", "localhost?", "localhost#", "a@localhost", "[::1]x", "[::1", "localhost:1:2"],
)
def test_what_is_no_name_and_port_is_not_known(host):
    assert not host_is_known(host, ("nas.lan",))


@pytest.mark.parametrize("path", ["/page/x", "/"])
def test_what_the_url_is_made_to_say_does_not_count_for_who_may_ask(web, monkeypatch, path):
    """An older Starlette puts the Host into the URL as it came."""
    monkeypatch.setattr(application.Request, "url", SimpleNamespace(path=path))
    app = application.application(web.site())
    asked = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")

    async def ask(headers: dict[str, str]) -> int:
        return (await asked.get(f"{API}/status", headers=headers)).status_code

    assert asyncio.run(ask({})) == 401
    assert asyncio.run(ask({"x-api-token": TOKEN})) == 200


def test_without_any_token_another_sites_page_is_still_refused(start):
    address = start(token="")
    with httpx.Client(base_url=address, timeout=60) as client:
        assert client.post(f"{API}/moves/pause").status_code == 200
        assert client.post(f"{API}/moves/pause", headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "code"),
    [("http://evil.example", 403), ("null", 403), ("http://nas.lan:81", 403), ("http://NAS.lan", 200), (None, 200)],
)
def test_where_browsers_do_not_tell_the_site_the_origin_does(start, origin, code):
    headers = {"host": "nas.lan", **({"origin": origin} if origin else {})}

    assert (
        httpx.post(f"{start(token='', hosts=('nas.lan',))}{API}/moves/pause", headers=headers, timeout=60).status_code
        == code
    )


def test_every_answer_keeps_the_page_to_itself(stranger):
    for path in ("/", "/healthz", f"{API}/status", "/page/app.js"):
        headers = stranger.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers
        assert "server" not in headers


def test_read_only_shows_everything_and_takes_no_order(start, web):
    with httpx.Client(base_url=start(read_only=True) + API, headers={"x-api-token": TOKEN}, timeout=60) as client:
        assert client.get("/moves").status_code == 200
        assert client.post("/config/check", json={"text": ""}).status_code == 200
        for path in ("/moves/pause", "/loops/moves/restart", "/tier/queue"):
            assert client.post(path, json={"hashes": [FIRST.hex]}).status_code == 403
        assert client.put("/config", json={"text": ""}).status_code == 403
    assert web.moves.calls == web.tiers.calls == web.serve.calls == []


def test_below_a_prefix_of_a_proxy_everything_is_there(start):
    with httpx.Client(base_url=start(base="/mover"), headers={"x-api-token": TOKEN}, timeout=60) as client:
        assert '"/mover/page/app.js"' in client.get("/mover/").text
        assert client.get(f"/mover{API}/status").status_code == 200
        assert client.get(f"{API}/status").status_code == 200  # a proxy that takes the prefix away
        assert client.get("/mover/healthz").json()["ok"] is True


# -- what is answered ------------------------------------------------------------------------------------------------------


def test_every_get_of_the_document_answers_what_the_document_says(client, web):
    web.serve.lines.append(LogLine(1, 2.0, Level.INFO, FIRST, "a line"))
    web.tiers.explanation = ("because",)
    web.numbers.append(DebridNumber("rd", web.debrid.current.at, "scan", "duration", 1.0, {"mode": "full"}))
    said = client.get("/openapi.json").json()
    tier = web.tiers.current.tiers[0].name
    names = {"{tier}": tier, "{hash}": next(iter(web.moves.details), FIRST).hex}
    seen = 0
    for path, operations in said["paths"].items():
        if "get" not in operations or (path.endswith("/{hash}") and not web.moves.details):
            continue
        for name, value in names.items():
            path = path.replace(name, value)  # noqa: PLW2901
        answer = client.get(path.removeprefix(API))
        assert answer.status_code == 200, answer.text
        schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": said["components"]}).validate(answer.json())
        seen += 1
    assert seen >= 8


def test_the_document_is_sound_and_has_every_endpoint(client, web):
    said = client.get("/openapi.json").json()
    operations = {(method.upper(), path) for path, each in said["paths"].items() for method in each}
    identities = [each["operationId"] for path in said["paths"].values() for each in path.values()]

    assert operations == {(each.method, API + each.path) for each in web.endpoints()}
    assert len(set(identities)) == len(identities)
    for schema in said["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_probes_say_how_the_loops_are_without_a_token(stranger, web):
    assert stranger.get("/healthz").json() == {"ok": True, "loops": {"moves": "looking", "tier ssd": "waiting"}}
    for state in ("parked", "stuck"):
        loops = (web.serve.current.loops[0], replace(web.serve.current.loops[1], state=state))
        web.serve.current = replace(web.serve.current, loops=loops)
        answer = stranger.get("/health")
        assert (answer.status_code, answer.json()["ok"]) == (503, False)
        assert answer.json()["loops"]["tier ssd"] == state


def test_metrics_have_moves_tiers_and_loops(stranger):
    text = stranger.get("/metrics", headers={"x-api-token": TOKEN}).text

    for wanted in (
        'torrent_mover_loop_state{loop="moves",state="looking"} 1',
        "torrent_mover_torrents{",
        "tier_disk_free_bytes{",
    ):
        assert wanted in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("path", "body", "call"),
    [
        ("/moves/pause", None, ("pause", None)),
        ("/moves/resume", None, ("resume", None)),
        ("/moves/rescan", None, ("rescan",)),
        ("/moves/limit", {"rate": "5M"}, ("limit", 5.0 * 1024**2)),
        ("/moves/limit", {"rate": "off"}, ("limit", float("inf"))),
        ("/moves/limit", {"rate": "config"}, ("limit", None)),
        (f"/moves/{FIRST.hex}/pause", None, ("pause", FIRST)),
        (f"/moves/{FIRST.hex}/retry", None, ("retry", FIRST)),
        (f"/moves/{FIRST.hex}/skip", None, ("skip", FIRST)),
        (f"/moves/{FIRST.hex}/cancel", None, ("cancel", FIRST)),
        (f"/moves/{FIRST.hex}/reorder", {"places": -1}, ("reorder", FIRST, -1)),
    ],
)
def test_orders_reach_the_moves(client, web, path, body, call):
    answer = client.post(path, json=body)

    assert (answer.status_code, answer.json()) == (200, {"done": True})
    assert web.moves.calls == [call]


def test_orders_reach_the_tiers(client, web):
    tier = web.tiers.current.tiers[0].name
    for act in ("pin", "unpin", "evict", "recopy", "queue"):
        assert client.post(f"/tiers/{tier}/torrents/{FIRST.hex}/{act}").status_code == 200
    assert client.post(f"/tiers/{tier}/round").status_code == 200
    queued = client.post("/tier/queue", json={"hashes": [FIRST.hex, a_hash(2).hex.upper()], "tier": tier})

    assert queued.json() == {"queued": 2, "tier": tier}
    assert web.tiers.calls == [
        *((act, tier, FIRST) for act in ("pin", "unpin", "evict", "recopy", "queue")),
        ("round", tier),
        ("queue", tier, FIRST),
        ("queue", tier, a_hash(2)),
    ]


def test_orders_reach_the_loops(client, web):
    for act in ("restart", "pause", "resume", "look"):
        assert client.post(f"/loops/tier%20ssd/{act}").status_code == 200
    assert client.post("/loops/nobody/restart").status_code == 400

    assert web.serve.calls == [(act, "tier ssd") for act in ("restart", "pause", "resume", "look")]


def test_a_server_is_asked_who_it_is(client, web):
    assert client.post("/test/client/box").json() == {"name": "box", "product": "qBittorrent 5.1.0"}
    assert client.post("/test/fridge/box").status_code == 400
    assert web.tested == ["box"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("DELETE", "/moves", None, 405),
        ("POST", f"/moves/{'f' * 40}/retry", None, 400),
        ("POST", "/moves/xyz/retry", None, 400),
        ("GET", f"/moves/{'f' * 40}", None, 400),
        ("POST", "/moves/limit", b"no json", 400),
        ("POST", "/moves/limit", b"{}", 400),
        ("POST", "/moves/limit", b'{"rate": 5}', 400),
        ("POST", "/moves/limit", b'{"rate": "5"}', 400),
        ("POST", "/tier/queue", b'{"hashes": ["xyz"]}', 400),
        ("POST", "/tier/queue", b'{"hashes": [], "tier": "none"}', 400),
        ("POST", "/config/check", b'"' + b"x" * (application.BODY_BYTES + 10) + b'"', 400),
        ("GET", "/logs?level=LOUD", None, 400),
        ("GET", "/logs?after=many", None, 400),
        ("GET", "/logs/stream?after=many", None, 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(client, web, method, path, body, status):
    answer = client.request(method, path, content=body)

    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"code", "what", "kept", "remedy"}
    assert answer.json()["what"]
    assert web.moves.calls == web.tiers.calls == []


def test_an_error_of_a_duty_is_told_with_its_code_and_without_secrets(start, web):
    def fail(_ask: object) -> object:
        raise MoverError("The password hunter2 is wrong.", kept="All.", remedy="Another one than hunter2.")

    def break_down(_ask: object) -> object:
        raise KeyError("hunter2")

    web.more = [Endpoint("GET", "/fails", "", fail), Endpoint("GET", "/breaks", "", break_down)]
    address = start(redact=lambda text: text.replace("hunter2", "•••"))
    with httpx.Client(base_url=address + API, headers={"x-api-token": TOKEN}, timeout=60) as client:
        failed, broken = client.get("/fails"), client.get("/breaks")
    assert (failed.status_code, failed.json()["code"]) == (409, "TM-E000")
    assert (broken.status_code, broken.json()["code"]) == (500, "TM-E401")
    assert "hunter2" not in failed.text + broken.text


# -- the config ------------------------------------------------------------------------------------------------------------


def test_the_config_is_shown_with_its_secrets_masked_and_its_comments(client):
    text = client.get("/config").json()["text"]

    assert "# my seedbox" in text
    assert "hunter2" not in text
    assert "correct horse" not in text
    assert text.count("********") == 2
    assert "username = jane" in text


def test_a_config_with_an_error_is_told_line_by_line_and_never_written(client, web):
    before = web.config.read_text()
    bad = client.get("/config").json()["text"].replace("category_to_move", "categorie_to_move")
    checked, put = client.post("/config/check", json={"text": bad}), client.put("/config", json={"text": bad})

    assert checked.json()["ok"] is False
    assert any("category_to_move" in problem["remedy"] for problem in checked.json()["problems"])
    assert put.status_code == 400
    assert put.json()["kept"] == "The file was not changed."
    assert web.config.read_text() == before
    assert [path.name for path in web.folder.iterdir()] == ["config.ini"]
    assert web.serve.calls == []


def test_a_good_config_is_written_with_the_secrets_of_before_and_read_again(client, web):
    new = client.get("/config").json()["text"].replace("films\n", "series\n").replace("# my seedbox", "# ours")
    answer = client.put("/config", json={"text": new})

    assert answer.status_code == 200, answer.text
    written = web.config.read_text()
    assert "# ours" in written
    assert "password = hunter2-hunter2" in written
    assert "password = correct horse" in written
    assert "category_to_move = series" in written
    assert web.config.stat().st_mode & 0o777 == 0o600
    (backup,) = web.folder.glob("config.ini.*")
    assert "category_to_move = films" in backup.read_text()
    assert web.serve.calls == [("reload",)]


def test_a_mask_for_a_secret_that_was_not_there_is_refused(client, web):
    text = client.get("/config").json()["text"].replace("[SOURCE_SERVER]", "[SOURCE_SERVER]\npassword = ********")

    assert client.put("/config", json={"text": text}).status_code == 400
    assert "********" not in web.config.read_text()


# -- streams ---------------------------------------------------------------------------------------------------------------


def first_event(client: httpx.Client, path: str) -> tuple[str, dict]:
    with client.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            if line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
    raise AssertionError("nothing came")


def test_the_stream_has_the_picture_of_every_duty(client, web):
    name, data = first_event(client, "/stream")

    assert name == "picture"
    assert set(data) == {"serve", "overview", "moves", "tiers"}
    assert data["moves"]["moves"][0]["name"] == web.moves.current.moves[0].name


def test_the_log_streams_what_is_new_and_loud_enough(client, web):
    web.serve.lines += [
        LogLine(1, 2.0, Level.WARN, None, "old"),
        LogLine(2, 2.0, Level.DEBUG, None, "quiet"),
        LogLine(3, 2.0, Level.ERROR, FIRST, "loud"),
    ]
    assert [line["text"] for line in client.get("/logs?after=1").json()] == ["quiet", "loud"]
    assert first_event(client, "/logs/stream?after=1&level=INFO") == (
        "line",
        {"number": 3, "at": 2.0, "level": "ERROR", "torrent": FIRST.hex, "text": "loud"},
    )


def test_so_many_streams_and_no_more_and_one_that_leaves_makes_room(start, monkeypatch):
    monkeypatch.setattr(application, "STREAMS", 3)
    address = start()
    headers = {"x-api-token": TOKEN}
    lines = [open_stream(address) for _ in range(3)]

    eventually(lambda: not streams_again(address))
    assert httpx.get(f"{address}{API}/moves", headers=headers, timeout=60).status_code == 200
    lines.pop().close()
    eventually(lambda: streams_again(address))
    for line in lines:
        line.close()


def streams_again(address: str) -> bool:
    with httpx.stream("GET", f"{address}{API}/stream", headers={"x-api-token": TOKEN}, timeout=60) as answer:
        assert answer.status_code in (200, 503)
        return answer.status_code == 200


def open_stream(address: str) -> socket.socket:
    """Asks for the stream, and reads nothing: not even what a wide buffer would take in."""
    host, _, port = address.removeprefix("http://").partition(":")
    line = socket.socket()
    line.settimeout(60)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect((host, int(port)))
    line.sendall(f"GET {API}/stream HTTP/1.1\r\nHost: {host}\r\nX-API-Token: {TOKEN}\r\n\r\n".encode())
    assert line.recv(15) == b"HTTP/1.1 200 OK"
    return line


def test_a_browser_that_stalls_is_let_go_and_holds_nobody(start, web, monkeypatch):
    monkeypatch.setattr(application, "_STALLED", 0.3)
    monkeypatch.setattr(application, "_KEEP_ALIVE", 0.3)  # the next word is the first that waits for the last one
    monkeypatch.setattr(application, "STREAMS", 1)
    # More than the socket of the service (net.ipv4.tcp_wmem: 4 MiB) and that of the browser take.
    web.moves.show(extended="x" * 5_000_000)
    address = start()
    stalled = open_stream(address)

    assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
    eventually(lambda: streams_again(address))
    stalled.close()


def test_a_thousand_who_look_get_one_picture(start, web, monkeypatch):
    monkeypatch.setattr(application, "_EVERY", 0.05)
    drawn = []
    plain = web.moves.snapshot
    monkeypatch.setattr(web.moves, "snapshot", lambda: drawn.append(time.monotonic()) or plain())
    address = start()
    lines = [open_stream(address) for _ in range(20)]
    eventually(lambda: len(drawn) >= 3)
    for line in lines:
        line.close()

    # At most one a twentieth of a second, however many look.
    assert len(drawn) <= (drawn[-1] - drawn[0]) / (0.05 * 0.9) + 2


def test_a_thousand_streams_take_no_descriptor_from_the_duties_and_those_that_ask_are_told(start):
    address = start()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    host, _, port = address.removeprefix("http://").partition(":")
    asked = f"GET {API}/stream HTTP/1.1\r\nHost: {host}\r\nX-API-Token: {TOKEN}\r\n\r\n".encode()
    lines, answers = [], []
    try:
        for _ in range(1000):
            lines.append(socket.create_connection((host, int(port)), 60))
            with suppress(OSError):
                lines[-1].sendall(asked)
        for line in lines:
            with suppress(OSError):
                answers.append(line.recv(100).split(b"\r\n")[0])
        with socket.create_connection((host, int(port)), 60) as line:
            one_more = line.makefile("rb").read()
        ours = [each for each in psutil.Process().net_connections("tcp") if each.laddr and each.laddr.port == int(port)]
    finally:
        for line in lines:
            line.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert answers.count(b"HTTP/1.1 200 OK") == application.STREAMS
    assert set(answers) <= {b"HTTP/1.1 200 OK", b"HTTP/1.1 503 Service Unavailable", b""}
    assert b"connections are open already" in one_more
    assert sum(each.status == psutil.CONN_ESTABLISHED for each in ours) <= server._CONNECTIONS
    eventually(lambda: httpx.get(f"{address}/healthz", timeout=60).status_code == 200)


def test_a_connection_that_never_asks_is_closed(start, monkeypatch):
    monkeypatch.setattr(server, "_ASKS_WITHIN", 0.2)
    host, _, port = start().removeprefix("http://").partition(":")
    with (
        socket.create_connection((host, int(port)), 60) as silent,
        socket.create_connection((host, int(port)), 60) as slow,
    ):
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        assert (silent.recv(1), slow.recv(1)) == (b"", b"")


@pytest.mark.parametrize(
    "begun",
    ["G", f"PUT {API}/config HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Token: {TOKEN}\r\nContent-Length: 9\r\n\r\n{{"],
    ids=["of a head", "of a body"],
)
def test_a_connection_that_has_asked_before_must_end_its_next_question_too(start, monkeypatch, caplog, begun):
    monkeypatch.setattr(server, "_ASKS_WITHIN", 0.5)
    host, _, port = start().removeprefix("http://").partition(":")
    with closing(HTTPConnection(host, int(port), timeout=60)) as one, closing(HTTPConnection(host, int(port))) as other:
        for each in (one, other):
            each.request("GET", "/healthz")
            assert each.getresponse().read()
        line = other.sock
        one.sock.sendall(begun.encode())
        assert one.sock.recv(1) == b"", "closed, though it has asked something before"
        other.request("GET", "/healthz")  # who asks nothing for a while is not hurried
        assert (other.getresponse().status, other.sock) == (200, line)
    assert "Exception" not in caplog.text


def numbers_in(line: socket.socket, until: bytes) -> set[bytes]:
    """Which pictures come, by the digit in them, until that one does."""
    seen, tail = set(), b""
    line.settimeout(60)
    while until not in seen:
        tail = tail[-32:] + line.recv(1 << 20)
        seen.update(re.findall(rb'"extended":"(\d)', tail))
    return seen


def test_a_slow_reader_gets_the_picture_of_now_and_no_backlog(start, web, monkeypatch):
    monkeypatch.setattr(application, "_EVERY", 0.05)
    monkeypatch.setattr(application, "_STALLED", 300.0)
    web.moves.show(extended="0" * 8_000_000)  # more than the buffers of two sockets, so that it waits for its reader
    address = start()
    with closing(open_stream(address)) as slow, closing(open_stream(address)) as quick:
        for number in range(1, 8):
            web.moves.show(extended=str(number) * 8_000_000)
            numbers_in(quick, str(number).encode())
        seen = numbers_in(slow, b"7")

    assert len(seen) <= 4, seen


# -- files of the page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/page/../application.py", "/page/%2e%2e/guard.py", "/page/nothing.js", "/page/views", "/etc/passwd"]
)
def test_only_the_files_of_the_page_are_served(stranger, path):
    assert stranger.get(path).status_code == 404


def test_the_page_asks_nobody_else(stranger):
    text = stranger.get("/").text + "".join(path.read_text() for path in application.PAGE.rglob("*.[jc]s*"))

    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert "innerHTML" not in text
