"""Which part of a torrent is moved, where not all of its files are selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.partfile import PartFile
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import ClientFile, PieceStates


@dataclass(frozen=True, slots=True)
class Portion:
    """`pieces` are moved. `parted` files (by index) are not made under their names: what of them is moved lies in `part`."""

    pieces: Bitfield
    parted: frozenset[int]
    part: PartFile


def has_unselected(files: Sequence[ClientFile]) -> bool:
    """Whether bytes of the torrent were left out by choice."""
    return any(file.size and not file.wanted for file in files)


def portion_of(
    manifest: Manifest,
    files: Sequence[ClientFile],
    have: PieceStates,
    lies_whole: Callable[[int], bool],
    at_hand: Callable[[int], bool],
) -> Portion:
    """All pieces of selected files, and whatever else the source has: what it knows, the destination shall know.

    `files` in the manifest's order. A file that was completed and deselected later is moved like a selected one, where it
    `lies_whole` at the source. Of the others only those pieces are moved that the client has and whose bytes are `at_hand`.
    Symbolic links are parted too: there is nothing of them to be moved.
    """
    parted = frozenset(
        file.index
        for file in files
        if manifest.files[file.index].link
        or (not file.wanted and not (file.size and file.progress >= 1 and lies_whole(file.index)))
    )
    pieces = Bitfield(manifest.piece_count)
    for file in files:
        if file.index not in parted:
            for piece in manifest.pieces_of(file.index):
                pieces.set(piece)
    for piece, has in enumerate(have.have):
        if has and not pieces.test(piece) and at_hand(piece):
            pieces.set(piece)
    reaching = [piece for index in parted for piece in manifest.pieces_of(index) if pieces.test(piece)]
    return Portion(pieces, parted, PartFile.of(set(reaching), manifest.piece_count, manifest.piece_length))
