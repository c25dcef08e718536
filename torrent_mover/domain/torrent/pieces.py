"""Pieces: which of them are there, where their bytes lie, and whether bytes are what the torrent says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypeAlias

Buffer: TypeAlias = "bytes | bytearray | memoryview"

BLOCK: Final = 16 * 1024
"""Bytes below one leaf of a v2 hash tree (BEP 52)."""
SHA1_SIZE: Final = 20
SHA256_SIZE: Final = 32

_ZEROS = memoryview(bytes(64 * 1024))


@dataclass(frozen=True, slots=True)
class FileSpan:
    """`length` bytes of the file with index `file` in the manifest, from `offset` on."""

    file: int
    offset: int
    length: int


class Bitfield:
    """One bit a piece, as BEP 3 writes it: piece 0 is the highest bit of the first byte. Not for two threads at once."""

    __slots__ = ("_bits", "_length")

    def __init__(self, length: int) -> None:
        self._length = length
        self._bits = bytearray((length + 7) // 8)

    @classmethod
    def full(cls, length: int) -> Self:
        """A field with every bit set."""
        field = cls(length)
        field.set_range(range(length))
        return field

    @classmethod
    def from_bytes(cls, data: bytes, length: int) -> Self:
        """Read back what `to_bytes` wrote. Raises ValueError for another size, or a bit set behind the end."""
        field = cls(length)
        spare = len(data) * 8 - length
        if len(data) != len(field._bits) or (spare and data[-1] & ((1 << spare) - 1)):
            raise ValueError(f"not a bitfield of {length} bits")
        field._bits[:] = data
        return field

    def to_bytes(self) -> bytes:
        """The bits, (length + 7) // 8 bytes."""
        return bytes(self._bits)

    def copy(self) -> Self:
        """A field of its own with the same bits."""
        return self.from_bytes(self.to_bytes(), self._length)

    def set(self, index: int) -> None:
        """Set one bit. Raises IndexError outside the field."""
        self._check(index)
        self._bits[index >> 3] |= 0x80 >> (index & 7)

    def set_range(self, indices: range) -> None:
        """Set all bits of a range of step 1."""
        if not indices:
            return
        self._check(indices[0])
        self._check(indices[-1])
        tail = len(self._bits) * 8 - indices.stop
        mask = ((1 << len(indices)) - 1) << tail
        merged = int.from_bytes(self._bits, "big") | mask
        self._bits[:] = merged.to_bytes(len(self._bits), "big")

    def clear(self, index: int) -> None:
        """Clear one bit. Raises IndexError outside the field."""
        self._check(index)
        self._bits[index >> 3] &= ~(0x80 >> (index & 7))

    def test(self, index: int) -> bool:
        """Whether the bit is set. Raises IndexError outside the field."""
        self._check(index)
        return bool(self._bits[index >> 3] & (0x80 >> (index & 7)))

    def count(self) -> int:
        """How many bits are set."""
        return int.from_bytes(self._bits, "big").bit_count()

    def is_full(self) -> bool:
        """Whether every bit is set (so too for a field of no bits)."""
        return self.count() == self._length

    def runs(self, value: bool) -> Iterator[range]:  # noqa: FBT001 - the bit looked for, as in bytes.find
        """Longest runs of neighbouring bits that are all `value`, ascending. Changes made meanwhile are not seen."""
        bits = format(int.from_bytes(self._bits, "big"), f"0{len(self._bits) * 8}b")[: self._length]
        wanted, other = ("1", "0") if value else ("0", "1")
        start = bits.find(wanted)
        while start >= 0:
            stop = bits.find(other, start)
            stop = len(bits) if stop < 0 else stop
            yield range(start, stop)
            start = bits.find(wanted, stop)

    def missing(self) -> Iterator[range]:
        """Runs of bits that are not set."""
        return self.runs(False)  # noqa: FBT003 - see runs

    def ones(self) -> Iterator[int]:
        """Indices of the set bits, ascending."""
        for run in self.runs(value=True):
            yield from run

    def union(self, other: Self) -> Self:
        """Set where either is."""
        return self._combined(int.__or__, other)

    def intersection(self, other: Self) -> Self:
        """Set where both are."""
        return self._combined(int.__and__, other)

    def difference(self, other: Self) -> Self:
        """Set here and not there."""
        return self._combined(lambda mine, theirs: mine & ~theirs, other)

    def _combined(self, operation: Callable[[int, int], int], other: Self) -> Self:
        if len(self) != len(other):
            raise ValueError(f"bitfields of {len(self)} and {len(other)} bits")
        mine, theirs = (int.from_bytes(field.to_bytes(), "big") for field in (self, other))
        length = len(self.to_bytes())
        return type(self).from_bytes(operation(mine, theirs).to_bytes(length, "big"), len(self))

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bitfield):
            return NotImplemented
        return self._length == other._length and self._bits == other._bits

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Bitfield({self.count()} of {self._length})"

    def _check(self, index: int) -> None:
        if not 0 <= index < self._length:
            raise IndexError(f"piece {index} of {self._length}")


