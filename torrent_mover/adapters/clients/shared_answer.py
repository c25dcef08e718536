"""One answer for all who ask the same question at the same time; nobody gets one that was asked for before they came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Asking(Generic[T]):
    """One question on its way, and what came of it."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.answer: list[T] = []


class SharedAnswer(Generic[T]):
    """`ask` is called by one thread at a time. Where it raises, only the thread that asked learns of it; the others ask again."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._next: _Asking[T] | None = None

    def get(self) -> T:
        """An answer to a question that was sent after this call. Raises what asking raises."""
        while True:
            with self._lock:
                leads = self._next is None
                asking = self._next = self._next or _Asking[T]()
            if leads:
                self._lead(asking)
            asking.over.wait()
            if asking.answer:
                return asking.answer[0]

    def _lead(self, asking: _Asking[T]) -> None:
        """Wait for the question that is on its way, take no more company, and ask."""
        try:
            with self._turn:
                self._close(asking)
                asking.answer.append(self._ask())
        finally:
            self._close(asking)
            asking.over.set()

    def _close(self, asking: _Asking[T]) -> None:
        with self._lock:
            if self._next is asking:
                self._next = None
