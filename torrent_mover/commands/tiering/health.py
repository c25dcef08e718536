"""tier --healthcheck: by the worker's last answers, and a look at the journal and the roots. Asks no client, writes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from torrent_mover.bootstrap.tiering.disks import LocalTierDisk
from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.state import open_journal, stays
from torrent_mover.domain.errors import MoverError
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.roots import RootState, judge_root
from torrent_mover.duties.tiering.status import TierHealth, health
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal


def look(setups: Sequence[TierSetup], *, strict: bool) -> tuple[list[tuple[str, list[str], dict[str, Any]]], bool]:
    """What to tell of each tier, and whether all are healthy."""
    told, healthy = [], True
    for setup in setups:
        found = _health(setup)
        healthy = healthy and found.healthy(strict=strict)
        data = {
            "tier": setup.name,
            "healthy": found.healthy(strict=strict),
            "unhealthy": list(found.unhealthy),
            "degraded": list(found.degraded),
            "rows": [],
        }
        told.append((setup.name, list(found.lines), data))
    return told, healthy


def _health(setup: TierSetup) -> TierHealth:
    try:
        with ExitStack() as stack:
            journal = KeptTierJournal(open_journal(setup, stack, writes=False).documents(DUTY, setup.name))
            paused = stays(setup) and journal.paused()
            return health(journal.heartbeat(), list(_troubles(setup, journal)), time.time(), paused=paused)
    except MoverError as error:
        return health(None, [error.what], time.time())


def _troubles(setup: TierSetup, journal: KeptTierJournal) -> Iterator[str]:
    state = str(setup.state_dir)
    if not os.access(state, os.W_OK):
        yield f"the state folder {state} is not there, or not ours to write"
    marks = {mark.path: mark for mark in journal.roots()}
    for root in dict.fromkeys((*setup.settings.ssd, *(target.path for target in setup.settings.targets))):
        found = LocalTierDisk(root, 1).look()
        judged = judge_root(marks.get(root), found)
        if judged.state is RootState.AWAY:
            yield f"{root}: {judged.why}"
        elif not found.writable or not os.access(str(root), os.W_OK):
            yield f"{root} cannot be written"
