"""--dry-run: the plan as a table or as data, with what is not moved and why. Writes nothing anywhere."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice

from torrent_mover.bootstrap import plans
from torrent_mover.bootstrap.plans import Preview
from torrent_mover.commands.configured import settings_of
from torrent_mover.commands.looking import at, name_cell, name_cells
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import MoveRecord
from torrent_mover.domain.text import counted, safe, shorten, size
from torrent_mover.domain.torrent.attributes import not_carried
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.foresight import Foresight
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.run.work import Plan

SCHEMA_VERSION = 1
_NAME_CELLS = 48
_BELOW = " " * 12
_TRACKERS_TOLD = 8


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Plan and show. Raises NoSuchCategory, with --json after the plan."""
    settings, _ = settings_of(arguments)
    preview = plans.preview(settings, again=arguments.again)
    plan = preview.plan
    if arguments.json:
        json.dump(as_data(preview), sys.stdout, indent=2)
        sys.stdout.write("\n")
    if plan.refusal is not None:
        raise plan.refusal
    if not arguments.json:
        sys.stdout.write(as_table(preview, name_cells(sys.stdout, _NAME_CELLS)))
    return ExitCode.DONE


def as_data(preview: Preview) -> dict[str, object]:
    """The plan for programs. Sizes in bytes, times in Unix seconds."""
    plan = preview.plan
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
                "shares_files_with": sorted(other.hex for other in move.cross_seeds),
                "shares_files_with_staying": sorted(other.hex for other in move.staying),
                "hard_linked_with": sorted(other.hex for other in move.linked),
                "partial": move.partial,
                "overlap": move.overlap.value if move.overlap else None,
                "not_carried": not_carried(move.torrent),
                "fits": move.torrent.id not in preview.left_out,
                "last_failure": _failure(preview.failed.get(move.torrent.id)),
            }
            for move in plan.moves
        ],
        "links_not_seen": plan.doubt or None,
        "rules_without_torrent": list(plan.unused),
        "would_be_refused": [
            {"infohash": one.id.hex, "name": one.name, "code": one.code, "what": one.what, "remedy": one.remedy}
            for one in preview.foresight.refused
        ],
        "not_read": preview.foresight.unread,
        "not_moved": [
            {
                "infohash": left.id.hex,
                "name": left.name,
                "size": left.size,
                "added_on": left.added_on,
                "reason": left.reason,
                "again_at": left.again_at if left.ready_in is None else round(preview.at + left.ready_in),
            }
            for left in (*plan.held, *plan.not_moved)
        ],
    }


def _failure(record: MoveRecord | None) -> dict[str, object] | None:
    if record is None:
        return None
    return {"at": record.updated_at, "code": record.error_code or None, "error": record.error, "remedy": record.remedy}


def as_table(preview: Preview, cells: int | None = _NAME_CELLS) -> str:
    """The plan for people. Names are cut to so many cells; None: not at all."""
    plan = preview.plan
    lines = [
        f"{counted(len(plan.moves), 'torrent')} would be moved, {size(plan.size)}:"
        if plan.moves
        else "Nothing to move."
    ]
    for move in plan.moves:
        lines += _move(move, preview, cells)
    if preview.room:
        lines.append(safe(preview.room))
    if plan.moves:
        uploaded = size(sum(move.torrent.uploaded for move in plan.moves))
        lines.append(
            f"Not carried over (no client allows it): {uploaded} uploaded, the downloaded amount, ratios, seeding times, dates."
        )
        lines.append("The history keeps them; --dry-run --json shows them for each torrent.")
    lines += _groups(plan)
    if plan.unused:
        trackers = ", ".join(f"{host} ({count})" for host, count in islice(plan.trackers.items(), _TRACKERS_TOLD))
        rules = ", ".join(plan.unused[:_TRACKERS_TOLD])
        more = f" and {len(plan.unused) - _TRACKERS_TOLD} more" if len(plan.unused) > _TRACKERS_TOLD else ""
        lines.append(
            f"No torrent here has the tracker of these rules: {rules}{more}. The trackers are {trackers or 'none'}."
        )
    if plan.doubt:
        lines.append(f"Links between torrents were not checked: {safe(plan.doubt)}")
    lines += _refused(preview.foresight, cells)
    if plan.held:
        lines += ["", f"{counted(len(plan.held), 'torrent')} in the active run:"]
        for left in plan.held:
            lines.append(f"  {left.id.short}  {size(left.size):>9}  {name_cell(left.name, cells)}  {safe(left.reason)}")
    if plan.not_moved:
        lines += ["", f"{counted(len(plan.not_moved), 'torrent')} would stay:"]
        for left in plan.not_moved:
            ready = "" if left.ready_in is None else f"; moves after {at(preview.at + left.ready_in)}"
            lines.append(
                f"  {left.id.short}  {size(left.size):>9}  {name_cell(left.name, cells)}  {safe(left.reason)}{ready}"
            )
    return "\n".join(lines) + "\n"


def _refused(foresight: Foresight, cells: int | None) -> list[str]:
    """What is planned and will fail as soon as its .torrent is read."""
    lines = []
    if foresight.refused:
        lines += ["", f"{counted(len(foresight.refused), 'torrent')} of them would be refused:"]
        for one in foresight.refused:
            lines.append(
                f"  {one.id.short}  {size(one.size):>9}  {name_cell(one.name, cells)}  {safe(one.what)} [{one.code}]"
            )
            lines += [f"      {safe(one.remedy)}"] if one.remedy else []
    if foresight.unread:
        lines.append(f"The .torrent of {counted(foresight.unread, 'torrent')} was not read: the source client is slow.")
    return lines


def _move(move: PlannedMove, preview: Preview, cells: int | None) -> Iterator[str]:
    """Its line, and below it how it failed before."""
    torrent = move.torrent
    category = f"  -> {safe(move.target_category)}" if move.target_category != torrent.category else ""
    room = "  does not fit now" if torrent.id in preview.left_out else ""
    head = f"  {torrent.id.short}  {size(torrent.size):>9}  {name_cell(torrent.name, cells)}"
    yield f"{head}{category}{_kin(move)}{room}".rstrip()
    failed = preview.failed.get(torrent.id)
    if failed is not None:
        code = f" [{failed.error_code}]" if failed.error_code else ""
        yield f"{_BELOW}failed {at(failed.updated_at)}: {safe(failed.error)}{code}"
        if failed.remedy:
            yield f"{_BELOW}> {safe(failed.remedy)}"


def _kin(move: PlannedMove) -> str:
    others = ", ".join(sorted(other.short for other in move.cross_seeds | move.staying))
    return f"  shares files with {others}" if others else ""


def _groups(plan: Plan) -> list[str]:
    """What it means that torrents share files: which go one after the other, which stay and keep the data."""
    lines = []
    if any(move.cross_seeds for move in plan.moves):
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
