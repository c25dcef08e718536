"""serve on real servers: a route, a tier and health in one process, one truth everywhere."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.command import ROOT, Command
from tests.e2e.house import House
from tests.faults.ledger import SERVERS
from tests.servers import eventually
from tests.tui.terminal import Terminal
from torrent_mover.demo.ports import free_port

pytestmark = [pytest.mark.servers, pytest.mark.logins, pytest.mark.timeout(600)]

SLOW = {"General": {"sftp_download_limit_mbps": "1"}}
HARDLY = {"General": {"sftp_download_limit_mbps": "2"}}
"""40 MiB do not arrive within a test; and no piece of it is waited for so long that an order seems to do nothing."""
MIB = 1 << 20


class ServeHouse:
    """A house whose destination client is a tier's client too, and `serve` on it."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.disk = folder / "disk"
        self.disk.mkdir(exist_ok=True)
        self.port = free_port()
        self.state = house.world.root / "state"

    def configure(self, **more: dict[str, str]) -> Path:
        """The config: everything on the SSD leaves as soon as it is copied."""
        there = self.house.destination
        tier = {
            "client": "nas", "ssd": str(there.data), "targets": f"*:{self.disk}", "free_low": "99%", "free_high": "99%",
            "min_age": "0", "keep_active": "off", "keep_free": "0", "sweep_every": "10s",
        }  # fmt: skip
        client = {"host": there.host, "port": str(there.port), "username": there.username, "password": there.password}
        sections = {"CLIENT nas": {"type": "qbittorrent", **client}, "TIER ssd": tier, "WEB": {"port": str(self.port)}}
        return self.house.world.write_config(**(sections | more))

    def start(self, *arguments: str, module: str = "torrent_mover", **environment: str) -> Command:
        """Start it with the config that is there."""
        config = self.house.world.root / "config.ini"
        return Command(
            "--config", config, "serve", "--every", "10s", *arguments, home=self.house.home, module=module,
            environment=environment,
        )  # fmt: skip

    def ask(self, path: str) -> Any:
        """An answer of the API; None while there is none."""
        try:
            token = (self.state / "web-token").read_text().strip()
            answer = httpx.get(f"http://127.0.0.1:{self.port}/api/v1{path}", headers={"x-api-token": token}, timeout=10)
        except (OSError, httpx.HTTPError):
            return None
        return answer.json() if answer.status_code == 200 else None

    def ask_for(self, path: str) -> None:
        """An order by the API."""
        token = (self.state / "web-token").read_text().strip()
        answer = httpx.post(f"http://127.0.0.1:{self.port}/api/v1{path}", headers={"x-api-token": token}, timeout=30)
        assert answer.status_code == 200, answer.text

    def until(self, path: str, holds: Callable[[Any], object], seconds: float = 60) -> Any:
        """The answer, once it is so."""
        seen: list[Any] = []

        def found() -> bool:
            seen[:] = [self.ask(path)]
            return seen[0] is not None and bool(holds(seen[0]))

        eventually(found, seconds)
        return seen[0]

    def left(self, made: Any, files: dict[str, bytes]) -> bool:
        """Assert that it was moved, copied and has left the SSD: it seeds from the disk, and nowhere else is a file of it."""
        there = self.house.destination.torrent(made.info_hash)
        assert there is not None
        assert (Path(there["save_path"]).is_relative_to(self.disk), there["amount_left"]) == (True, 0), there[
            "save_path"
        ]
        assert self.house.source.torrent(made.info_hash) is None
        on_ssd = self.house.destination.data / made.name
        assert [path for path in (on_ssd, *on_ssd.rglob("*")) if path.is_file()] == []
        assert {name: (Path(there["save_path"]) / name).read_bytes() for name in files} == files
        return True


@pytest.fixture
def served(house, tmp_path):
    return ServeHouse(house, tmp_path)


