"""One listing for all loops of a process at the same client: kept for as long as one of them uses it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.domain.settings.clients import NamedClient
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.health.listing import ClientListing


@dataclass(slots=True, eq=False)
class _Shared:
    """A listing over a connection of its own, and how many loops use it."""

    client: NamedClient
    machine: ServerSettings | None
    listing: ClientListing
    stack: ExitStack = field(default_factory=ExitStack)
    users: int = 0


class SharedListings:
    """Safe from any thread. `stop` ends every wait of what asks the clients."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._known: list[_Shared] = []

    def borrow(self, setup: HealthSetup, stack: ExitStack) -> ClientListing:
        """That of a loop's client, until `stack` ends. Connects to nothing."""
        client = setup.client
        machine = setup.machines.get(client.machine) if client.is_tunnelled else None
        with self._lock:
            shared = next((each for each in self._known if (each.client, each.machine) == (client, machine)), None)
            if shared is None:
                own = ExitStack()
                servers = Servers((), own, common=setup)
                section, clock = f"CLIENT {setup.settings.client}", SystemClock(self._stop)
                asked = servers.client(section, client, setup, clock, machine)
                shared = _Shared(client, machine, ClientListing(asked), own)
                self._known.append(shared)
            shared.users += 1
        stack.callback(self._give_back, shared)
        return shared.listing

    def _give_back(self, shared: _Shared) -> None:
        with self._lock:
            shared.users -= 1
            if shared.users:
                return
            self._known.remove(shared)
        shared.stack.close()
