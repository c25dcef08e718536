"""All rules, in the order in which their intents are chosen."""

from __future__ import annotations

from typing import Final

from torrent_mover.duties.health.rules import (
    bad_media,
    before_air,
    dead_tracker,
    errored,
    import_blocked,
    lost_data,
    manual_failed,
    manual_recheck,
    no_metadata,
    no_space,
    not_imported,
    orphaned,
    regrab_loop,
    seed_goal,
    slow,
    stalled,
    superseded,
    unavailable,
    unregistered,
    unwanted_files,
)
from torrent_mover.duties.health.rules.rule import HealthCheck

CHECKS: Final[tuple[HealthCheck, ...]] = (
    manual_failed.CHECK,
    manual_recheck.CHECK,
    lost_data.CHECK,
    errored.CHECK,
    no_space.CHECK,
    unwanted_files.CHECK,
    bad_media.CHECK,
    not_imported.CHECK,
    import_blocked.CHECK,
    unregistered.CHECK,
    no_metadata.CHECK,
    stalled.CHECK,
    unavailable.CHECK,
    slow.CHECK,
    before_air.CHECK,
    orphaned.CHECK,
    superseded.CHECK,
    regrab_loop.CHECK,
    dead_tracker.CHECK,
    seed_goal.CHECK,
)
