"""What a config has of health: a line for --check-config, the checks of doctor, where each loop stands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from torrent_mover.adapters.config.reading import find
from torrent_mover.bootstrap.arr_checks import version_checks, version_of
from torrent_mover.bootstrap.configs import examine_all
from torrent_mover.bootstrap.health.setups import HealthSetup, health_setups
from torrent_mover.bootstrap.health.state import LoopStates, open_journal, records_of, running
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.commands.other_duties import OtherDuty
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.text import counted, duration, safe
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.model import ActionState
from torrent_mover.duties.health.needs import HealthArr, HealthWorld
from torrent_mover.duties.health.settings import HealthMode, HealthSettings
from torrent_mover.engine.hub.loops import LoopState
from torrent_mover.engine.preflight.examination import Check, Doubt, WorkerSilent
from torrent_mover.ports.media_manager import MediaManager


def configured(config: str | None) -> Sequence[OtherDuty]:
    """The loops of the config. Raises ConfigError."""
    try:
        path = find(config)
    except ConfigError:
        return ()
    found, _ = examine_all(path)
    if found is None or not found.named(HealthSettings):
        return ()
    return tuple(_told(setup) for setup in health_setups(config)[0])


def _told(setup: HealthSetup) -> OtherDuty:
    return OtherDuty(
        f"health {setup.name}",
        _line(setup),
        f"torrent-mover health {setup.name} --watch",
        f"torrent-mover health {setup.name} --dry-run",
        partial(checks_of, setup),
        partial(_status, setup),
        state=setup.state_dir,
    )


def _line(setup: HealthSetup) -> str:
    settings = setup.settings
    acts = "acts on what is due" if settings.mode is HealthMode.ACT else "only reports"
    whose = f"category {', '.join(settings.categories)}" if settings.categories else "the Arr's own torrents"
    if not settings.categories and not setup.arrs:
        whose = "all torrents"
    arr = f", Arr {settings.arr}" if settings.arr else ""
    client = f"client {settings.client} ({setup.client.type.value} at {setup.client.url})"
    return f"{client}, {whose}{arr}; looks every {duration(settings.every)} and {acts} (from {setup.config})"


def _status(setup: HealthSetup) -> Sequence[str]:
    """From the journal alone."""
    with ExitStack() as stack:
        journal = open_journal(setup, stack, writes=False)
        done = records_of(setup, journal).actions()
    state, _, error, looked_at = _standing(setup)
    who = running(setup)
    lines = [f"looked at last: {duration(max(time.time() - looked_at, 0.0))} ago" if looked_at else "no look yet"]
    lines.append(f"{state or 'running'}: {who}" if who else "nobody looks again and again")
    if who and error:
        lines.append(safe(error))
    if done:
        last = max(done, key=lambda each: each.number)
        lines.append(
            f"{counted(len(done), 'action')}; the last: {last.action.value} {safe(last.name)}, {last.state.value}"
        )
    return lines


@contextmanager
def checks_of(setup: HealthSetup) -> Iterator[Sequence[Check]]:
    """Client and Arrs, whether the data is within reach, who looks, and what was begun. Changes nothing anywhere."""
    with ExitStack() as stack:
        health = stack.enter_context(HealthDuty(setup, writes=False))
        world = health.world
        checks = [Check(f"client {setup.settings.client}", partial(_client, world))]
        if world.arr is not None and world.manager is not None:
            checks.append(Check(f"Arr {world.arr.name}", partial(_arr, world.arr, world.manager)))
        yield [
            *checks,
            *version_checks(setup.other_arrs, health.clock, stack),
            Check("data", partial(_data, world), fatal=False, needs=(checks[0].name,)),
            Check("worker", partial(_worker, setup)),
            Check("actions", partial(_actions, setup)),
        ]


def _client(world: HealthWorld) -> str:
    return f"{world.client.name}: {counted(len(world.client.torrents()), 'torrent')}"


def _arr(arr: HealthArr, manager: MediaManager) -> str:
    categories = sorted(arr.categories())
    if not categories:
        raise Doubt(
            f"{arr.name} has no download client with a category.",
            kept="No torrent counts as its own.",
            remedy=f"Set category in [ARR {arr.name}], or categories in the loop.",
        )
    return version_of(manager, f", its categories: {safe(', '.join(categories))}")


def _data(world: HealthWorld) -> str:
    """Lost data is found, and data put into a bin, only where we reach it."""
    folders = {torrent.save_path for torrent in world.client.torrents()}
    away = sorted(str(folder) for folder in folders if world.files.disk(folder) is None)
    if away:
        raise Doubt(
            f"{counted(len(away), 'folder')} of {world.client_name} cannot be reached: {safe(away[0])}",
            kept="What lies there is not put into a bin, and lost data is not looked for there.",
            remedy=f"Set path_map or machine in [CLIENT {world.client_name}].",
        )
    return f"{counted(len(folders), 'folder')} within reach"


def _worker(setup: HealthSetup) -> str:
    """Who looks again and again, and how that goes. Raises WorkerSilent for a loop that is parked, or stands still."""
    who = running(setup)
    state, at, error, looked_at = _standing(setup)
    last = f"; looked last {duration(max(time.time() - looked_at, 0.0))} ago" if looked_at else ""
    if not who:
        return f"nobody looks again and again{last}"
    wrong = trouble_of_loop(setup, state, at, error)
    if wrong:
        raise WorkerSilent(
            f"{safe(wrong[:1].upper() + wrong[1:])} ({who}).",
            kept="Nothing is judged and nothing is done.",
            remedy="Mend what it names, and save the config again: it begins anew. Or start its process again.",
        )
    if state == LoopState.PAUSED.value:
        return f"paused: {who}{last}; it goes on when somebody lets it"
    return f"yes: {who}{last}"


def _standing(setup: HealthSetup) -> tuple[str, float, str, float | None]:
    """State of the loop, since when, its error, and when it looked last (None: never); read from the journal alone."""
    with ExitStack() as stack:
        journal = open_journal(setup, stack, writes=False)
        memory = records_of(setup, journal).memory()
        state, at, error = LoopStates(journal.documents(DUTY, setup.name)).read() if journal else ("", 0.0, "")
    looked_at = memory.looked_at
    # A look in which nothing has changed is not written down each time. A loop that waits has looked when that began, and the
    # client was there, if it was at the last one that was.
    if looked_at is not None and looked_at == memory.trusted_at and state == LoopState.WAITING.value:
        looked_at = max(looked_at, at)
    return state, at, error, looked_at


def trouble_of_loop(setup: HealthSetup, state: str, at: float, error: str) -> str:
    """What is wrong with a loop that somebody runs, by what it wrote down last (`at`, Unix seconds); blank: nothing."""
    silent = max(time.time() - at, 0.0)
    if state == LoopState.PARKED.value:
        return f"parked: {error}"
    if state == LoopState.PAUSED.value:  # by a person; it does not look, and gives no sign
        return ""
    if state and silent > setup.general.stuck_after + setup.settings.every:
        return f"no sign of life for {duration(silent)}"
    return ""


def _actions(setup: HealthSetup) -> str:
    """How many actions there were. Raises Doubt where one was begun and nobody is at work to end it."""
    with ExitStack() as stack:
        done = records_of(setup, open_journal(setup, stack, writes=False)).actions()
    begun = [each for each in done if each.state is ActionState.UNDER_WAY]
    if begun and not running(setup):
        first = begun[0]
        raise Doubt(
            f"{counted(len(begun), 'action')} began and did not end: {first.action.value} {safe(first.name)}.",
            kept="What was done of it stays as it is.",
            remedy=f"torrent-mover health {setup.name}: the next look goes on with it.",
        )
    return f"{counted(len(done), 'action')}, {len(begun)} under way"
