"""How many torrents may be taken out, or have their release blocked: in a look, in a day, of one tracker, of all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.duties.health.model import ActionRecord, ActionState, HealthFinding, Intent
from torrent_mover.duties.health.settings import HealthSettings

_DAY: Final = 86400.0
_COUNTED: Final = (ActionState.DONE, ActionState.UNDER_WAY, ActionState.FAILED)


@dataclass(frozen=True, slots=True)
class Capped:
    """One intent that is counted, with what the caps say of it; blank: it may go."""

    intent: Intent
    why: str = ""


@dataclass(frozen=True, slots=True)
class WantedRemoval:
    """One that is wanted: `since` of its finding, `hosts` of its trackers."""

    intent: Intent
    finding: HealthFinding
    hosts: tuple[str, ...]


def counted_today(past: Collection[ActionRecord], now: float) -> Sequence[ActionRecord]:
    """What counts for the caps of a day: done or begun in the last 24 hours."""
    return [
        each for each in past if each.action.counts and each.state in _COUNTED and now - _DAY < each.at <= now + _DAY
    ]


def apply_caps(
    wanted: Collection[WantedRemoval],
    past: Collection[ActionRecord],
    torrents: int,
    now: float,
    settings: HealthSettings,
) -> Sequence[Capped]:
    """The oldest findings first, as many as the caps allow. `past`: all actions of the loop; `torrents`: how many it has."""
    today = counted_today(past, now)
    share = max(int(torrents * settings.removals_share / 100), 1)
    limit_a_day = min(settings.removals_per_day, share)
    hosts: dict[str, int] = {}
    for each in today:
        for host in each.trackers:
            hosts[host] = hosts.get(host, 0) + 1
    capped: list[Capped] = []
    let = 0
    for one in sorted(wanted, key=lambda each: (each.finding.since, each.intent.torrent)):
        full = [host for host in one.hosts if hosts.get(host, 0) >= settings.removals_per_tracker]
        why = ""
        if let >= settings.removals_per_look:
            why = f"removals_per_look = {settings.removals_per_look}"
        elif len(today) + let >= limit_a_day:
            why = (
                f"removals_per_day = {settings.removals_per_day}"
                if limit_a_day == settings.removals_per_day
                else f"removals_share: {share} of {torrents} torrents a day"
            )
        elif full:
            why = f"removals_per_tracker = {settings.removals_per_tracker}: {full[0]}"
        if not why:
            let += 1
            for host in one.hosts:
                hosts[host] = hosts.get(host, 0) + 1
        capped.append(Capped(one.intent, why))
    return capped
