"""Text for people: names made harmless, cut to a width in terminal cells, and numbers with units."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_ACTING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: they move cursors and open escape sequences
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, bidirectional, line breaks
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f"  # invisible beams and tags
    "\ud800-\udfff"  # surrogates: bytes that were no UTF-8
    "]"
)
_ESCAPED_BYTES: Final = range(0xDC80, 0xDD00)
_LAST_ASCII: Final = 0x7F

_IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_STEP = 1024
_ROUNDS_UP = _STEP - 0.05  # 1023.95 KiB would be written 1024.0 KiB

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TENTHS_BELOW = 9.95

ELLIPSIS: Final = "…"


def safe(text: str) -> str:
    r"""The text with everything that could act on a terminal, a log or a reader's eye written as a visible escape.

    `\x1b` for control characters and for bytes that are no UTF-8, `\u202e` for invisible and direction-changing ones.
    """
    return _ACTING.sub(_escape, text)


def is_utf8(text: str) -> bool:
    """Whether it can be said as UTF-8: a name of a file may hold bytes that are none, as surrogate escapes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _ESCAPED_BYTES:
        code -= 0xDC00
    return chr(code).encode("ascii", "backslashreplace").decode("ascii") if code > _LAST_ASCII else f"\\x{code:02x}"


@lru_cache(maxsize=4096)
def _character_cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cc", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_character_cells, text))


def shorten(text: str, width: int, *, middle: bool = True) -> str:
    """The text in at most `width` cells, cut with an ellipsis in the middle (or at the end)."""
    if cells(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    tail_width = (width - 1) // 3 if middle else 0
    tail = _last_cells(text, tail_width)
    return _first_cells(text, width - 1 - cells(tail)) + ELLIPSIS + tail


def _first_cells(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += _character_cells(character)
        if used > width:
            return text[:index]
    return text


def _last_cells(text: str, width: int) -> str:
    used = 0
    start = len(text)
    for index in range(len(text) - 1, -1, -1):
        wide = _character_cells(text[index])
        used += wide
        if used > width:
            break
        if wide:  # never begin with a mark that belongs to the character before
            start = index
    return text[start:]


def cause_first(text: str) -> str:
    """A failure for a line that may be cut: of `mkdir /mnt/data: Permission denied.` the cause stands first, then the place.

    Only where a place (something with a slash in it) stands before the cause; everything else stays as it is.
    """
    end = next((at for at in (text.find(". "), text.find("\n")) if at >= 0), len(text.removesuffix(".")))
    place, colon, cause = text[:end].partition(": ")
    return f"{cause}: {place}{text[end:]}" if colon and cause and "/" in place else text


def pad(text: str, width: int) -> str:
    """Shortened or filled with blanks to exactly `width` cells."""
    cut = shorten(text, width)
    return cut + " " * (width - cells(cut))


def size(count: float) -> str:
    """Bytes in IEC units, one decimal from KiB on: `512 B`, `58.1 GiB`."""
    scaled, unit = _scale(count)
    return f"{_number(scaled, unit)} {_IEC[unit]}"


def rate(bytes_per_second: float) -> str:
    """`48.1 MiB/s`."""
    return f"{size(bytes_per_second)}/s"


def part(done: float, total: float) -> str:
    """`2.8/214.6 GiB`: both in the unit of the total."""
    _, unit = _scale(total)
    scaled_done, scaled_total = done / _STEP**unit, total / _STEP**unit
    return f"{_number(scaled_done, unit)}/{_number(scaled_total, unit)} {_IEC[unit]}"


def _scale(count: float) -> tuple[float, int]:
    unit = 0
    while abs(count) >= (_STEP if unit == 0 else _ROUNDS_UP) and unit < len(_IEC) - 1:
        count /= _STEP
        unit += 1
    return count, unit


def _number(scaled: float, unit: int) -> str:
    return f"{scaled:.1f}" if unit else f"{scaled:.0f}"


def percent(fraction: float, decimals: int = 0) -> str:
    """`43 %`, or `43.7 %` with a decimal; cut, not rounded, so that 100 % means all."""
    scale = 10**decimals
    return f"{int(fraction * 100 * scale + 1e-9) / scale:.{decimals}f} %"


def duration(seconds: float) -> str:
    """How long something takes, in words as short as can be: `2.1 s`, `45 s`, `13m17s`, `1h12m`, `3d04h`."""
    if seconds < _TENTHS_BELOW:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def clock(seconds: float) -> str:
    """The same as a running clock: `0:45`, `41:20`, `1:13:27`, `2d 4:13:27`."""
    whole = max(int(seconds), 0)
    days, rest = divmod(whole, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    if days:
        return f"{days}d {hours}:{minutes:02}:{left:02}"
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def counted(count: int, noun: str, many: str = "") -> str:
    """`1 torrent`, `12 torrents`; `many` where the plural takes more than an s: `3 copies`."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def clause(said: object) -> str:
    """What somebody or an error has said, to stand before a mark: without its own full stop, colon, semicolon or comma.

    An ellipsis stays.
    """
    text = str(said).rstrip()
    return text if text.endswith("...") else text.rstrip(".:;,").rstrip()


def clauses(*said: object) -> str:
    """Several of them as one line, with semicolons between; blank ones are left out. The last keeps its full stop."""
    texts = [text for each in said if (text := str(each).rstrip())]
    return "; ".join([*map(clause, texts[:-1]), *texts[-1:]])
