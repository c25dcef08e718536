import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.torrent.bencode import MAX_DEPTH, decode, decode_document, encode

values = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.binary(max_size=10), inner, max_size=6),
    max_leaves=40,
)


@given(values)
def test_what_was_encoded_decodes_to_the_same(value):
    assert decode(encode(value)) == value


@given(st.dictionaries(st.binary(max_size=8), st.integers(), min_size=2))
def test_keys_are_written_sorted_whatever_their_order(value):
    backwards = dict(reversed(value.items()))
    assert encode(backwards) == encode(value)


@given(st.binary(max_size=200) | st.text(alphabet="idle0123456789:-abn", max_size=60).map(str.encode))
@settings(max_examples=500)
def test_garbage_is_refused_with_a_remedy_and_nothing_else_is_raised(garbage):
    try:
        decode(garbage)
    except UnsafeTorrent as error:
        assert error.remedy
        assert error.kept


@given(values, st.data())
def test_a_cut_document_is_refused(value, data):
    whole = encode([value])
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(UnsafeTorrent):
        decode(whole[:cut])


_SPACED = (
    b" e x ie i-e i--1e i+1e i1_0e i1 i999999999999999999999e -1: : 1 5:abc 1_0:abcdefghij "
    b"l d d1:a d1:ae di1ei2ee dl dlelee li1e"
)
BROKEN = [*_SPACED.split(b" "), b" i1e", b"i 1e"]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_not_bencoding_is_refused(broken):
    with pytest.raises(UnsafeTorrent):
        decode(broken)


@pytest.mark.parametrize(
    ("sloppy", "value"),
    [
        (b"i007e", 7),
        (b"i-0e", 0),
        (b"03:abc", b"abc"),
        (b"d1:bi1e1:ai2ee", {b"a": 2, b"b": 1}),
        (b"d1:ai1e1:ai2ee", {b"a": 1}),
        (b"i1etrailing", 1),
        (b"i99999999999999999999e", 99999999999999999999),
    ],
)
def test_sloppiness_that_clients_seed_with_is_taken(sloppy, value):
    assert decode(sloppy) == value


def test_the_raw_info_is_found_byte_for_byte_even_if_not_canonical():
    raw = b"d1:bi01e1:ad4:infolee" + b"e"
    document = b"d8:announce4:info4:info" + raw + b"4:infod1:xi1ee1:zl4:infodeee"
    begin, end = decode_document(document).info_span
    assert document[begin:end] == raw


def test_an_info_that_is_no_container_has_no_span():
    assert decode_document(b"d4:info1:xe").info_span is None


def test_an_info_deeper_down_is_not_taken_for_the_torrents_own():
    assert decode_document(b"d1:ad4:infodeee").info_span is None


@pytest.mark.parametrize("other", [b"le", b"i1e", b"3:abc"])
def test_a_document_is_a_dictionary(other):
    with pytest.raises(UnsafeTorrent, match="not a dictionary"):
        decode_document(other)


def test_nesting_is_limited_without_recursion():
    assert decode(b"l" * MAX_DEPTH + b"e" * MAX_DEPTH)
    with pytest.raises(UnsafeTorrent, match="nests deeper"):
        decode(b"l" * 1_000_000)


def test_what_bencoding_cannot_say_is_a_type_error():
    with pytest.raises(TypeError, match="float"):
        encode([1.5])


def test_ten_times_as_many_files_take_about_ten_times_as_long_to_decode():
    def took(count: int) -> float:
        """Processor time, the least of three: others on the machine do not count."""
        files = [{b"length": n, b"path": [b"folder", b"a name of a file %d" % n]} for n in range(count)]
        document = encode({b"info": {b"files": files, b"pieces": bytes(count * 1000)}})
        times = []
        for _ in range(3):
            started = time.process_time()
            decode_document(document)
            times.append(time.process_time() - started)
        return min(times)

    assert took(20_000) < 40 * took(2_000)  # were it quadratic, it would be a hundred times
