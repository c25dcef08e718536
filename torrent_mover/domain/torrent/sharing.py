"""When a client stops sharing a torrent, and what it does then, in words of no particular client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Self


class NoOwnLimit(Enum):
    """What stands in place of a limit where a torrent has none of its own."""

    NEVER = "never"  # no limit, whatever the client's settings say for all torrents
    AS_CLIENT = "as the client's settings say"


Limit = float | NoOwnLimit
"""A ratio or seconds, from 0 on, or what stands in their place."""


class WhenMet(Enum):
    """What a client does with a torrent that meets one of its limits."""

    AS_CLIENT = "as the client's settings say"
    STOP = "stop"
    REMOVE = "remove"
    REMOVE_WITH_DATA = "remove with data"
    SUPER_SEED = "super seeding"
    UNKNOWN = "unknown"  # the client says something that we do not know: it counts as the worst


_REMOVING: Final = (WhenMet.REMOVE, WhenMet.REMOVE_WITH_DATA, WhenMet.UNKNOWN)
_DELETING: Final = (WhenMet.REMOVE_WITH_DATA, WhenMet.UNKNOWN)

_NUMBERS: Final = {-1: NoOwnLimit.NEVER, -2: NoOwnLimit.AS_CLIENT}
_WORDS: Final = {
    "": WhenMet.AS_CLIENT,
    "Default": WhenMet.AS_CLIENT,
    "Stop": WhenMet.STOP,
    "Remove": WhenMet.REMOVE,
    "RemoveWithContent": WhenMet.REMOVE_WITH_DATA,
    "EnableSuperSeeding": WhenMet.SUPER_SEED,
}
"""How certificates of earlier versions say it: they are read for as long as one may wait to be settled."""


@dataclass(frozen=True, slots=True)
class ShareLimits:
    """When a client stops sharing: a ratio, seconds of seeding, seconds of seeding without anybody to seed to."""

    ratio: Limit = NoOwnLimit.NEVER
    seeding_time: Limit = NoOwnLimit.NEVER
    inactive_seeding_time: Limit = NoOwnLimit.NEVER
    when_met: WhenMet = WhenMet.AS_CLIENT

    @property
    def removes(self) -> bool:
        """Whether the client removes the torrent, with its data or without, when one of them is met."""
        return self.when_met in _REMOVING

    @property
    def deletes_data(self) -> bool:
        """Whether the data goes with it."""
        return self.when_met in _DELETING

    @property
    def own(self) -> bool:
        """Whether anything of it is the torrent's own: a limit, or what happens when one is met."""
        return self.when_met is not WhenMet.AS_CLIENT or any(not isinstance(each, NoOwnLimit) for each in self._all)

    @property
    def never(self) -> bool:
        """Whether none of them can ever be met."""
        return all(each is NoOwnLimit.NEVER for each in self._all)

    @property
    def _all(self) -> tuple[Limit, Limit, Limit]:
        return (self.ratio, self.seeding_time, self.inactive_seeding_time)

    def over(self, defaults: ShareLimits) -> ShareLimits:
        """The limits that count where `defaults` are the client's own."""
        return ShareLimits(
            _first(self.ratio, defaults.ratio),
            _first(self.seeding_time, defaults.seeding_time),
            _first(self.inactive_seeding_time, defaults.inactive_seeding_time),
            defaults.when_met if self.when_met is WhenMet.AS_CLIENT else self.when_met,
        )

    def met_by(self, ratio: float, seeding_time: int) -> str:
        """Which of these limits is reached with this ratio and these seconds of seeding, in words; blank: none."""
        if not isinstance(self.ratio, NoOwnLimit) and self.ratio <= ratio:
            return f"the ratio limit of {self.ratio:g}"
        if not isinstance(self.seeding_time, NoOwnLimit) and self.seeding_time <= seeding_time:
            return f"the seeding time limit of {self.seeding_time // 60:.0f} min"
        if self.inactive_seeding_time == 0:
            return "the limit of 0 min without anybody to seed to"
        return ""

    def to_data(self) -> dict[str, float | str]:
        """For a certificate: numbers, and the words of NoOwnLimit and WhenMet."""
        return {
            "ratio": _said(self.ratio),
            "seeding_time": _said(self.seeding_time),
            "inactive_seeding_time": _said(self.inactive_seeding_time),
            "when_met": self.when_met.value,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """What `to_data` gave, also in certificates of earlier versions. Raises KeyError, ValueError or TypeError for others."""
        met = WhenMet(data["when_met"]) if "when_met" in data else _WORDS.get(data["action"], WhenMet.UNKNOWN)
        limits = (data["ratio"], data["seeding_time"], data["inactive_seeding_time"])
        ratio, seeding_time, inactive = (_understood(limit) for limit in limits)
        return cls(ratio, seeding_time, inactive, met)


AS_CLIENT: Final = ShareLimits(NoOwnLimit.AS_CLIENT, NoOwnLimit.AS_CLIENT, NoOwnLimit.AS_CLIENT)
"""A torrent without anything of its own: the client's settings for all torrents count."""


def _first(own: Limit, default: Limit) -> Limit:
    return default if own is NoOwnLimit.AS_CLIENT else own


def _said(limit: Limit) -> float | str:
    return limit.value if isinstance(limit, NoOwnLimit) else limit


def _understood(said: float | str) -> Limit:
    if isinstance(said, str):
        return NoOwnLimit(said)
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise TypeError(f"no limit: {said!r}")
    return said if said >= 0 else _NUMBERS[int(said)]
