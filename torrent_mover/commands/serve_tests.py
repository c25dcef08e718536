"""Asks a server of the config who it is, for those who look at the page: a client, an Arr, a program for requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.arrs import managers_of
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.text import counted
from torrent_mover.web.serving import Test


def server_tests(config: Callable[[], Configuration[Any] | None]) -> Mapping[str, Test]:
    """By the kind of server. `config`: the one that is in effect when somebody asks. Each raises MoverError."""
    return {
        "client": lambda name: _client(config(), name),
        "arr": lambda name: _arr(config(), name),
        "requests": lambda name: _requests(config(), name),
    }


def _chosen(kind: str, name: str, there: Iterable[str]) -> str:
    """The name as the config writes it. Raises UsageError where there is none."""
    known = {each.casefold(): each for each in there}
    if name.casefold() not in known:
        raise UsageError(f"There is no such {kind}; there are: {', '.join(known.values()) or 'none'}.")
    return known[name.casefold()]


def _client(config: Configuration[Any] | None, name: str) -> str:
    if config is None:
        raise UsageError("There is no such client; there are: none.")
    chosen = _chosen("client", name, config.clients)
    wanted = config.clients[chosen]
    with ExitStack() as stack:
        servers = Servers((), stack, common=config)
        there = config.machines.get(wanted.machine) if wanted.is_tunnelled else None
        info = servers.client(f"CLIENT {chosen}", wanted, config, SystemClock(), there).info()
        return f"{info.product} {info.version}"


def _arr(config: Configuration[Any] | None, name: str) -> str:
    sections = {} if config is None else config.named(ArrSettings)
    chosen = _chosen("Arr", name, sections)
    with ExitStack() as stack:
        info = managers_of({chosen: sections[chosen]}, SystemClock(), stack)[chosen].info()
        return f"{info.product} {info.version}"


def _requests(config: Configuration[Any] | None, name: str) -> str:
    """By the [HEALTH] section that names the program."""
    # Here, so that everything else is tested in a program without that duty too.
    from torrent_mover.bootstrap.health.searching import portal_of
    from torrent_mover.duties.health.settings import HealthSettings

    sections = {} if config is None else config.named(HealthSettings)
    asking = {each: one for each, one in sections.items() if one.requests_url is not None}
    chosen = _chosen("[HEALTH] with requests_url", name, asking)
    portal = portal_of(chosen, asking[chosen], SystemClock())
    if portal is None:
        raise UsageError(
            f"[HEALTH {chosen}] has no requests_type.", remedy="Write requests_type = overseerr, seerr or ombi."
        )
    try:
        return f"{portal.name}, {counted(len(portal.open_requests()), 'open request')}"
    finally:
        portal.close()
