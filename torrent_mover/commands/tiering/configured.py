"""What a config has of tiers: a line for --check-config, the checks of doctor, where each stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from torrent_mover.bootstrap.tiering.setups import ENVIRONMENT, TierSetup, has_tiers, tier_setups
from torrent_mover.bootstrap.tiering.state import running
from torrent_mover.commands.other_duties import OtherDuty
from torrent_mover.duties.tiering.amounts import join_entries
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.engine.preflight.examination import Check

if TYPE_CHECKING:
    from torrent_mover.duties.tiering.status import TierStatus


def configured(config: str | None) -> Sequence[OtherDuty]:
    """The tiers of the config, or of the environment alone. Raises ConfigError."""
    if not has_tiers(config):
        return ()
    setups, problems = tier_setups(config)
    several = len(setups) > 1
    doubts = tuple(str(problem) for problem in problems if problem.file == ENVIRONMENT)
    return tuple(_told(setup, f" --tier {setup.name}" if several else "", doubts) for setup in setups)


def _told(setup: TierSetup, chosen: str, doubts: tuple[str, ...]) -> OtherDuty:
    return OtherDuty(
        f"tier {setup.name}",
        _line(setup),
        f"torrent-mover tier --watch{chosen}",
        f"torrent-mover tier --dry-run{chosen}",
        partial(_checks, setup),
        partial(_status, setup),
        doubts,
        partial(_data, setup),
        setup.state_dir,
    )


def _line(setup: TierSetup) -> str:
    settings = setup.settings
    ends = "evicts" if settings.mode is TierMode.ACT else "only tells what it would evict"
    arrs = f"; tells {', '.join(setup.arrs)}" if setup.arrs else ""
    client = setup.clients.get(settings.client)
    at = f" ({client.type.value} at {client.url})" if client is not None else ""
    return (
        f"client {settings.client}{at}, SSD {join_entries(settings.ssd)}, copies to {join_entries(settings.targets)};"
        f" {ends} below {settings.free_low} free{arrs} (from {setup.config})"
    )


def _status(setup: TierSetup) -> Sequence[str]:
    return _stand(setup).lines


def _data(setup: TierSetup) -> Mapping[str, Any]:
    return {"tier": setup.name, "rows": [], **_stand(setup).as_data()}


def _stand(setup: TierSetup) -> TierStatus:
    from torrent_mover.bootstrap.tiering.tier import Tier
    from torrent_mover.duties.tiering import status

    with Tier(setup, writes=False) as tier:
        return status.status(tier.world(), running=bool(running(setup)))


def _checks(setup: TierSetup) -> AbstractContextManager[Sequence[Check]]:
    from torrent_mover.commands.tiering.checks import checks_of

    return checks_of(setup)
