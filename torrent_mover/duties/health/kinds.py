"""The kinds of value that only the settings of health have: actions, texts, patterns, sizes, patience."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from torrent_mover.domain.quantities import format_number, format_rate, parse_rate
from torrent_mover.domain.settings.kinds import Kind, Surroundings
from torrent_mover.duties.health.model import HealthAction

_HIGHEST_PERCENT: Final = 100


def action(*names: str) -> Kind:
    """One of these actions."""

    def read(text: str, _: Surroundings) -> HealthAction:
        if text.lower() not in names:
            raise ValueError
        return HealthAction(text.lower())

    listed = ", ".join(names)
    return Kind(f"one of {listed}", read, lambda value: str(value.value), hint=f"One of {listed}.")


def _no_control(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("it must not hold control characters")
    return text


def _texts(text: str, _: Surroundings) -> tuple[str, ...]:
    if text.lower() == "none":
        return ()
    entries = [entry.strip() for line in text.split("\n") for entry in line.split("|")]
    return tuple(dict.fromkeys(_no_control(entry) for entry in entries if entry))


def _names(text: str, _: Surroundings) -> tuple[str, ...]:
    if text.lower() == "none":
        return ()
    entries = [entry.strip() for entry in text.replace("\n", ",").split(",")]
    return tuple(dict.fromkeys(_no_control(entry) for entry in entries if entry))


def _patterns(text: str, around: Surroundings) -> tuple[str, ...]:
    del around
    lines = (line.strip() for line in text.split("\n") if text.lower() != "none")  # a | is part of a pattern
    found = tuple(dict.fromkeys(_no_control(line) for line in lines if line))
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return found


def _size(text: str, _: Surroundings) -> int:
    if text.strip() == "0":
        return 0
    size = parse_rate(text)
    if not size or "/s" in text.lower():
        raise ValueError("it is a number with K, M, G or T (KiB, MiB, ...), or 0: 512K, 4MB, 10G")
    return size


def _patience(text: str, _: Surroundings) -> tuple[tuple[float, float], ...]:
    pairs: dict[float, float] = {}
    for word in text.replace(",", " ").split():
        percent, colon, factor = word.partition(":")
        if (
            not colon
            or not re.fullmatch(r"[0-9]{1,3}", percent)
            or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", factor)
        ):
            raise ValueError(f"{word!r} is not percent:factor; write 0:1 50:3 90:7")
        if int(percent) > _HIGHEST_PERCENT or float(factor) <= 0:
            raise ValueError(f"{word!r}: the percent are 0 to 100, the factor is above 0")
        pairs[float(percent)] = float(factor)
    return tuple(sorted(pairs.items()))


def _profile_pairs(text: str, _: Surroundings) -> tuple[tuple[str, str], ...]:
    pairs = {}
    for entry in (part.strip() for line in text.split("\n") for part in line.split("|")):
        usual, sign, fallback = (part.strip() for part in entry.partition("="))
        if entry and not (usual and sign and fallback):
            raise ValueError(f"{entry!r} is not profile = fallback")
        if entry:
            pairs[_no_control(usual)] = _no_control(fallback)
    return tuple(pairs.items())


def _write_profile_pairs(value: Iterable[tuple[str, str]]) -> str:
    return " | ".join(f"{usual} = {fallback}" for usual, fallback in value)


def _write_patience(value: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{format_number(percent)}:{format_number(factor)}" for percent, factor in value)


def _write_texts(value: Iterable[str]) -> str:
    return " | ".join(value) or "none"


def _write_patterns(value: Iterable[str]) -> str:
    return "\n".join(value) or "none"


def _write_names(value: Iterable[str]) -> str:
    return ", ".join(value) or "none"


TEXTS: Final = Kind(
    "texts, one a line or with | between them, or none", _texts, _write_texts, _write_texts, many_lines=True
)
NAMES: Final = Kind("names with commas between them, or none", _names, _write_names, _write_names, many_lines=True)
PATTERNS: Final = Kind("regular expressions, one a line", _patterns, _write_patterns, _write_patterns, many_lines=True)
SIZE: Final = Kind("a size such as 512K, 4MB, 10G, or 0", _size, lambda size: format_rate(size) if size else "0")
PATIENCE: Final = Kind("pairs percent:factor, such as 0:1 50:3 90:7", _patience, _write_patience)
PROFILE_PAIRS: Final = Kind(
    "pairs profile = fallback, one a line or with | between them",
    _profile_pairs,
    _write_profile_pairs,
    many_lines=True,
)
