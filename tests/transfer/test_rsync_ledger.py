from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.transfer.rsync_ledger import LegLedger


def test_a_whole_file_counts_as_it_goes():
    ledger = LegLedger({0: [(0, 100)]}, [100], delta=False)

    assert ledger.at(0, 30) == 30
    assert ledger.at(0, 100) == 70
    assert ledger.finish(literal=100) == (0, 0)


def test_only_missing_bytes_count():
    ledger = LegLedger({0: [(40, 20), (80, 10)]}, [100], delta=False)

    assert [ledger.at(0, offset) for offset in (40, 50, 85, 100)] == [0, 10, 15, 5]


def test_a_file_sent_again_counts_once():
    ledger = LegLedger({0: [(0, 100)]}, [100], delta=False)
    ledger.at(0, 100)

    assert ledger.at(0, 10) == 0
    assert ledger.at(0, 100) == 0


def test_what_is_found_at_the_target_is_not_speed():
    ledger = LegLedger({0: [(0, 1000)]}, [1000], delta=True)

    assert ledger.at(0, 900) == 0
    assert ledger.carried(50) == 50
    assert ledger.finish(literal=60) == (10, 940)


def test_a_delta_leg_without_a_gauge_counts_by_what_rsync_says_at_the_end():
    ledger = LegLedger({0: [(0, 1000)]}, [1000], delta=True)
    ledger.at(0, 1000)

    assert ledger.finish(literal=200) == (200, 800)


def test_without_any_count_all_is_called_sent():
    assert LegLedger({0: [(0, 10)]}, [10], delta=True).finish(literal=None) == (10, 0)


def test_rsync_may_send_more_than_was_missing():
    ledger = LegLedger({0: [(0, 10)]}, [1000], delta=True)

    assert ledger.finish(literal=900) == (10, 0)


def test_files_that_rsync_did_not_mention_are_in_the_end_as_well():
    ledger = LegLedger({0: [(0, 10)], 1: [(0, 5)]}, [10, 5], delta=False)
    ledger.at(0, 10)

    assert ledger.finish(literal=15) == (5, 0)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200)), max_size=40),
    st.lists(st.integers(0, 400), max_size=40),
    st.one_of(st.none(), st.integers(0, 1000)),
    st.booleans(),
)
def test_every_missing_byte_counts_exactly_once(reports, wires, literal, delta):
    ranges = {0: [(0, 50), (70, 30)], 1: [(10, 5)], 2: [(0, 100)]}
    ledger = LegLedger(ranges, [100, 100, 100], delta=delta)
    steps = []
    for (file, offset), wire in zip(reports, [*wires, *[0] * len(reports)], strict=False):
        steps += [ledger.at(file, offset), ledger.carried(wire)]
    sent, found = ledger.finish(literal)

    assert all(step >= 0 for step in [*steps, sent, found])
    assert sum(steps) + sent + found == 185
