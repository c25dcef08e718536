import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.errors import SourceCorrupt
from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.transfer.work import UNIT, PieceWork

PIECE = 16 << 10


def imagined(size, piece_length):
    """A torrent whose content nobody ever made: work is handed out without a look at it."""
    pieces = bytes(20) * -(-size // piece_length)
    info = {b"name": b"a", b"length": size, b"piece length": piece_length, b"pieces": pieces}
    return Manifest.parse(encode({b"info": info}))


@pytest.fixture(scope="module")
def manifest():
    return imagined(1100 * PIECE + 9, PIECE)


def drained(work):
    units = []
    while (unit := work.next_unit()) is not None:
        units.append(unit)
    return units


@given(data=st.data())
def test_the_units_are_just_the_missing_pieces_in_order(manifest, data):
    missing = Bitfield(manifest.piece_count)
    for piece in data.draw(st.sets(st.integers(0, manifest.piece_count - 1), max_size=60)):
        missing.set(piece)
    units = drained(PieceWork(manifest, missing))
    assert [piece for unit in units for piece in unit] == list(missing.ones())


def test_units_are_bounded_and_shrink_so_that_lanes_end_together(manifest):
    sizes = [len(unit) for unit in drained(PieceWork(manifest, Bitfield.full(manifest.piece_count)))]
    assert sizes[0] == manifest.piece_count // 16
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1


def test_no_unit_is_larger_than_it_should_be():
    much = imagined(3 * 16 * UNIT // 2, 1 << 20)
    assert max(len(unit) for unit in drained(PieceWork(much, Bitfield.full(much.piece_count)))) << 20 == UNIT


def test_what_is_given_back_is_handed_out_next(manifest):
    work = PieceWork(manifest, Bitfield.full(manifest.piece_count))
    first = work.next_unit()
    work.give_back(range(first[5], first[7]))
    assert work.next_unit() == range(first[5], first[7])


def test_a_bad_piece_is_handed_out_again_and_raised_the_second_time(manifest):
    work = PieceWork(manifest, Bitfield.full(manifest.piece_count))
    drained(work)
    assert not work.waiting
    work.bad(3)
    assert work.waiting
    assert drained(work) == [range(3, 4)]
    with pytest.raises(SourceCorrupt, match="Piece 3"):
        work.bad(3)


def test_it_is_done_when_every_piece_is_good(manifest):
    missing = Bitfield(manifest.piece_count)
    missing.set(0)
    missing.set(7)
    work = PieceWork(manifest, missing)
    drained(work)
    work.good()
    assert not work.done
    work.good()
    assert work.done
