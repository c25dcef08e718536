"""status: what is moving, what waits and why, what failed and what helps; also while a run is active."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from torrent_mover import __version__
from torrent_mover.commands.configured import others_of
from torrent_mover.commands.looking import NO_RUN, JournalView, looking_on
from torrent_mover.commands.status_lines import RUNS_SHOWN, lines
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError
from torrent_mover.domain.move import MoveRecord, Outcome, Stage
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import safe

SCHEMA_VERSION: Final = 1
_OUTCOMES: Final = 10_000
"""Ended moves that are looked at to tell which of a run's torrents the source has kept."""

_STATES: Final = {
    "active": "moving",
    "retry": "waiting",
    "queued": "queued",
    "paused": "paused",
    "skipped": "left out",
    "failed": "failed",
}
"""What a run says of a move, as status calls it."""

_ALL_BROUGHT: Final = frozenset({Stage.ADDED, Stage.CHECKING, Stage.VERIFIED, Stage.SEEDING, Stage.RELEASED})
_NOTHING_BROUGHT: Final = frozenset({Stage.PLANNED, Stage.RESERVED, Stage.UNLOCKED})
_LOUD: Final = frozenset({Level.WARN.value, Level.ERROR.value})


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Look and show. Always DONE: a failed move is what it shows, not a failure of its own."""
    if not arguments.json and not _others(arguments):
        return ExitCode.DONE
    with looking_on(arguments) as view:
        if not arguments.json and view.empty:
            sys.stdout.write(NO_RUN)
            return ExitCode.DONE
        data = as_data(view, time.time())
        if arguments.json:
            data["others"] = _others_as_data(arguments)
            json.dump(data, sys.stdout, indent=2)
            sys.stdout.write("\n")
        else:
            breakers = view.journal.breakers()
            sys.stdout.writelines(f"{line}\n" for line in lines(data, breakers, goes_on=bool(view.active)))
    return ExitCode.DONE


def _others(arguments: argparse.Namespace) -> bool:
    """Show where the work of other duties stands; whether there is more to show. A broken config ends no look at the moves."""
    try:
        others, routes = others_of(arguments)
    except ConfigError:
        return True
    for each in others:
        try:
            told = each.status()
        except MoverError as error:
            told = (f"{error.what} [{error.code}]",)
        sys.stdout.writelines(f"{line}\n" for line in (f"{each.heading}:", *(f"  {safe(line)}" for line in told)))
    if others and routes:
        sys.stdout.write("\n")
    return routes or not others


def _others_as_data(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The same for programs: `data` is what the duty's own command prints with --json, null where it cannot be told."""
    try:
        others, _ = others_of(arguments)
    except ConfigError:
        return []
    told: list[dict[str, Any]] = []
    for each in others:
        entry: dict[str, Any] = {"heading": each.heading, "lines": [], "data": None, "error": None}
        try:
            entry["lines"] = list(each.status())
            entry["data"] = None if each.data is None else each.data()
        except MoverError as error:
            entry["error"] = {"code": error.code, "what": error.what}
        told.append(entry)
    return told


@dataclass(frozen=True, slots=True)
class _Moment:
    """When it is looked, and at what: `published` by infohash, as the run that goes on says it.

    `published_at`: since when it says that; 0: it says nothing.
    """

    now: float
    active: bool
    published: Mapping[str, Mapping[str, Any]]
    published_at: float

    def state_of(self, record: MoveRecord) -> str:
        """`marked`: not tried until it is cleared; else as the run says it; without one, what the journal makes likely."""
        if record.mark:
            return "marked"
        said = self.published.get(record.id.hex)
        if said is not None:
            return _state(said)
        idle = record.updated_at <= self.published_at  # nobody works on it: else the run would say so
        if self.active and record.next_try_at and (idle or record.next_try_at > self.now):
            return "waiting"
        if record.error and not (record.next_try_at and self.active):
            return "failed"
        if self.active and not idle:
            return "checking" if record.stage in _ALL_BROUGHT else "moving"
        return "not begun" if record.stage in _NOTHING_BROUGHT else "left off"


def _state(said: Mapping[str, Any]) -> str:
    """As the run says it: an active one whose bytes are there only waits for its check."""
    return "checking" if said.get("waits") else _STATES.get(said["standing"], "moving")


