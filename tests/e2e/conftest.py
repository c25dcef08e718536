"""Fixtures of the end-to-end suite."""

from __future__ import annotations

import pytest

from tests.e2e.house import House


@pytest.fixture
def house(world, tmp_path):
    """An empty world and the commands to run on it."""
    (world.root / "tracker_rules.json").unlink(missing_ok=True)
    (world.root / "config.ini").unlink(missing_ok=True)
    return House(world, tmp_path / "home")
