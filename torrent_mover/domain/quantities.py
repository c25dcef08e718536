"""Durations, rates and modes as people write them in a config file: `5m`, `20M`, `08:00,5M 23:00,off`, `u+rwx`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MINUTES_A_DAY = 24 * 60

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,6})? ?[dhms] ?)+")
_DURATION_PART = re.compile(r"([0-9.]+) ?([dhms])")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_LONGEST = 100 * 366 * 86400.0  # a century: beyond it somebody mistyped

_RATE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([BKMGT])(?:i?B)?(?:/s)?", re.IGNORECASE)
_RATE_UNITS = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("B", 1))

PAUSE: Final = 0
"""The rate of `pause`: nothing moves. No limit is None, so that no number stands for it."""

_SLOT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9]),(\S+)")

_OCTAL_MODE = re.compile(r"[0-7]{3,4}")
_SYMBOLIC_CLAUSE = re.compile(r"([ugoa]+)\+([rwx]+)")
_WHO_SHIFT = {"u": (6,), "g": (3,), "o": (0,), "a": (6, 3, 0)}
_PERMISSION_BIT = {"r": 4, "w": 2, "x": 1}
_PERMISSION_MASK = 0o7777
_SPECIAL_BITS = 0o7000  # setuid, setgid, sticky: chmod keeps them on a folder, and a shared library needs its setgid


def parse_duration(text: str) -> float:
    """Seconds in `90`, `90s`, `5m`, `1h30m` or `2d`. A bare number is seconds. Raises ValueError."""
    cleaned = text.strip().lower()
    if _PLAIN_NUMBER.fullmatch(cleaned):
        seconds = float(cleaned)
    elif _DURATION.fullmatch(cleaned):
        seconds = sum(float(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(cleaned))
    else:
        raise ValueError("a duration is seconds, or a number with s, m, h or d: 90, 30s, 5m, 1h30m, 2d")
    if seconds > _LONGEST:
        raise ValueError("that is longer than a century")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest way to write it that `parse_duration` reads back: `0`, `25m`, `1.5s`."""
    for unit in ("d", "h", "m"):
        size = _SECONDS[unit]
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{format_number(seconds)}s" if seconds else "0"


def format_number(number: float) -> str:
    """A float without exponent, and without a fraction where it has none."""
    if number == math.floor(number):
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def parse_rate(text: str) -> int | None:
    """Bytes a second in `512K`, `5M`, `1.5G` (KiB, MiB, GiB a second); None for `off`, PAUSE for `pause`. Raises ValueError."""
    cleaned = text.strip()
    if cleaned.lower() == "off":
        return None
    if cleaned.lower() == "pause":
        return PAUSE
    match = _RATE.fullmatch(cleaned)
    if match is None and _PLAIN_NUMBER.fullmatch(cleaned) and float(cleaned):
        raise ValueError(f"{cleaned} of what? Write {cleaned}K or {cleaned}M (KiB/s or MiB/s)")
    if match is None and not _PLAIN_NUMBER.fullmatch(cleaned):
        raise ValueError("a limit is a number with K, M or G (KiB/s, MiB/s, GiB/s), or off, or pause: 512K, 5M, off")
    count, unit = match.groups() if match else ("0", "B")
    rate = int(float(count) * dict(_RATE_UNITS)[unit.upper()])
    if rate < 1:
        raise ValueError(f"{cleaned} could mean two things: write off for no limit, or pause to let nothing move")
    return rate


def format_rate(rate: int | None) -> str:
    """The shortest exact way to write it that `parse_rate` reads back."""
    if rate is None:
        return "off"
    if rate == PAUSE:
        return "pause"
    unit, size = next((unit, size) for unit, size in _RATE_UNITS if rate % size == 0)
    return f"{rate // size}{unit}"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Which limit holds at which time of the day. Empty: never any limit.

    `slots` are (minute of the day, bytes a second, PAUSE or None), ascending. Before the first one the last one of the
    evening before still holds.
    """

    slots: tuple[tuple[int, int | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Timetable:
        """Read `08:00,5M 23:00,off`, or one rate for all day (`5M`). Raises ValueError."""
        words = re.sub(r"\s*,\s*", ",", text.strip()).split()
        if not words:
            return cls()
        if len(words) == 1 and "," not in words[0]:
            return cls(((0, parse_rate(words[0])),))
        slots = sorted((_slot(word) for word in words), key=lambda slot: slot[0])
        starts = [start for start, _ in slots]
        for start in starts:
            if starts.count(start) > 1:
                raise ValueError(f"{start // 60:02}:{start % 60:02} is there twice")
        return cls(tuple(slots))

    def limit_at(self, minute_of_day: int) -> int | None:
        """Bytes a second (or PAUSE) that hold at that minute (0 is midnight, 1439 is 23:59, local time); None: no limit."""
        if not self.slots:
            return None
        current = self.slots[-1][1]
        for start, rate in self.slots:
            if start > minute_of_day % MINUTES_A_DAY:
                break
            current = rate
        return current

    def __str__(self) -> str:
        return " ".join(f"{start // 60:02}:{start % 60:02},{format_rate(rate)}" for start, rate in self.slots)


UNLIMITED = Timetable()


def _slot(word: str) -> tuple[int, int | None]:
    match = _SLOT.fullmatch(word)
    if match is None:
        raise ValueError(
            f"{word!r} is not a time of the day with a rate; write 08:00,5M 23:00,off or 08:00,pause 23:00,off"
        )
    return int(match[1]) * 60 + int(match[2]), parse_rate(match[3])


@dataclass(frozen=True, slots=True)
class UnlockMode:
    """What chmod is told to do to a folder that we must write in: `u+rwx`, `u+rwx,g+rx` (adds bits) or `0777` (sets them)."""

    text: str

    @classmethod
    def parse(cls, text: str) -> UnlockMode:
        """Accept three or four octal digits, or clauses that add bits. Raises ValueError."""
        cleaned = text.strip()
        clauses = cleaned.split(",")
        if not _OCTAL_MODE.fullmatch(cleaned) and not all(_SYMBOLIC_CLAUSE.fullmatch(part) for part in clauses):
            raise ValueError("a mode adds permissions (u+rwx, or u+rwx,g+rwx) or is octal (0775)")
        return cls(cleaned)

    def apply(self, mode: int) -> int:
        """The permission bits after it, given those before (st_mode or its lower twelve bits)."""
        bits = mode & _PERMISSION_MASK
        if _OCTAL_MODE.fullmatch(self.text):
            return int(self.text, 8) | bits & _SPECIAL_BITS
        for who, what in _SYMBOLIC_CLAUSE.findall(self.text):
            wanted = sum(_PERMISSION_BIT[letter] for letter in set(what))
            for letter in who:
                for shift in _WHO_SHIFT[letter]:
                    bits |= wanted << shift
        return bits

    def __str__(self) -> str:
        return self.text


OWNER_ACCESS = UnlockMode("u+rwx")
