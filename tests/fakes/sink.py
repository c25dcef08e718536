"""A sink that remembers what it was told, and can end a transfer at a given byte."""

from __future__ import annotations

import threading
from collections.abc import Callable

from torrent_mover.domain.errors import Cancelled


class RecordingSink:
    """`sent` and `found` by leg; `landed` pieces in order; `doing`: what beats said. With `stop_at`, Cancelled after so many bytes.

    `abort` does what the watchdog does.
    """

    def __init__(self, stop_at: int | None = None) -> None:
        self.sent: dict[int, int] = {}
        self.found: dict[int, int] = {}
        self.steps: list[int] = []
        self.landed_pieces: list[int] = []
        self.doing: list[str] = []
        self.files: dict[int, int] = {}
        self._stop_at = stop_at
        self._acts: list[Callable[[], None]] = []
        self._aborted: Exception | None = None
        self._moved = threading.Condition()

    def advance(self, count: int, leg: int = 0) -> None:
        """See ports.strategy.Sink."""
        assert count > 0
        with self._moved:
            self.sent[leg] = self.sent.get(leg, 0) + count
            self.steps.append(count)
            self._moved.notify_all()
        self._check()
        if self._stop_at is not None and sum(self.sent.values()) >= self._stop_at:
            raise Cancelled("The test says stop.")

    def reuse(self, count: int, leg: int = 0) -> None:
        """See ports.strategy.Sink."""
        self.found[leg] = self.found.get(leg, 0) + count
        self._check()

    def beat(self, doing: str) -> None:
        """See ports.strategy.Sink."""
        if doing:
            self.doing.append(doing)
        self._check()

    def landed(self, piece: int) -> None:
        """See ports.strategy.Sink."""
        self.landed_pieces.append(piece)
        self._check()

    def on_abort(self, act: Callable[[], None]) -> Callable[[], None]:
        """See ports.strategy.Sink."""
        self._acts.append(act)
        return lambda: self._acts.remove(act)

    def working_on(self, file: int, done: int) -> None:
        """See ports.strategy.Sink."""
        self.files[file] = done

    def abort(self, error: Exception) -> None:
        """End the transfer from another thread, with this error."""
        self._aborted = error
        for act in list(self._acts):
            act()

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until so many bytes were sent; whether they were."""
        with self._moved:
            return self._moved.wait_for(lambda: sum(self.sent.values()) >= count, timeout)

    def _check(self) -> None:
        if self._aborted is not None:
            raise self._aborted
