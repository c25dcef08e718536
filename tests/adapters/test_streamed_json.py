"""A large JSON object, read piece by piece: the same as read at once, wherever it is cut; what is broken is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from torrent_mover.adapters.clients.qbittorrent.streamed_json import entries

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=6,
)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(
    some.dictionaries(some.text(), VALUES, max_size=4),
    some.integers(1, 40),
    some.booleans(),
    some.sampled_from([None, 1]),
)
def test_it_is_the_same_wherever_it_is_cut(document, size, ascii_only, indent):
    document["torrents"] = {f"{number}é": value for number, value in enumerate(document.values())}
    data = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return  # half a surrogate: no UTF-8
    found: dict = {"torrents": {}}
    for key, inner, value in entries(cut(data, size), "torrents"):
        if inner is None:
            found[key] = value
        else:
            found[key][inner] = value
    assert found == document


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"{",
        b'{"a"',
        b'{"a":',
        b'{"a":1',
        b'{"a":1,',
        b'{"torrents":{"x":1}',
        b"{1:2}",
        b'{"a" 1}',
        b'"\xff"',
        b"<html>",
    ],
)
def test_what_is_no_object_or_is_cut_off_is_told(broken):
    with pytest.raises(ValueError, match=r"\w"):
        list(entries(cut(broken, 3), "torrents"))
