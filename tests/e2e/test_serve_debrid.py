"""serve with a debrid account: its rounds are loops, killed in the middle of a repair, steered by page and screen, begun again."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters.test_link_library import mounted
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.e2e.command import ROOT, Command
from tests.e2e.test_debrid import FILES, HASH, OTHER
from tests.faults.ledger import SERVERS, trying
from tests.servers import eventually
from tests.tui.terminal import Terminal
from torrent_mover.demo.ports import free_port

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

CONFIG = """[DEBRID rd]
token = {token}
url = {url}
mode = {mode}
scan_interval = 5

[CLIENT box]
host = http://127.0.0.1
port = 9
username = jane
password = hunter2-hunter2

[HEALTH tv]
client = box
every = 60s

[WEB]
port = {port}

[General]
state_dir = {home}/state
log_dir = {home}/log
"""


class ServedDebrid:
    """`serve` with a double of an account, and a client that is away for health."""

    def __init__(self, home: Path, double: RealDebridDouble) -> None:
        self.home, self.double, self.world = home, double, double.world
        self.port = free_port()
        self.config = home / "config.ini"
        self.write("act")

    def write(self, mode: str) -> None:
        text = CONFIG.format(token=self.double.token, url=self.double.url, mode=mode, port=self.port, home=self.home)
        self.config.touch(mode=0o600)
        self.config.write_text(text)

    def start(self) -> Command:
        return Command("--config", self.config, "serve", home=self.home)

    def dead(self, digits: str, name: str) -> None:
        self.world.have(digits, *FILES, name=name)
        self.world.hold(digits, selected={1, 2}, word="dead")

    def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response | None:
        """An answer of the API; None while nobody answers."""
        try:
            token = (self.home / "state" / "web-token").read_text().strip()
            address = f"http://127.0.0.1:{self.port}{path}"
            return httpx.request(method, address, headers={"x-api-token": token}, timeout=20, **more)
        except (OSError, httpx.HTTPError):
            return None

    def get(self, path: str) -> Any:
        answer = self.ask(f"/api/v1{path}")
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def whole(self, digits: str) -> list[str]:
        """Entries of that torrent, if exactly the wanted files are selected in each and none is dead."""
        entries = [entry for entry in self.world.entries if entry.torrent.hash == digits]
        return [entry.id for entry in entries if entry.selected == {1, 2} and not entry.word and len(entries) == 1]


@pytest.fixture
def served(tmp_path):
    with RealDebridDouble(DebridWorld()) as double:
        yield ServedDebrid(tmp_path, double)
    assert double.violations == []


def test_a_repair_is_killed_after_its_add_and_after_its_removal_and_ends_with_one_entry(served):
    with trying("serve", "kill -9 while the answer to an add, or to a removal, is awaited", SERVERS) as tried:
        killed_while_it_waits(served, tried)


def killed_while_it_waits(served, tried):
    double = served.double
    served.dead(HASH, "Show.S01")
    for call in ("POST torrents/addMagnet", "DELETE torrents/delete"):
        double.fault(call, hang=True, after=True)
        with served.start() as command:
            eventually(lambda: double.calls(call), 60)  # noqa: B023  asked at once
            eventually(lambda: all(fault.seen for fault in double.faults))
            command.send(signal.SIGKILL)
            tried.injected()
            assert command.end().code == -signal.SIGKILL
        double.faults.clear()

    with served.start() as command:
        eventually(lambda: any(row["stage"] == "repaired" for row in served.get("/debrid/repairs") or ()), 60)
        (repair,) = served.get("/debrid/repairs")
        served_whole = served.whole(HASH)
        assert served.get("/debrid/findings") == []
        command.send(signal.SIGTERM)
        command.end(timeout=40).ended(143)

    assert served_whole == [repair["new"]]
    assert len(double.calls("POST torrents/addMagnet")) == 1, "the entry that a killed one added was adopted"


def test_the_loop_is_seen_and_steered_by_probe_page_and_screen_and_begun_again_with_another_mode(served):
    double = served.double
    served.write("report")
    served.dead(HASH, "Show.S01")
    flags = ("--config", str(served.config))
    with served.start() as command:
        eventually(lambda: served.get("/debrid/findings"), 60)
        with Command(*flags, "debrid", "scan", home=served.home) as second:
            second.end().ended(5)
        loops = {loop["name"]: loop for loop in served.get("/loops")}
        assert (loops["debrid rd"]["mode"], loops["debrid rd"]["due"]) == ("report", 1)
        assert served.ask("/healthz").json()["loops"]["debrid rd"] in ("looking", "waiting")
        (status,) = served.get("/debrid/status")
        assert (status["proven"], status["plan"], status["slots"]) == (1, [HASH], 10)
        assert "torrent_mover_debrid_requests_total{" in served.ask("/metrics").text
        refused = served.ask("/api/v1/debrid/act", "POST", json={"count": 7})
        assert (refused.status_code, refused.json()["kept"]) == (400, "Nothing was begun.")
        assert double.calls("POST torrents") == []

        command_line = ("-m", "torrent_mover", *flags, "attach", "health")
        with closing(Terminal(*command_line, size=(120, 40), HOME=str(served.home), PYTHONPATH=str(ROOT))) as terminal:
            terminal.read_until(b"tv")
            terminal.type(b"D")
            terminal.read_until(b"a acts on 1", 60)
            terminal.type(b"a")
            terminal.read_until(b"Act on the plan?")
            terminal.type(b"1\r")
            terminal.read_while(lambda: not served.whole(HASH), 60)
            terminal.type(b"q")
            assert terminal.end() == 0
        assert command.running

        served.dead(OTHER, "Film")
        served.ask("/api/v1/loops/debrid%20rd/pause", "POST")
        eventually(lambda: served.get("/debrid/status")[0]["phase"] == "paused", 60)
        served.write("act")
        eventually(lambda: served.whole(OTHER), 60)
        assert next(loop["mode"] for loop in served.get("/loops") if loop["name"] == "debrid rd") == "act"

        double.world.premium_until = 0.0
        eventually(lambda: (served.get("/debrid/status")[0]["trouble"] or {}).get("code") == "TM-E222", 60)
        assert served.ask("/healthz").status_code == 200, "an account that has ended parks no loop"
        command.send(signal.SIGTERM)
        result = command.end(timeout=40).ended(143)
    assert double.token not in result.text
    assert double.token not in "".join(path.read_text() for path in (served.home / "log").iterdir())


def test_what_a_player_could_not_play_is_repaired_at_once(served, tmp_path):
    mount, link = tmp_path / "zurg", tmp_path / "media" / "e1.mkv"
    link.parent.mkdir()
    served.world.have(HASH, *FILES, name="Show.S01")
    old = served.world.hold(HASH, selected={1, 2})
    with mounted(mount, "tmpfs"):
        (mount / "__all__" / "Show.S01").mkdir(parents=True)
        (mount / "version.txt").write_text("zurg")
        (mount / "__all__" / "Show.S01" / "e1.mkv").write_text("x")
        link.symlink_to(mount / "__all__" / "Show.S01" / "e1.mkv")
        lines = f"scan_interval = 1h\nmedia_roots = {link.parent}\nmounts = {mount} = zurg"
        served.config.write_text(served.config.read_text().replace("scan_interval = 5", lines))
        with served.start() as command:
            eventually(lambda: (served.get("/debrid/status") or [{}])[0].get("phase") == "waiting", 60)
            old.word = "dead"
            wrong = served.ask(f"/api/v1/debrid/repair?path={tmp_path}/nothing.mkv", "POST")
            assert (wrong.status_code, wrong.json()["kept"]) == (400, "Nothing was changed.")
            assert served.ask(f"/api/v1/debrid/repair?path={link}", "POST").json() == {"done": True}
            eventually(lambda: served.whole(HASH), 60)
            eventually(lambda: [row["stage"] for row in served.get("/debrid/repairs")] == ["repaired"], 60)
            command.send(signal.SIGTERM)
            command.end(timeout=40).ended(143).says("1 repaired, 0 parked, 0 failed")
    assert served.whole(HASH) != [old.id]


def test_the_token_in_the_environment_is_enough(served):
    served.dead(HASH, "Show.S01")
    served.config.unlink()
    environment = {
        "RD_API_TOKEN": served.double.token,
        "DRY_RUN": "false",
        "XDG_STATE_HOME": str(served.home / "state"),
        "TORRENT_MOVER__DEBRID_REALDEBRID__URL": served.double.url,
    }
    with Command("serve", "--no-web", home=served.home, environment=environment) as command:
        command.wait_for("1 repaired")
        command.send(signal.SIGINT)
        command.end(timeout=40).ended(130)
    assert served.whole(HASH)
