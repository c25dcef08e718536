"""history: what was moved and what failed, newest first, as a table, as JSON or as CSV, from the journal."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

from torrent_mover.commands.looking import NO_RUN, JournalView, at, looking_on, name_cell, name_cells
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.report.history_data import as_csv, as_data
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.text import duration, safe, size
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.run.past import ended as ended_moves

_NAME_CELLS: Final = 48
_ENDED: Final = {
    Outcome.MOVED: "moved",
    Outcome.COPIED: "copied, kept at the source",
    Outcome.FAILED: "failed",
}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Look and show."""
    with looking_on(arguments) as view:
        entries = ended_moves(view.journal, _under_way(view), arguments.last)
        if arguments.json:
            json.dump(as_data(entries), sys.stdout, indent=2)
            sys.stdout.write("\n")
        elif arguments.csv:
            sys.stdout.write(as_csv(entries))
        elif not entries:
            sys.stdout.write(NO_RUN if view.empty else "Nothing was moved yet.\n")
        else:
            cells = name_cells(sys.stdout, _NAME_CELLS)
            sys.stdout.writelines(f"{_row(each, cells)}\n" for each in entries)
    return ExitCode.DONE


def _under_way(view: JournalView) -> frozenset[InfoHash]:
    """What the run that goes on tries, or will."""
    moves = view.published.get("moves", ())
    return frozenset(InfoHash(move["infohash"]) for move in moves if move["standing"] != MoveStatus.SKIPPED.value)


def _row(entry: HistoryEntry, cells: int | None) -> str:
    ended = _ENDED[entry.outcome]
    if not entry.confirmed:
        ended += " (the removal at the source is not confirmed yet)"
    repaired = f", {entry.repaired} repaired" if entry.repaired else ""
    took = duration(entry.took)
    name = name_cell(entry.name, cells)
    if entry.outcome is Outcome.FAILED and entry.detail:
        ended += f": {safe(entry.detail)}"
    return f"{at(entry.ended_at)}  {entry.id.short}  {size(entry.size):>9}  {name}  {took:>7}  {ended}{repaired}"
