"""The part file: where libtorrent keeps the bytes of pieces that reach into files which nobody selected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from torrent_mover.domain.torrent.torrent import InfoHash

_WORD: Final = Struct(">I")
_EMPTY: Final = 0xFFFFFFFF
_ALIGNED: Final = 1024  # bytes; the header is padded up to a multiple


def part_file_name(torrent: InfoHash) -> str:
    """Its name below the save path."""
    return f".{torrent.hex}.parts"


def header_size(pieces: int) -> int:
    """Bytes before the first slot, for a torrent of so many pieces."""
    return -(-(2 + pieces) * _WORD.size // _ALIGNED) * _ALIGNED


@dataclass(frozen=True, slots=True)
class PartFile:
    """The header of a part file (libtorrent 2.0, part_file.cpp): which piece has which slot.

    Big-endian words: the number of pieces, bytes a piece, and for each piece its slot or 0xffffffff. Slots of one piece's
    length follow. In its slot a piece has only those bytes that belong to files which are not selected, each at its place
    within the piece (padding counted).
    """

    pieces: int
    piece_length: int
    slots: dict[int, int]

    @classmethod
    def of(cls, held: Iterable[int], pieces: int, piece_length: int) -> Self:
        """A new one for these pieces, in their order."""
        return cls(pieces, piece_length, {piece: slot for slot, piece in enumerate(sorted(held))})

    @classmethod
    def parse(cls, raw: bytes, pieces: int, piece_length: int) -> Self:
        """Read a header. Raises ValueError where it is not one of such a torrent."""
        if len(raw) < header_size(pieces):
            raise ValueError("the header is cut off")
        words = [word for (word,) in _WORD.iter_unpack(raw[: (2 + pieces) * _WORD.size])]
        if words[:2] != [pieces, piece_length]:
            raise ValueError(f"it is for {words[0]} pieces of {words[1]} bytes, not {pieces} of {piece_length}")
        slots = {piece: slot for piece, slot in enumerate(words[2:]) if slot != _EMPTY}
        if len(set(slots.values())) != len(slots) or any(slot >= pieces for slot in slots.values()):
            raise ValueError("its slots contradict each other")
        return cls(pieces, piece_length, slots)

    def encode(self) -> bytes:
        """The header's bytes."""
        words = (self.pieces, self.piece_length, *(self.slots.get(piece, _EMPTY) for piece in range(self.pieces)))
        return b"".join(map(_WORD.pack, words)).ljust(header_size(self.pieces), b"\0")

    @property
    def size(self) -> int:
        """Bytes of the whole file, every slot at its full length."""
        return header_size(self.pieces) + (max(self.slots.values(), default=-1) + 1) * self.piece_length

    def offset(self, piece: int, within: int) -> int:
        """Where a byte of a piece lies in the file. Raises KeyError for a piece without a slot."""
        return header_size(self.pieces) + self.slots[piece] * self.piece_length + within
