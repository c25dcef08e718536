"""Signals around a throw-away world: a first one only asks to end, so that nothing of the world stays behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from torrent_mover.domain.errors import ExitCode


@contextmanager
def asked_to_end() -> Iterator[list[ExitCode]]:
    """While a world is built or taken down, a first signal only asks to end, so that nothing stays behind; a second one ends.

    Yields what the process shall return, once it was asked. What runs in the world answers signals in its own way.
    """
    asked: list[ExitCode] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        asked.append(ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield asked
    finally:
        restore()
