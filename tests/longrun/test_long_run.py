"""Months of all duties at once, compressed: nothing is lost, nothing is done twice, nothing grows without end.

The longest is first, so that the others run beside it.
"""

from __future__ import annotations

import pytest

from tests.faults.ledger import each_nth, long_form
from tests.longrun.page import write_down
from tests.longrun.run import LongRun

pytestmark = pytest.mark.timeout(7200 if long_form() else 1500)

SEEDS = range(1, 9) if long_form() else range(1, 2)
DAYS = 176.0 / each_nth() if long_form() else 7.0
"""Of the story; the time in which all comes to its end follows. `FAULTS_LONG=8`: an eighth of half a year for each seed."""
_MEMORY, _DESCRIPTORS, _THREADS = 4 << 20, 12, 8
"""What may come to be beside what is there early: what is known of the torrents that came since. Lines for screens are few here."""


@pytest.mark.thorough
def test_a_process_that_goes_on_for_months_does_not_grow():
    done = LongRun(11, DAYS, restarts=False, trace=True).run()

    write_down(done)
    assert not done.wrong, "\n".join((done.how, *done.wrong))
    early, late = done.measures[1], done.measures[-1]
    assert late.memory - early.memory < _MEMORY, "\n".join((done.how, *done.growth))
    assert late.descriptors - early.descriptors < _DESCRIPTORS, done.how
    assert late.threads - early.threads < _THREADS, done.how


@pytest.mark.thorough
@pytest.mark.parametrize("seed", SEEDS)
def test_no_byte_is_lost_and_nothing_is_done_twice(seed):
    done = LongRun(seed, DAYS).run()

    write_down(done)
    assert not done.wrong, "\n".join((done.how, *done.wrong))
    assert done.torrents and done.deletes and done.bytes, done.how
