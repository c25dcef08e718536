"""Reads what rsync prints: which file it is at, how far, and what it counted in the end. Pure; never percentages or units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FILE_MARK: Final = "> "
"""Begins the lines that name a file: see `OUTPUT_OPTIONS`. No other line of rsync begins so."""

OUTPUT_OPTIONS: Final = (
    "--no-h",
    "--info=progress1,name0,flist0,stats2",
    f"--out-format={FILE_MARK}%n",
    "--outbuf=L",
)
"""What makes rsync write as this module reads. Without %b and %c the name comes before the file's bytes (rsyncd.conf(5))."""

_ESCAPED: Final = re.compile(rb"\\#([0-7]{3})")
_NUMBER: Final = rb"(\d{1,3}(?:[,.' \xa0\xe2\x80\xaf]+\d{3})+|\d+)"
_PROGRESS: Final = re.compile(
    rb"^\s*" + _NUMBER + rb"\s+\d{1,3}%\s+\S+/s\s+(?:\d+:\d\d:\d\d|[?:]{8})(?P<done>\s+\(xfr#)?"
)
_TOTAL: Final = re.compile(rb"^(Literal|Matched) data: " + _NUMBER + rb"\b")
_NOT_DIGITS: Final = re.compile(rb"\D+")
_LINE_END: Final = re.compile(rb"[\r\n]+")
_LONGEST_LINE: Final = 64 * 1024  # a name of 4096 bytes is at most 16 KiB when every byte is escaped


@dataclass(frozen=True, slots=True)
class FileBegun:
    """rsync turns to a file: its name as bytes, below the root of the call. Folders have a slash at the end."""

    name: bytes


@dataclass(frozen=True, slots=True)
class FileAt:
    """All bytes of the file before `offset` are dealt with, whether they came or were there already. `done`: the whole file."""

    offset: int
    done: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """The closing sum of one kind over the whole call, in bytes: what was sent (`literal`), or what was found at the target."""

    literal: bool
    count: int


Said = FileBegun | FileAt | Counted


class RsyncOutput:
    """Takes standard output in chunks of any size. Lines that say nothing to us are passed over."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[Said]:
        """What the chunk completes. A progress line counts as soon as it is whole: rsync ends it only when it writes the next."""
        *lines, tail = _LINE_END.split(self._tail + data)
        self._tail = tail[-_LONGEST_LINE:]
        for line in lines:
            said = _read(line)
            if said is not None:
                yield said
        early = _progress(tail)
        if early is not None and not early.done:
            yield early


def _read(line: bytes) -> Said | None:
    if line.startswith(FILE_MARK.encode()):
        return FileBegun(_unescaped(line[len(FILE_MARK) :]))
    total = _TOTAL.match(line)
    if total:
        return Counted(total[1] == b"Literal", _number(total[2]))
    return _progress(line)


def _progress(line: bytes) -> FileAt | None:
    found = _PROGRESS.match(line)
    return FileAt(_number(found[1]), done=found["done"] is not None) if found else None


def _number(text: bytes) -> int:
    """Digits in groups: asked for or not, a rsync built for another locale may set thousands apart."""
    return int(_NOT_DIGITS.sub(b"", text))


def _unescaped(name: bytes) -> bytes:
    r"""Bytes that do not print, and a backslash that would look like this, are written as \#ooo (rsync(1), --8-bit-output)."""
    return _ESCAPED.sub(lambda found: bytes((int(found[1], 8) & 0xFF,)), name)
