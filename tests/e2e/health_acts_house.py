"""A loop of health on a real qBittorrent and an Arr double that polls it: its config, its looks, what is true afterwards."""

from __future__ import annotations

import configparser
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.doubles.arr.house import ArrHouse, arr_house
from tests.doubles.arr.polled import PolledQBittorrent, PolledTorrent
from tests.doubles.arr.server import KEY
from tests.doubles.web_ui_gate import WebUiGate
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.health.setups import HealthSetup, health_setups
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.model import FindingCode, HealthAction, Intent, Picture
from torrent_mover.duties.health.needs import HealthOrder
from torrent_mover.duties.health.worker import HealthReport

TREE = {"a.mkv": 300_000, "sub/b.srt": 70_000, "c.nfo": 300}
CATEGORY = "tv"
AT_ONCE = {"grace": "0", "min_age": "0", "outage_share": "100", "removals_share": "100", "mode": "act"}


class AsItIs:
    """A second look that finds what the first one has found."""

    def again(self, order: HealthOrder) -> HealthOrder:
        return order


def order_of(
    client,
    torrent: InfoHash,
    action: HealthAction = HealthAction.REPLACE,
    code: FindingCode = FindingCode.STALLED,
    detail: tuple[str, ...] = (),
) -> HealthOrder:
    """What a finding would lead to."""
    row = client.get(torrent)
    assert row is not None
    picture = Picture(row, trackers=tuple(client.trackers(torrent)))
    return HealthOrder(Intent(torrent, action, code, "as a test says", (), detail), picture, "seen by a test")


class Later:
    """The real clock, so many seconds ahead: looks lie days apart, and nothing waits for it."""

    def __init__(self, clock: SystemClock, seconds: float) -> None:
        self._seconds = seconds
        self.monotonic = clock.monotonic
        self.wait = clock.wait

    def now(self) -> float:
        return time.time() + self._seconds


