"""Debrid accounts as a duty of `serve`: a loop for each [DEBRID]."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from torrent_mover.adapters.outlets.debrid_metrics import debrid_exposition, merged
from torrent_mover.bootstrap.debrid.setups import DebridSetup, debrid_setups
from torrent_mover.commands.debrid.dashboard import NAME as PANEL
from torrent_mover.commands.debrid.dashboard import debrid_panel
from torrent_mover.commands.debrid.looking import named
from torrent_mover.commands.debrid.loops import DebridWork, loops_of
from torrent_mover.commands.served import Around, ServedDuty
from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.report.debrid import DebridAccountView
from torrent_mover.domain.report.serving import ServerReport
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.fingerprint import fingerprint
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.control import RunningDebrid
from torrent_mover.duties.debrid.environment import TOKEN
from torrent_mover.duties.debrid.loop import name_of
from torrent_mover.duties.debrid.settings import DebridSettings
from torrent_mover.web import debrid

NAME: Final = PANEL


@dataclass(frozen=True, slots=True)
class DebridPlan:
    """The accounts, and what they say."""

    setups: Sequence[DebridSetup] = field(compare=False)
    says: object


def planned(arguments: argparse.Namespace, config: Configuration[Any] | None) -> DebridPlan | None:
    """See commands.served.ServingModule."""
    if config is not None and not config.named(DebridSettings):
        return None
    if config is None and not os.environ.get(TOKEN):
        return None
    setups, _ = debrid_setups(arguments.config)
    return DebridPlan(setups, fingerprint(setups))


def begin(plan: DebridPlan, around: Around, stack: ExitStack) -> ServedDuty:
    """See commands.served.ServingModule. Raises AlreadyRunning where somebody works on one of the accounts."""
    work = loops_of(plan.setups, around.stop, stack, debug=around.arguments.debug)
    control = work.control(around.supervisor, around.stop)
    modes = {name_of(setup.name): setup.settings.mode.value for setup in plan.setups}
    return ServedDuty(
        debrid_panel(control),
        work.loops,
        debrid.endpoints(control, partial(_numbers, work), partial(_torrent_at, plan, work)),
        partial(_metrics, work),
        servers=partial(_servers, control),
        modes=lambda: modes,
        counts=partial(_counts, control),
    )


def _metrics(work: DebridWork) -> str:
    return debrid_exposition(merged(each for account in work.accounts.values() for each in account.families()))


def _numbers(work: DebridWork, account: str, since: float) -> Sequence[debrid.DebridNumber]:
    """What was written down of an account since then (Unix seconds), the oldest first."""
    return [
        debrid.DebridNumber(account, each.at, each.type, each.name, each.value, dict(each.tags))
        for each in work.stands[account].journal.metrics()
        if each.at >= since
    ]


def _torrent_at(plan: DebridPlan, work: DebridWork, account: str, path: str) -> InfoHash:
    """The torrent that a link of the library leads to. Raises UsageError."""
    setup = next(each for each in plan.setups if each.name == account)
    if not path.startswith("/"):
        raise UsageError("path is a link of the library, written from the root: /media/tv/Show/e1.mkv.")
    return named(work.accounts[name_of(account)], setup, path)


def _servers(control: RunningDebrid) -> Sequence[ServerReport]:
    return [
        ServerReport(name_of(each.name), "debrid", each.service, _left_alone(each))
        for each in control.snapshot().accounts
    ]


def _left_alone(account: DebridAccountView) -> str:
    """Why the service is not asked now, as the overview says it."""
    if account.parked_until:
        return "its traffic is used up"
    if account.closed_until:
        return "it wants fewer requests"
    return account.trouble.what if account.trouble is not None else "closed"


def _counts(control: RunningDebrid) -> dict[str, tuple[int, int]]:
    """What acting would work on now, and the repairs of today."""
    seen = control.snapshot()
    day = time.localtime(seen.at)[:3]
    return {
        name_of(account.name): (
            len(account.plan),
            sum(each.went_well and time.localtime(each.changed_at)[:3] == day for each in account.repairs),
        )
        for account in seen.accounts
    }
