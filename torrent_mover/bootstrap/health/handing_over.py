"""Has a loop's Arr told where the data of a torrent lies, by the desk that all duties use."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass

from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.arrs import build_arrs
from torrent_mover.bootstrap.health.files import ClientFiles
from torrent_mover.bootstrap.health.setups import HealthSetup
from torrent_mover.bootstrap.state import lease_folder
from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.duties.health.errors import HealthRefused
from torrent_mover.duties.health.needs import Say
from torrent_mover.engine.arrs.desk import event_of
from torrent_mover.engine.arrs.telling import ArrTelling
from torrent_mover.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class ArrDelivery:
    """See acting.world.HandsOver."""

    telling: ArrTelling
    files: ClientFiles
    stop: threading.Event

    def tell(self, torrent: Torrent) -> str:
        """See acting.world.HandsOver."""
        at = torrent.content_path or torrent.save_path
        here = self.files.here(at)
        if here is None:
            raise HealthRefused(
                f"The data of {torrent.name} is not on this machine: no Arr can be told where it lies.",
                kept="Nothing was changed.",
                remedy="Set not_imported_action = report.",
            )
        self.telling.tell(torrent.id, torrent.category, here, torrent.name, at)
        self.go_on()
        return f"told to scan {here}"

    def go_on(self) -> None:
        """See acting.world.HandsOver."""
        for desk in self.telling.desks:
            desk.look(self.stop)


def arr_delivery(
    setup: HealthSetup,
    journal: SqliteJournal,
    files: ClientFiles,
    clock: Clock,
    stop: threading.Event,
    say: Say,
    stack: ExitStack,
) -> ArrDelivery | None:
    """For the Arr of a loop; None: it has none. Asks nobody."""
    if not setup.arrs:
        return None

    def told(record: ArrHandover, text: str) -> None:
        say(record.torrent, text, event_of(record, text, clock.now()).level)

    arrs = build_arrs(setup.arrs, journal, clock, told, KernelLeases(lease_folder(setup)), stack)
    return ArrDelivery(arrs.telling, files, stop)
