"""How a health command that acts is ended: the step that runs is finished, nothing new is begun."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from torrent_mover.domain.errors import ExitCode

LAST_STEP: Final = 30.0
"""Seconds that a step which runs has to end once we are told to stop."""
_CODES: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class Ending:
    """What signals have asked for, and what the process returns then."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.code = ExitCode.TERMINATED


@contextmanager
def ending(asked: Ending, *, within: float | None = None) -> Iterator[None]:
    """While in this context TERM and INT set `asked.stop`; the second one ends the process at once.

    `within`: seconds after the first one at which the second one comes by itself; None: somebody else sees to that.
    """
    timers: list[threading.Timer] = []

    def ends(number: int, _frame: FrameType | None) -> None:
        if asked.stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(signal.Signals(number))
        asked.code = _CODES[signal.Signals(number)]
        # Setting takes a lock that the interrupted frame may hold.
        threading.Thread(target=asked.stop.set, name="stop", daemon=True).start()
        if within is not None:
            timers.append(threading.Timer(within, os.kill, (os.getpid(), number)))
            timers[-1].daemon = True
            timers[-1].start()

    before = {number: signal.signal(number, ends) for number in _CODES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for timer in timers:
            timer.cancel()
