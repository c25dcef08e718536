"""Calls that a hung mount may never answer: each waits in a daemon thread, and is given up after a while."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class NoAnswer(Exception):
    """The call has not returned in time. It stays behind, and blocks nothing but its own thread."""


class _Call(Generic[Answer]):
    def __init__(self, ask: Callable[[], Answer]) -> None:
        self.ask = ask
        self.done = threading.Event()
        self.answer: Answer | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self.ask()
        except BaseException as error:  # noqa: BLE001  it is raised where it was asked for
            self.error = error
        self.done.set()


class PatientCalls:
    """One thread does all calls, until one of them hangs: then another takes its place. Safe from any thread.

    The thread waits for calls until `close`.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[_Call[object] | None] | None = None

    def ask(self, what: Callable[[], Answer]) -> Answer:
        """The answer. Raises what the call raises, and NoAnswer."""
        call = _Call(what)
        with self._lock:
            if self._calls is None:
                self._calls = queue.SimpleQueue()
                threading.Thread(target=_serve, args=(self._calls,), name="mount", daemon=True).start()
            calls = self._calls
            calls.put(call)  # type: ignore[arg-type]
        if not call.done.wait(self.patience):
            with self._lock:
                if self._calls is calls:
                    self._let_go()
            raise NoAnswer
        if call.error is not None:
            raise call.error
        return call.answer  # type: ignore[return-value]

    def close(self) -> None:
        """Let its thread end, once the call that it is in returns. Whoever asks again begins another one."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._calls is not None:
            self._calls.put(None)
            self._calls = None


def _serve(calls: queue.SimpleQueue[_Call[object] | None]) -> None:
    while (call := calls.get()) is not None:
        call.run()
