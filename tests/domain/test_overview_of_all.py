"""What the overview of a process says where nothing is wrong with its duties."""

from __future__ import annotations

import pytest

from torrent_mover.domain.report.overview import Need, a_card, overview_of
from torrent_mover.domain.report.serving import ServeReport, ServerReport

LEFT_ALONE = "open for 12:31 after 3 failures"


def overview(breaker, needs=()):
    process = ServeReport(1.0, "4.0.0", 0.0, servers=(ServerReport("tv", "arr", "Sonarr", breaker),))
    return overview_of(1.0, [a_card("health", "Health", "well", ("9 judged",), needs)], process)


@pytest.mark.parametrize("breaker", ["closed", "closed, 2 failures in a row"])
def test_a_server_that_is_asked_as_ever_needs_nobody(breaker):
    assert (overview(breaker).well, overview(breaker).verdict) == (True, "All is well.")


def test_all_is_not_well_while_a_server_is_left_alone():
    seen = overview(LEFT_ALONE)

    assert (seen.well, seen.count) == (False, 1)
    (need,) = seen.needs
    assert need.what == f"tv is left alone: {LEFT_ALONE}"
    assert "doctor" in need.helps


def test_a_server_that_its_duty_tells_of_is_told_once():
    seen = overview(LEFT_ALONE, [Need("health", "tv: Sonarr does not answer")])

    assert [need.what for need in seen.needs] == ["tv: Sonarr does not answer"]
