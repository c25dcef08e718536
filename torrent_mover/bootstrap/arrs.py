"""Builds what duties tell the Arrs by, and what holds torrents for them, from the [ARR name] sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torrent_mover.adapters.local.largest_file import largest_file
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.settings.arr import ArrSettings, HandOverMode, HoldUntil
from torrent_mover.engine.arrs.desk import ArrDesk, ArrWishes, Say
from torrent_mover.engine.arrs.holds import ArrHolds, HoldingArr
from torrent_mover.engine.arrs.path_finding import ClientView, PathFinder
from torrent_mover.engine.arrs.silences import NOTHING_KNOWN, Silences
from torrent_mover.engine.arrs.telling import ArrTelling
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.handovers import HandoverJournal
from torrent_mover.ports.leases import Leases

if TYPE_CHECKING:
    from torrent_mover.adapters.arr.manager import ArrManager


@dataclass(frozen=True, slots=True)
class Arrs:
    """All Arrs of a config. `managers` by name, those too that are told nothing. `telling.desks` are loops to be run."""

    managers: Mapping[str, ArrManager]
    telling: ArrTelling
    holds: ArrHolds


def build_arrs(
    sections: Mapping[str, ArrSettings],
    journal: HandoverJournal,
    clock: Clock,
    say: Say,
    leases: Leases,
    stack: ExitStack,
    view: ClientView = lambda _: None,
    measure: Callable[[LocalPath], tuple[RelativePath, int] | None] = largest_file,
    silences: Silences = NOTHING_KNOWN,
) -> Arrs:
    """Asks nobody. `stack` ends the connections; `view` says where our client has a torrent, `measure` what a folder holds."""
    managers = managers_of(sections, clock, stack)
    desks = []
    for name, settings in sections.items():
        manager = managers[name]
        if settings.hand_over is not HandOverMode.OFF:
            wishes = ArrWishes(
                settings.category, settings.client, settings.scan_timeout, settings.hand_over is HandOverMode.AUTO
            )
            finder = PathFinder(manager, journal, settings.pairs, view)
            desks.append(ArrDesk(manager, wishes, journal, finder, clock, say, leases))
    return Arrs(managers, ArrTelling(desks, journal, clock, measure), holds_of(sections, managers, clock, silences))


def managers_of(sections: Mapping[str, ArrSettings], clock: Clock, stack: ExitStack) -> Mapping[str, ArrManager]:
    """What asks each Arr; `stack` ends the connections."""
    if not sections:
        return {}
    # A run that tells no Arr need not load what speaks HTTP to them.
    from torrent_mover.adapters.arr.manager import ArrManager

    managers = {name: ArrManager(name, each, clock.wait, clock.monotonic) for name, each in sections.items()}
    for manager in managers.values():
        stack.callback(manager.close)
    return managers


def holds_of(
    sections: Mapping[str, ArrSettings], managers: Mapping[str, ArrManager], clock: Clock, silences: Silences
) -> ArrHolds:
    """What holds torrents until an Arr has imported them."""
    holding = [
        HoldingArr(managers[name], settings.hold_limit, settings.category, settings.client)
        for name, settings in sections.items()
        if settings.hold is HoldUntil.IMPORTED
    ]
    return ArrHolds(holding, clock, silences)
