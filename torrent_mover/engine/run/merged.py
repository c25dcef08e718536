"""The picture of several routes as one: pure, from the pictures of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.domain.report.events import RoundEnded
from torrent_mover.domain.report.snapshot import (
    CheckView,
    MoveStatus,
    MoveView,
    Phase,
    ServerHealth,
    Snapshot,
    Wire,
)

_OVER: Final = frozenset({MoveStatus.DONE, MoveStatus.FAILED, MoveStatus.SKIPPED})
_LIVELIEST: Final = (
    Phase.STOPPING,
    Phase.RUNNING,
    Phase.PAUSED,
    Phase.WATCHING,
    Phase.PREFLIGHT,
    Phase.STARTING,
    Phase.REFUSED,
    Phase.ENDED,
)
"""What the whole is in: the first of these that a route is in. A route that is refused does not make the whole refused."""


def merged(pictures: Sequence[Snapshot]) -> Snapshot:
    """One picture of all routes, at least one. Figures are sums, or made of the sums, so that none disagrees with another."""
    first = pictures[0]
    if len(pictures) == 1:
        return first
    moves = _moves(pictures)
    total = sum(move.size for move in moves)
    done = sum(move.fraction * move.size for move in moves)
    phase = next(phase for phase in _LIVELIEST if any(each.phase is phase for each in pictures))
    etas = [each.eta for each in pictures if each.phase is Phase.RUNNING and each.eta is not None]
    scans = [each for each in pictures if each.next_scan_in is not None]
    next_scan = min(scans, key=lambda each: each.next_scan_in or 0.0, default=None)
    ended = [each.ended_at for each in pictures]
    return replace(
        first,
        phase=phase,
        mode=_joined(each.mode for each in pictures),
        source=_joined(each.source for each in pictures),
        destination=_joined(each.destination for each in pictures),
        started_at=min(each.started_at for each in pictures),
        checks=tuple(_named(check, each.routes[0].name) for each in pictures for check in each.checks),
        moves=moves,
        not_moved=tuple(one for each in pictures for one in each.not_moved),
        fraction=0.0 if phase is Phase.WATCHING else done / total if total else float(phase is Phase.ENDED),
        eta=max(etas, default=None),
        eta_is_guess=any(each.eta_is_guess for each in pictures),
        done_bytes=int(done),
        total_bytes=total,
        extended=next((each.extended for each in pictures if each.extended), ""),
        incoming=_wire([each.incoming for each in pictures]),
        outgoing=_wire([each.outgoing for each in pictures]),
        servers=_servers(server for each in pictures for server in each.servers),
        cache_used=max(each.cache_used for each in pictures),
        cache_limit=max(each.cache_limit for each in pictures),
        next_scan_in=next_scan.next_scan_in if next_scan else None,
        next_scan_at=next_scan.next_scan_at if next_scan else None,
        troubles=sum(move.trouble is not None for move in moves),
        ended_at=max((at for at in ended if at is not None), default=None) if None not in ended else None,
        last_round=_round([each.last_round for each in pictures if each.last_round is not None]),
        gone=sum(each.gone for each in pictures),
        routes=tuple(view for each in pictures for view in each.routes),
    )


def _moves(pictures: Iterable[Snapshot]) -> tuple[MoveView, ...]:
    """All moves. Of a torrent that two routes have had, the one that is not over, or began last."""
    chosen: dict[object, MoveView] = {}
    for picture in pictures:
        for move in picture.moves:
            other = chosen.get(move.id)
            if other is None or _rank(move) > _rank(other):
                chosen[move.id] = move
    return tuple(chosen.values())


def _rank(move: MoveView) -> tuple[bool, float]:
    return move.standing not in _OVER, move.started_at or 0.0


def _named(check: CheckView, route: str) -> CheckView:
    return replace(check, name=f"{route}: {check.name}")


def _wire(wires: Sequence[Wire]) -> Wire:
    """All routes count the same bytes: the wire of one that has traffic this way says it for all."""
    used = [wire for wire in wires if wire.used]
    return max(used, key=lambda wire: wire.now) if used else wires[0]


def _servers(servers: Iterable[ServerHealth]) -> tuple[ServerHealth, ...]:
    return tuple({(server.name, server.role): server for server in servers}.values())


def _round(rounds: Sequence[RoundEnded]) -> RoundEnded | None:
    if not rounds:
        return None
    newest = max(rounds, key=lambda each: each.at)
    return replace(
        newest,
        moved=sum(each.moved for each in rounds),
        failed=sum(each.failed for each in rounds),
        sent=sum(each.sent for each in rounds),
        copied=sum(each.copied for each in rounds),
    )


def _joined(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
