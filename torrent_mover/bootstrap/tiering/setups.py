"""The tiers that a config, or the environment alone, asks for, with the clients that they need. Connects to nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from torrent_mover.adapters.config.reading import find, surroundings
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.arr import ARR, ArrSettings, arrs_of_environment
from torrent_mover.domain.settings.clients import ClientType, NamedClient
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import CLIENT_HOST
from torrent_mover.domain.settings.problems import Problem, Severity
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.tiering.environment import NAME, SSD, LogLevel, SeedEnvironment, from_environment
from torrent_mover.duties.tiering.settings import TierSettings

ENVIRONMENT: Final = "the environment"


@dataclass(frozen=True, slots=True)
class TierSetup:
    """One tier: its settings, every client of the config by name, and what all duties have in common.

    `config` names where it comes from: a file, or the environment. `arrs`: those to be told of its copies, by name. `log_level`:
    the least that the log file keeps. `others`: the other tiers of the config.
    """

    name: str
    settings: TierSettings
    clients: Mapping[str, NamedClient]
    machines: Mapping[str, ServerSettings]
    general: GeneralSettings
    state_dir: LocalPath
    log_dir: LocalPath
    config: str
    arrs: Mapping[str, ArrSettings] = field(default_factory=dict)
    log_level: LogLevel = LogLevel.INFO
    others: tuple[str, ...] = ()


def tier_setups(
    config: str | None, environ: Mapping[str, str] = os.environ
) -> tuple[tuple[TierSetup, ...], tuple[Problem, ...]]:
    """All tiers, and warnings. Raises ConfigError with every problem, and where there is no tier.

    A config that is named, or found, counts where it has tiers; else DOWNLOAD_PATH_SSD makes one.
    """
    seeds = from_environment(environ)
    if config is None and seeds is not None and not _configured(environ):
        return (_from(seeds, environ),), _warnings(seeds)
    path = find(config)
    configuration, problems = load_all(path)
    found = configuration.named(TierSettings)
    if not found:
        raise ConfigError(
            f"{path} has no tier: nothing says which SSD, and which disk behind it.",
            kept="Nothing was started.",
            remedy="Add [TIER ssd] with client, ssd and targets, or set DOWNLOAD_PATH_SSD in the environment: docs/tiers.md",
        )
    common = (configuration.clients, configuration.machines, configuration.general)
    places = (configuration.state_dir, configuration.log_dir, str(path))
    arrs = configuration.named(ArrSettings)
    for name, settings in found.items():
        _refuse_another_machine(settings, name, configuration.clients, str(path))
    return tuple(
        TierSetup(
            name,
            settings,
            *common,
            *places,
            _told_of(settings, name, arrs, str(path)),
            others=tuple(other for other in found if other != name),
        )
        for name, settings in found.items()
    ), problems


def has_tiers(config: str | None, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the config, or the environment alone, describes a tier. Raises ConfigError for a config that cannot be read."""
    if config is None and from_environment(environ) is not None:
        return True
    return _configured(environ, config)


def _refuse_another_machine(settings: TierSettings, name: str, clients: Mapping[str, NamedClient], config: str) -> None:
    """Raises ConfigError for a client whose files are on another machine's disks: no tier reaches them."""
    machine = clients[settings.client].machine
    if machine:
        raise ConfigError(
            f"{config}: [TIER {name}] client names {settings.client!r}, whose files are on another machine (machine = {machine}).",
            kept="Nothing was started.",
            remedy="Run torrent-mover where the SSD is, and let client name a [CLIENT] without machine. A client of this machine"
            " that a route needs with a machine may stand in the config twice, under two names.",
        )


def _told_of(
    settings: TierSettings, name: str, arrs: Mapping[str, ArrSettings], config: str
) -> Mapping[str, ArrSettings]:
    """The Arrs of a tier: those that it names, or all. Raises ConfigError for a name that is none."""
    known = {each.casefold(): each for each in arrs}
    for wanted in settings.arr:
        if wanted.casefold() not in known:
            raise ConfigError(
                f"{config}: [TIER {name}] arr names {wanted!r}, and there is no [{ARR} {wanted}].",
                kept="Nothing was started.",
                remedy=f"Add [{ARR} {wanted}] with url and api_key, or take the name out of arr.",
            )
    names = [known[wanted.casefold()] for wanted in settings.arr] or list(arrs)
    return {each: arrs[each] for each in names}


def _configured(environ: Mapping[str, str], config: str | None = None) -> bool:
    """Whether a config file with a tier is there, or where one is looked for."""
    try:
        path = find(config, environ)
    except ConfigError:
        return False
    configuration, _ = load_all(path, environ)
    return bool(configuration.named(TierSettings))


def _warnings(seeds: SeedEnvironment) -> tuple[Problem, ...]:
    return tuple(
        Problem(ENVIRONMENT, None, "", problem.key, problem.what, problem.remedy, Severity.WARNING)
        for problem in seeds.problems
        if problem.warning
    )


def _from(seeds: SeedEnvironment, environ: Mapping[str, str]) -> TierSetup:
    if seeds.tier is None:
        problems = [
            Problem(ENVIRONMENT, None, "", problem.key, problem.what, problem.remedy)
            for problem in seeds.problems
            if not problem.warning
        ]
        raise ConfigError(
            f"The tier of {SSD} cannot be used.",
            kept="Nothing was started.",
            remedy="Fix these variables of the environment.",
            problems=tuple(map(str, problems)),
        )
    here = surroundings(Path.cwd() / "environment", environ)
    client = NamedClient(type=ClientType.RTORRENT, host=CLIENT_HOST.read(seeds.scgi_url, here))
    state = LocalPath(seeds.state_dir or f"{here.state_home}/torrent-mover")
    logs = LocalPath(str(Path(seeds.log_file).parent)) if seeds.log_file else state / "logs"
    arrs = arrs_of_environment(environ, here)
    return TierSetup(
        NAME, seeds.tier, {NAME: client}, {}, GeneralSettings(), state, logs, ENVIRONMENT, arrs, seeds.log_level
    )
