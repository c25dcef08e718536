"""Fixtures of the duties' tests."""

from __future__ import annotations

import pytest

from tests.faults.points import memory_folder


@pytest.fixture
def tmp_path():
    """In memory: what is killed here is a process and never the machine, so that no sync matters."""
    with memory_folder() as folder:
        yield folder
