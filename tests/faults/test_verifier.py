"""The verifier itself: it sees every flipped byte, and knows which pieces of an unfinished copy are whole."""

from __future__ import annotations

import os

import pytest

from tests.faults.damage import flip
from tests.faults.verifier import faults, good_pieces
from torrent_mover.demo.content import sample

PIECE = 64 * 1024
SIZES = {"a.bin": 5 * PIECE + 100, "deep/b.bin": 3 * PIECE, "tiny": 10, "empty": 0}
SIZE = sum(SIZES.values())


@pytest.fixture(params=["v1", "hybrid", "v2"])
def made(tmp_path, request):
    return sample(tmp_path, "Show", SIZES, version=request.param, piece_length=PIECE)


def good(made) -> int:
    return sum(good_pieces(made.metainfo, lambda name: made.content.parent / name).values())


def test_a_whole_copy_is_whole(made):
    assert faults(made.metainfo, made.content.parent) == []
    assert good(made) == SIZE


def test_a_flipped_byte_costs_its_piece(made):
    flip(made.content / "a.bin", 2 * PIECE + 5)
    assert faults(made.metainfo, made.content.parent)
    assert good(made) == SIZE - PIECE


def test_holes_and_missing_files_are_no_pieces(made):
    os.truncate(made.content / "a.bin", PIECE + 1)
    os.truncate(made.content / "a.bin", SIZES["a.bin"])
    (made.content / "deep" / "b.bin").unlink()
    assert faults(made.metainfo, made.content.parent)
    assert PIECE <= good(made) <= PIECE + SIZES["tiny"]
