"""How a command that waits or stays is ended: signals set one event, and say what the process returns."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from torrent_mover.domain.errors import ExitCode

_CODES: Final = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}


class StopEvent(threading.Event):
    """Set by a signal, or by somebody who leaves the screen; remembers what the process returns then.

    `at_once`: a second signal came.
    """

    code: ExitCode = ExitCode.INTERRUPTED
    at_once: bool = False


def interrupted(stop: threading.Event) -> ExitCode:
    """What the process returns after this stop."""
    return stop.code if isinstance(stop, StopEvent) else ExitCode.TERMINATED


@contextmanager
def signals(stop: StopEvent | None = None) -> Iterator[StopEvent]:
    """While in this context, signals end what waits; what is under way is written down first."""
    event = stop or StopEvent()

    def heard(number: int, _frame: FrameType | None) -> None:
        event.at_once = event.is_set()
        event.code = _CODES[signal.Signals(number)]
        # Setting takes a lock that the interrupted frame may hold.
        threading.Thread(target=event.set, name="stop", daemon=True).start()

    before = {number: signal.signal(number, heard) for number in _CODES}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
