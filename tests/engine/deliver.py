"""One delivery between two real folders, without any client: `python -m tests.engine.deliver FOLDER NUMBER LABEL`.

FOLDER holds `source`, `a.torrent` and later `target` and `journal.sqlite3`. The process kills itself with SIGKILL at the call
with that label of that number (see fuse.Tapped), if there is one. Writes what was proven to standard output, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.engine.fuse import Fuse, Tapped
from tests.fakes.jobs import OpenJobs
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import MoveRecord, Stage
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.quantities import OWNER_ACCESS
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.choices import Unlock
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.cargo import Cargo
from torrent_mover.engine.delivery.delivery import Delivery
from torrent_mover.engine.delivery.shipment import Means, Shipment
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.delivery.unlock import Unlocker
from torrent_mover.engine.progress.board import Flow, Legs, Track
from torrent_mover.engine.progress.sink import Throttle
from torrent_mover.ports.strategy import Strategy
from torrent_mover.transfer.copying import Copying
from torrent_mover.transfer.lanes import LaneShare


class Log:
    """Writes the stages into the journal and keeps them, with what is said."""

    def __init__(self, journal: OpenJobs, manifest: Manifest) -> None:
        self._journal = journal
        self._record = MoveRecord(
            manifest.hashes.client_id, manifest.name, manifest.total_size, Stage.PLANNED, 1.0, 1.0
        )
        self.stages: list[str] = []
        self.said: list[str] = []

    def enter(self, stage: Stage) -> None:
        self._record = self._record.entering(stage, 1.0)
        self._journal.save_move(self._record)
        self.stages.append(stage.value)

    def began(self, manifest: Manifest, present: int) -> None:
        self.said.append(f"{present} of {manifest.size_of(manifest.wanted)} bytes are there")

    def notice(self, _level: Level, text: str) -> None:
        self.said.append(text)

    @contextlib.contextmanager
    def only_warned(self) -> Iterator[None]:
        try:
            yield
        except MoverError as error:
            self.said.append(str(error))


class Parcel:
    """One attempt to deliver what lies in `folder`; `target` is another folder than usual, `strategy` another way."""

    def __init__(
        self,
        folder: Path,
        journal: OpenJobs,
        fuse: Fuse | None = None,
        *,
        target: str = "target",
        strategy: Callable[[], Strategy] = lambda: Copying(LaneShare(1)),
    ) -> None:
        fuse = fuse or Fuse()
        self.manifest = Manifest.parse((folder / "a.torrent").read_bytes())
        layout = tuple(file.path for file in self.manifest.files)
        (folder / target).mkdir(exist_ok=True)
        here = LocalFileSystem(LocalPath(str(folder / "source")))
        there = Tapped("there", LocalFileSystem(LocalPath(str(folder / target))), fuse)
        book = Tapped("journal", journal, fuse)
        clock = SystemClock(threading.Event())
        torrent = self.manifest.hashes.client_id
        self.space = ReservedSpace(there, None, dict)
        unlocker = Unlocker(there, Access(there, None), book, lambda *_: None, Unlock.AUTO, OWNER_ACCESS)
        means = Means(there, True, book, self.space, unlocker, Throttle(clock, lambda _flow: None), clock)
        cargo = Cargo(self.manifest, layout, layout, here, there)
        shipment = Shipment(torrent, cargo, "the fast disk", "the big disk", strategy, True, layout)
        self.track = Track(torrent, self.manifest.total_size, Legs((frozenset({Flow.IN}),)), clock.monotonic)
        self.log = Log(book, self.manifest)
        self.delivery = Delivery(means, shipment, self.track, self.log)

    def deliver(self, ready: Callable[[], None] = lambda: None) -> dict[str, object]:
        with contextlib.closing(self.delivery):
            self.delivery.run(ready)
        at_rest = self.delivery.at_rest
        return {
            "proven": at_rest.pieces.count(),
            "of": self.manifest.piece_count,
            "sent": self.track.ledger.sent,
            "stages": self.log.stages,
        }


def main() -> None:
    folder, number, label = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    fuse = Fuse(lambda each: each == label)
    fuse.arm(number, lambda _label: os.kill(os.getpid(), signal.SIGKILL))
    journal = OpenJobs(folder / "journal.sqlite3", SystemClock(threading.Event()))
    sys.stdout.write(json.dumps(Parcel(folder, journal, fuse).deliver()))
    journal.close()


if __name__ == "__main__":
    main()
