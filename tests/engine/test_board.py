"""The bar of a move never goes back and never passes its end, whatever attempts, repairs and checks do to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.engine.progress.board import TRANSFER_SHARE, Ledger

SIZE = 1000
_COUNT = st.integers(0, 2 * SIZE)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin_attempt"), _COUNT),
        st.tuples(st.just("advance"), _COUNT),
        st.tuples(st.just("reuse"), _COUNT),
        st.tuples(st.just("transferred"), st.none()),
        st.tuples(st.just("verified"), st.floats(0, 1)),
        st.tuples(st.just("finished"), st.floats(0, 0.99)),
    ),
    max_size=40,
)


@given(_STEPS, st.integers(1, 2), st.integers(0, SIZE))
def test_the_bar_only_grows_and_ends_at_its_end(steps, legs, size):
    ledger = Ledger(size, legs)
    shown = [ledger.fraction]
    for name, value in steps:
        if value is None:
            ledger.transferred()
        elif name in ("advance", "reuse"):
            getattr(ledger, name)(value, legs - 1)
        else:
            getattr(ledger, name)(value)
        shown.append(ledger.fraction)

    assert shown == sorted(shown)
    assert all(0 <= each < 1 for each in shown)


def test_bytes_that_were_there_count_in_the_bar_and_never_as_sent():
    ledger = Ledger(SIZE, 1)
    ledger.begin_attempt(400)
    ledger.advance(100, 0)

    assert (ledger.reused, ledger.sent) == (400, 100)
    assert ledger.fraction == TRANSFER_SHARE * 0.5


def test_a_second_attempt_does_not_take_the_bar_back():
    ledger = Ledger(SIZE, 1)
    ledger.begin_attempt(0)
    ledger.advance(800, 0)
    before = ledger.fraction
    ledger.begin_attempt(200)

    assert ledger.fraction == before
