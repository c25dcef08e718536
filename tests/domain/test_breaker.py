from torrent_mover.domain.breaker import Breaker, BreakerState

NOW = 1_000_000.0


def failed(breaker, times, now=NOW):
    for _ in range(times):
        breaker = breaker.failed(now, failures_allowed=3, cooldown=900)
    return breaker


def test_stays_closed_below_the_allowed_failures():
    breaker = failed(Breaker(), 2)
    assert breaker.allows(NOW)
    assert breaker.describe(NOW) == "closed, 2 failures in a row"


def test_opens_at_the_allowed_failures_and_for_the_cooldown():
    breaker = failed(Breaker(), 3)
    assert not breaker.allows(NOW)
    assert not breaker.allows(NOW + 899.9)
    assert breaker.open_for(NOW + 149) == 751
    assert breaker.describe(NOW + 149) == "open for 12:31 after 3 failures"


def test_after_the_cooldown_one_failure_opens_it_again():
    later = NOW + 900
    breaker = failed(Breaker(), 3)
    assert breaker.state(later) is BreakerState.HALF_OPEN
    assert breaker.allows(later)
    assert breaker.open_for(later) is None
    again = failed(breaker, 1, later)
    assert not again.allows(later + 899)
    assert again.allows(later + 900)


def test_a_success_closes_it_and_forgets_the_failures():
    breaker = failed(Breaker(), 3).succeeded()
    assert breaker == Breaker()
    assert failed(breaker, 2).allows(NOW)
    assert breaker.describe(NOW) == "closed"


def test_failures_of_tries_under_way_do_not_lengthen_the_pause():
    breaker = failed(Breaker(), 3)
    late = failed(breaker, 2, NOW + 800)
    assert late.open_until == breaker.open_until
    assert late.failures == 5


def test_a_clock_set_back_by_a_year_does_not_keep_it_open():
    assert failed(Breaker(), 3).allows(NOW - 365 * 86400)
