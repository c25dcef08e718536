"""Tells everybody what happened: listeners, the log file, the ring that screens show, and the journal's notes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.events import Event, Level, MoveEvent, Noticed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import SharedRecords

_RING: Final = 5000
_log = logging.getLogger("torrent_mover.run")
_LEVELS: Final = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARN: logging.WARNING,
    Level.ERROR: logging.ERROR,
}


class Listeners:
    """Who is told of events. Safe from any thread. One that raises is logged and kept; it never reaches whoever tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Event], object]] = []

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def tell(self, event: Event) -> None:
        """Tell all of them."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001  a front end's fault reaches neither the engine nor the others
                _log.exception("a listener failed")


class Publisher:
    """Safe from any thread."""

    def __init__(self, journal: SharedRecords) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._listeners = Listeners()
        self._lines: deque[LogLine] = deque(maxlen=_RING)
        self._number = 0

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control."""
        return self._listeners.subscribe(listener)

    def publish(self, event: Event) -> None:
        """Hand the event to all. Raises nothing: what is told about a move or a run never ends it."""
        try:
            self._write_down(event)
        except Exception:  # noqa: BLE001  whoever listens still hears of it
            _log.exception("%s could not be written down", type(event).__name__)
        self._listeners.tell(event)

    def _write_down(self, event: Event) -> None:
        line = narrate(event)
        torrent = _torrent(event)
        with self._lock:
            self._number += 1
            self._lines.append(LogLine(self._number, event.at, line.level, torrent, line.text))
        _log.log(_LEVELS[line.level], "%s%s", f"{torrent.short} " if torrent else "", line.text)
        if torrent is not None:
            try:
                self._journal.add_note(event.at, torrent, line.level.value, line.text)
            except MoverError as error:
                # A move must not fail for a line that could not be kept: what it saves itself will say that the disk is full.
                _log.warning("a line for the history of %s was not kept: %s", torrent.short, error)

    def of(self, route: str) -> RoutePublisher:
        """The same, for what happens on one route."""
        return RoutePublisher(self, route)

    def lines(self, after: int) -> Sequence[LogLine]:
        """Lines with a number above `after`."""
        with self._lock:
            return [line for line in self._lines if line.number > after]


class RoutePublisher:
    """Tells everybody, and says on which route it happened."""

    def __init__(self, publisher: Publisher, route: str) -> None:
        self._publisher = publisher
        self._route = route

    def publish(self, event: Event) -> None:
        """See Publisher."""
        self._publisher.publish(event if event.route else replace(event, route=self._route))

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control. Of all routes."""
        return self._publisher.subscribe(listener)

    def lines(self, after: int) -> Sequence[LogLine]:
        """See Publisher. Of all routes."""
        return self._publisher.lines(after)


def _torrent(event: Event) -> InfoHash | None:
    if isinstance(event, MoveEvent | Noticed):
        return event.torrent
    return None
