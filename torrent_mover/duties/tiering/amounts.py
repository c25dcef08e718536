"""The kinds of value that only a tier has: amounts of disk, lists of entries, targets, link roots, weights, rates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeVar

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.quantities import PAUSE, format_number, format_rate, parse_rate
from torrent_mover.domain.settings.kinds import Kind, Surroundings

ANY_LABEL: Final = "*"
"""The label of a target that takes every torrent that no other target takes."""

_UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?(?:([KMGT])(?:i?B)?|(%))", re.IGNORECASE)
_ALL: Final = 100.0

EntryT = TypeVar("EntryT")


@dataclass(frozen=True, slots=True)
class DiskAmount:
    """So many bytes, or such a part (`percent`, 0 to 100) of a disk. One of the two is 0."""

    size: int = 0
    percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> DiskAmount:
        """Read `100G`, `1.5T`, `512M`, `10%` or `0`. Units are binary: K is 1024 bytes. Raises ValueError."""
        cleaned = text.strip()
        if cleaned == "0":
            return cls()
        found = _AMOUNT.fullmatch(cleaned)
        if found is None:
            raise ValueError(
                "write a number with K, M, G or T (1G is 1024 MiB), or a part of the disk: 100G, 1.5T, 10%"
            )
        number = float(found[1])
        if not found[3]:
            return cls(size=round(number * _UNITS[found[2].upper()]))
        if number > _ALL:
            raise ValueError("a disk has no more than 100%")
        return cls(percent=number)

    def of(self, total: int) -> int:
        """Bytes, for a disk of `total` bytes."""
        return int(total * self.percent / _ALL) if self.percent else self.size

    def __str__(self) -> str:
        if self.percent:
            return f"{format_number(self.percent)}%"
        unit = next((unit for unit in "TGMK" if self.size and self.size % _UNITS[unit] == 0), "")
        if unit:
            return f"{self.size // _UNITS[unit]}{unit}"
        # Six decimals of a KiB are less than a byte, so that reading it again gives the same size.
        return f"{format_number(round(self.size / _UNITS['K'], 6))}K" if self.size else "0"


@dataclass(frozen=True, slots=True)
class TierTarget:
    """Where copies go: the folder for torrents of a label, or for all others (`ANY_LABEL`)."""

    label: str
    path: LocalPath

    def __str__(self) -> str:
        return f"{self.label}:{self.path}"


@dataclass(frozen=True, slots=True)
class LinkRoot:
    """A media folder on the SSD whose hard links are made again in a folder on a target when their torrent leaves."""

    ssd: LocalPath
    target: LocalPath

    def __str__(self) -> str:
        return f"{self.ssd}={self.target}"


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """How much each property counts when torrents are ordered by score. The highest score leaves first."""

    age: float = 1.0
    idle: float = 2.0
    size: float = 0.5
    ratio: float = 0.5

    @classmethod
    def parse(cls, text: str) -> ScoreWeights:
        """Read `age:1 idle:2 size:.5 ratio:.5`; what is not named counts nothing. Raises ValueError."""
        names = [field.name for field in fields(cls)]
        found = dict.fromkeys(names, 0.0)
        for word in text.lower().replace(",", " ").split():
            name, _, number = word.partition(":")
            if name not in found or not re.fullmatch(r"[0-9]{0,6}(?:\.[0-9]{1,6})?", number) or not number:
                raise ValueError(f"{word!r} is not a weight; write some of {', '.join(f'{each}:1' for each in names)}")
            found[name] = float(number)
        if not any(found.values()):
            raise ValueError("at least one weight must be above 0")
        return cls(**found)

    def __str__(self) -> str:
        return " ".join(f"{field.name}:{format_number(getattr(self, field.name))}" for field in fields(self))


def split_entries(text: str, *, commas: bool = False) -> list[str]:
    """Entries with blanks or line breaks (and `commas`) between them; blanks within double quotes belong to the entry.

    Raises ValueError where a quote is not closed, or a control character is in an entry.
    """
    entries: list[str] = []
    current, quoted, begun = "", False, False
    for character in text:
        if character == '"':
            quoted, begun = not quoted, True
        elif not quoted and (character.isspace() or (commas and character == ",")):
            if begun:
                entries.append(current)
            current, begun = "", False
        else:
            current, begun = current + character, True
    if quoted:
        raise ValueError('a double quote (") is not closed')
    if begun:
        entries.append(current)
    if any(character < " " or character == "\x7f" for entry in entries for character in entry):
        raise ValueError("control characters are not allowed")
    if "" in entries:
        raise ValueError('"" is empty')
    return entries


def join_entries(entries: Iterable[object], between: str = " ") -> str:
    """The inverse of `split_entries`."""
    return between.join(f'"{entry}"' if re.search(r"[\s,]", str(entry)) else str(entry) for entry in entries)


def _absolute(text: str) -> LocalPath:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path, which begins with /")
    if ".." in text.split("/"):
        raise ValueError(f"{text!r} must not contain ..")
    return LocalPath(text)


def _amount(text: str, _: Surroundings) -> DiskAmount:
    return DiskAmount.parse(text)


def _amount_or_off(text: str, _: Surroundings) -> DiskAmount | None:
    return None if text.lower() == "off" else DiskAmount.parse(text)


def _rate(text: str, _: Surroundings) -> int | None:
    rate = parse_rate(text)
    if rate == PAUSE:
        raise ValueError("pause works only for bandwidth; write a rate such as 5M, or off")
    return rate


def _folders(text: str, _: Surroundings) -> tuple[LocalPath, ...]:
    return _once([_absolute(entry) for entry in split_entries(text)])


def _targets(text: str, _: Surroundings) -> tuple[TierTarget, ...]:
    return _once([_target(entry) for entry in split_entries(text)])


def _target(entry: str) -> TierTarget:
    label, slash, path = entry.partition(":/")
    if not slash or not label:
        raise ValueError(f"{entry!r} is not label:/path; write films:/hdd2, or *:/hdd for all other torrents")
    return TierTarget(label, _absolute(f"/{path}"))


def _link_roots(text: str, _: Surroundings) -> tuple[LinkRoot, ...]:
    return _once([_link_root(entry) for entry in split_entries(text)])


def _link_root(entry: str) -> LinkRoot:
    ours, equals, theirs = entry.partition("=/")
    if not equals:
        raise ValueError(f"{entry!r} has no = in the middle; write /ssd/media=/hdd/media")
    return LinkRoot(_absolute(ours), _absolute(f"/{theirs}"))


def _once(entries: Sequence[EntryT]) -> tuple[EntryT, ...]:
    for entry in entries:
        if entries.count(entry) > 1:
            raise ValueError(f"{entry} is there twice")
    return tuple(entries)


def names(empty: str) -> Kind:
    """Labels, tags or names; `empty` is the word for an empty list (`all`, `none`)."""

    def read(text: str, _: Surroundings) -> tuple[str, ...]:
        return () if text.lower() == empty else tuple(dict.fromkeys(split_entries(text, commas=True)))

    def write(value: Sequence[str]) -> str:
        return join_entries(value) or empty

    expected = f'names with blanks or commas between them ("a name with blanks" in double quotes), or {empty}'
    return Kind(expected, read, write, _from_list(" "), many_lines=True)


def _from_list(between: str) -> Callable[[Sequence[str]], str]:
    return lambda items: join_entries(items, between)


AMOUNT: Final = Kind("an amount such as 100G, 1.5T, 10% of the disk, or 0", _amount)
AMOUNT_OR_OFF: Final = Kind(
    "an amount such as 20G or 2% of the disk, or off",
    _amount_or_off,
    lambda amount: "off" if amount is None else str(amount),
)
RATE_OR_OFF: Final = Kind("a rate such as 512K, 1M/s, or off", _rate, format_rate)
FOLDERS: Final = Kind(
    "absolute paths with blanks between them (in double quotes where they hold blanks)",
    _folders,
    join_entries,
    _from_list("\n"),
    many_lines=True,
)
TARGETS: Final = Kind(
    "entries label:/path, with *:/path for all other labels", _targets, join_entries, _from_list("\n"), many_lines=True
)
LINK_ROOTS: Final = Kind("pairs /ssd/media=/hdd/media", _link_roots, join_entries, _from_list("\n"), many_lines=True)
WEIGHTS: Final = Kind("weights such as age:1 idle:2 size:.5 ratio:.5", lambda text, _: ScoreWeights.parse(text))