def test_attach_page_and_command_line_show_one_truth_and_steer_it(served):
    house = served.house
    made = house.seed("A film", 40 * MIB)
    config = served.configure(**HARDLY, **{"HEALTH nas": {"client": "nas", "every": "10s"}})
    flags = ["--config", config]

    def run(*arguments: str) -> Any:
        with Command(*flags, *arguments, home=house.home) as command:
            return command.end()

    with served.start() as command:
        served.until("/moves", lambda seen: any(each["standing"] == "active" for each in seen["moves"]), 120)
        assert run("serve", "--healthcheck").ended(0).out.startswith("healthy\n  moves: looking\n  tier ssd: ")
        served.until("/loops", lambda seen: [each["state"] for each in seen if each["duty"] == "health"] == ["waiting"])
        run("health", "--check").ended(0)
        assert served.ask("/torrents") == {"rows": [], "total": 0}
        assert served.ask("/bin") == served.ask("/searches") == served.ask("/actions") == []
        run("serve").ended(5)
        run("pause", made.info_hash[:8]).ended(0).says("A film is paused.")
        served.until("/moves", lambda seen: seen["moves"][0]["standing"] == "paused")
        terminal = Terminal(
            "-m",
            "torrent_mover",
            *map(str, flags),
            "attach",
            "moves",
            size=(120, 40),
            HOME=str(house.home),
            PYTHONPATH=str(ROOT),
        )
        try:
            terminal.read_until(b"A film")
            terminal.read_until(b"paused")
            terminal.type(b" ")
            terminal.read_while(lambda: served.ask("/moves")["moves"][0]["standing"] == "paused")
            terminal.type(b"D")
            terminal.read_until(b"last rounds", 60)
            terminal.type(b"q")
            assert terminal.end() == 0
        finally:
            terminal.close()
        assert command.running

        # A config with an error changes nothing, and is told; a good one is in effect.
        text = config.read_text()
        config.write_text(text.replace("category_to_move", "categorie_to_move"))
        served.until("/status", lambda seen: "categorie_to_move" in seen["trouble"])
        assert next(loop["state"] for loop in served.ask("/loops")) == "looking"
        port = served.port
        served.port = free_port()
        config.write_text(
            text.replace(f"port = {port}\n", f"port = {served.port}\n").replace("sweep_every = 10s", "mode = report")
        )
        report = served.until("/status", lambda seen: not seen["trouble"], 60)
        assert next(loop["mode"] for loop in report["loops"] if loop["name"] == "tier ssd") == "report"
        assert httpx.get(f"http://127.0.0.1:{served.port}/healthz", timeout=60).json()["ok"] is True
        token = (served.state / "web-token").read_text().strip()
        assert (served.state / "web-token").stat().st_mode & 0o777 == 0o600
        queued = httpx.post(
            f"http://127.0.0.1:{served.port}/api/v1/tier/queue",
            json={"hashes": [made.info_hash]},
            headers={"x-api-token": token},
            timeout=60,
        )
        assert queued.json() == {"queued": 1, "tier": "ssd"}

        command.send(signal.SIGTERM)
        result = command.end(timeout=40).ended(143)
    assert token not in result.text
    assert token not in "".join(path.read_text() for path in (house.world.root / "log").iterdir())


@pytest.mark.fault("serve", "a server is away", SERVERS)
def test_a_server_that_is_away_parks_nothing_and_a_wide_bind_without_a_token_is_refused(served):
    made = served.house.seed("A film", 2 * MIB)
    files = made.files()
    served.configure(WEB={"port": str(served.port), "host": "0.0.0.0", "token": ""})  # noqa: S104  that is what is refused
    with served.start() as command:
        command.end().ended(2).says("lets other machines in", "Remove the line")

    served.configure()
    served.house.source.stop()
    with served.start() as command:
        served.until("/moves", lambda seen: seen["phase"] == "refused", 120)
        assert httpx.get(f"http://127.0.0.1:{served.port}/healthz", timeout=60).status_code == 200
        served.house.source.start()
        command.send(signal.SIGHUP)
        token = (served.state / "web-token").read_text().strip()
        httpx.post(
            f"http://127.0.0.1:{served.port}/api/v1/loops/moves/look", headers={"x-api-token": token}, timeout=60
        )
        eventually(lambda: served.left(made, files), 120)
        command.send(signal.SIGINT)
        command.end(timeout=40).ended(130)
