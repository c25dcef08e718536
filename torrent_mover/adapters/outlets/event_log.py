"""The event log: every event as a line of JSON, in a file that is bounded and never fails a run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

from torrent_mover.adapters.outlets.logs import Complain, QuietFileHandler, unheard
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.report.event_data import event_data
from torrent_mover.domain.report.events import Event


class EventLog:
    """A `ports.notifier.Notifier`. Mode 0600, rotated as the log is; `redact` takes secrets out. Raises NotWritable.

    `complain` hears of the first line that cannot be written.
    """

    def __init__(self, path: Path, redact: Callable[[str], str], complain: Complain = unheard) -> None:
        self._redact = redact
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handler = QuietFileHandler(path, complain=complain)
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
        self._handler.close()
