"""Values that stay are made while the collector of reference cycles is away, and it comes back."""

from __future__ import annotations

import gc
import threading

import pytest

from torrent_mover.engine.hub.collector import collector_paused


class Value:
    """What the collector watches."""


@pytest.fixture
def passes():
    """The generations that were collected while the test ran."""
    found: list[int] = []

    def note(phase, info):
        if phase == "start":
            found.append(info["generation"])

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_nothing_is_collected_while_many_values_are_made(passes):
    with collector_paused():
        passes.clear()
        kept = [Value() for _ in range(100_000)]
        assert passes == []
    more = [Value() for _ in range(100)]
    assert (len(kept), len(more)) == (100_000, 100)
    assert gc.isenabled()
    assert gc.get_count()[0] < 10_000, "they count as old: the next collection does not look through them"


def test_cycles_that_were_let_go_meanwhile_are_still_found():
    gone = []
    with collector_paused():
        for _ in range(100_000):
            value = Value()
            value.own, value.note = value, gone
        del value
    assert gc.collect() >= 100_000


def test_it_stays_off_for_who_has_switched_it_off_and_comes_back_after_a_failure():
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ValueError, match="broken"), collector_paused():
        raise ValueError("broken")
    assert gc.isenabled()


def test_it_comes_back_with_the_last_of_several_threads_whoever_came_first():
    second_is_in, first_is_out = threading.Barrier(2, timeout=60), threading.Barrier(2, timeout=60)
    seen = []

    def second():
        with collector_paused():
            second_is_in.wait()
            first_is_out.wait()
            seen.append(gc.isenabled())

    other = threading.Thread(target=second)
    with collector_paused():
        other.start()
        second_is_in.wait()
    first_is_out.wait()
    other.join(60)

    assert seen == [False], "the one that is still inside keeps it away"
    assert gc.isenabled()