def as_data(view: JournalView, now: float) -> dict[str, Any]:
    """The status for programs. Sizes in bytes, rates in bytes/s, times in Unix seconds; null where something has not happened."""
    journal, said = view.journal, view.published
    published = {move["infohash"]: move for move in said.get("moves", ())}
    moment = _Moment(now, bool(view.active), published, float(said["at"]) if said else 0.0)
    records = journal.moves()
    begun = {record.id.hex for record in records}
    moves = [_recorded(record, moment) for record in records]
    for move, record in zip(moves, records, strict=True):
        if move["state"] == "not begun":
            last = journal.notes(record.id, 1)
            move["why"] = next((text for _, level, text in last if level in _LOUD), None)
    moves += [_not_begun(move) for name, move in moment.published.items() if name not in begun]
    return {
        "schema": SCHEMA_VERSION,
        "version": __version__,
        "at": now,
        "active": view.active or None,
        "progress": _progress(said) if said else None,
        "routes": list(said.get("routes", ())),
        "moves": moves,
        "not_moved": list(said.get("not_moved", ())),
        "breakers": [
            {
                "server": server,
                "state": breaker.state(now).value,
                "failures": breaker.failures,
                "open_until": breaker.open_until if breaker.open_for(now) else None,
            }
            for server, breaker in journal.breakers().items()
        ],
        "runs": _runs(view),
    }


def _progress(said: Mapping[str, Any]) -> dict[str, object]:
    """The run that goes on: `queued` counts all that wait for their turn, also those that `moves` does not name."""
    return {
        "run": said["run"],
        "at": said["at"],
        "phase": said["phase"],
        "test_run": said["test_run"],
        "fraction": said["fraction"],
        "rate": said["rate"],
        "eta": said["eta"],
        "next_look_at": said.get("next_look_at"),
        "last_round": said.get("last_round"),
        "transferring": said.get("transferring", said["counts"]["active"]),
        "checking": said.get("checking", 0),
        "queued": said["counts"]["queued"],
        "done": said["counts"]["done"],
        "failed": said["counts"]["failed"],
    }


def _recorded(record: MoveRecord, moment: _Moment) -> dict[str, object]:
    said = moment.published.get(record.id.hex, {})
    return {
        "infohash": record.id.hex,
        "name": record.name,
        "size": record.size,
        "state": moment.state_of(record),
        "stage": record.stage.value,
        "started_at": record.started_at,
        "updated_at": record.updated_at,
        "attempts": record.attempts,
        "next_try_at": record.next_try_at or None,
        "mark": record.mark.value if record.mark else None,
        "code": record.error_code or None,
        "error": record.error or None,
        "remedy": record.remedy or None,
        "source": record.source or None,
        "route": record.route,
        **_live(said),
    }


def _not_begun(said: Mapping[str, Any]) -> dict[str, object]:
    """A torrent of the run's queue that the journal does not know yet."""
    return {
        "infohash": said["infohash"],
        "name": said["name"],
        "size": said["size"],
        "state": _state(said),
        "stage": said["stage"],
        "started_at": None,
        "updated_at": None,
        "attempts": 0,
        "next_try_at": None,
        "mark": None,
        "code": None,
        "error": None,
        "remedy": None,
        "source": None,
        "route": None,
        **_live(said),
    }


def _live(said: Mapping[str, Any]) -> dict[str, object]:
    return {
        "fraction": said.get("fraction"),
        "rate": said.get("rate"),
        "eta": said.get("eta"),
        "why": said.get("why") or None,
        "route": said.get("route"),
    }


def _runs(view: JournalView) -> list[dict[str, object]]:
    runs = view.journal.runs(RUNS_SHOWN)
    copied = Counter(entry.run for entry in view.journal.history(_OUTCOMES) if entry.outcome is Outcome.COPIED)
    return [
        {
            "run": run.id,
            "started_at": run.started_at,
            "ended_at": run.ended_at or None,
            "moved": run.moved,
            "copied": copied[run.id],
            "failed": run.failed,
            "sent": run.sent,
            "exit_code": run.exit_code if run.ended_at else None,
        }
        for run in runs
    ]
