import pytest

from torrent_mover.domain.capacity import Reservations, margin
from torrent_mover.domain.errors import DiskFull
from torrent_mover.domain.torrent.torrent import InfoHash

GIB = 1024**3
FIRST, SECOND, THIRD = (InfoHash(digit * 40) for digit in "123")


@pytest.fixture
def places():
    reservations = Reservations()
    reservations.know("nas", free=100 * GIB + margin(200 * GIB), total=200 * GIB)
    return reservations


def test_moves_that_fit_together_are_reserved(places):
    places.reserve(FIRST, "nas", 60 * GIB)
    places.reserve(SECOND, "nas", 40 * GIB)
    assert places.left("nas") == 0


def test_one_that_does_not_fit_beside_the_others_is_refused_with_the_numbers(places):
    places.reserve(FIRST, "nas", 60 * GIB)
    places.reserve(SECOND, "nas", 28 * GIB)
    with pytest.raises(DiskFull, match=r"needs 58\.0 GiB on nas, 12\.0 GiB are left beside what 2 other torrents will"):
        places.reserve(THIRD, "nas", 58 * GIB)
    assert places.left("nas") == 12 * GIB
    assert places.fits_ever("nas", 58 * GIB)
    assert not places.fits_ever("nas", 101 * GIB)


def test_alone_the_refusal_speaks_of_no_others(places):
    assert places.refusal(FIRST, "nas", 101 * GIB) == (
        "needs 101.0 GiB on nas, 100.0 GiB are left beside the 2.0 GiB that stay free"
    )


def test_reserving_again_replaces_what_the_move_had(places):
    places.reserve(FIRST, "nas", 90 * GIB)
    places.reserve(FIRST, "nas", 95 * GIB)
    assert places.left("nas") == 5 * GIB


def test_what_is_given_back_is_free_again(places):
    places.reserve(FIRST, "nas", 90 * GIB)
    places.release(FIRST)
    places.release(SECOND)
    assert places.left("nas") == 100 * GIB


def test_what_arrived_and_stays_is_gone_for_good(places):
    places.reserve(FIRST, "nas", 90 * GIB)
    places.settle(FIRST, "nas")
    places.release(FIRST)
    assert places.left("nas") == 10 * GIB


def test_asking_again_in_the_middle_does_not_count_arrived_bytes_twice(places):
    places.reserve(FIRST, "nas", 60 * GIB)
    places.know("nas", free=80 * GIB + margin(200 * GIB), total=200 * GIB, arrived={FIRST: 20 * GIB})
    assert places.left("nas") == 40 * GIB


def test_places_do_not_share(places):
    places.know("cache", free=50 * GIB, total=50 * GIB)
    places.reserve(FIRST, "nas", 100 * GIB)
    assert places.left("cache") == 50 * GIB - margin(50 * GIB)
    assert places.knows("cache")
    assert not places.knows("relay")


@pytest.mark.parametrize(
    ("total", "kept"),
    [(1 * GIB, 100 * 1024**2), (100 * GIB, GIB), (20_000 * GIB, 5 * GIB)],
)
def test_the_margin_is_one_percent_within_bounds(total, kept):
    assert margin(total) == kept


def test_a_place_smaller_than_its_margin_takes_nothing():
    reservations = Reservations()
    reservations.know("stick", free=50 * 1024**2, total=64 * 1024**2)
    assert reservations.refusal(FIRST, "stick", 1) == (
        "needs 1 B on stick, 0 B are left beside the 100.0 MiB that stay free"
    )
    assert reservations.refusal(FIRST, "stick", 0) == ""
