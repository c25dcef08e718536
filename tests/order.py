"""The order in which the workers of pytest-xdist run the tests: what waits for servers beside what computes, nothing long last.

`--dist=worksteal` gives each worker one run of tests that follow each other, and one that has none left takes from the end of
another's. In the order of their names all that waits would follow each other, and be what is left for everybody at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

Test = TypeVar("Test")

_TOGETHER = 4
"""Tests of a module that wait and stay with one worker: they share what the module starts."""

_AT_THE_END = 0.2
"""The part of a worker's tests that compute which comes after all that wait."""


def for_workers(
    tests: Sequence[Test], workers: int, *, waits: Callable[[Test], float], place: Callable[[Test], Hashable]
) -> list[Test]:
    """All tests, in runs for so many workers, each with its share of those that wait and of those that compute.

    `waits`: seconds for which a test usually waits, the longest come first; 0: it computes. `place`: what tests share that
    are best run one after the other, a module.
    """
    blocks = []
    for _, group in groupby(filter(waits, tests), place):
        members = list(group)
        blocks += [members[at : at + _TOGETHER] for at in range(0, len(members), _TOGETHER)]
    blocks.sort(key=lambda block: -waits(block[0]))
    computing = [test for test in tests if not waits(test)]
    ordered: list[Test] = []
    begun = 0
    for worker in range(workers):
        own = blocks[worker::workers]
        # Where pytest-xdist will cut: what is left, shared by all workers that are left.
        room = (len(tests) - len(ordered)) // (workers - worker) - sum(map(len, own))
        ended = len(computing) if worker == workers - 1 else begun + max(room, 0)
        groups = [list(group) for _, group in groupby(computing[begun:ended], place)]
        ordered += _in_turns([(block, sum(map(waits, block))) for block in own], groups)
        begun = ended
    return ordered


def _in_turns(blocks: Sequence[tuple[Sequence[Test], float]], groups: Sequence[Sequence[Test]]) -> list[Test]:
    """The blocks, and after each as much of what computes as is its part of all waiting."""
    early = sum(map(len, groups)) * (1 - _AT_THE_END) / (sum(seconds for _, seconds in blocks) or 1)
    left = list(groups)
    ordered: list[Test] = []
    waited, placed = 0.0, 0
    for block, seconds in blocks:
        ordered += block
        waited += seconds
        while left and placed + len(left[0]) <= early * waited:
            placed += len(left[0])
            ordered += left.pop(0)
    return ordered + [test for group in left for test in group]
