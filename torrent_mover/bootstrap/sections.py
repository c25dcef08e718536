"""The sections that a config may have. A duty adds its own here, one line each; everything else follows from its dataclass."""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.settings.arr import ARR_SECTION
from torrent_mover.domain.settings.reading import Schema
from torrent_mover.domain.settings.schema import (
    CLIENT,
    DESTINATION_CLIENT,
    DESTINATION_SERVER,
    GENERAL,
    MACHINE,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    many,
    of_each,
)
from torrent_mover.domain.settings.web import WEB_SECTION
from torrent_mover.duties.debrid import settings as debrid
from torrent_mover.duties.health.overlap import problems_of_loops
from torrent_mover.duties.health.settings import HealthSettings
from torrent_mover.duties.moving.routes import read_routes
from torrent_mover.duties.moving.settings import DESTINATION_PATHS, ROUTE, SETTINGS, Settings
from torrent_mover.duties.tiering.settings import TierSettings, problems_of

SCHEMA: Final[Schema[Settings]] = Schema(
    plain=(
        SOURCE_CLIENT,
        DESTINATION_CLIENT,
        SOURCE_SERVER,
        DESTINATION_SERVER,
        DESTINATION_PATHS,
        SETTINGS,
        GENERAL,
    ),
    named=(
        CLIENT,
        MACHINE,
        ROUTE,
        many("HEALTH", HealthSettings, problems_of_loops),
        many("TIER", TierSettings, of_each(problems_of)),
        ARR_SECTION,
        many("DEBRID", debrid.DebridSettings, of_each(debrid.problems_of), seeds=debrid.from_environment),
        WEB_SECTION,
    ),
    routes=read_routes,
)

PLACED_BY: Final = {
    "tier": "torrent_mover.bootstrap.tiering.placed",
}
"""The duties that put torrents elsewhere, and the module of each that says where."""
