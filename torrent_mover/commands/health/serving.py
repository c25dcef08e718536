"""The health of torrents as a duty of `serve`: a loop for each [HEALTH]."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.serve_metrics import health_exposition
from torrent_mover.adapters.outlets.told_notices import SECTION
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.health.listings import SharedListings
from torrent_mover.bootstrap.health.setups import HealthSetup, health_setups
from torrent_mover.bootstrap.health.state import LoopStates, lock_of, records_of
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.bootstrap.state import journal_path
from torrent_mover.commands.health.dashboard import NAME as PANEL
from torrent_mover.commands.health.dashboard import health_panel
from torrent_mover.commands.served import Around, ServedDuty
from torrent_mover.commands.telling import notices_of
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.health import HealthBinView, HealthSearchView
from torrent_mover.domain.report.serving import DiskReport
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.fingerprint import fingerprint
from torrent_mover.duties.health.control import RunningHealth
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.loop import HealthLoop
from torrent_mover.duties.health.searching.records import SearchReason
from torrent_mover.duties.health.searching.search_journal import SearchJournal
from torrent_mover.duties.health.settings import HealthSettings
from torrent_mover.duties.health.stand import HealthStand
from torrent_mover.duties.health.worker import HealthReport, HealthWorker
from torrent_mover.engine.hub.loops import LoopView
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.web import health

NAME: Final = PANEL


@dataclass(frozen=True, slots=True)
class HealthPlan:
    """The loops, and what they say."""

    setups: Sequence[HealthSetup] = field(compare=False)
    says: object


def planned(arguments: argparse.Namespace, config: Configuration[Any] | None) -> HealthPlan | None:
    """See commands.served.ServingModule."""
    if config is None or not config.named(HealthSettings):
        return None
    setups, _ = health_setups(arguments.config)
    return HealthPlan(setups, fingerprint(setups))


def begin(plan: HealthPlan, around: Around, stack: ExitStack) -> ServedDuty:
    """See commands.served.ServingModule. Raises AlreadyRunning where somebody looks after the same torrents."""
    setups = plan.setups
    for setup in setups:
        stack.enter_context(RunLock(lock_of(setup)))
    redactor = redactor_of(tuple(part for each in setups for part in (each.client, *each.arrs.values(), each.general)))
    journal = SqliteJournal(journal_path(setups[0]), SystemClock(), redactor)
    stack.callback(journal.close)
    publisher = Publisher(journal)
    told = journal.documents(SECTION, DUTY)
    notices_of(DUTY, publisher.subscribe, setups[0].general, redactor, stack, told=told)
    states = {setup.name: LoopStates(journal.documents(DUTY, setup.name)) for setup in setups}
    stands = {setup.name: HealthStand(setup.name, setup.settings, records_of(setup, journal)) for setup in setups}
    listings = SharedListings(around.stop)
    loops = {
        setup.name: HealthLoop(
            setup.name, partial(_worker, setup, around.stop, publisher, listings), partial(_looked, stands[setup.name])
        )
        for setup in setups
    }
    for loop in loops.values():
        stack.callback(loop.close)
    clock = SystemClock(around.stop)
    control = RunningHealth(stands, loops, around.supervisor, publisher, around.stop, clock)
    modes = {setup.name: setup.settings.mode.value for setup in setups}
    searching = {setup.name: SearchJournal(journal.documents(DUTY, setup.name)) for setup in setups}
    return ServedDuty(
        health_panel(control),
        tuple(loops.values()),
        health.endpoints(control, partial(_bins, stands), partial(_searches, searching)),
        lambda: health_exposition(control.snapshot()),
        disks=partial(_disks, stands),
        modes=lambda: modes,
        counts=partial(_counts, control),
        loop_changed=partial(_write_down, states),
    )


def _worker(
    setup: HealthSetup,
    stop: threading.Event,
    publisher: Publisher,
    listings: SharedListings,
    _of_loop: threading.Event,
) -> tuple[HealthWorker, Callable[[], None]]:
    """Built in the loop's own thread: what raises here is the loop's failure."""
    stack = ExitStack()
    duty = stack.enter_context(HealthDuty(setup, writes=True, stop=stop, publisher=publisher, listings=listings))
    return duty.worker(staying=True), stack.close


def _looked(stand: HealthStand, report: HealthReport) -> None:
    stand.looked(report, time.time())


def _bins(stands: Mapping[str, HealthStand]) -> Sequence[HealthBinView]:
    return sorted((each for stand in stands.values() for each in stand.bin()), key=lambda each: -each.at)


def _searches(journals: Mapping[str, SearchJournal]) -> Sequence[HealthSearchView]:
    found = []
    for name, journal in journals.items():
        found += [
            HealthSearchView(name, wish.torrent.hex, SearchReason.REPLACEMENT.value, wish.why, "waiting", wish.at)
            for wish in journal.wishes()
        ]
        for each in journal.searches():
            torrent = each.task.torrent.hex if each.task.torrent is not None else ""
            found.append(
                HealthSearchView(name, torrent, each.task.reason.value, each.task.title, each.state.value, each.at)
            )
    return sorted(found, key=lambda each: -each.at)


def _disks(stands: Mapping[str, HealthStand]) -> Sequence[DiskReport]:
    return [
        DiskReport(path, free, None, stand.settings.min_free)
        for stand in stands.values()
        for path, free in stand.disks().items()
    ]


def _counts(control: RunningHealth) -> dict[str, tuple[int, int]]:
    """Findings that are due, and what was done today."""
    seen = control.snapshot()
    day = time.localtime(seen.at)[:3]
    today = [act.loop for act in seen.acts if time.localtime(act.at)[:3] == day and not act.failed]
    return {loop.name: (loop.due, today.count(loop.name)) for loop in seen.loops}


def _write_down(states: dict[str, LoopStates], view: LoopView) -> None:
    """For `health --check`, which asks nobody."""
    if view.name in states:
        with suppress(MoverError):
            states[view.name].save(view.state.value, time.time(), view.error)
