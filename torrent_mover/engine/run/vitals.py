"""How servers, disks and connections are: asked every few seconds in a thread of its own, so that no picture waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.snapshot import ServerHealth
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FreeSpace, ReadableFiles
from torrent_mover.ports.journal import SharedRecords

_EVERY: Final = 5.0  # seconds
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connections:
    """How many are in use and allowed, and how many broke in this run."""

    used: int = 0
    limit: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class WatchedPlace:
    """One end of the moves. `servers`: whose breakers count, by name; `files`: what fills up there, where that is asked."""

    name: str
    role: str
    client: TorrentClient
    servers: Sequence[str]
    files: ReadableFiles | None = None
    connections: Callable[[], Connections] = Connections


class Vitals:
    """`read` and `cache` return at once what was found last, and see that it does not grow old. Safe from any thread."""

    def __init__(
        self, places: Sequence[WatchedPlace], cache: ReadableFiles | None, journal: SharedRecords, clock: Clock
    ) -> None:
        self._places = tuple(places)
        self._cache_files = cache
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._asking = False
        self._asked_at = float("-inf")
        self._products: dict[str, str] = {}
        self._servers: tuple[ServerHealth, ...] = tuple(_unknown(place) for place in places)
        self._cache: tuple[int, int] = (0, 0)

    def read(self) -> tuple[ServerHealth, ...]:
        """One a place."""
        self._refresh()
        return self._servers

    @property
    def cache(self) -> tuple[int, int]:
        """Bytes used, and the size of the whole, of what holds the cache; 0, 0 without one."""
        return self._cache

    def _refresh(self) -> None:
        with self._lock:
            if self._asking or self._clock.monotonic() - self._asked_at < _EVERY:
                return
            self._asking = True
        try:
            threading.Thread(target=self._ask, name="vitals", daemon=True).start()
        except RuntimeError:  # the machine gives no more threads: what was found last is shown on
            with self._lock:
                self._asked_at, self._asking = self._clock.monotonic(), False

    def _ask(self) -> None:
        try:
            self._servers = tuple(self._health(place) for place in self._places)
            found = _space(self._cache_files)
            self._cache = (found.total - found.free, found.total) if found else (0, 0)
        except Exception:  # noqa: BLE001  nothing that is only shown may end more than its own refresh
            _log.exception("the state of the servers could not be asked for")
        finally:
            with self._lock:
                self._asked_at, self._asking = self._clock.monotonic(), False

    def _health(self, place: WatchedPlace) -> ServerHealth:
        now = self._clock.now()
        breakers = (self._journal.breaker(server) for server in place.servers)
        breaker = max(breakers, key=lambda one: (one.open_for(now) or 0.0, one.failures))
        used, space = place.connections(), _space(place.files)
        open_for = breaker.open_for(now)
        return ServerHealth(
            name=place.name,
            role=place.role,
            product=self._product(place),
            connections=used.used,
            connections_limit=used.limit,
            reconnects=used.broken,
            breaker="open" if open_for else breaker.describe(now),
            breaker_open_for=open_for,
            free=space.free if space else None,
            total=space.total if space else None,
        )

    def _product(self, place: WatchedPlace) -> str:
        if place.role not in self._products:
            with suppress(MoverError):
                info = place.client.info()
                self._products[place.role] = f"{info.product} {info.version}"
        return self._products.get(place.role, "")


def _space(files: ReadableFiles | None) -> FreeSpace | None:
    if files is not None:
        with suppress(MoverError):
            return files.space()
    return None


def _unknown(place: WatchedPlace) -> ServerHealth:
    return ServerHealth(place.name, place.role, "", 0, place.connections().limit, 0, "closed", None, None, None)
