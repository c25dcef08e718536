"""The site on a free port of loopback, over fakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.control import FakeControl
from tests.fakes.debrid_control import FakeDebridControl
from tests.fakes.health_control import FakeHealthControl
from tests.fakes.serve_control import FakeServeControl
from tests.fakes.snapshots import a_hash
from tests.fakes.tier_control import FakeTierControl
from tests.tui import debrid_case, health_case, tier_scenes
from tests.tui.scenes import SCENES
from torrent_mover.adapters.config.desk import FileDesk
from torrent_mover.adapters.outlets.metrics import exposition
from torrent_mover.adapters.outlets.serve_metrics import health_exposition, serve_exposition, tiers_exposition
from torrent_mover.bootstrap.configs import check
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.commands.moves_front import moves_panel
from torrent_mover.commands.serve_web import _is_secret
from torrent_mover.commands.tiering.dashboard import tiers_panel
from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.report.health import HealthBinView, HealthSearchView
from torrent_mover.domain.report.overview import Overview, overview_of, without_process
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.panels import Panel
from torrent_mover.web import debrid, health, moving, serving, tiering
from torrent_mover.web.application import Site
from torrent_mover.web.endpoints import Endpoint
from torrent_mover.web.server import WebServer

TOKEN = "a-token-of-this-test-0123456789"

CONFIG = """# my seedbox
[SOURCE_CLIENT]
host = http://127.0.0.1
port = 8080
username = jane
password = hunter2-hunter2

[DESTINATION_CLIENT]
host = http://127.0.0.1
port = 8081
username = jane
password = correct horse

[SOURCE_SERVER]
host = seedbox.lan
username = jane

[DESTINATION_PATHS]
destination_path = /srv/films

[SETTINGS]
category_to_move = films
"""


@dataclass
class WebHouse:
    """The fakes behind a site, and the site."""

    folder: Path
    serve: FakeServeControl = field(default_factory=FakeServeControl)
    moves: FakeControl = field(default_factory=SCENES["running"])
    tiers: FakeTierControl = field(default_factory=tier_scenes.working)
    health: FakeHealthControl = field(default_factory=health_case.acting)
    debrid: FakeDebridControl = field(default_factory=debrid_case.acting)
    numbers: list[debrid.DebridNumber] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)
    more: list[Endpoint] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config = self.folder / "config.ini"
        self.config.write_text(CONFIG)
        self.config.chmod(0o600)

    def endpoints(self) -> list[Endpoint]:
        """All that the API has here."""

        def test(name: str) -> str:
            self.tested.append(name)
            return "qBittorrent 5.1.0"

        desk = FileDesk(self.config, _is_secret, check, SCHEMA.named_keys)
        own = serving.endpoints(self.serve, desk, {"client": test}, self.overview)
        duties = [*moving.endpoints(self.moves), *tiering.endpoints(self.tiers), *self._of_health(), *self._of_debrid()]
        return [*own, *duties, *self.more]

    def all_panels(self) -> list[Panel]:
        """What is shown."""
        moves, tiers = moves_panel(self.moves), tiers_panel(self.tiers, lambda: None)
        return [moves, tiers, *self.panels]

    def overview(self) -> Overview:
        """As the process makes it."""
        process = self.serve.snapshot()
        cards = [panel.card(panel.control.snapshot()) for panel in self.all_panels() if panel.card]
        return without_process(overview_of(process.at, cards, process))

    def _of_health(self) -> Sequence[Endpoint]:
        binned = HealthBinView(12, "tv", a_hash(6), "Old.S01E01", 1.0, 5)
        searched = HealthSearchView("tv", a_hash(6).hex, "replacement", "stalled", "done", 2.0)
        return health.endpoints(self.health, lambda: [binned], lambda: [searched])

    def _of_debrid(self) -> Sequence[Endpoint]:
        def numbers(account: str, since: float) -> list[debrid.DebridNumber]:
            return [each for each in self.numbers if each.account == account and each.at >= since]

        def torrent_at(account: str, path: str) -> InfoHash:
            if path != debrid_case.FINDINGS[0].links[0]:
                raise UsageError(f"{path} leads to no torrent of {account}.", kept="Nothing was changed.")
            return debrid_case.DEAD

        return debrid.endpoints(self.debrid, numbers, torrent_at)

    def metrics(self) -> str:
        """As the process makes them."""
        moves, tiers = exposition(self.moves.snapshot()), tiers_exposition(self.tiers.snapshot())
        return serve_exposition(self.serve.snapshot()) + moves + tiers + health_exposition(self.health.snapshot())

    def site(self, **changes: Any) -> Site:
        """What is shown."""
        plain: dict[str, Any] = {"token": TOKEN, **changes}
        return Site(self.serve, self.all_panels, self.endpoints, self.metrics, **plain)


def serving_site(site: Site) -> tuple[WebServer, str]:
    """The server, and its address."""
    server = WebServer(site, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.port}"


Start = Callable[..., str]
