"""File names out of a .torrent, made safe as libtorrent makes them, so that none can lead out of the torrent's folder.

They follow libtorrent 2.0.15 and 2.1. Releases of it part ways over odd names: before 2.0.12 a part `..` went without a trace,
where it is `_` now, and 2.1 also replaces DEL and C1 control characters and drops a few more invisible ones. So whoever needs
the name on disk takes it from the client, and a name that is `odd` may be another one in the next client.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LONG_NAME = 240  # bytes
_EXTENSION = 10  # bytes, with its dot
_CONTROLS = range(1, 0x20)
_DIRECTION_MARKS = (0x200E, 0x200F, *range(0x202A, 0x202F))  # invisible, turn the text after them round
_CLEANED = dict.fromkeys(_CONTROLS, "_") | dict.fromkeys((0, ord("\\"), ord("/"), *_DIRECTION_MARKS))
_NOWHERE = ("", ".", "..")
_INSTEAD = "_"
_INVISIBLE = ("Cc", "Cf")


class Cleaner:
    """Makes paths of raw parts. Equal parts become one string, which keeps 20,000 files in few folders small.

    `odd`: one of them has a name that releases of libtorrent do not agree about.
    """

    def __init__(self) -> None:
        self.odd = False
        self._known: dict[bytes, str] = {}

    def parts(self, raw: Iterable[bytes]) -> tuple[str, ...]:
        """The cleaned parts of one path: none is empty, `.` or `..`, and none has a slash in it."""
        known = self._known
        texts = []
        for part in raw:
            text = known.get(part)
            if text is None:
                text = known[part] = clean(part)
                self.odd = self.odd or is_odd(part, text)
            texts.append(text)
        return tuple(texts)


def clean(part: bytes) -> str:
    """One file or folder name as libtorrent makes it on Linux; `_` where nothing of it is left."""
    return without_dots(part) or _INSTEAD


def without_dots(part: bytes) -> str:
    """As `clean`; blank where nothing is left that could be a name."""
    try:
        text = part.decode("utf-8") if len(part) < _LONG_NAME else _rebuild(part)
    except UnicodeDecodeError:
        text = _rebuild(part)
    text = text.translate(_CLEANED)
    return "" if text in _NOWHERE else text


def is_odd(part: bytes, text: str) -> bool:
    """Whether a name is not simply its bytes, or has characters that cannot be seen: clients then differ about it."""
    if text.encode() != part:
        return True
    return not text.isprintable() and any(unicodedata.category(each) in _INVISIBLE for each in text)


def _rebuild(part: bytes) -> str:
    """Replace what is not UTF-8, and cut long names, exactly where libtorrent does.

    A name ends after the character that reaches 240 bytes, but an extension of up to nine bytes is kept.
    """
    out: list[str] = []
    length = at = 0
    cut = False
    while at < len(part):
        here = at
        at += _sequence_length(part[at])
        text = _decoded(part[here:at])
        clean_text = text.translate(_CLEANED) if text else "_"
        out.append(clean_text)
        if clean_text != text:
            length += len(clean_text)
            continue
        length += at - here
        if length >= _LONG_NAME and not cut:
            cut = True
            at = part.rfind(b".", max(len(part) - _EXTENSION, here) + 1)
            if at < 0:
                break
    return "".join(out)


def _decoded(raw: bytes) -> str:
    """The one character that the bytes are; empty where they are none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _sequence_length(lead: int) -> int:
    """Bytes of the UTF-8 sequence that begins so; 1 where none can."""
    for length, prefix, mask in ((2, 0xC0, 0xE0), (3, 0xE0, 0xF0), (4, 0xF0, 0xF8), (5, 0xF8, 0xFC)):
        if lead & mask == prefix:
            return length
    return 1
