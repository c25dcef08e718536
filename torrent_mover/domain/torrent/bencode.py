"""Bencoding (BEP 3): a decoder that accepts what libtorrent accepts and nothing more, and an encoder.

libtorrent, and with it every client that matters, takes unsorted keys, repeated keys (the first one counts), leading zeros,
and bytes after the end. A torrent that a client seeds happily must not fail here, so we take them too, and say where one was
in the info: torrents that name their version must not have them there. Everything else that is not bencoding is refused with
UnsafeTorrent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.text import clause

Value: TypeAlias = "int | bytes | list[Value] | dict[bytes, Value]"
"""What bencoding can say. Strings are bytes: their encoding is the reader's business."""

MAX_BYTES: Final = 100 * 1024 * 1024
"""The largest metainfo we read; qBittorrent's own limit."""
MAX_DEPTH: Final = 99
"""Lists and dictionaries inside each other; libtorrent refuses the hundredth."""
MAX_VALUES: Final = 10_000_000
"""Strings, numbers, lists and dictionaries together; qBittorrent's own limit."""

_LONGEST_NUMBER = 20  # digits; a signed 64-bit number needs 19, libtorrent takes one more
_LONGEST_LENGTH = 20  # digits of a string's length, leading zeros and all
_DIGITS = frozenset(b"0123456789")
_ZERO = ord("0")
_INTEGER, _LIST, _DICT, _END = b"ilde"


@dataclass(frozen=True, slots=True)
class BencodeDocument:
    """A decoded dictionary, and where the raw value of its `info` key lies: the bytes that infohashes are made of.

    `sloppy`: what in the info another program could read otherwise (keys out of order or twice, a number with leading zeros);
    blank where it is written in the one way that there is.
    """

    root: dict[bytes, Value]
    info_span: tuple[int, int] | None
    sloppy: str


def decode(data: bytes) -> Value:
    """The first value in `data`. Raises UnsafeTorrent."""
    return _Decoder(data).run()


def decode_document(data: bytes) -> BencodeDocument:
    """The dictionary in `data`, with the place of its `info`. Raises UnsafeTorrent where it is anything else."""
    decoder = _Decoder(data)
    root = decoder.run()
    if not isinstance(root, dict):
        raise _refused("it is not a dictionary", 0)
    return BencodeDocument(root, decoder.info_span, decoder.sloppy)


def encode(value: Value) -> bytes:
    """Canonical bencoding: keys sorted, no leading zeros. Raises TypeError for what bencoding cannot say."""
    out: list[bytes] = []
    _encode(value, out)
    return b"".join(out)


class _Decoder:
    """Goes through the bytes once, without recursion. `info_span` and `sloppy` are known after `run`."""

    def __init__(self, data: bytes) -> None:
        self.info_span: tuple[int, int] | None = None
        self.sloppy = ""
        self._data = data
        self._at = 0
        self._values = 0

    def run(self) -> Value:
        data = self._data
        if len(data) > MAX_BYTES:
            raise _refused(f"it is larger than {MAX_BYTES // 1024**2} MiB", 0)
        first = self._next()
        if not isinstance(first, (list, dict)):
            return first
        open_ones: list[list[Value] | dict[bytes, Value]] = [first]
        while open_ones:
            inside = open_ones[-1]
            if data.startswith(b"e", self._at):
                self._at += 1
                open_ones.pop()
                if len(open_ones) == 1 and self.info_span is not None and not self.info_span[1]:
                    self.info_span = (self.info_span[0], self._at)
                continue
            value = self._member(inside, len(open_ones))
            if isinstance(value, (list, dict)):
                open_ones.append(value)
                if len(open_ones) > MAX_DEPTH:
                    raise _refused(f"it nests deeper than {MAX_DEPTH} levels", self._at)
        return first

    def _member(self, inside: list[Value] | dict[bytes, Value], depth: int) -> Value:
        """Read the next member of a list or dictionary and put it there. A new container is returned empty."""
        if isinstance(inside, list):
            value = self._next()
            inside.append(value)
            return value
        key = self._string()
        start = self._at
        value = self._next()
        if key in inside:
            self._note("a key stands twice in one dictionary", start)
            return value
        if key < next(reversed(inside), b""):
            self._note("keys are out of order", start)
        if depth == 1 and key == b"info" and isinstance(value, (list, dict)):
            self.info_span = (start, 0)
        inside[key] = value
        return value

    def _note(self, what: str, at: int) -> None:
        """Remember the first sloppiness that is inside of the info."""
        if not self.sloppy and self.info_span is not None and not self.info_span[1]:
            self.sloppy = f"{what} (byte {at})"

    def _next(self) -> Value:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _refused(f"it holds more than {MAX_VALUES:,} values", self._at)
        if self._at >= len(self._data):
            raise _refused("it ends in the middle", self._at)
        kind = self._data[self._at]
        if kind in _DIGITS:
            return self._string()
        if kind == _INTEGER:
            return self._integer()
        if kind == _DICT:
            self._at += 1
            return {}
        if kind == _LIST:
            self._at += 1
            return []
        raise _refused("a value is neither number, string, list nor dictionary", self._at)

    def _string(self) -> bytes:
        data, start = self._data, self._at
        colon = data.find(b":", start, start + _LONGEST_LENGTH + 1)
        length = data[start:colon]
        if colon < 0 or not length.isdigit():
            raise _refused("a string does not begin with its length", start)
        if length[0] == _ZERO and len(length) > 1:
            self._note("a length has leading zeros", start)
        begin = colon + 1
        self._at = end = begin + int(length)
        if end > len(data):
            raise _refused("it ends in the middle of a string", start)
        return data[begin:end]

    def _integer(self) -> int:
        data, start = self._data, self._at
        end = data.find(b"e", start + 1, start + _LONGEST_NUMBER + 3)
        digits = data[start + 1 : end]
        magnitude = digits.removeprefix(b"-")
        if end < 0 or not magnitude.isdigit() or len(magnitude) > _LONGEST_NUMBER:
            raise _refused("a number is not one of at most 64 bits", start)
        if digits[0] == _ZERO and len(digits) > 1:
            self._note("a number has leading zeros", start)
        self._at = end + 1
        return int(digits)


def _encode(value: Value, out: list[bytes]) -> None:
    if isinstance(value, bytes):
        out += (b"%d:" % len(value), value)
    elif isinstance(value, int):
        out.append(b"i%de" % value)
    elif isinstance(value, list):
        out.append(b"l")
        for item in value:
            _encode(item, out)
        out.append(b"e")
    elif isinstance(value, dict):
        out.append(b"d")
        for key in sorted(value):
            _encode(key, out)
            _encode(value[key], out)
        out.append(b"e")
    else:
        raise TypeError(f"bencoding has no {type(value).__name__}")


def _refused(reason: str, at: int) -> UnsafeTorrent:
    return UnsafeTorrent(
        f"The .torrent is broken at byte {at}: {clause(reason)}.",
        kept="Nothing was written; the source is untouched.",
        remedy="Remove the torrent from the source client without its data and add its .torrent again, or move it by hand.",
    )
