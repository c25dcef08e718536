"""What a limit of open files leaves room for: never more than it holds, and at any usual limit all that was asked for."""

import pytest

from torrent_mover.domain.open_files import ADVISED, LEAST, TooFewOpenFiles, allowance, require

PIPES, OWN = 4, 20
"""Measured: what one connection costs, and a process that moves nothing yet."""


@pytest.mark.parametrize("servers", [1, 2])
@pytest.mark.parametrize("limit", [LEAST, 55, 64, 100, 256, ADVISED, 65_536])
def test_all_together_stay_below_the_limit(limit, servers):
    allowed = allowance(limit, servers, 8)
    lanes = allowed.sessions * (allowed.files + 2)

    assert OWN + servers * allowed.sessions * PIPES + lanes <= limit
    assert OWN + 11 * min(allowed.jobs, 4) <= limit  # rsync's children
    assert min(allowed.jobs, allowed.files) >= 1
    assert allowed.sessions >= 2


def test_a_usual_limit_takes_nothing_away():
    allowed = allowance(ADVISED, 2, 8)

    assert allowed.jobs >= 16
    assert (allowed.sessions, allowed.files) == (8, 32)


def test_a_configured_number_is_never_exceeded():
    assert allowance(ADVISED, 1, 1).sessions == 1


def test_too_few_are_refused_with_the_number_that_helps():
    with pytest.raises(TooFewOpenFiles, match=f"may have 40 files open at a time, and needs {LEAST}") as refused:
        require(40)

    assert f"ulimit -n {ADVISED}" in refused.value.remedy
    assert require(LEAST)
