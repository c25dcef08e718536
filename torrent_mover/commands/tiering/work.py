"""What `tier` does that needs clients and disks: rounds, one copy, an eviction, looking and explaining."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.outlets.logs import FILE_NAME
from torrent_mover.adapters.outlets.notify import CLOSING_PATIENCE, ONE_SHOT_PATIENCE
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.state import running, stays
from torrent_mover.bootstrap.tiering.tier import Tier
from torrent_mover.commands.front import wants_screen
from torrent_mover.commands.showing import on_socket
from torrent_mover.commands.stopping import interrupted, signals
from torrent_mover.commands.telling import notices_of
from torrent_mover.commands.tiering.arguments import ALL
from torrent_mover.commands.tiering.dashboard import tiers_panel
from torrent_mover.commands.tiering.front import show
from torrent_mover.commands.tiering.left import put_back_left, set_aside_left, show_left
from torrent_mover.commands.tiering.telling import known_of, one_of
from torrent_mover.commands.tiering.told import Told, exit_of
from torrent_mover.domain.errors import AlreadyRunning, Cancelled, ExitCode, MoverError, worst
from torrent_mover.domain.quantities import parse_duration
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.report.notices import WARNINGS
from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering import orders, status
from torrent_mover.duties.tiering.control import RunningTiers
from torrent_mover.duties.tiering.locking import DUTY as TIER
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.queue_entry import Asker
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.stand import TierStand
from torrent_mover.engine.hub.loops import Loop
from torrent_mover.simple.format import journald_line, plain_line
from torrent_mover.simple.lines import feeds_journald

_OF_A_TIMER: Final = ("", "process_queue")
"""What is begun by timers and hooks, where nobody looks on."""

Print = Callable[[argparse.Namespace, Sequence[Told], Sequence[Told]], ExitCode]


def perform(action: str, setups: Sequence[TierSetup], arguments: argparse.Namespace, tell: Print) -> ExitCode:
    """Do it for each tier; returns the worst exit code. Raises MoverError where only one tier is asked about."""
    watch = getattr(arguments, "watch_tier", None)
    if watch is not None:
        return _watch(setups, arguments, watch)
    acts = {
        "status": _status,
        "plan": _plan,
        "explain": _explain,
        "clear_queue": _clear,
        "verify": _verify,
        "recopy": _recopy,
        "left": show_left,
        "set_aside": set_aside_left,
        "put_back": put_back_left,
        "evict": _evict,
        "now": _now,
        "process_queue": _process,
        "": _round,
    }
    looks = action in ("status", "plan", "explain", "left") or (action == "set_aside" and not arguments.yes)
    told: list[Told] = []
    codes: list[ExitCode] = []
    with signals() as stop:
        for setup in setups:
            with Tier(setup, writes=not looks, debug=arguments.debug, stop=stop) as tier, ExitStack() as stack:
                lines = stack.enter_context(ExitStack())
                if not looks and not arguments.json:
                    lines.callback(tier.publisher.subscribe(_Lines(arguments)))
                if action in _OF_A_TIMER:
                    _tell_people(tier, setup, stack, ONE_SHOT_PATIENCE)
                try:
                    with _told(tier, setup, lines) if action in _OF_A_TIMER else nullcontext():
                        said, code = acts[action](tier, setup, arguments)
                except Cancelled:
                    return interrupted(stop)
            told.append(said)
            codes.append(code)
    failed = [said for said, code in zip(told, codes, strict=True) if code is not ExitCode.DONE]
    tell(arguments, told, failed)
    return worst(codes)


def _tell_people(tier: Tier, setup: TierSetup, stack: ExitStack, patience: float = CLOSING_PATIENCE) -> None:
    """By notify_command and the like, of what needs somebody; what another process has told already is not told again."""
    heard, general = tier.publisher.subscribe, setup.general
    notices_of(TIER, heard, general, tier.redactor, stack, WARNINGS, told=tier.told, patience=patience)


@contextmanager
def _told(tier: Tier, setup: TierSetup, lines: ExitStack) -> Iterator[None]:
    """What ends it as a whole is told like what fails within it: of a timer's command nobody reads the errors.

    `lines`: what prints, until it is closed.
    """
    try:
        yield
    except (AlreadyRunning, Cancelled):
        raise
    except MoverError as error:
        lines.close()  # the command itself prints its error
        tier.publisher.publish(Noticed(tier.clock.now(), None, Level.WARN, safe(str(error)), route=setup.name))
        raise


def meant(world: TierWorld, text: str) -> InfoHash:
    """The torrent with this infohash, or with the one that begins so: 4 characters or more. Raises UsageError, ServerError."""
    return one_of(
        text,
        lambda: known_of(world.journal) | {each.id for each in world.client(world.settings.client).client.torrents()},
    )


def _said(setup: TierSetup, lines: Sequence[str], data: dict[str, Any]) -> Told:
    return setup.name, list(lines), {"tier": setup.name, "rows": [], **data}


def _status(tier: Tier, setup: TierSetup, _arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    found = status.status(tier.world(), running=bool(running(setup)))
    return _said(setup, found.lines, found.as_data()), ExitCode.DONE


def _plan(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    only = None if arguments.plan == ALL else meant(world, arguments.plan)
    found = status.dry_run(world, PictureReader(world), only)
    return _said(setup, found.lines, found.as_data()), ExitCode.DONE


def _explain(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    found = status.explain(world, PictureReader(world), meant(world, arguments.explain))
    return _said(setup, found.lines, {"rows": [found.as_data()]}), ExitCode.DONE


def _clear(tier: Tier, setup: TierSetup, _arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    dropped = orders.clear_queue(tier.world())
    lines = [f"Dropped {entry.torrent.short.upper()}" for entry in dropped] or ["The queue was empty."]
    rows = [{"id": entry.torrent.hex, "hash": entry.torrent.hex, "dropped": True} for entry in dropped]
    return _said(setup, lines, {"rows": rows}), ExitCode.DONE


def _verify(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    copies = [copy for copy in world.journal.copies() if copy.proof is not None]
    only = None if arguments.verify == ALL else meant(world, arguments.verify)
    keys = [copy.key for copy in copies if only in (None, copy.torrent)]
    if only is not None and not keys:
        keys = [(setup.settings.client, only)]
    lines, rows, errors = [], [], []
    for key in keys:
        try:
            record = orders.verify(world, key)
        except MoverError as error:
            errors.append(error)
            lines.append(f"{key[1].short.upper()}: {safe(error.what)} [{error.code}]")
            rows.append({"id": key[1].hex, "hash": key[1].hex, "good": False, "trouble": error.what})
        else:
            lines.append(f"{key[1].short.upper()} {safe(record.name)}: every piece of the copy is good")
            rows.append({"id": key[1].hex, "hash": key[1].hex, "good": True, "trouble": ""})
    return _said(setup, lines or ["There is no copy yet."], {"rows": rows}), exit_of(errors)


def _recopy(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    torrent = meant(world, arguments.recopy)
    orders.recopy(world, (setup.settings.client, torrent))
    line = f"{torrent.short.upper()} is queued for a fresh copy; the old bytes are kept."
    return _said(setup, [line], {"rows": [{"id": torrent.hex, "hash": torrent.hex, "queued": True}]}), ExitCode.DONE


def _evict(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    report = tier.worker(world).evict(meant(world, arguments.evict))
    return _reported(setup, report), report.exit_code


def _now(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    torrent = meant(world, arguments.now)
    orders.enqueue(world, [torrent], Asker.PERSON)
    report = tier.worker(world).copy_now((setup.settings.client, torrent))
    tier.tell_arrs()
    return _reported(setup, report), report.exit_code


def _process(tier: Tier, setup: TierSetup, _arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    try:
        report = None if stays(setup) else tier.worker(world).process_queue()
        tier.tell_arrs()
    except AlreadyRunning:
        report = None
    if report is None:
        world.journal.request(tier.clock.now())
        _, _, data = _reported(setup, RoundReport())
        return _said(
            setup, ["A worker runs; it was asked to work on its queue."], data | {"asked": True}
        ), ExitCode.DONE
    return _reported(setup, report), report.exit_code


def _round(tier: Tier, setup: TierSetup, _arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    world = tier.world()
    tier.take_over_old_queue(world)
    report = tier.worker(world).round()
    tier.tell_arrs()
    name, lines, data = _reported(setup, report)
    beat = world.journal.heartbeat()
    if beat is not None and beat.low_space and not report.evicted:
        lines = [*lines, beat.low_space, *beat.spaces]
    return (name, lines, data), report.exit_code


def _reported(setup: TierSetup, report: RoundReport) -> Told:
    numbers = {"copied": len(report.copied), "evicted": len(report.evicted), "healed": len(report.healed)}
    parts = [f"{count} {word}" for word, count in numbers.items() if count]
    nothing = "Nothing was done" if report.waiting or report.failed else "Nothing to do"
    lines = [", ".join(parts) or nothing]
    if report.waiting:
        lines.append(f"{counted(len(report.waiting), 'torrent')} waiting for room")
    lines += [f"{safe(trouble.error.what)} [{trouble.error.code}]" for trouble in (*report.waiting, *report.failed)]
    lines += [f"  {safe(trouble.error.remedy)}" for trouble in report.failed if trouble.error.remedy]
    rows = [
        {"id": key[1].hex, "hash": key[1].hex, "client": key[0], "end": end}
        for end, keys in (("copied", report.copied), ("evicted", report.evicted), ("healed", report.healed))
        for key in keys
    ]
    troubles = [
        {"hash": trouble.key[1].hex if trouble.key else None, "code": trouble.error.code, "what": trouble.error.what}
        for trouble in (*report.waiting, *report.failed)
    ]
    return _said(setup, lines, {**numbers, "freed": report.freed, "troubles": troubles, "rows": rows, "asked": False})


# -- staying -----------------------------------------------------------------------------------------------------------


def _watch(setups: Sequence[TierSetup], arguments: argparse.Namespace, interval: str) -> ExitCode:
    """Rounds of all tiers, each in a loop of its own, until a signal comes. One that fails is begun again."""
    every = parse_duration(interval) if interval else None
    screen = wants_screen(arguments, os.environ)
    with signals() as stop, all_of(setups, arguments, stop) as tiers:
        stands, loops = loops_of(tiers, every)
        control = RunningTiers(stands, tiers[0].publisher, stop, tiers[0].clock, watched=screen)
        log_file = Path(str(setups[0].log_dir)) / FILE_NAME
        folder = state_folder(setups[0])
        with on_socket(folder, tiers_panel(control, control.looked)):
            show(control, loops, stop, arguments, log_file if screen else None, folder)
        return interrupted(stop)


def loops_of(tiers: Sequence[Tier], every: float | None) -> tuple[list[TierStand], list[Loop]]:
    """The tiers at work, a round each so many seconds, and all loops that they need."""
    loops: list[Loop] = []
    stands: list[TierStand] = []
    for tier in tiers:
        stand = tier.stand(every)
        tier.take_over_old_queue(stand.world)
        if stand.world.journal.paused():  # a process that was killed was; this one begins
            stand.world.journal.save_paused(paused=False)
        stands.append(stand)
        loops.append(stand.loop)
        names = {loop.name for loop in loops}
        # Two tiers may tell the same Arr: what it is told stands in one journal, so one loop takes it all further.
        loops += [loop for loop in tier.arr_loops() if loop.name not in names]
    return stands, loops


@contextmanager
def all_of(setups: Sequence[TierSetup], arguments: argparse.Namespace, stop: threading.Event) -> Iterator[list[Tier]]:
    """The tiers of one config: they have one journal, and tell of what they do in one place."""
    with ExitStack() as stack:
        tiers: list[Tier] = []
        for setup in setups:
            shared = tiers[0].publisher if tiers else None
            tier = Tier(setup, writes=True, debug=arguments.debug, stop=stop, publisher=shared)
            tiers.append(stack.enter_context(tier))
            stack.enter_context(tier.staying())
        _tell_people(tiers[0], setups[0], stack)
        yield tiers


class _Lines:
    """Prints what happens, a line each; a closed output ends only its lines."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._quiet = arguments.quiet
        self._journald = feeds_journald(sys.stdout, os.environ)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """One event."""
        line = narrate(event)
        text = journald_line(line) if self._journald else plain_line(line, event.at)
        if not self._quiet:
            with self._lock:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
