"""Which debrid accounts there are: from the config, or from the environment of the program that this replaces."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from torrent_mover.adapters.config.places import discover
from torrent_mover.adapters.config.reading import find, may_be_there
from torrent_mover.bootstrap.configs import load_all, load_environment
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.arr import ARR, ArrSettings
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.problems import Problem
from torrent_mover.duties.debrid.environment import TOKEN
from torrent_mover.duties.debrid.settings import DebridSettings
from torrent_mover.duties.moving.settings import Settings


@dataclass(frozen=True, slots=True)
class DebridSetup:
    """One account: its settings, all accounts of the config by name, and what all duties have in common.

    `config` names where it comes from. `arrs`: those whose library it is, by name. `debug`: LOG_LEVEL asks for it.
    """

    name: str
    settings: DebridSettings
    accounts: Mapping[str, DebridSettings]
    general: GeneralSettings
    state_dir: LocalPath
    log_dir: LocalPath
    config: str
    arrs: Mapping[str, ArrSettings] = field(default_factory=dict)
    debug: bool = False


def debrid_setups(
    config: str | None, environ: Mapping[str, str] = os.environ
) -> tuple[tuple[DebridSetup, ...], tuple[Problem, ...]]:
    """All accounts, and warnings. Raises ConfigError with every problem, and where there is no account."""
    place = "the environment"
    if TOKEN in environ and not any(may_be_there(path) for path, _ in discover(config, environ)):
        configuration, problems = load_environment(environ)
    else:
        path = find(config, environ)
        place = str(path)
        configuration, problems = load_all(path, environ)
    if not configuration.named(DebridSettings):
        raise ConfigError(
            f"{place} has no debrid account.",
            kept="Nothing was started.",
            remedy=f"Add [DEBRID realdebrid] with token (torrent-mover init debrid does), or set {TOKEN} in the environment.",
        )
    return setups_of(configuration, place, environ), problems


def setups_of(
    configuration: Configuration[Settings], place: str, environ: Mapping[str, str] = os.environ
) -> tuple[DebridSetup, ...]:
    """The accounts of a config that was read; `place` is where. Raises ConfigError for a name that is none."""
    accounts, arrs = configuration.named(DebridSettings), configuration.named(ArrSettings)
    debug = environ.get("LOG_LEVEL", "").strip().upper() == "DEBUG"
    return tuple(
        DebridSetup(
            name,
            settings,
            accounts,
            configuration.general,
            configuration.state_dir,
            configuration.log_dir,
            place,
            _library_of(settings, name, arrs, place),
            debug,
        )
        for name, settings in accounts.items()
        if _has_fallback(settings, name, accounts, place)
    )


def _has_fallback(settings: DebridSettings, name: str, accounts: Mapping[str, DebridSettings], place: str) -> bool:
    if settings.fallback and (settings.fallback not in accounts or settings.fallback == name):
        raise ConfigError(
            f"{place}: [DEBRID {name}] fallback names {settings.fallback!r}, which is no other account.",
            kept="Nothing was started.",
            remedy=f"Add [DEBRID {settings.fallback}], or leave fallback blank.",
        )
    return True


def _library_of(
    settings: DebridSettings, name: str, arrs: Mapping[str, ArrSettings], place: str
) -> Mapping[str, ArrSettings]:
    known = {each.casefold(): each for each in arrs}
    for wanted in settings.arrs:
        if wanted.casefold() not in known:
            raise ConfigError(
                f"{place}: [DEBRID {name}] arrs names {wanted!r}, and there is no [{ARR} {wanted}].",
                kept="Nothing was started.",
                remedy=f"Add [{ARR} {wanted}] with url and api_key, or take the name out of arrs.",
            )
    chosen = [known[wanted.casefold()] for wanted in settings.arrs] or list(arrs)
    return {each: arrs[each] for each in chosen}
