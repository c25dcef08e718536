"""--dry-run: the plan as a table or as data, with what is not moved and why. Writes nothing anywhere."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from torrent_mover.bootstrap import plans
from torrent_mover.bootstrap.plans import Preview
from torrent_mover.commands.configured import instead_of_routes, routes_of
from torrent_mover.commands.looking import at, name_cell, name_cells
from torrent_mover.domain.errors import ExitCode, MoverError, worst
from torrent_mover.domain.move import MoveRecord
from torrent_mover.domain.text import clauses, counted, safe, shorten, size
from torrent_mover.domain.torrent.attributes import not_carried
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.foresight import Foresight
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.run.work import Plan

SCHEMA_VERSION = 1
_NAME_CELLS = 48
_BELOW = " " * 12
_TRACKERS_TOLD = 8


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Plan and show. Raises NoSuchCategory, with --json after the plan."""
    said = instead_of_routes(arguments)
    if said:
        if arguments.json:
            json.dump(joined([]), sys.stdout, indent=2)
            said = "\n"
        sys.stdout.write(said)
        return ExitCode.DONE
    routes, _ = routes_of(arguments)
    if len(routes) == 1:
        return _only_route(routes[0], arguments)
    code, parts = ExitCode.DONE, []
    for number, settings in enumerate(routes):
        part = RoutePreview(settings.route)
        try:
            part.preview = plans.preview(settings, again=arguments.again)
            part.error = part.preview.plan.refusal
        except MoverError as error:
            part.error = error
        if part.error is not None:
            code = worst((code, part.error.exit_code))
        parts.append(part)
        if not arguments.json:
            sys.stdout.write(("\n" if number else "") + _as_text(part, settings))
    if arguments.json:
        json.dump(joined(parts), sys.stdout, indent=2)
        sys.stdout.write("\n")
    return code


def _only_route(settings: Settings, arguments: argparse.Namespace) -> ExitCode:
    part = RoutePreview(settings.route, plans.preview(settings, again=arguments.again))
    assert part.preview is not None  # noqa: S101  it was given
    refusal = part.preview.plan.refusal
    if arguments.json:
        json.dump(joined([part]), sys.stdout, indent=2)
        sys.stdout.write("\n")
    if refusal is not None:
        raise refusal
    if not arguments.json:
        sys.stdout.write(as_table(part.preview, name_cells(sys.stdout, _NAME_CELLS)))
    return ExitCode.DONE


@dataclass(slots=True)
class RoutePreview:
    """What was found out about one route: its plan, or why there is none."""

    route: str
    preview: Preview | None = None
    error: MoverError | None = None


def _as_text(part: RoutePreview, settings: Settings) -> str:
    ends = f"{settings.source_client_name} -> {settings.destination_client_name}"
    head = f"Route {part.route}: {ends}, category {settings.moving.category_to_move or '(none)'}\n"
    if part.error is not None:
        told = f"{part.error.what} [{part.error.code}]\n  {part.error.remedy}\n"
        return safe(head.rstrip()) + "\n" + "".join(f"{safe(line)}\n" for line in told.splitlines())
    assert part.preview is not None  # noqa: S101  one of the two is there
    return safe(head.rstrip()) + "\n" + as_table(part.preview, name_cells(sys.stdout, _NAME_CELLS))


def joined(parts: Sequence[RoutePreview]) -> dict[str, object]:
    """The plans of all routes for programs. Sizes in bytes, times in Unix seconds; each torrent names its route."""
    known = [(part.route, as_data(part.preview)) for part in parts if part.preview is not None]
    doubts = [str(data["links_not_seen"]) for _, data in known if data["links_not_seen"]]
    return {
        "schema": SCHEMA_VERSION,
        "size": sum(data["size"] for _, data in known),
        "routes": [{"route": part.route, "error": part.error and part.error.what} for part in parts],
        **{
            key: [{**one, "route": route} for route, data in known for one in data[key]]
            for key in ("moves", "would_be_refused", "not_moved")
        },
        "links_not_seen": clauses(*doubts) or None,
        "rules_without_torrent": _in_all([data["rules_without_torrent"] for _, data in known]),
        "not_read": sum(data["not_read"] for _, data in known),
    }


def _in_all(lists: Sequence[Sequence[str]]) -> list[str]:
    """What stands in each of them: a rule that one route uses is not useless."""
    return [each for each in lists[0] if all(each in other for other in lists)] if lists else []


def as_data(preview: Preview) -> dict[str, Any]:
    """The plan of one route for programs."""
    plan = preview.plan
    return {
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
                "not_taken": list(preview.foresight.not_taken.get(move.torrent.id, ())),
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
    fit = len(plan.moves) - len(preview.left_out)
    some = f"{fit:,} of " if preview.left_out else ""
    lines = [
        f"{some}{counted(len(plan.moves), 'torrent')} would be moved, {size(plan.size)}{' in all' if some else ''}:"
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
    lost = preview.foresight.not_taken.get(torrent.id)
    if lost:
        yield f"{_BELOW}not carried: {safe(', '.join(lost))}"
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