class ActsHouse:
    """`keys` are of `[HEALTH tv]`, `client_keys` of its `[CLIENT]`; `more`: other sections. `later`: seconds its clock is ahead.

    The program reaches the client through `gate`: a look in report mode must change nothing there.
    """

    def __init__(
        self, server: QBittorrentServer, gate: WebUiGate, arr: ArrHouse, folder: Path, keys: dict[str, Any]
    ) -> None:
        self.server = server
        self.gate = gate
        self.arr = arr
        self.library = arr.library
        self.data = server.data
        self.folder = folder
        self.keys = {**AT_ONCE, **keys}
        self.client_keys: dict[str, str] = {}
        self.more: dict[str, dict[str, str]] = {}
        self.later = 0.0

    def write_config(self) -> Path:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(
            {
                "CLIENT qbit": {
                    "host": self.server.host,
                    "port": str(self.gate.port),
                    "username": self.server.username,
                    "password": self.server.password,
                    **self.client_keys,
                },
                "ARR tv": {"url": self.arr.double.url, "api_key": KEY, "path_map": f"/downloads = {self.data}"},
                "HEALTH tv": {
                    "client": "qbit",
                    "arr": "tv",
                    **{key: str(value) for key, value in self.keys.items()},
                },
                "General": {"state_dir": str(self.folder / "state"), "log_dir": str(self.folder / "log")},
                **self.more,
            }
        )
        path = self.folder / "config.ini"
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8") as stream:
            parser.write(stream)
        return path

    def setup(self) -> HealthSetup:
        return health_setups(str(self.write_config()))[0][0]

    @contextmanager
    def health(self):
        with HealthDuty(self.setup(), writes=True) as health:
            if self.later:
                health.world = replace(health.world, clock=Later(health.clock, self.later))
            yield health

    def look(self) -> HealthReport:
        asked, changing = len(self.gate.asked), len(self.gate.changing)
        with self.health() as health:
            report = health.worker().look()
        if self.keys["mode"] == "report":
            assert len(self.gate.asked) > asked or report.error is not None
            assert self.gate.changing[changing:] == []
        return report

    def done(self, looks: int = 4) -> list[tuple[str, str, str]]:
        """What the first of so many looks has done that did anything: action, state, trouble."""
        for _ in range(looks):
            report = self.look()
            assert report.error is None, report.error
            seen = report.assessment
            assert seen is not None
            assert not seen.truth.blind, seen.truth
            for torrent, verdict in seen.verdicts.items():  # shown where a test fails
                due = [(finding.code.value, finding.due, finding.evidence) for finding in verdict.findings]
                sys.stderr.write(f"{torrent.short} {verdict.skipped} {verdict.intent} {due}\n")
            if report.outcomes:
                return sorted(
                    (each.record.action.value, each.record.state.value, each.trouble) for each in report.outcomes
                )
        return []

    def act(
        self,
        torrent: InfoHash,
        action: HealthAction = HealthAction.REPLACE,
        code: FindingCode = FindingCode.STALLED,
        detail: tuple[str, ...] = (),
    ) -> tuple[str, str]:
        """Do it at once, as if that had been found: state, trouble."""
        with self.health() as health:
            order = order_of(health.world.client, torrent, action, code, detail)
            outcome = health.acts().carry_out(order, AsItIs())
        return outcome.record.state.value, outcome.trouble

    as_it_is = AsItIs()

    def order(self, health, torrent: InfoHash) -> HealthOrder:
        return order_of(health.world.client, torrent)

    def double_asked(self, path: str) -> list:
        return [one for one in self.arr.double.requests if path in one[1]]

    def resume(self) -> list[str]:
        with self.health() as health:
            return [outcome.record.state.value for outcome in health.acts().resume()]

    def last_action(self) -> int:
        with self.health() as health:
            return health.world.journal.actions()[-1].number

    def undo(self, number: int):
        with self.health() as health:
            return health.acts().undo(number)

    def seed(self, name: str = "Show.S01E01", tree=None, *, category: str = CATEGORY, **options: Any):
        """A torrent that lies complete below `data` and seeds: (sample, infohash)."""
        made = sample(self.data, name, TREE if tree is None else tree, piece_length=16 * 1024, **options)
        torrent = self.server.add(made.metainfo, self.data, category=category)
        self.server.wait_for(torrent)
        return made, InfoHash(torrent)

    def half(self, name: str = "Show.S01E01", tree=None, *, category: str = CATEGORY, **options: Any):
        """One of which a file is bad, so that it downloads without anybody to download from."""
        below, waits = options.pop("below", None) or self.data, options.pop("waits", True)
        made = sample(below, name, TREE if tree is None else tree, piece_length=16 * 1024, **options)
        file = made.content / "a.mkv" if made.content.is_dir() else made.content
        file.write_bytes(b"\0" * file.stat().st_size)
        torrent = self.server.add(made.metainfo, below, category=category)
        if waits:
            self.server.wait_for(torrent, ("stalledDL", "downloading", "metaDL"))
        return made, InfoHash(torrent)

    def grab(self, made: Sample, torrent: InfoHash, media: int = 1) -> None:
        self.library.add_media(media, made.name, "a.mkv", "a.bin")
        self.library.grab(torrent.hex, media, title=made.name)

    def row(self, torrent: InfoHash):
        return self.server.torrent(torrent.hex)

    def binned(self, below: Path | None = None) -> list[str]:
        root = (below or self.data) / ".torrent-mover" / "bin"
        return sorted("/".join(path.relative_to(root).parts[1:]) for path in root.rglob("*") if path.is_file())


class PolledBelow(PolledQBittorrent):
    """As the Arr sees it: its `/downloads` is the client's data folder."""

    def __init__(self, server: QBittorrentServer) -> None:
        super().__init__(server.api)
        self._data = str(server.data)

    def torrents(self) -> list[PolledTorrent]:
        return [
            PolledTorrent(
                one.hash,
                one.name,
                one.category,
                one.path.replace(self._data, "/downloads", 1),
                one.complete,
                one.at_its_limit,
            )
            for one in super().torrents()
        ]


@contextmanager
def health_house(server: QBittorrentServer, folder: Path, **keys: Any):
    """From `with` to its end."""
    with WebUiGate(server) as gate, arr_house(folder / "arr", client=PolledBelow(server)) as arr:
        arr.library.folders["/downloads"] = server.data
        yield ActsHouse(server, gate, arr, folder, keys)
