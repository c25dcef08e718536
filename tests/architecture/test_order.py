"""What the order of the tests promises to the workers that share them."""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.order import for_workers

MODULES = {"b": (6, True), "d": (13, True), "f": (1, True)} | dict.fromkeys("aceghijklmnopqrs", (5, False))
"""Module -> how many tests it has, and whether they wait."""
TESTS = [(module, number) for module, (count, _) in MODULES.items() for number in range(count)]


def waits(test) -> float:
    return float(MODULES[test[0]][1])


def shared(workers: int) -> list[list]:
    """What pytest-xdist gives to each worker."""
    left = for_workers(TESTS, workers, waits=waits, place=lambda test: test[0])
    assert sorted(left) == sorted(TESTS)
    runs = []
    for number in range(workers):
        size = len(left) // (workers - number)
        runs.append(left[:size])
        left = left[size:]
    return runs


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_each_worker_has_its_share_of_what_waits_and_computes_at_the_end(workers):
    for run in shared(workers):
        waiting = [number for number, test in enumerate(run) if waits(test)]
        assert abs(len(waiting) - 20 / workers) <= 4
        assert max(waiting) < len(run) * 0.9


def test_what_waits_and_what_computes_take_turns():
    for run in shared(2):
        assert len(list(groupby(run, waits))) >= 5


@pytest.mark.parametrize("workers", [1, 150, 300])
def test_no_test_is_lost_where_there_are_more_workers_than_tests(workers):
    everything = for_workers(TESTS, workers, waits=waits, place=lambda test: test[0])

    assert sorted(everything) == sorted(TESTS)


def test_what_waits_longest_comes_first():
    seconds = {"b": 1.0, "d": 9.0, "f": 20.0}

    ordered = for_workers(TESTS, 1, waits=lambda test: seconds.get(test[0], 0.0), place=lambda test: test[0])

    assert [module for module, _ in groupby(filter(waits, ordered), lambda test: test[0])] == ["f", "d", "b"]


def test_tests_that_all_wait_stay_as_they_are_for_one_worker():
    tests = [test for test in TESTS if waits(test)]

    assert for_workers(tests, 1, waits=waits, place=lambda test: test[0]) == tests


def test_tests_of_the_same_servers_come_to_as_few_workers_as_have_the_time_for_them():
    tests = [(f"module {number // 8}", number) for number in range(96)]

    ordered = for_workers(tests, 4, waits=lambda _: 1.0, place=lambda test: test[0], servers=lambda test: test[1] % 3)

    assert sorted(ordered) == sorted(tests)
    met = [{number % 3 for _, number in ordered[first : first + 24]} for first in range(0, 96, 24)]
    assert sorted(map(len, met)) == [1, 1, 2, 2]
