"""Fixtures of the engine's tests: a story on fakes, and threads that die with their simulated process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.fuse import Killed
from tests.engine.story import Story
from tests.faults.points import dealt, memory_folder


@pytest.fixture(autouse=True)
def _threads_may_be_killed(monkeypatch):
    usual = threading.excepthook

    def hook(arguments) -> None:
        if not issubclass(arguments.exc_type, Killed):
            usual(arguments)

    monkeypatch.setattr(threading, "excepthook", hook)


@pytest.fixture(params=[True, False], ids=["local", "remote"])
def local(request):
    return request.param


@pytest.fixture
def tmp_path():
    """In memory: what is killed here is a process and never the machine, so that no sync matters."""
    with memory_folder() as folder:
        yield folder


@pytest.fixture
def story(tmp_path, local):
    return Story(tmp_path, local=local)


class Stories:
    """Makes a new story, as often as it is called."""

    def __init__(self, folder: Path, *, local: bool) -> None:
        self._folder = folder
        self._local = local
        self._made = 0

    def __call__(self) -> Story:
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        return Story(folder, local=self._local)

    def points(self, step: int = 1) -> Iterator[int]:
        """Points to kill at: stories with a local and with a remote destination share them."""
        return dealt(0 if self._local else 1, 2, step=step)


@pytest.fixture
def stories(tmp_path, local):
    return Stories(tmp_path, local=local)
