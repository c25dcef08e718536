"""A day of requests to Real-Debrid, as fast as they may go."""

from __future__ import annotations

from bench.debrid import MOST, beside_another_client


def test_a_day_beside_another_client_fills_no_minute_of_the_service():
    """250 requests in 60 s are what Real-Debrid takes; another client sends 40 a minute; ours sends whenever it may."""
    day = beside_another_client(24)

    assert (day.refused, day.fullest <= MOST) == (0, True)
    assert day.ours > 24 * 3600 * 3  # it uses what it may
