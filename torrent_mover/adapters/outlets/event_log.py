"""The event log: every event as a line of JSON, in a file that is bounded and never fails a run."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torrent_mover.adapters.outlets.logs import Complain, QuietFileHandler, unheard
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.report.event_data import event_data
from torrent_mover.domain.report.events import Event

_OPENING: Final = threading.Lock()
_OPEN: Final[dict[Path, tuple[QuietFileHandler, int]]] = {}
"""The files that this process writes, and by how many logs: two that rotate one file would lose lines of each other."""


class EventLog:
    """A `ports.notifier.Notifier`. Mode 0600, rotated as the log is; `redact` takes secrets out. Raises NotWritable.

    Several of one process may write one file: a run, and each duty that stays. `complain` hears of the first line that cannot be
    written; of one file, that of the log which began first.
    """

    def __init__(self, path: Path, redact: Callable[[str], str], complain: Complain = unheard) -> None:
        self._redact = redact
        self._path = path
        self._closed = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _OPENING:
                known = _OPEN.get(path)
                self._handler, logs = known or (QuietFileHandler(path, complain=complain), 0)
                _OPEN[path] = self._handler, logs + 1
        except OSError as error:
            raise NotWritable(
                f"The event log {path} cannot be written: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Set event_log in [General] to a file of yours, or leave it blank.",
            ) from error
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def __call__(self, event: Event) -> None:
        """See ports.notifier.Notifier."""
        text = self._redact(json.dumps(event_data(event), separators=(",", ":")))
        self._handler.handle(logging.LogRecord("event", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        """See ports.notifier.Notifier."""
        with _OPENING:
            if self._closed:
                return
            self._closed = True
            handler, logs = _OPEN.pop(self._path)
            if logs > 1:
                _OPEN[self._path] = handler, logs - 1
                return
        self._handler.close()
