"""Which of the points at which a process could be killed a test tries: a share of its own, and in the long form all of them."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.faults.ledger import long_form


def dealt(index: int = 0, of: int = 1, *, step: int = 1) -> Iterator[int]:
    """Numbers of points, from `step` on and each a multiple of it, without end: those of the `index`th of `of` tests.

    In the long form, all numbers.

    Tests that walk the same points share them, so that together they try each point once; one that is alone with `of` > 1
    tries that part of them. Which point is whose is drawn, the same in each run: every nth would meet what comes before each
    call and never what comes behind it.
    """
    step = 1 if long_form() else step
    for point in count(step, step):
        if long_form() or random.Random(f"point {point}").randrange(of) == index:  # noqa: S311  a sample, nothing secret
            yield point


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory: thousands of syncs cost nothing there."""
    folder = Path(
        tempfile.mkdtemp(prefix="torrent-mover-tests-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
