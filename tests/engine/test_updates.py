"""update_check: one GET a day, over restarts too; each newer release is told of once; nothing is installed."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fakes.clock import FakeClock
from torrent_mover import __version__
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.updates import build_updates
from torrent_mover.domain.releases import Release, UpdateChannel, newer
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import WEB_HOST, Surroundings

DAY = 86400.0
AROUND = Surroundings(config_dir="/", home="/", state_home="/")


class ReleaseServer:
    """A list of releases on loopback."""

    def __init__(self) -> None:
        self.releases: object = []
        self.requests: list[tuple[str, str]] = []
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                double.requests.append((self.path, self.headers["User-Agent"]))
                body = json.dumps(double.releases).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """`requests` has them."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/repos/x/y/releases"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    server = ReleaseServer()
    yield server
    server.close()


def release(tag, *, pre=False):
    return {"tag_name": tag, "prerelease": pre, "draft": False}


def test_the_newest_of_the_channel_counts_and_only_a_newer_one():
    listed = [Release("v3.1.0", preview=False), Release("v3.2.0-rc1", preview=True), Release("nightly", preview=False)]
    assert newer(listed, UpdateChannel.STABLE, "3.0.0").tag == "v3.1.0"
    assert newer(listed, UpdateChannel.PRE, "3.0.0").tag == "v3.2.0-rc1"
    assert newer(listed, UpdateChannel.STABLE, "3.1.0") is None
    assert newer([], UpdateChannel.PRE, "3.0.0") is None


def test_one_get_a_day_over_restarts_too_and_each_release_is_told_of_once(server, tmp_path):
    clock, said = FakeClock(), []
    general = GeneralSettings(update_check=UpdateChannel.STABLE, update_url=WEB_HOST.read(server.url, AROUND))
    server.releases = [release("v99.1"), release("v100.0", pre=True)]

    def look() -> float:
        """As in a process of its own."""
        with ExitStack() as stack:
            journal = SqliteJournal(tmp_path / "journal.sqlite3", clock)
            stack.callback(journal.close)
            return build_updates(general, journal, clock, said.append, stack).look(threading.Event())

    assert look() == DAY
    clock.advance(3600)
    assert look() == DAY - 3600
    assert server.requests == [("/repos/x/y/releases", f"torrent-mover/{__version__}")]
    assert said == [f"there is a newer release: v99.1 (this is {__version__})"]
    clock.advance(DAY)
    look()
    assert (len(server.requests), len(said)) == (2, 1)
    server.releases = {"message": "rate limited"}
    clock.advance(DAY)
    assert look() == DAY
    assert (len(server.requests), len(said)) == (3, 1)


def test_nobody_is_asked_unless_it_is_wanted(server, tmp_path):
    journal = SqliteJournal(tmp_path / "journal.sqlite3", FakeClock())
    with ExitStack() as stack:
        stack.callback(journal.close)
        off = GeneralSettings(update_url=WEB_HOST.read(server.url, AROUND))
        nowhere = GeneralSettings(update_check=UpdateChannel.PRE)
        for general in (off, nowhere):
            assert build_updates(general, journal, FakeClock(), print, stack) is None
