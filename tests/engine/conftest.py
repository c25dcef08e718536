"""Fixtures of the engine's tests: a story on fakes, and threads that die with their simulated process."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.engine.fuse import Killed
from tests.engine.story import Story


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
def story(tmp_path, local):
    return Story(tmp_path, local=local)


@pytest.fixture
def stories(tmp_path, local):
    """Makes a new story, as often as it is asked."""
    made = 0

    def another() -> Story:
        nonlocal made
        made += 1
        folder = Path(tmp_path, str(made))
        folder.mkdir()
        return Story(folder, local=local)

    return another
