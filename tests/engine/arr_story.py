"""What tests of hand-overs share: a journal on disk, desks that are driven to their end, and a kill at any call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.arr.house import EPISODES, HASH, PACK, ArrHouse
from tests.fakes.handovers import MemoryHandovers
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.local.largest_file import largest_file
from torrent_mover.domain.arrs.handover import ArrHandover
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.engine.arrs.desk import ArrDesk, ArrWishes
from torrent_mover.engine.arrs.path_finding import PathFinder
from torrent_mover.engine.arrs.telling import ArrTelling

MOST_LOOKS = 100


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Ends the process at the `at`-th call of what it guards: before it is made or, `after`, when it was made."""

    at: int
    after: bool
    calls: int = 0

    def guard(self, target: Any) -> Any:
        """The same object, with a fuse in each of its methods."""
        return _Guarded(target, self)

    @property
    def blown(self) -> bool:
        """Whether it came to that."""
        return self.calls >= self.at


class _Guarded:
    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target = target
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse.calls += 1
            last = self._fuse.calls == self._fuse.at
            if last and not self._fuse.after:
                raise Killed
            result = found(*args, **kwargs)
            if last:
                raise Killed
            return result

        return call


@dataclass
class ArrStory:
    """One Arr house with a journal, and a desk that hands over to it."""

    house: ArrHouse
    wishes: ArrWishes = field(default_factory=lambda: ArrWishes("tv", may_refresh=False))
    pairs: tuple[Any, ...] = ()
    view: Callable[[Any], ClientPath | None] = lambda _: None
    said: list[str] = field(default_factory=list)
    leases: KernelLeases | None = None

    def __post_init__(self) -> None:
        self.journal = MemoryHandovers()
        self.leases = self.leases or KernelLeases(self.house.data.parent / "leases")
        self.fuse: Fuse | None = None

    def start(self) -> None:
        """A new process, as after a kill: it knows what the journal knows."""
        manager = self.fuse.guard(self.house.manager) if self.fuse else self.house.manager
        journal = self.fuse.guard(self.journal) if self.fuse else self.journal
        finder = PathFinder(manager, journal, self.pairs, self.view)
        self.desk = ArrDesk(
            manager, self.wishes, journal, finder, self.house.clock, lambda _, line: self.said.append(line), self.leases
        )
        self.telling = ArrTelling([self.desk], journal, self.house.clock, largest_file)

    def tell(self, path: LocalPath, label: str = "tv", client_path: ClientPath | None = None, torrent=HASH) -> None:
        """A duty says that the data is there."""
        self.telling.tell(torrent, label, path, "Show", client_path)

    def look(self) -> float:
        """One look, and the time until the next one."""
        pause = self.desk.look(threading.Event())
        self.house.clock.advance(pause)
        return pause

    def run(self, until: Callable[[ArrHandover], bool] = lambda record: record.step.ended) -> ArrHandover:
        """Look until it has ended, or `until` holds."""
        for _ in range(MOST_LOOKS):
            self.look()
            record = self.record()
            if until(record):
                return record
            self.house.clock.advance(max(record.next_at - self.house.clock.now(), 0.0))
        raise AssertionError(f"no end: {self.record()}")

    def record(self, torrent=HASH) -> ArrHandover:
        """What the journal knows."""
        record = self.journal.handover(torrent, "tv")
        assert record is not None
        return record

    @property
    def scans(self) -> list[dict[str, Any]]:
        """What the Arr was told to scan."""
        return self.house.library.scans


def still_seeds(house: ArrHouse, count: int = 10) -> bool:
    """Every file of the pack lies where it was, with its bytes."""
    folder = house.data / PACK
    return [each.name for each in sorted(folder.iterdir())] == list(EPISODES[:count]) and all(
        (folder / name).read_bytes() == bytes([number]) * (1000 + number)
        for number, name in enumerate(EPISODES[:count], 1)
    )
