"""The tiers as a duty of `serve`: a loop for each, and one for each Arr that is told."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from torrent_mover.adapters.outlets.serve_metrics import tiers_exposition
from torrent_mover.bootstrap.tiering.setups import TierSetup, tier_setups
from torrent_mover.commands.served import Around, ServedDuty
from torrent_mover.commands.tiering.dashboard import NAME as PANEL
from torrent_mover.commands.tiering.dashboard import tiers_panel
from torrent_mover.commands.tiering.work import all_of, loops_of
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.serving import DiskReport
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.fingerprint import fingerprint
from torrent_mover.duties.tiering.control import RunningTiers
from torrent_mover.duties.tiering.environment import from_environment
from torrent_mover.duties.tiering.needs import TierJournal
from torrent_mover.duties.tiering.settings import TierSettings
from torrent_mover.engine.hub.loops import LoopState, LoopView
from torrent_mover.web import tiering

NAME: Final = PANEL


@dataclass(frozen=True, slots=True)
class TiersPlan:
    """The tiers, and what they say."""

    setups: tuple[TierSetup, ...] = field(compare=False)
    says: object


def planned(arguments: argparse.Namespace, config: Configuration[Any] | None) -> TiersPlan | None:
    """See commands.served.ServingModule."""
    if config is not None and not config.named(TierSettings):
        return None
    if config is None and from_environment(os.environ) is None:
        return None
    setups, _ = tier_setups(arguments.config)
    return TiersPlan(setups, fingerprint(tuple(setups)))


def begin(plan: TiersPlan, around: Around, stack: ExitStack) -> ServedDuty:
    """See commands.served.ServingModule."""
    tiers = stack.enter_context(all_of(plan.setups, around.arguments, around.stop))
    stands, loops = loops_of(tiers, None)
    control = RunningTiers(stands, tiers[0].publisher, around.stop, tiers[0].clock, watched=False)
    control.start()
    stack.callback(control.ended, 0)
    modes = {f"tier {setup.name}": setup.settings.mode.value for setup in plan.setups}
    return ServedDuty(
        tiers_panel(control, control.looked),
        loops,
        tiering.endpoints(control),
        lambda: tiers_exposition(control.snapshot()),
        disks=partial(_disks, control),
        modes=lambda: modes,
        loop_changed=_Pauses({stand.loop.name: stand.world.journal for stand in stands}),
    )


class _Pauses:
    """Writes down which tier is paused, for `tier --healthcheck` and `doctor`, which ask nobody."""

    def __init__(self, journals: Mapping[str, TierJournal]) -> None:
        self._journals = journals
        self._known: dict[str, bool] = {}

    def __call__(self, view: LoopView) -> None:
        """A loop has changed: written only where it was paused, or goes on, for a loop looks every two seconds."""
        paused = view.state is LoopState.PAUSED
        if view.name in self._journals and self._known.get(view.name) is not paused:
            with suppress(MoverError):
                self._journals[view.name].save_paused(paused=paused)
                self._known[view.name] = paused


def _disks(control: RunningTiers) -> Iterable[DiskReport]:
    return [
        DiskReport(disk.path, disk.free, disk.total, disk.low)
        for tier in control.snapshot().tiers
        for disk in tier.disks
    ]
