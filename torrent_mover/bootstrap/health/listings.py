"""One login and one listing for all loops of a process at the same client: kept for as long as one of them uses it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.domain.settings.clients import NamedClient
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.duties.health.listing import ClientListing
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock


@dataclass(slots=True, eq=False)
class _Shared:
    """A client, its listing, and how many loops use them. `servers` made it, and `stack` lets it go."""

    client: NamedClient
    machine: ServerSettings | None
    general: GeneralSettings
    servers: Servers
    listing: ClientListing
    stack: ExitStack = field(default_factory=ExitStack)
    users: int = 0


class SharedListings:
    """Safe from any thread. `stop` ends every wait of what asks the clients."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._known: list[_Shared] = []

    def borrow(self, setup: HealthSetup, stack: ExitStack, clock: Clock) -> tuple[TorrentClient, ClientListing]:
        """A loop's client, whose waits `clock` ends, and its listing, until `stack` ends. Connects to nothing."""
        client, general = setup.client, setup.general
        machine = setup.machines.get(client.machine) if client.is_tunnelled else None
        section = f"CLIENT {setup.settings.client}"
        with self._lock:
            wanted = client, machine, general
            known = (each for each in self._known if (each.client, each.machine, each.general) == wanted)
            shared = next(known, None)
            if shared is None:
                own = ExitStack()
                servers = Servers((), own, common=setup)
                own_clock = SystemClock(self._stop)
                asked = servers.client(section, client, setup, own_clock, machine)
                shared = _Shared(client, machine, general, servers, ClientListing(asked, own_clock), own)
                self._known.append(shared)
            shared.users += 1
            stack.callback(self._give_back, shared)
            return shared.servers.client(section, client, setup, clock, machine), shared.listing

    def forget_refused(self) -> Sequence[NamedClient]:
        """The clients that have refused our login. A loop at one of them that begins anew logs in once more, for all that do.

        So each call leads to one try, however many the loops are: a client bans whoever tries a wrong password too often.
        """
        with self._lock:
            refused = [each for each in self._known if each.listing.refused]
            self._known = [each for each in self._known if each not in refused]
        return [each.client for each in refused]

    def _give_back(self, shared: _Shared) -> None:
        with self._lock:
            shared.users -= 1
            if shared.users:
                return
            if shared in self._known:
                self._known.remove(shared)
        shared.stack.close()
