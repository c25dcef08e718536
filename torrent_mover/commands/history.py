"""history: what was moved, newest first, as a table, as JSON or as CSV, from the journal."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from typing import Final

from torrent_mover.commands.looking import NO_RUN, at, looking_on
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.text import duration, pad, safe, size

SCHEMA_VERSION: Final = 1
COLUMNS: Final = (
    "infohash",
    "name",
    "size",
    "started_at",
    "ended_at",
    "outcome",
    "sent",
    "reused",
    "pieces",
    "repaired",
    "run",
    "detail",
    "not_carried",
    "confirmed",
)
_NAME_CELLS: Final = 48
_ENDED: Final = {
    Outcome.MOVED: "moved",
    Outcome.COPIED: "copied, kept at the source",
    Outcome.FAILED: "failed",
}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Look and show."""
    with looking_on(arguments) as view:
        entries = view.journal.history(arguments.last)
        if arguments.json:
            json.dump({"schema": SCHEMA_VERSION, "entries": [_data(each) for each in entries]}, sys.stdout, indent=2)
            sys.stdout.write("\n")
        elif arguments.csv:
            _write_csv(entries)
        elif not entries:
            sys.stdout.write(NO_RUN if view.empty else "Nothing was moved yet.\n")
        else:
            sys.stdout.writelines(f"{_row(each)}\n" for each in entries)
    return ExitCode.DONE


def _data(entry: HistoryEntry) -> dict[str, object]:
    """One ended move for programs. Sizes in bytes, times in Unix seconds."""
    return {
        "infohash": entry.id.hex,
        "name": entry.name,
        "size": entry.size,
        "started_at": entry.started_at,
        "ended_at": entry.ended_at,
        "outcome": entry.outcome.value,
        "sent": entry.sent,
        "reused": entry.reused,
        "pieces": entry.pieces,
        "repaired": entry.repaired,
        "run": entry.run,
        "detail": entry.detail,
        "not_carried": entry.not_carried,
        "confirmed": entry.confirmed,
    }


def _write_csv(entries: Sequence[HistoryEntry]) -> None:
    """The same fields as columns. A name that a spreadsheet would take for a formula gets an apostrophe before it."""
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        writer.writerow({name: _cell(value) for name, value in _data(entry).items()})


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = safe(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _row(entry: HistoryEntry) -> str:
    ended = _ENDED[entry.outcome]
    if not entry.confirmed:
        ended += " (the removal at the source is not confirmed yet)"
    repaired = f", {entry.repaired} repaired" if entry.repaired else ""
    took = duration(entry.ended_at - entry.started_at)
    name = pad(safe(entry.name), _NAME_CELLS)
    return f"{at(entry.ended_at)}  {entry.id.short}  {size(entry.size):>9}  {name}  {took:>7}  {ended}{repaired}"
