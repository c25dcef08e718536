"""Kills a worker at any of its calls: one counter over everything that it touches, and an exception that nothing catches."""

from __future__ import annotations

import threading


class Killed(BaseException):
    """The process is gone at this point: only what was durable before is left."""


class Counter:
    """Counts calls; raises Killed at number `at`, and at every later one, as a dead process makes no calls at all."""

    def __init__(self, at: int | None = None) -> None:
        self.count = 0
        self.at = at
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def tick(self, what: str) -> None:
        """Called before and after each call that changes something, and before each that only asks."""
        with self._lock:
            self.count += 1
            self.calls.append(what)
            if self.at is not None and self.count >= self.at:
                raise Killed(f"killed at call {self.count}: {what}")


class Fragile:
    """Any object, each of whose public methods ticks before it runs; those in `changing` tick behind it too."""

    def __init__(self, inner: object, counter: Counter, changing: tuple[str, ...] = ()) -> None:
        self._inner = inner
        self._counter = counter
        self._changing = changing

    def __getattr__(self, name: str):
        found = getattr(self._inner, name)
        if not callable(found) or name.startswith("_"):
            return found
        label = f"{type(self._inner).__name__}.{name}"

        def call(*args, **kwargs):
            self._counter.tick(label)
            answer = found(*args, **kwargs)
            if name in self._changing:
                self._counter.tick(f"{label} done")
            return answer

        return call
