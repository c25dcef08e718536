"""Fixtures of the fault suite: a scene in an empty world, for each test process one world."""

from __future__ import annotations

import shutil

import pytest

pytest.register_assert_rewrite("tests.faults.scene")

from tests.faults.scene import Scene  # noqa: E402

_PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let fixtures know how their test ended."""
    outcome = yield
    if call.when == "call":
        item.stash[_PASSED] = outcome.get_result().passed


@pytest.fixture
def scene(asking_world, tmp_path, request):
    """Makes the scene: `scene("rsync", rate=..., seed=...)`."""
    made = []

    def make(mode: str = "sftp", **more) -> Scene:
        shutil.rmtree(asking_world.root / "canaries", ignore_errors=True)
        made.append(Scene(asking_world, tmp_path / "home", mode, **more))
        return made[-1]

    yield make
    passed = request.node.stash.get(_PASSED, False)
    for each in made:
        if each.injected and not (passed and each.accounted):
            name = request.node.name.partition("[")[0].removeprefix("test_").replace("_", " ")
            each.note("others", name, survived=passed)
        each.__exit__()
