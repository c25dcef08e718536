"""Builds accounts at debrid services from their sections; nothing else names a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from torrent_mover.adapters.debrid.gate import ServerBreaker
from torrent_mover.adapters.debrid.services import DebridServices
from torrent_mover.adapters.debrid.session import DebridPlace
from torrent_mover.domain.debrid.answers import HeardAnswer
from torrent_mover.domain.debrid.limiter import ceiling_of
from torrent_mover.domain.secret import Secret
from torrent_mover.duties.debrid.settings import DebridSettings
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.debrid import DebridAccount
from torrent_mover.ports.documents import Documents


def build_accounts(
    sections: Mapping[str, DebridSettings],
    documents: Callable[[str], Documents | None],
    clock: Clock,
    stack: ExitStack,
    *,
    read_only: bool = False,
    heard: Callable[[HeardAnswer], None] = lambda _: None,
    windows: Path | None = None,
    breaker: Callable[[str], ServerBreaker | None] = lambda _: None,
) -> Mapping[str, DebridAccount]:
    """The accounts by name; asks nobody. `documents` are the records of one; `stack` ends the connections.

    Accounts with one token share one limiter. `read_only`: nothing that changes anything is sent. `windows`, `breaker`: see
    DebridServices.
    """
    services = DebridServices(clock, heard, windows=windows, counts=not read_only, breaker=breaker)
    accounts: dict[str, DebridAccount] = {}
    for name, settings in sections.items():
        place = DebridPlace(
            name,
            str(settings.url) if settings.url is not None else "",
            settings.token or Secret(""),
            settings.timeout,
            str(settings.ca_file) if settings.ca_file is not None else "",
            f"DEBRID {name}",
            read_only,
        )
        ceiling = ceiling_of(settings.requests_per_minute, settings.min_request_gap)
        account = services.open(settings.type, place, ceiling, documents(name))
        stack.callback(account.close)
        accounts[name] = account
    return accounts
