"""status: what is moving, what waits and why, what failed and what helps, from the journal; also while a run is active."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import Final

from torrent_mover import __version__
from torrent_mover.commands.looking import NO_RUN, View, at, looking_on
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import MoveRecord
from torrent_mover.domain.text import clock, counted, duration, safe, shorten, size
from torrent_mover.ports.journal import RunRecord

SCHEMA_VERSION: Final = 1
_RUNS: Final = 5
_NAME_CELLS: Final = 60


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Look and show. Always DONE: a failed move is what it shows, not a failure of its own."""
    with looking_on(arguments) as view:
        now = time.time()
        if arguments.json:
            json.dump(as_data(view, now), sys.stdout, indent=2)
            sys.stdout.write("\n")
        elif view.empty:
            sys.stdout.write(NO_RUN)
        else:
            sys.stdout.writelines(f"{line}\n" for line in _told(view, now))
    return ExitCode.DONE


def state_of(record: MoveRecord, now: float, *, active: bool) -> str:
    """`moving`; `waiting` for its next try; `left off` by a run that ended; `failed`; `marked`: not tried until it is cleared."""
    if record.mark:
        return "marked"
    if record.next_try_at > now and active:
        return "waiting"
    if record.error and not record.next_try_at:
        return "failed"
    return "moving" if active else "left off"


def as_data(view: View, now: float) -> dict[str, object]:
    """The status for programs. Sizes in bytes, times in Unix seconds; null where something has not happened."""
    journal = view.journal
    return {
        "schema": SCHEMA_VERSION,
        "version": __version__,
        "at": now,
        "active": view.active or None,
        "moves": [_move_data(record, now, active=bool(view.active)) for record in journal.moves()],
        "breakers": [
            {
                "server": server,
                "state": breaker.state(now).value,
                "failures": breaker.failures,
                "open_until": breaker.open_until if breaker.open_for(now) else None,
            }
            for server, breaker in journal.breakers().items()
        ],
        "runs": [_run_data(run) for run in journal.runs(_RUNS)],
    }


def _move_data(record: MoveRecord, now: float, *, active: bool) -> dict[str, object]:
    return {
        "infohash": record.id.hex,
        "name": record.name,
        "size": record.size,
        "state": state_of(record, now, active=active),
        "stage": record.stage.value,
        "started_at": record.started_at,
        "updated_at": record.updated_at,
        "attempts": record.attempts,
        "next_try_at": record.next_try_at or None,
        "mark": record.mark.value if record.mark else None,
        "code": record.error_code or None,
        "error": record.error or None,
        "remedy": record.remedy or None,
    }


def _run_data(run: RunRecord) -> dict[str, object]:
    return {
        "run": run.id,
        "started_at": run.started_at,
        "ended_at": run.ended_at or None,
        "moved": run.moved,
        "failed": run.failed,
        "sent": run.sent,
        "exit_code": run.exit_code if run.ended_at else None,
    }


def _told(view: View, now: float) -> Iterator[str]:
    records, active = view.journal.moves(), bool(view.active)
    yield f"A run is active: {view.active}." if active else "No run is active."
    for title in ("moving", "waiting", "left off", "failed", "marked"):
        found = [record for record in records if state_of(record, now, active=active) == title]
        if found:
            yield ""
            yield f"{_HEADINGS[title]}:"
            for record in found:
                yield from _row(record, now, title)
    if not records:
        yield "Nothing is under way."
    troubled = {name: each for name, each in view.journal.breakers().items() if each.failures}
    if troubled:
        yield ""
        yield "Servers that failed lately:"
        for name, breaker in troubled.items():
            yield _breaker_row(name, breaker, now)
    yield ""
    yield "Last runs:"
    newest = True
    for run in view.journal.runs(_RUNS):
        yield f"  {_run_row(run, goes_on=active and newest)}"
        newest = False


_HEADINGS: Final = {
    "moving": "Moving",
    "waiting": "Waiting for the next try",
    "left off": "Begun; the next run goes on from there",
    "failed": "Failed; the next run tries again",
    "marked": "Not tried again until the mark is cleared",
}


def _row(record: MoveRecord, now: float, state: str) -> Iterator[str]:
    since = f"{record.stage.value} for {duration(now - record.updated_at)}"
    if state == "waiting":
        since = f"{record.stage.value}, again in {clock(record.next_try_at - now)}"
    elif state in ("failed", "marked"):
        since = f"{record.mark.value if record.mark else record.stage.value}, {at(record.updated_at)}"
    yield f"  {record.id.short}  {size(record.size):>9}  {shorten(safe(record.name), _NAME_CELLS)}"
    yield f"            {since}"
    if record.error:
        code = f" [{record.error_code}]" if record.error_code else ""
        yield f"            {safe(record.error)}{code}"
        if record.remedy:
            yield f"            > {safe(record.remedy)}"
    if record.mark:
        yield f"            > torrent-mover --clear-{_CLEARED_BY[record.mark.name]} {record.id.short}"


_CLEARED_BY: Final = {"RECHECK_FAILED": "recheck-failure", "CORRUPT": "corruption"}


def _breaker_row(name: str, breaker: Breaker, now: float) -> str:
    return f"  {safe(name)}: {breaker.describe(now)}"


def _run_row(run: RunRecord, *, goes_on: bool) -> str:
    if goes_on and not run.ended_at:
        return f"{at(run.started_at)}  {run.id}  active"
    if not run.ended_at:
        return f"{at(run.started_at)}  {run.id}  was killed; what was verified is kept"
    took = duration(run.ended_at - run.started_at)
    moved = f"{counted(run.moved, 'torrent')} moved, {run.failed:,} failed, {size(run.sent)} in {took}"
    return f"{at(run.started_at)}  {run.id}  {moved}, exit {run.exit_code}"
