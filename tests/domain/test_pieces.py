import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.torrent.pieces import BLOCK, Bitfield, FlatHasher, MerkleHasher, merkle_root, tree_width

bits = st.lists(st.booleans(), max_size=70)


def field_of(values):
    field = Bitfield(len(values))
    for index, value in enumerate(values):
        if value:
            field.set(index)
    return field


def in_chunks(data, sizes):
    """Cut data into chunks whose sizes repeat `sizes`."""
    position = step = 0
    while position < len(data):
        size = sizes[step % len(sizes)]
        yield memoryview(data)[position : position + size]
        position += size
        step += 1


@given(bits)
def test_a_bitfield_remembers_each_bit(values):
    field = field_of(values)
    assert [field.test(index) for index in range(len(field))] == values
    assert field.count() == sum(values)
    assert field.is_full() == all(values)


@given(bits)
def test_a_bitfield_survives_being_written_and_read(values):
    field = field_of(values)
    assert Bitfield.from_bytes(field.to_bytes(), len(values)) == field


@given(bits, st.booleans())
def test_runs_cover_exactly_the_bits_of_that_value_and_are_as_long_as_can_be(values, wanted):
    runs = list(field_of(values).runs(wanted))
    assert [index for run in runs for index in run] == [i for i, value in enumerate(values) if value == wanted]
    assert all(one.stop < other.start for one, other in pairwise(runs))


@given(bits, st.data())
def test_a_range_is_set_as_if_bit_by_bit(values, data):
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    at_once, one_by_one = field_of(values), field_of(values)
    at_once.set_range(range(start, stop))
    for index in range(start, stop):
        one_by_one.set(index)
    assert at_once == one_by_one


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_fields_combine_like_sets(pairs):
    one, other = field_of([a for a, _ in pairs]), field_of([b for _, b in pairs])
    mine, theirs = set(one.ones()), set(other.ones())
    assert set(one.union(other).ones()) == mine | theirs
    assert set(one.intersection(other).ones()) == mine & theirs
    assert set(one.difference(other).ones()) == mine - theirs


def test_the_first_piece_is_the_highest_bit_of_the_first_byte():
    field = Bitfield(10)
    field.set(0)
    field.set(9)
    assert field.to_bytes() == bytes([0b1000_0000, 0b0100_0000])


def test_a_full_field_misses_nothing_until_a_bit_is_cleared():
    field = Bitfield.full(13)
    assert field.is_full()
    assert list(field.missing()) == []
    field.clear(5)
    assert list(field.missing()) == [range(5, 6)]


def test_a_copy_goes_its_own_way():
    field = Bitfield(3)
    other = field.copy()
    other.set(1)
    assert field.count() == 0


@pytest.mark.parametrize("index", [-1, 8, 100])
def test_there_is_no_bit_outside_the_field(index):
    field = Bitfield(8)
    for act in (field.set, field.clear, field.test):
        with pytest.raises(IndexError):
            act(index)
    with pytest.raises(IndexError):
        field.set_range(range(index, index + 1))


@pytest.mark.parametrize(("data", "length"), [(b"", 1), (b"\0\0", 8), (b"\x01", 7), (b"\0\x7f", 9)])
def test_bytes_of_another_field_are_refused(data, length):
    with pytest.raises(ValueError, match="bitfield"):
        Bitfield.from_bytes(data, length)


def test_fields_of_different_lengths_do_not_combine():
    with pytest.raises(ValueError, match="bitfields of 3 and 4"):
        Bitfield(3).union(Bitfield(4))


gaps_and_data = st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 200_000)), max_size=4)


@given(gaps_and_data, st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_a_v1_piece_is_hashed_with_its_padding_however_it_is_cut(parts, sizes):
    real = b"".join(data for data, _ in parts)
    whole = b"".join(data + bytes(zeros) for data, zeros in parts)
    gaps, seen = [], 0
    for data, zeros in parts:
        seen += len(data)
        gaps.append((seen, zeros))
    hasher = FlatHasher(hashlib.sha1(whole, usedforsecurity=False).digest(), len(real), gaps)
    for chunk in in_chunks(real, sizes):
        hasher.update(chunk)
    assert hasher.good()


def reference_root(data, width):
    level = [hashlib.sha256(data[at : at + BLOCK]).digest() for at in range(0, len(data), BLOCK)]
    level += [bytes(32)] * (width - len(level))
    while len(level) > 1:
        level = [hashlib.sha256(one + other).digest() for one, other in zip(level[::2], level[1::2], strict=True)]
    return level[0]


@given(st.integers(1, 5 * BLOCK), st.sampled_from([8, 16]), st.lists(st.integers(1, 3 * BLOCK), min_size=1, max_size=3))
def test_a_v2_piece_is_a_tree_of_its_blocks_however_it_is_cut(size, width, sizes):
    data = (b"0123456789abcdefg" * (size // 17 + 1))[:size]
    hasher = MerkleHasher(reference_root(data, width), size, width)
    for chunk in in_chunks(data, sizes):
        hasher.update(chunk)
    assert hasher.good()


@pytest.mark.parametrize("make", [FlatHasher, lambda expected, size: MerkleHasher(expected, size, 1)])
def test_a_piece_is_not_good_before_all_of_it_came(make):
    data = b"abcdef"
    for algorithm in (hashlib.sha1, hashlib.sha256):
        hasher = make(algorithm(data[:3]).digest(), len(data))
        hasher.update(data[:3])
        assert not hasher.good()


@pytest.mark.parametrize("hasher", [FlatHasher(bytes(20), 3), MerkleHasher(bytes(32), 3, 1)])
def test_more_bytes_than_a_piece_has_are_a_mistake_of_the_caller(hasher):
    with pytest.raises(ValueError, match="more bytes"):
        hasher.update(b"abcd")


@given(st.integers(1, 40), st.integers(0, 3))
def test_missing_hashes_of_a_tree_are_the_filler(count, more):
    width = tree_width(count) << more
    filler = b"f" * 32
    hashes = [hashlib.sha256(b"%d" % number).digest() for number in range(count)]
    explicit = merkle_root(b"".join(hashes + [filler] * (width - count)), width, b"unused" * 5 + b"xx")
    assert merkle_root(b"".join(hashes), width, filler) == explicit


@pytest.mark.parametrize(("count", "width"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (1024, 1024), (1025, 2048)])
def test_a_tree_is_as_wide_as_the_next_power_of_two(count, width):
    assert tree_width(count) == width
