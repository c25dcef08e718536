"""The loops of health that a config asks for, with the clients and Arrs that they need. Connects to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torrent_mover.adapters.config.reading import find
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.domain.errors import ConfigError, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.settings.clients import NamedClient
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.problems import Problem, quoted
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.health.settings import HealthSettings
from torrent_mover.duties.moving.settings import Settings


@dataclass(frozen=True, slots=True)
class HealthSetup:
    """One loop: its settings, its client and its Arr, and what all duties have in common. `config` names where it comes from.

    `routes`: those of the same config, whose moves bring data to its disks. `others`: its other clients, by their names;
    `other_arrs`: its other Arrs.
    """

    name: str
    settings: HealthSettings
    client: NamedClient
    machines: Mapping[str, ServerSettings]
    general: GeneralSettings
    rules_file: LocalPath
    state_dir: LocalPath
    log_dir: LocalPath
    config: str
    arrs: Mapping[str, ArrSettings] = field(default_factory=dict)
    routes: tuple[Settings, ...] = ()
    others: Mapping[str, NamedClient] = field(default_factory=dict)
    other_arrs: Mapping[str, ArrSettings] = field(default_factory=dict)


def health_setups(config: str | None) -> tuple[tuple[HealthSetup, ...], tuple[Problem, ...]]:
    """All loops, and warnings. Raises ConfigError with every problem, and where there is no loop."""
    path = find(config)
    configuration, problems = load_all(path)
    if not configuration.named(HealthSettings):
        raise ConfigError(
            f"{path} has no [HEALTH] section: nothing says which torrents to look after.",
            kept="Nothing was started.",
            remedy="Add [HEALTH tv] with client = and arr =: torrent-mover init health writes one.",
        )
    return setups_of(configuration, str(path)), problems


def setups_of(configuration: Configuration[Settings], place: str) -> tuple[HealthSetup, ...]:
    """The loops of a config that was read; `place` is where."""
    arrs = configuration.named(ArrSettings)
    return tuple(
        HealthSetup(
            name,
            settings,
            configuration.clients[settings.client],
            configuration.machines,
            configuration.general,
            configuration.rules_file,
            configuration.state_dir,
            configuration.log_dir,
            place,
            {settings.arr: arrs[settings.arr]} if settings.arr else {},
            configuration.routes,
            {other: each for other, each in configuration.clients.items() if other != settings.client},
            {other: each for other, each in arrs.items() if settings.arr and other != settings.arr},
        )
        for name, settings in configuration.named(HealthSettings).items()
    )


def chosen(setups: Sequence[HealthSetup], name: str | None) -> Sequence[HealthSetup]:
    """All, or the one of that name. Raises UsageError."""
    names = [setup.name for setup in setups]
    if name is None:
        return setups
    if name not in names:
        raise UsageError(
            f"There is no [HEALTH {name}]; there are: {', '.join(names)}.",
            remedy=f"torrent-mover health {quoted(names[0])[1:-1]}",
        )
    return [setup for setup in setups if setup.name == name]
