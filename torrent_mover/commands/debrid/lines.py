"""Prints what happens to accounts, a line each."""

from __future__ import annotations

import os
import sys
import threading

from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.simple.format import journald_line, plain_line
from torrent_mover.simple.lines import feeds_journald


class EventLines:
    """A listener. `quiet`: only what is wrong."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._journald = feeds_journald(sys.stdout, os.environ)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """One event."""
        if self._quiet and not (isinstance(event, Noticed) and event.level in (Level.WARN, Level.ERROR)):
            return
        line = narrate(event)
        text = journald_line(line) if self._journald else plain_line(line, event.at)
        with self._lock:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
