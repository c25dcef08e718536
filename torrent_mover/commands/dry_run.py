"""--dry-run: the plan as a table or as data, with what is not moved and why. Writes nothing anywhere."""

from __future__ import annotations

import argparse
import json
import sys

from torrent_mover.bootstrap import plans
from torrent_mover.commands.configured import settings_of
from torrent_mover.domain.attributes import not_carried
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.text import counted, safe, shorten, size
from torrent_mover.domain.torrent import InfoHash
from torrent_mover.engine.places import PlannedMove
from torrent_mover.engine.planner import Plan

SCHEMA_VERSION = 1
_NAME_CELLS = 48


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Plan and show."""
    settings, _ = settings_of(arguments)
    plan = plans.plan(settings)
    if arguments.json:
        json.dump(as_data(plan), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(as_table(plan))
    return ExitCode.DONE


def as_data(plan: Plan) -> dict[str, object]:
    """The plan for programs. Sizes in bytes, times in Unix seconds."""
    return {
        "schema": SCHEMA_VERSION,
        "size": plan.size,
        "moves": [
            {
                "infohash": move.torrent.id.hex,
                "name": move.torrent.name,
                "size": move.torrent.size,
                "added_on": move.torrent.added_on,
                "category": move.torrent.category,
                "target_category": move.target_category,
                "shares_files_with": sorted(other.hex for other in move.kin),
                "shares_files_with_staying": sorted(other.hex for other in move.staying),
                "hard_linked_with": sorted(other.hex for other in move.linked),
                "partial": move.partial,
                "overlap": move.overlap.value if move.overlap else None,
                "not_carried": not_carried(move.torrent),
            }
            for move in plan.moves
        ],
        "links_not_seen": plan.doubt or None,
        "not_moved": [
            {
                "infohash": left.id.hex,
                "name": left.name,
                "size": left.size,
                "added_on": left.added_on,
                "reason": left.reason,
            }
            for left in plan.not_moved
        ],
    }


def as_table(plan: Plan) -> str:
    """The plan for people."""
    lines = [
        f"{counted(len(plan.moves), 'torrent')} would be moved, {size(plan.size)}:"
        if plan.moves
        else "Nothing to move."
    ]
    for move in plan.moves:
        torrent = move.torrent
        category = f"  -> {safe(move.target_category)}" if move.target_category != torrent.category else ""
        lines.append(
            f"  {torrent.id.short}  {size(torrent.size):>9}  {_cell(torrent.name)}{category}{_kin(move)}".rstrip()
        )
    if plan.moves:
        uploaded = size(sum(move.torrent.uploaded for move in plan.moves))
        lines.append(
            f"Not carried, as no client lets it be set: {uploaded} uploaded, what was downloaded, ratios, seeding times, dates."
        )
        lines.append("The history keeps them; --dry-run --json shows them for each torrent.")
    lines += _groups(plan)
    if plan.doubt:
        lines.append(f"Links between torrents were not looked for: {safe(plan.doubt)}")
    if plan.not_moved:
        lines += ["", f"{counted(len(plan.not_moved), 'torrent')} would stay:"]
        for left in plan.not_moved:
            lines.append(f"  {left.id.short}  {size(left.size):>9}  {_cell(left.name)}  {safe(left.reason)}")
    return "\n".join(lines) + "\n"


def _kin(move: PlannedMove) -> str:
    others = ", ".join(sorted(other.short for other in move.kin | move.staying))
    return f"  shares files with {others}" if others else ""


def _groups(plan: Plan) -> list[str]:
    """What it means that torrents share files: which go one after the other, which stay and keep the data."""
    lines = []
    if any(move.kin for move in plan.moves):
        lines.append("Torrents that share files move one after the other; their bytes travel once.")
    holders: dict[InfoHash, list[PlannedMove]] = {}
    for move in plan.moves:
        for other in move.staying:
            holders.setdefault(other, []).append(move)
    for other, moves in sorted(holders.items()):
        ids = ", ".join(sorted(move.torrent.id.short for move in moves))
        how = "its own names of the data" if all(other in move.linked for move in moves) else "the data at the source"
        lines.append(f"{other.short} {_name(plan, other)} stays and shares files with {ids}: it keeps {how}.")
    return lines


def _name(plan: Plan, torrent: InfoHash) -> str:
    return shorten(safe(plan.names.get(torrent, "")), _NAME_CELLS)


def _cell(name: str) -> str:
    return shorten(safe(name), _NAME_CELLS).ljust(_NAME_CELLS)
