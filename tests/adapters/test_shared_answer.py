"""Questions that many ask at the same time: one answer for all of them, never an older one."""

from __future__ import annotations

import threading

import pytest

from torrent_mover.adapters.clients.shared_answer import SharedAnswer


class Server:
    """Answers 1, 2, 3 ...; each answer waits until it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def ask(self) -> int:
        self.asked += 1
        number = self.asked
        self.begun.release()
        assert self.go.acquire(timeout=60)
        return number


class Askers:
    """Threads that ask, and what they got."""

    def __init__(self, shared: SharedAnswer[int]) -> None:
        self.shared = shared
        self.got: list[int] = []
        self.threads: list[threading.Thread] = []
        self.came = threading.Semaphore(0)

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            self.threads.append(threading.Thread(target=self._ask, daemon=True))
            self.threads[-1].start()

    def _ask(self) -> None:
        self.came.release()
        self.got.append(self.shared.get())

    def join(self) -> None:
        for thread in self.threads:
            thread.join(60)


def test_who_comes_while_a_question_is_on_its_way_shares_the_next_one():
    server = Server()
    askers = Askers(SharedAnswer(server.ask))
    askers.start()
    assert server.begun.acquire(timeout=60)
    askers.start(20)
    for _ in range(21):
        assert askers.came.acquire(timeout=60)
    while askers.shared._next is None:
        threading.Event().wait(0.001)
    server.go.release(25)
    askers.join()

    assert len(askers.got) == 21
    assert askers.got.count(1) == 1
    assert server.asked < 5  # two, unless a thread was held up between coming and asking


def test_an_answer_that_was_asked_for_before_is_never_given():
    server = Server()
    server.go.release(2)
    shared = SharedAnswer(server.ask)

    assert (shared.get(), shared.get()) == (1, 2)


def test_an_error_reaches_who_asked_and_the_next_one_asks_anew():
    answers = [OSError("away"), 7]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    shared = SharedAnswer(ask)
    with pytest.raises(OSError, match="away"):
        shared.get()
    assert shared.get() == 7
