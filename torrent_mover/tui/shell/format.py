"""Amounts, rates and times as the screens write them: fixed widths, right for columns, never a rounded-up 100 %."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from torrent_mover.domain import text
from torrent_mover.tui.shell.ink import Line, Span, Tone, line
from torrent_mover.tui.shell.look import Glyphs, Units

_IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SI = ("B", "kB", "MB", "GB", "TB", "PB")
_BITS = ("bit", "kbit", "Mbit", "Gbit", "Tbit", "Pbit")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TEBI = 4  # from this power on, two decimals while there is one digit
_WHOLE_FROM = 100  # three digits need no decimal


def _scaled(amount: float, base: int) -> tuple[float, int]:
    power = 0
    while amount >= base and power < len(_IEC) - 1:
        amount /= base
        power += 1
    if round(amount, 1) >= base and power < len(_IEC) - 1:
        return amount / base, power + 1
    return amount, power


def _digits(amount: float, power: int) -> str:
    if power == 0:
        return str(round(amount))
    if power >= _TEBI and round(amount, 2) < 10:  # noqa: PLR2004 - one digit
        return f"{amount:.2f}"
    return f"{amount:.1f}"


def _base(units: Units) -> int:
    return 1024 if units is Units.IEC else 1000


def size(count: float, units: Units = Units.IEC) -> str:
    """Bytes: `58.1 GiB`. Sizes stay bytes where rates are bits."""
    amount, power = _scaled(max(0.0, count), _base(units))
    return f"{_digits(amount, power)} {(_IEC if units is Units.IEC else _SI)[power]}"


def pair(done: float, total: float, units: Units = Units.IEC) -> str:
    """Bytes of bytes in one unit: `93.8/214.6 GiB`."""
    base = _base(units)
    amount, power = _scaled(max(0.0, total), base)
    part = min(max(0.0, done), total) / base**power
    return f"{_digits(part, power)}/{_digits(amount, power)} {(_IEC if units is Units.IEC else _SI)[power]}"


def rate(bytes_per_second: float, units: Units = Units.IEC) -> str:
    """A rate with its unit: `48.1 MiB/s`, `403.5 Mbit/s`."""
    if units is Units.BITS:
        amount, power = _scaled(max(0.0, bytes_per_second) * 8, 1000)
        return f"{_digits(amount, power)} {_BITS[power]}/s"
    return f"{size(bytes_per_second, units)}/s"


def rates(values: tuple[float, ...], units: Units = Units.IEC) -> tuple[tuple[str, ...], str]:
    """Several rates in the one unit of the greatest: (`25.6`, `49.5`), `MiB/s`."""
    base, factor = _base(units), 8 if units is Units.BITS else 1
    names = {Units.IEC: _IEC, Units.SI: _SI, Units.BITS: _BITS}[units]
    _, power = _scaled(max(values, default=0.0) * factor, base)
    power = max(1, power)
    return tuple(f"{value * factor / base**power:.1f}" for value in values), f"{names[power]}/s"


def compact(bytes_per_second: float, units: Units = Units.IEC) -> str:
    """A rate in at most six cells, for columns and ticks: `15.9M`, `210M`."""
    factor = 8 if units is Units.BITS else 1
    amount, power = _scaled(max(0.0, bytes_per_second) * factor, _base(units))
    letter = ("", "K", "M", "G", "T", "P")[power]
    if amount >= _WHOLE_FROM or power == 0 or amount == math.floor(amount):
        return f"{amount:.0f}{letter}"
    return f"{amount:.1f}{letter}"


def span(seconds: float | None) -> str:
    """A length of time as a clock: `0:38`, `14:25`, `1:13:27`; `-` for None."""
    if seconds is None or math.isnan(seconds) or math.isinf(seconds):
        return "-"
    return text.clock(seconds)


def promise(seconds: float | None, *, guess: bool) -> str:
    """A time to come; `~14:25` where it is no more than a guess."""
    shown = span(seconds)
    return f"~{shown}" if guess and shown != "-" else shown


def time_of_day(at: float) -> str:
    """Unix seconds as local `12:41:28`."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%H:%M:%S}"


def day_and_time(at: float, now: float) -> str:
    """When something was, seen from `now`: `12:42 today`, `Mon 22:10`, `03 Nov 22:10`."""
    then, today = (datetime.fromtimestamp(moment, UTC).astimezone() for moment in (at, now))
    if then.date() == today.date():
        return f"{then:%H:%M} today"
    if 0 <= now - at < 6 * _DAY:
        return f"{then:%a %H:%M}"
    return f"{then:%d %b %H:%M}"


def ago(seconds: float) -> str:
    """An age in one unit: `20 min`, `9 h`, `3 d`."""
    whole = max(0, int(seconds))
    if whole >= _DAY:
        return f"{whole // _DAY} d"
    if whole >= _HOUR:
        return f"{whole // _HOUR} h"
    return f"{whole // _MINUTE} min" if whole >= _MINUTE else f"{whole} s"


def percent(fraction: float) -> str:
    """`97%`, rounded down, so that 100 means done."""
    return f"{math.floor(min(1.0, max(0.0, fraction)) * 100 + 1e-9)}%"


def percent_tenths(fraction: float) -> str:
    """`43.7 %`, rounded down."""
    return text.percent(min(1.0, max(0.0, fraction)), 1)


def bar(fraction: float, reused: float, width: int, glyphs: Glyphs, tone: Tone = Tone.BAR) -> Line:
    """A thin bar of `width` cells, for lists; what was there already is drawn apart, at its beginning."""
    marks = (glyphs.thin, glyphs.thin_part, glyphs.thin_track, glyphs.thin_reused)
    return _drawn(fraction, reused, width, marks, tone)


def broad_bar(fraction: float, width: int, glyphs: Glyphs, tone: Tone = Tone.BAR) -> Line:
    """A bar of full height in eighths of cells, for the whole run."""
    return _drawn(fraction, 0.0, width, (glyphs.full, glyphs.eighths, glyphs.track, glyphs.reused), tone)


def _drawn(fraction: float, reused: float, width: int, marks: tuple[str, str, str, str], tone: Tone) -> Line:
    """`marks`: a full cell, its parts from the least on, a cell of what is missing, and one of what was there already."""
    whole, parts, track, there = marks
    fraction = min(1.0, max(0.0, fraction))
    steps = len(parts) + 1
    filled = math.floor(fraction * width * steps + 1e-9)
    full, rest = divmod(filled, steps)
    credit = min(full, math.floor(min(reused, fraction) * width + 1e-9))
    part = parts[rest - 1] if rest else ""
    return line(
        Span(there * credit, Tone.REUSED),
        Span(whole * (full - credit) + part, tone),
        Span(track * (width - full - len(part)), Tone.TRACK),
    )
