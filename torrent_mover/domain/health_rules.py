"""What a tracker asks for beside a category: hit-and-run, seeding goals, limits, tags, its place in the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from torrent_mover.domain.quantities import parse_duration, parse_rate


class SeedUntil(Enum):
    """When a torrent has been seeded for long enough."""

    NEVER = "never"
    RATIO = "ratio"
    TIME = "time"
    EITHER = "either"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class HitAndRun:
    """What a tracker wants to be seeded, else it counts a hit-and-run. Times in seconds.

    `mode`: what of ratio and time is enough. It begins at `begins` (0 to 1) of the torrent; one that is not complete needs
    `partial_ratio` (None: `ratio`). `margin` is what we seed beyond it, since the tracker counts later than the client.
    """

    mode: SeedUntil
    ratio: float | None = None
    time: float | None = None
    begins: float = 0.0
    partial_ratio: float | None = None
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class HealthRule:
    """The `health` part of a tracker's rule. None: the loop's key counts. Times in seconds, rates in bytes a second."""

    hnr: HitAndRun | None = None
    seed_until: SeedUntil | None = None
    seed_ratio: float | None = None
    seed_time: float | None = None
    max_eta: float | None = None
    upload_limit: int | None = None
    super_seed: bool | None = None
    tags: tuple[str, ...] = ()
    priority: int = 0
    add: bool = False
    remove: bool = False


def parse_health_rule(data: object) -> HealthRule:
    """Read the object of a rules file. Raises ValueError with what is wrong."""
    said = _object(data, "health", _READERS)
    values = {key: _READERS[key](value, key) for key, value in said.items()}
    rule = HealthRule(**values)
    _needs(rule.seed_until, rule.seed_ratio, rule.seed_time, "seed_ratio", "seed_time", "seed_until")
    return rule


def _hnr(data: object, key: str) -> HitAndRun:
    said = _object(data, key, _HNR_READERS)
    values = {("begins" if name == "from" else name): _HNR_READERS[name](value, name) for name, value in said.items()}
    values.setdefault("mode", SeedUntil.EITHER)
    rule = HitAndRun(**values)
    if rule.mode is SeedUntil.NEVER:
        raise ValueError('"mode" of "hnr" is either, both, ratio or time')
    if rule.ratio is None and rule.time is None:
        raise ValueError('"hnr" needs "ratio" or "time"')
    if rule.begins > 1:
        raise ValueError('"from" is a part of the torrent, from 0 to 1')
    if rule.mode is not SeedUntil.EITHER:
        _needs(rule.mode, rule.ratio, rule.time, "ratio", "time", "mode")
    return rule


def _needs(mode: SeedUntil | None, ratio: float | None, time: float | None, *names: str) -> None:
    if mode in (SeedUntil.RATIO, SeedUntil.BOTH) and ratio is None:
        raise ValueError(f'"{names[2]}": "{mode.value}" needs "{names[0]}"')
    if mode in (SeedUntil.TIME, SeedUntil.BOTH) and time is None:
        raise ValueError(f'"{names[2]}": "{mode.value}" needs "{names[1]}"')


def _object(data: object, name: str, known: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f'"{name}" is an object in braces')  # noqa: TRY004  it is the file that is wrong
    for key in data:
        if key not in known:
            raise ValueError(f'"{key}" is not known in "{name}"; there are {", ".join(known)}')
    return data


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f'"{key}" is a number, 0 or more')
    return float(value)


def _whole(value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f'"{key}" is a whole number')  # noqa: TRY004
    return value


def _time(value: object, key: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    if not isinstance(value, str):
        raise ValueError(f'"{key}" is a time such as "3d"')  # noqa: TRY004
    return parse_duration(value)


def _rate(value: object, key: str) -> int:
    rate = parse_rate(value) if isinstance(value, str) else None
    if not rate:
        raise ValueError(f'"{key}" is a rate such as "5M"')
    return rate


def _flag(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f'"{key}" is true or false')  # noqa: TRY004
    return value


def _words(value: object, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise ValueError(f'"{key}" is a list of words: ["a", "b"]')
    return tuple(each.strip() for each in value)


def _until(value: object, key: str) -> SeedUntil:
    try:
        return SeedUntil(value)
    except ValueError:
        raise ValueError(f'"{key}" is one of {", ".join(each.value for each in SeedUntil)}') from None


_Reader = Callable[[Any, str], Any]
_HNR_READERS: Final[Mapping[str, _Reader]] = {
    "mode": _until,
    "ratio": _number,
    "time": _time,
    "from": _number,
    "partial_ratio": _number,
    "margin": _time,
}
_READERS: Final[Mapping[str, _Reader]] = {
    "hnr": _hnr,
    "seed_until": _until,
    "seed_ratio": _number,
    "seed_time": _time,
    "max_eta": _time,
    "upload_limit": _rate,
    "super_seed": _flag,
    "tags": _words,
    "priority": _whole,
    "add": _flag,
    "remove": _flag,
}
