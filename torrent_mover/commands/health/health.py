"""health: looks after the torrents of a client; by hand once, or again and again."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.adapters.outlets.notify import ONE_SHOT_PATIENCE
from torrent_mover.adapters.outlets.told_notices import SECTION
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.bootstrap.health.listings import SharedListings
from torrent_mover.bootstrap.health.setups import HealthSetup, chosen, health_setups
from torrent_mover.bootstrap.health.state import LoopStates, open_journal, records_of, running
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.commands.health import taking_back
from torrent_mover.commands.health.arguments import ACTIONS
from torrent_mover.commands.health.configured import trouble_of_loop
from torrent_mover.commands.health.ending import LAST_STEP, Ending, ending
from torrent_mover.commands.telling import notices_of
from torrent_mover.domain.errors import Cancelled, ExitCode, MoverError, UsageError, worst
from torrent_mover.domain.quantities import parse_duration
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import clause, duration, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.belonging import not_ours
from torrent_mover.duties.health.errors import NoSuchRecord
from torrent_mover.duties.health.explaining import (
    action_data,
    action_lines,
    explain_data,
    explain_lines,
    look_data,
    look_lines,
)
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.judging import Verdict
from torrent_mover.duties.health.model import HealthHold
from torrent_mover.duties.health.worker import HealthReport
from torrent_mover.engine.hub.loops import LoopState

SCHEMA_VERSION: Final = 1
_SHORTEST: Final = 4
"""Characters: the beginning of a hash that names a torrent which a look has seen."""
_WHOLE: Final = 40

Told = tuple[list[str], dict[str, Any], ExitCode]
"""Of one loop: lines for people, data for programs, how it ends."""


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Do what is asked. Raises MoverError."""
    setups = chosen(health_setups(arguments.config)[0], arguments.loop)
    if arguments.hold_for is not None and arguments.hold is None:
        raise UsageError("--for works only with --hold.", remedy="torrent-mover health --hold HASH --for 7d")
    if arguments.stay:
        from torrent_mover.commands.health import watch

        return watch.stay(setups, arguments)
    action = next((name for name in ACTIONS if getattr(arguments, name)), "")
    asked = Ending()
    listings = SharedListings(asked.stop)
    acts: dict[str, Callable[[HealthSetup, argparse.Namespace], Told]] = {
        "": partial(_look, listings, stop=asked.stop),
        "explain": _explain,
        "check": _check,
        "hold": _hold,
        "release": _release,
        "reset": _reset,
        "actions": _actions,
        "search": partial(_search, stop=asked.stop),
        "undo": partial(taking_back.undo, stop=asked.stop),
        "bin": taking_back.show_bin,
        "empty_bin": partial(taking_back.empty_bin, stop=asked.stop),
    }
    if action == "undo" and len(setups) > 1:
        raise UsageError(
            "There are several loops, each with its own numbers: which one is meant?",
            kept="Nothing was changed.",
            remedy=f"torrent-mover health {quoted(setups[0].name)[1:-1]} --undo {arguments.undo}",
        )
    told: list[Told] = []
    with ExitStack() as stack, ending(asked, within=LAST_STEP):
        for setup in setups if not action else ():
            listings.borrow(setup, stack, SystemClock(asked.stop))  # one after the other, the loops share one listing
        for setup in setups:
            if not asked.stop.is_set():
                told += _until_stopped(acts[action], setup, arguments)
    if asked.stop.is_set():
        _print(arguments, told)
        return asked.code
    if action == "explain":
        told = _those_that_know(told, arguments.explain)
    _print(arguments, told)
    return worst(code for *_, code in told)


def _until_stopped(
    act: Callable[[HealthSetup, argparse.Namespace], Told], setup: HealthSetup, arguments: argparse.Namespace
) -> list[Told]:
    """What it tells; nothing where it was stopped: what was done is in the journal."""
    try:
        return [act(setup, arguments)]
    except Cancelled as error:
        undo = f"torrent-mover health {quoted(setup.name)[1:-1]} --undo {arguments.undo}" if arguments.undo else ""
        left = f"It is half done; end it with: {undo}" if undo else "What was begun goes on at the next look."
        sys.stderr.write(f"{setup.name}: {error.what} {left}\n")
        return []