class PieceHasher(Protocol):
    """Judges one piece. Takes its real bytes once, in stream order, in chunks of any size; padding it supplies itself."""

    def update(self, data: Buffer) -> None:
        """The next bytes; they are not kept. Raises ValueError for more than the piece has."""

    def good(self) -> bool:
        """Whether all bytes came and are what the torrent says."""


class FlatHasher:
    """A v1 piece (BEP 3): SHA-1 over the stream, with the zeros of padding files (BEP 47) in their places.

    `size` counts real bytes. `gaps` are (real bytes before it, zeros), ascending.
    """

    __slots__ = ("_expected", "_gaps", "_left", "_seen", "_sha")

    def __init__(self, expected: bytes, size: int, gaps: Sequence[tuple[int, int]] = ()) -> None:
        self._expected = expected
        self._left = size
        self._seen = 0
        self._gaps = list(reversed(gaps))
        self._sha = hashlib.sha1(usedforsecurity=False)
        self._pad()

    def update(self, data: Buffer) -> None:
        """As in PieceHasher."""
        if len(data) > self._left:
            raise ValueError("more bytes than the piece has")
        self._left -= len(data)
        if not self._gaps:
            self._sha.update(data)
            return
        rest = memoryview(data)
        while rest:
            room = self._gaps[-1][0] - self._seen if self._gaps else len(rest)
            part, rest = rest[:room], rest[room:]
            self._sha.update(part)
            self._seen += len(part)
            self._pad()

    def good(self) -> bool:
        """As in PieceHasher."""
        return not self._left and self._sha.digest() == self._expected

    def _pad(self) -> None:
        while self._gaps and self._gaps[-1][0] == self._seen:
            zeros = self._gaps.pop()[1]
            while zeros:
                part = _ZEROS[:zeros]
                self._sha.update(part)
                zeros -= len(part)


class MerkleHasher:
    """A v2 piece (BEP 52): the root of a SHA-256 tree of `width` leaves, one for each 16 KiB block, the rest zero hashes."""

    __slots__ = ("_block", "_expected", "_filled", "_leaves", "_left", "_width")

    def __init__(self, expected: bytes, size: int, width: int) -> None:
        self._expected = expected
        self._left = size
        self._width = width
        self._leaves = bytearray()
        self._block = hashlib.sha256()
        self._filled = 0

    def update(self, data: Buffer) -> None:
        """As in PieceHasher."""
        if len(data) > self._left:
            raise ValueError("more bytes than the piece has")
        self._left -= len(data)
        rest = memoryview(data)
        if self._filled:
            room = BLOCK - self._filled
            self._begin(rest[:room])
            rest = rest[room:]
        whole = len(rest) - len(rest) % BLOCK
        sha256 = hashlib.sha256
        for start in range(0, whole, BLOCK):
            self._leaves += sha256(rest[start : start + BLOCK]).digest()
        if whole < len(rest):
            self._begin(rest[whole:])

    def good(self) -> bool:
        """As in PieceHasher."""
        if self._left:
            return False
        last = self._block.digest() if self._filled else b""
        return merkle_root(bytes(self._leaves) + last, self._width, bytes(SHA256_SIZE)) == self._expected

    def _begin(self, part: memoryview) -> None:
        self._block.update(part)
        self._filled += len(part)
        if self._filled == BLOCK:
            self._leaves += self._block.digest()
            self._block = hashlib.sha256()
            self._filled = 0


def merkle_root(hashes: bytes, width: int, filler: bytes) -> bytes:
    """The root over `width` (a power of two) SHA-256 hashes, of which only the first ones are given: the rest are `filler`."""
    while width > 1:
        if len(hashes) % (2 * SHA256_SIZE):
            hashes += filler
        pairs = range(0, len(hashes), 2 * SHA256_SIZE)
        hashes = b"".join([hashlib.sha256(hashes[at : at + 2 * SHA256_SIZE]).digest() for at in pairs])
        filler = hashlib.sha256(filler + filler).digest()
        width //= 2
    return hashes


def tree_width(count: int) -> int:
    """The smallest power of two that is at least `count`: how many leaves a tree over so many hashes has."""
    return 1 << max(count - 1, 0).bit_length()
