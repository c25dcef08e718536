"""Counts the calls that a run makes to the world around it, and at a chosen one fails it or ends the run as kill -9 would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

CHUNK = "before here.reader.chunk"


class Killed(BaseException):
    """The process is gone. Whatever it still tries to do has no effect."""


class Fuse:
    """Shared by everything that one simulated process touches.

    `arm(at, act)`: at the `at`-th call (from 1) of what `wanted` selects, `act(label)` runs; it may raise. `kill` ends the
    process: from then on every call raises Killed, so that nothing changes behind its death, and `on_death` runs once.
    """

    def __init__(self, wanted: Callable[[str], bool] = lambda _label: True) -> None:
        self.count = 0
        self.dead = False
        self.fired = ""
        self.labels: list[str] = []
        self.on_death: Callable[[], None] = lambda: None
        self._wanted = wanted
        self._at = 0
        self._act: Callable[[str], None] = lambda _label: None
        self._lock = threading.RLock()

    def arm(self, at: int, act: Callable[[str], None]) -> None:
        self._at, self._act = at, act

    def kill(self, label: str) -> None:
        self.dead = True
        self.on_death()
        raise Killed(label)

    def touch(self, label: str) -> None:
        """A call begins or has just ended."""
        with self._lock:
            if self.dead:
                raise Killed(label)
            if not self._wanted(label):
                return
            self.count += 1
            self.labels.append(label)
            if self.count == self._at:
                self.fired = label
                self._act(label)


class Gate(Fuse):
    """Lets `free` chunks of the source through; the next one waits until `open`.

    `broken`: what every chunk fails with. `breaks`: what the next ones do, one after the other.
    """

    def __init__(self, free: int) -> None:
        super().__init__()
        self.free = free
        self._open = threading.Event()
        self.reached = threading.Event()
        self.broken: Exception | None = None
        self.breaks: list[Exception] = []

    def touch(self, label: str) -> None:
        super().touch(label)
        if label != CHUNK:
            return
        if self.broken is not None:
            raise self.broken
        with self._lock:
            if self.breaks:
                raise self.breaks.pop()
        self.free -= 1
        if self.free < 0:
            self.reached.set()
            assert self._open.wait(120)

    def open(self) -> None:
        self._open.set()


class Tapped:
    """Stands before an object: each of its methods touches the fuse before and after. Lanes and tickets are tapped as well."""

    def __init__(self, name: str, inner: Any, fuse: Fuse, passing: frozenset[str] = frozenset()) -> None:
        self._name = name
        self._inner = inner
        self._fuse = fuse
        self._passing = passing

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._inner, attribute)
        if not callable(found) or attribute in self._passing:
            return found

        if attribute == "role":
            return lambda kind: None if found(kind) is None else self

        def call(*arguments: Any, **words: Any) -> Any:
            label = f"{self._name}.{attribute}"
            if attribute == "save_move":
                label += f" {arguments[0].stage.value}"
            self._fuse.touch(f"before {label}")
            answer = self._read(found, *arguments) if attribute == "read" else found(*arguments, **words)
            self._fuse.touch(f"after {label}")
            if attribute in ("reader", "writer", "recheck"):
                return Tapped(
                    f"{self._name}.{attribute}", answer, self._fuse, frozenset({"close", "abort", "accepted"})
                )
            return answer

        return call

    def _read(self, read: Any, spans: Any, deliver: Any) -> None:
        def tapped(span: Any, offset: int, data: memoryview) -> None:
            self._fuse.touch(f"before {self._name}.chunk")
            deliver(span, offset, data)

        read(spans, tapped)
