"""One HTTP service: whole answers within their bound, redirects told and not followed, keys in headers alone, a steady pace."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager

import pytest

from torrent_mover.adapters.http import HttpPlace, HttpService, HttpTrouble, RequestPace
from torrent_mover.domain.secret import Secret

LOOPBACK = "127.0.0.1"


@contextmanager
def raw_server(*parts: bytes, pause: threading.Event | None = None, drip: bytes = b""):
    """A server that reads one request and sends these bytes, whatever they are, and then without an end the `drip`, bit by bit."""
    listening = socket.create_server((LOOPBACK, 0))
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(65536))
                try:
                    for part in parts:
                        connection.sendall(part)
                    while drip and not done.wait(0.05):
                        connection.sendall(drip)
                    if pause is not None:
                        pause.wait(60)
                except OSError:
                    continue

    done = threading.Event()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}", heard
    finally:
        done.set()
        if pause is not None:
            pause.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(60)


@contextmanager
def service(base: str, **place):
    made = HttpService(HttpPlace(base, section="ARR tv", **place), RequestPace(2, 100))
    try:
        yield made
    finally:
        made.close()


def answer(body: bytes, head: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n") -> bytes:
    return head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def test_a_whole_answer_comes_with_its_status_and_headers():
    with raw_server(answer(b'{"a": 1}')) as (base, _), service(base) as http:
        got = http.ask("GET", "/x")
    assert (got.status, json.loads(got.body), got.location, got.is_page) == (200, {"a": 1}, "", False)
    assert got.headers["content-type"] == "application/json"


def test_the_key_is_a_header_and_is_left_out_where_it_is_not_needed():
    with raw_server(answer(b"{}")) as (base, heard), service(base, headers={"X-Api-Key": Secret("s3cr3t-key")}) as http:
        http.ask("POST", "/x", {"a": "b c"}, {"name": "y"})
        http.ask("GET", "/ping", with_key=False)
    first, second = (each.decode() for each in heard)
    assert first.startswith("POST /x?a=b+c HTTP/1.1") or first.startswith("POST /x?a=b%20c HTTP/1.1")
    assert "x-api-key: s3cr3t-key" in first.lower()
    assert "s3cr3t-key" not in second
    assert "user-agent: torrent-mover/" in second.lower()


def test_a_login_for_a_web_server_in_front_goes_along():
    with raw_server(answer(b"{}")) as (base, heard), service(base, basic_auth=Secret("jane:a:b")) as http:
        http.ask("GET", "/x")
    assert b"Authorization: Basic amFuZTphOmI=" in heard[0]


def test_a_redirect_is_told_and_not_followed():
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/login\r\n"
    with raw_server(answer(b"", head)) as (base, heard), service(base) as http:
        got = http.ask("POST", "/x", body={})
    assert (got.status, got.location) == (302, "http://127.0.0.1:1/login")
    assert len(heard) == 1


def test_a_page_is_known_also_where_it_says_that_it_is_json():
    with raw_server(answer(b" <!DOCTYPE html><html></html>")) as (base, _), service(base) as http:
        assert http.ask("GET", "/x").is_page


def test_an_answer_that_ends_early_is_cut():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    with raw_server(head + b'{"a"') as (base, _), service(base) as http, pytest.raises(HttpTrouble) as caught:
        http.ask("GET", "/x")
    assert caught.value.cut
    assert caught.value.what == "gave an answer that was cut off"


def test_nonsense_is_cut_too():
    with (
        raw_server(b"\x00\x01nonsense\r\n\r\n") as (base, _),
        service(base) as http,
        pytest.raises(HttpTrouble) as caught,
    ):
        http.ask("GET", "/x")
    assert caught.value.cut


def test_a_connection_that_ends_without_an_answer_is_no_answer():
    with (
        raw_server() as (base, _),
        service(base) as http,
        pytest.raises(HttpTrouble, match="closed the connection") as caught,
    ):
        http.ask("GET", "/x")
    assert (caught.value.cut, caught.value.sent) == (False, True)


def test_no_answer_ends_after_its_time():
    with raw_server(pause=threading.Event()) as (base, _), service(base, timeout=0.3) as http:
        with pytest.raises(HttpTrouble, match=r"did not answer within 0\.3 s") as caught:
            http.ask("GET", "/x")
        assert "timeout in [ARR tv]" in caught.value.remedy


def test_an_answer_that_drips_ends_after_its_time_too():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with (
        raw_server(head, drip=b"x") as (base, _),
        service(base, timeout=0.4) as http,
        pytest.raises(HttpTrouble, match="did not answer within"),
    ):
        http.ask("GET", "/x")


def test_a_name_that_no_address_belongs_to_is_told():
    with service("http://no-such-host.invalid:1") as http, pytest.raises(HttpTrouble) as caught:
        http.ask("GET", "/x")
    assert not caught.value.sent
    assert "[ARR tv]" in caught.value.remedy


def test_https_where_there_is_none_is_told():
    with (
        raw_server(answer(b"{}")) as (base, _),
        service(base.replace("http:", "https:")) as http,
        pytest.raises(HttpTrouble, match="does not speak HTTPS") as caught,
    ):
        http.ask("GET", "/x")
    assert caught.value.remedy == "Make url in [ARR tv] begin with http://"


def test_certificates_that_cannot_be_read_are_told_before_anything_is_sent(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with (
        service("https://127.0.0.1:1", ca_file=str(tmp_path / "ca.pem")) as http,
        pytest.raises(HttpTrouble, match="certificates to trust cannot be read"),
    ):
        http.ask("GET", "/x")


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with raw_server(answer(b"{}")) as (base, _), service(base) as http:
        assert http.ask("GET", "/x").status == 200


def test_places_have_names_without_logins():
    assert HttpPlace("http://[::1]:8989/sonarr").name == "[::1]:8989/sonarr"
    assert HttpPlace("https://arr.example.org").name == "arr.example.org:443"


def test_the_pace_lets_so_many_through_in_a_second():
    now, waits = [100.0], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pace = RequestPace(1, 4, wait, lambda: now[0])
    for _ in range(9):
        with pace:
            now[0] += 0.1
    assert now[0] - 100.0 == pytest.approx(2.1, abs=0.01)
    assert len(waits) == 2


def test_a_pace_that_is_stopped_while_it_waits_keeps_no_slot():
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    pace = RequestPace(1, 1, stop, lambda: 100.0)
    with pace:
        pass
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt), pace:
            raise AssertionError("not reached")


def test_no_more_than_so_many_are_asked_at_a_time():
    pace = RequestPace(2, 1000)
    inside, most, lock = [0], [0], threading.Lock()
    gate = threading.Barrier(2, timeout=60)

    def work() -> None:
        with pace:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            gate.wait()
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most[0] == 2
