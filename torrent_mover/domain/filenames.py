"""File names out of a .torrent, made safe exactly as libtorrent 2.0 makes them, or refused.

So they equal what qBittorrent shows for an unrenamed torrent. libtorrent 2.1 also replaces DEL and C1 control characters and drops
a few more invisible ones; whoever needs the name on disk takes it from the client.
"""

from __future__ import annotations

from collections.abc import Iterable

from torrent_mover.domain.errors import UnsafeTorrent
from torrent_mover.domain.paths import RelativePath

_LONG_NAME = 240  # bytes
_EXTENSION = 10  # bytes, with its dot
_CONTROLS = range(1, 0x20)
_DIRECTION_MARKS = (0x200E, 0x200F, *range(0x202A, 0x202F))  # invisible, turn the text after them round
_CLEANED = dict.fromkeys(_CONTROLS, "_") | dict.fromkeys((ord("\\"), *_DIRECTION_MARKS))


class Cleaner:
    """Makes paths of raw parts. Equal parts become one string, which keeps 20,000 files in few folders small."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def path(self, parts: Iterable[bytes]) -> RelativePath:
        """The cleaned path. Raises UnsafeTorrent for parts that would lead elsewhere, or name nothing."""
        known = self._known
        texts = []
        for part in parts:
            text = known.get(part)
            if text is None:
                text = known[part] = clean(part)
            texts.append(text)
        return RelativePath(tuple(texts))


def clean(part: bytes) -> str:
    """One file or folder name as libtorrent 2.0 makes it on Linux. Raises UnsafeTorrent for what is no honest name."""
    if part in (b"", b".", b"..") or b"/" in part or b"\0" in part:
        shown = part.decode("utf-8", "backslashreplace")
        raise _refused(f"a path in it has the part {shown!r}, which could lead out of the torrent's folder")
    try:
        text = part.decode("utf-8") if len(part) < _LONG_NAME else _rebuild(part)
    except UnicodeDecodeError:
        text = _rebuild(part)
    text = text.translate(_CLEANED)
    if not text:
        raise _refused("a name in it consists of invisible characters only")
    return text


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


def _refused(reason: str) -> UnsafeTorrent:
    return UnsafeTorrent(
        f"The .torrent is refused: {reason}.",
        kept="Nothing was written; the source is untouched.",
        remedy="Move this torrent by hand; others go on.",
    )
