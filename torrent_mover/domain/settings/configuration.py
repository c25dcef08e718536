"""What a whole config says: the routes of the mover, clients and machines by name, and the sections of the other duties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.clients import NamedClient
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.servers import ServerSettings

Route = TypeVar("Route")
Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(Generic[Route]):
    """Everything that one config says. `Route` is what the mover makes of a route: its Settings.

    `routes`: that of the sections without a name first (`main`), then as they stand in the file; those that are switched off
    are left out, and where only other duties are configured there is none. `clients` and `machines` are those that stand
    in a [CLIENT name] or a [MACHINE name], and the sections without a name that something uses, such as SOURCE_CLIENT.
    `rules_file`, `state_dir` and `log_dir` are final: set, or their default.
    """

    general: GeneralSettings
    rules_file: LocalPath
    state_dir: LocalPath
    log_dir: LocalPath
    routes: tuple[Route, ...]
    clients: Mapping[str, NamedClient]
    machines: Mapping[str, ServerSettings]
    sections: Mapping[type[Any], Mapping[str, Any]] = field(default_factory=dict)

    def named(self, shape: type[Shape]) -> Mapping[str, Shape]:
        """The sections that a dataclass describes, by name, in the order of the file. Empty where there is none."""
        return cast("Mapping[str, Shape]", self.sections.get(shape, {}))
