"""The part file's header, and which part of a torrent is moved."""

from __future__ import annotations

import pytest

from torrent_mover.demo.content import write_content
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.partfile import PartFile, header_size, part_file_name
from torrent_mover.domain.torrent.portion import has_unselected, portion_of
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, PieceStates

PIECE = 16 * 1024
REAL = bytes.fromhex("0000000500008000ffffffff00000001ffffffff00000000ffffffff").ljust(1024, b"\0")
"""As libtorrent 2.0 writes it for five pieces of 32 KiB, of which it has the second and the fourth."""


def test_a_header_of_libtorrent_is_read_and_written_alike():
    part = PartFile.parse(REAL, 5, 32768)
    assert part.slots == {1: 1, 3: 0}
    assert part.encode() == REAL
    assert part.size == 1024 + 2 * 32768
    assert part.offset(3, 7) == 1024 + 7
    assert part_file_name(InfoHash("ab" * 20)) == f".{'ab' * 20}.parts"


@pytest.mark.parametrize(("pieces", "size"), [(1, 1024), (254, 1024), (255, 2048), (10_000, 40_960)])
def test_a_header_fills_whole_kilobytes(pieces, size):
    assert header_size(pieces) == size
    assert len(PartFile.of([0], pieces, PIECE).encode()) == size


@pytest.mark.parametrize(
    ("raw", "pieces", "length"),
    [
        (REAL[:1000], 5, 32768),
        (REAL, 6, 32768),
        (REAL, 5, 16384),
        (REAL[:8] + b"\0" * 8 + REAL[16:], 5, 32768),
        (REAL[:8] + b"\0\0\0\x05" + REAL[12:], 5, 32768),
    ],
)
def test_a_header_that_is_none_of_this_torrent_is_refused(raw, pieces, length):
    with pytest.raises(ValueError):
        PartFile.parse(raw, pieces, length)


@pytest.fixture
def manifest(tmp_path):
    content = write_content(tmp_path / "Show", {"a": PIECE + 10, "b": 3 * PIECE, "c": 5, "d": 2 * PIECE, "e": 0})
    return Manifest.parse(make_torrent(content, piece_length=PIECE))


def listed(manifest, progress: dict[int, float]) -> list[ClientFile]:
    """The files as a client lists them; those in `progress` are not wanted."""
    return [
        ClientFile(file.index, str(file.path), file.size, progress.get(file.index, 1), file.index not in progress)
        for file in manifest.files
    ]


def portion(manifest, progress, *, have=None, whole=True, at_hand=True):
    states = PieceStates(tuple(piece in have if have is not None else True for piece in range(manifest.piece_count)))
    files = listed(manifest, progress)
    return portion_of(manifest, files, states, lambda _index: whole, lambda _piece: at_hand)


def ones(field) -> list[int]:
    return [piece for run in field.runs(value=True) for piece in run]


def test_pieces_that_only_unselected_files_need_are_left_out(manifest):
    found = portion(manifest, {1: 0.3}, have={0, 1, 4, 5, 6})
    assert ones(found.pieces) == [0, 1, 4, 5, 6]
    assert found.parted == {1}
    assert found.part.slots == {1: 0, 4: 1}


def test_what_the_source_has_beyond_is_moved_where_its_bytes_are_at_hand(manifest):
    assert ones(portion(manifest, {1: 0.3}, have={0, 1, 3, 4, 5, 6}).pieces) == [0, 1, 3, 4, 5, 6]
    assert ones(portion(manifest, {1: 0.3}, have={0, 1, 3, 4, 5, 6}, at_hand=False).pieces) == [0, 1, 4, 5, 6]


def test_a_file_that_was_completed_before_it_was_deselected_is_moved_like_any_other(manifest):
    found = portion(manifest, {1: 1})
    assert found.pieces == manifest.wanted
    assert found.parted == frozenset()
    assert portion(manifest, {1: 1}, whole=False).parted == {1}


def test_files_without_bytes_never_come_to_be_when_they_are_not_selected(manifest):
    assert portion(manifest, {4: 1}).parted == {4}
    assert not has_unselected(listed(manifest, {4: 1}))
    assert has_unselected(listed(manifest, {3: 1}))


def test_a_manifest_of_only_some_pieces_speaks_of_no_others(manifest):
    found = portion(manifest, {1: 0.3}, have={0, 1, 4, 5, 6})
    only = manifest.only(found.pieces)
    assert list(only.pieces_of(1)) == [1, 4]
    assert list(manifest.pieces_of(1)) == [1, 2, 3, 4]
    assert only.spans(1, 1) == manifest.spans(1, 1)
    assert manifest.place(1, 0) == (1, 10)
