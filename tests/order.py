"""The order in which the workers of pytest-xdist run the tests: what waits for servers beside what computes, nothing long last.

`--dist=worksteal` gives each worker one run of tests that follow each other, and one that has none left takes from the end of
another's. In the order of their names all that waits would follow each other, and be what is left for everybody at the end.
What each worker has last is cheap, so that what is stolen then ends soon.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

Test = TypeVar("Test")

_TOGETHER = 4
"""Tests of a module that wait and stay with one worker: they share what the module starts."""

_MIXED = 8
"""Tests of a module that compute and stay together: the dear ones of one module are not all with one worker."""

_AT_THE_END = 0.2
"""The part of a worker's tests that compute which comes after all that wait."""


def for_workers(
    tests: Sequence[Test],
    workers: int,
    *,
    waits: Callable[[Test], float],
    place: Callable[[Test], Hashable],
    servers: Callable[[Test], Hashable] = lambda _: None,
    computes: Callable[[Test], float] = lambda _: 1.0,
) -> list[Test]:
    """All tests, in runs for so many workers, each with its share of those that wait and of those that compute.

    `waits`: seconds for which a test usually waits, the longest come first; 0: it computes, usually for `computes` seconds.
    `place`: what tests share that are best run one after the other, a module. `servers`: what a worker starts once for all
    tests that wait for the same.
    """
    alike: defaultdict[Hashable, list[Test]] = defaultdict(list)
    for test in filter(waits, tests):
        alike[place(test), servers(test)].append(test)
    blocks = [each[at : at + _TOGETHER] for each in alike.values() for at in range(0, len(each), _TOGETHER)]
    blocks.sort(key=lambda block: -waits(block[0]))
    dealt = _dealt([(block, sum(map(waits, block)), servers(block[0])) for block in blocks], workers)
    computing = _mixed([test for test in tests if not waits(test)], place)
    ordered: list[Test] = []
    begun = 0
    for worker, own in enumerate(dealt):
        # Where pytest-xdist will cut: what is left, shared by all workers that are left.
        room = (len(tests) - len(ordered)) // (workers - worker) - sum(len(block) for block, _ in own)
        ended = len(computing) if worker == workers - 1 else begun + max(room, 0)
        groups = [list(group) for _, group in groupby(computing[begun:ended], place)]
        groups.sort(key=lambda group: -computes(group[0]))
        ordered += _in_turns(own, groups)
        begun = ended
    return ordered


def _mixed(tests: Sequence[Test], place: Callable[[Test], Hashable]) -> list[Test]:
    """The tests in small groups of one place, so that each part of the whole has its share of every place."""
    groups: list[tuple[float, int, list[Test]]] = []
    for number, (_, together) in enumerate(groupby(tests, place)):
        members = list(together)
        cut = [members[at : at + _MIXED] for at in range(0, len(members), _MIXED)]
        groups += [((at + 0.5) / len(cut), number, group) for at, group in enumerate(cut)]
    return [test for *_, group in sorted(groups, key=lambda each: each[:2]) for test in group]


def _dealt(
    blocks: Sequence[tuple[Sequence[Test], float, Hashable]], workers: int
) -> list[list[tuple[Sequence[Test], float]]]:
    """The blocks and their seconds, of each worker: as much time for each, and those of the same servers with few workers."""
    needed: defaultdict[Hashable, float] = defaultdict(float)
    for _, seconds, servers in blocks:
        needed[servers] += seconds
    share = sum(needed.values()) / workers
    places = {servers: (-seconds, at) for at, (servers, seconds) in enumerate(needed.items())}
    most_first = sorted(range(len(blocks)), key=lambda number: places[blocks[number][2]])
    dealt: list[list[int]] = [[] for _ in range(workers)]
    before = 0.0
    for number in most_first:
        seconds = blocks[number][1]
        dealt[min(int((before + seconds / 2) / share), workers - 1)].append(number)
        before += seconds
    return [[blocks[number][:2] for number in sorted(own)] for own in dealt]


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