def _print(arguments: argparse.Namespace, told: Sequence[Told]) -> None:
    if arguments.json:
        rows = [row for _, data, _ in told for row in data.get("rows", ())]
        loops = [{key: value for key, value in data.items() if key != "rows"} for _, data, _ in told]
        json.dump({"schema": SCHEMA_VERSION, "loops": loops, "rows": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for lines, _, code in told:
            if not arguments.quiet or code is not ExitCode.DONE:
                sys.stdout.writelines(f"{line}\n" for line in lines)


def _peek(setup: HealthSetup, listings: SharedListings | None = None) -> HealthReport:
    """A look that writes nothing anywhere."""
    with HealthDuty(setup, writes=False, listings=listings) as health:
        return health.worker().peek()


def _look(
    listings: SharedListings, setup: HealthSetup, arguments: argparse.Namespace, *, stop: threading.Event
) -> Told:
    """One look. Beside a worker that stays, and with --dry-run, it only reads."""
    if arguments.dry_run or running(setup):
        report = _peek(setup, listings)
    else:
        with ExitStack() as stack:
            redact = redactor_of((setup.client, *setup.machines.values(), *setup.arrs.values(), setup.general))
            stack.callback(start_log(Path(str(setup.log_dir)), redact, debug=arguments.debug))
            health = stack.enter_context(HealthDuty(setup, writes=True, stop=stop, listings=listings))
            stack.enter_context(health.alone())
            if health.publisher is not None and health.journal is not None:
                told, heard = health.journal.documents(SECTION, DUTY), health.publisher.subscribe
                notices_of(DUTY, heard, setup.general, redact, stack, told=told, patience=ONE_SHOT_PATIENCE)
            try:
                report = health.worker().look()
            except Cancelled:
                raise
            except MoverError as error:  # of a timer's command nobody reads the errors
                health.world.say(None, safe(str(error)), Level.ERROR)
                raise
    return told_of(setup, report)


def _search(setup: HealthSetup, _arguments: argparse.Namespace, *, stop: threading.Event) -> Told:
    """Searches without a look. Beside a worker that stays, which does them by itself, it only lists."""
    beside = bool(running(setup))
    lines: list[str] = []
    with ExitStack() as stack:
        health = stack.enter_context(HealthDuty(setup, writes=not beside, stop=stop))
        if not beside:
            stack.enter_context(health.alone())
        searches = health.world.searches
        if searches is None:
            raise UsageError(
                f"[HEALTH {setup.name}] names no Arr, so nothing can be searched for.", remedy="Write arr = its name."
            )
        if not beside:
            lines += searches.look()
        rows = list(searches.rows())
    now = time.time()
    lines += [
        safe(
            f"  {row['state']}  {row['reason']}  {row['title']}  {duration(max(now - float(str(row['at'])), 0.0))} ago"
        )
        for row in rows
    ]
    return lines, {"loop": setup.name, "rows": rows}, ExitCode.DONE


def told_of(setup: HealthSetup, report: HealthReport) -> Told:
    """What a look found, and what was done about it."""
    if report.assessment is None:
        return (*_away(setup, report), report.exit_code)
    lines = look_lines(setup.name, report.assessment, setup.settings)
    lines += [
        f"  {each.record.action.value} {safe(each.record.name)}: {safe(each.trouble) or each.record.state.value}"
        for each in report.outcomes
    ]
    lines += [safe(f"  {line}") for line in report.searched]
    data = look_data(setup.name, report.assessment, setup.settings)
    data["searched"] = list(report.searched)
    data["actions"] = [action_data(each.record) for each in report.outcomes]
    return lines, data, report.exit_code


def _away(setup: HealthSetup, report: HealthReport) -> tuple[list[str], dict[str, Any]]:
    error = report.error
    what = f"{safe(error.what)} [{error.code}]" if error is not None else ""
    lines = [f"{setup.name}  {setup.settings.mode.value}  clocks stand: {what}"]
    if error is not None and error.remedy:
        lines.append(f"  {safe(error.remedy)}")
    data: dict[str, Any] = {"loop": setup.name, "mode": setup.settings.mode.value, "blind": what, "rows": []}
    return lines, data


def _explain(setup: HealthSetup, arguments: argparse.Namespace) -> Told:
    beginning = _beginning(arguments.explain)
    report = _peek(setup)
    if report.assessment is None:
        return (*_away(setup, report), report.exit_code)
    seen = report.assessment
    for torrent, picture in seen.look.pictures.items():
        if torrent.hex.startswith(beginning):
            verdict = seen.verdicts.get(torrent) or Verdict(picture, not_ours(seen.look))
            lines = explain_lines(setup.name, verdict, seen, setup.settings)
            return lines, {"loop": setup.name, "rows": [explain_data(setup.name, verdict, seen)]}, report.exit_code
    return [], {"loop": setup.name, "rows": []}, report.exit_code


def _those_that_know(told: Sequence[Told], wanted: str) -> list[Told]:
    known = [each for each in told if each[0]]
    if not known:
        raise NoSuchRecord(
            f"No client lists a torrent that begins with {quoted(wanted)}.",
            remedy="torrent-mover health --json lists the torrents with findings.",
        )
    return known


def _check(setup: HealthSetup, _arguments: argparse.Namespace) -> Told:
    """1 where something is due, or a loop is parked or stuck."""
    report = _peek(setup)
    lines, data, code = told_of(setup, report)
    with ExitStack() as stack:
        journal = open_journal(setup, stack, writes=False)
        states = LoopStates(UnwrittenDocuments(None) if journal is None else journal.documents(DUTY, setup.name))
        state, at, error = states.read()
    wrong = trouble_of_loop(setup, state, at, error) if running(setup) else ""
    if wrong:
        lines.append(f"  {safe(wrong)}")
    elif running(setup) and state == LoopState.PAUSED.value:
        lines.append("  paused: it goes on when somebody lets it")
    paused = state == LoopState.PAUSED.value
    data["state"] = wrong or ("" if not running(setup) else "paused" if paused else "running")
    due = report.assessment is not None and any(each.due for each in report.assessment.findings)
    return lines, data, worst((code, ExitCode.SOME_FAILED if due or wrong else ExitCode.DONE))


def _hold(setup: HealthSetup, arguments: argparse.Namespace) -> Told:
    torrent, now = _hash(arguments.hold), time.time()
    try:
        seconds = None if arguments.hold_for is None else parse_duration(arguments.hold_for)
    except ValueError as error:
        raise UsageError(f"{quoted(arguments.hold_for)}: {clause(error)}.", kept="Nothing was held.") from error
    until = None if seconds is None else now + seconds
    with ExitStack() as stack:
        journal = records_of(setup, open_journal(setup, stack, writes=True))
        journal.save_hold(HealthHold(torrent, now, until, "by hand"))
    words = "until it is released" if seconds is None else f"for {duration(seconds)}"
    return _done(setup, torrent, f"{setup.name}: {torrent.short} is left alone {words}.", held=True)


def _release(setup: HealthSetup, arguments: argparse.Namespace) -> Told:
    torrent = _hash(arguments.release)
    with ExitStack() as stack:
        held = records_of(setup, open_journal(setup, stack, writes=True)).release(torrent)
    words = "is no longer held" if held else "was not held"
    return _done(setup, torrent, f"{setup.name}: {torrent.short} {words}.", held=False)


def _reset(setup: HealthSetup, arguments: argparse.Namespace) -> Told:
    torrent = _hash(arguments.reset)
    with ExitStack() as stack:
        records_of(setup, open_journal(setup, stack, writes=True)).forget(torrent)
    return _done(
        setup, torrent, f"{setup.name}: what was found of {torrent.short} is forgotten at the next look.", reset=True
    )


def _done(setup: HealthSetup, torrent: InfoHash, line: str, **what: bool) -> Told:
    return [line], {"loop": setup.name, "rows": [{"id": torrent.hex, "hash": torrent.hex, **what}]}, ExitCode.DONE


def _actions(setup: HealthSetup, _arguments: argparse.Namespace) -> Told:
    with ExitStack() as stack:
        records = records_of(setup, open_journal(setup, stack, writes=False)).actions()
    rows = [action_data(each) for each in sorted(records, key=lambda each: -each.number)]
    return action_lines(records), {"loop": setup.name, "rows": rows}, ExitCode.DONE


def _hash(text: str) -> InfoHash:
    try:
        return InfoHash(text.strip())
    except ValueError:
        raise UsageError(
            f"{quoted(text)} is no infohash: that has 40 characters, 0 to 9 and a to f.",
            kept="Nothing was changed.",
            remedy="torrent-mover health --json lists the torrents with findings.",
        ) from None


def _beginning(text: str) -> str:
    beginning = text.strip().lower()
    if not _SHORTEST <= len(beginning) <= _WHOLE or not set(beginning) <= set("0123456789abcdef"):
        raise UsageError(
            f"{quoted(text)} is no infohash, and no beginning of one: at least {_SHORTEST} of 0 to 9 and a to f.",
            remedy="torrent-mover health --json lists the torrents with findings.",
        )
    return beginning
