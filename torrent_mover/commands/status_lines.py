"""The status as lines for people: one heading for each state that a torrent can be in, the last runs below."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from torrent_mover.commands.looking import at, name_cells, zone
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.move import MAIN_ROUTE
from torrent_mover.domain.report.events import RoundEnded
from torrent_mover.domain.report.narrate import ended_well, idle
from torrent_mover.domain.report.snapshot import Phase
from torrent_mover.domain.text import cause_first, clock, counted, duration, percent, rate, safe, shorten, size

RUNS_SHOWN: Final = 5
_NAME_CELLS: Final = 60
_QUEUED_SHOWN: Final = 20
_INDENT: Final = " " * 12

_HEADINGS: Final = {
    "moving": "Moving",
    "checking": "Brought; checked and watched at the destination",
    "waiting": "Waiting for the next try",
    "queued": "Queued",
    "paused": "Paused",
    "left out": "Left out by this run",
    "left off": "Started; the next run continues from there",
    "not begun": "Planned but not started; the next run tries again",
    "failed": "Failed; the next run tries again",
    "marked": "Not tried again until the mark is cleared",
}
_CLEARED_BY: Final = {"recheck failed": "recheck-failure", "corrupt at the source": "corruption"}


def lines(data: Mapping[str, Any], breakers: Mapping[str, Breaker], *, goes_on: bool) -> Iterator[str]:
    """All of it. `data` as status --json has it."""
    yield f"A run is active: {_holder(data['active'])}." if goes_on else "No run is active."
    yield f"Times are local: {zone(data['at'])}."
    if data["progress"]:
        yield _progress(data["progress"], data["at"])
    if len(data["routes"]) > 1:
        yield from (_route(route) for route in data["routes"])
    for state, heading in _HEADINGS.items():
        found = [move for move in data["moves"] if move["state"] == state]
        if found:
            yield ""
            yield f"{heading}:"
            yield from _queue(found, data) if state == "queued" else _rows(found, data["at"])
    if not data["moves"]:
        yield (
            "Nothing is moving."
            if goes_on
            else "Nothing is moving. To see what a run would move: torrent-mover --dry-run"
        )
    if data["not_moved"]:
        yield ""
        yield "Not moved:"
        for left in data["not_moved"][:_QUEUED_SHOWN]:
            yield f"{_head(left)}  {safe(left['reason'])}"
        if more := len(data["not_moved"]) - _QUEUED_SHOWN if len(data["not_moved"]) > _QUEUED_SHOWN else 0:
            yield f"  and {counted(more, 'more torrent')}"
    troubled = {name: each for name, each in breakers.items() if each.failures}
    if troubled:
        yield ""
        yield "Servers that failed lately:"
        for name, breaker in troubled.items():
            yield f"  {safe(name)}: {breaker.describe(data['at'])}"
    yield ""
    yield "Last runs:"
    for number, run in enumerate(data["runs"]):
        yield f"  {_run(run, active=goes_on and not number)}"


def _holder(active: str) -> str:
    """Who runs and since when, in the same zone as all other times: it may have begun in another one (a container)."""
    who, _, since = active.partition(", since ")
    try:
        return f"{who}, since {at(datetime.fromisoformat(since).timestamp())}"
    except ValueError:
        return active


def _progress(progress: Mapping[str, Any], now: float) -> str:
    kind = "Test run" if progress["test_run"] else "Run"
    if progress["phase"] == Phase.WATCHING.value:
        said, look = progress["last_round"], progress["next_look_at"]
        last = RoundEnded(said["at"], said["moved"], said["failed"], 0, 0.0, said["copied"]) if said else None
        return f"{kind} {progress['run']}: {idle(last, None if look is None else look - now)}"
    left = f", {duration(progress['eta'])} left" if progress["eta"] is not None else ""
    speed = f", {rate(progress['rate'])}" if progress["rate"] else ""
    under_way = f"{progress['transferring']:,} transferring, {progress['checking']:,} checking"
    numbers = f"{under_way}, {progress['done']:,} done, {progress['failed']:,} failed, {progress['queued']:,} queued"
    return f"{kind} {progress['run']}: {progress['phase']}, {percent(progress['fraction'])}{speed}{left}; {numbers}"


def _route(route: Mapping[str, Any]) -> str:
    ends = f"{route['source']} -> {route['destination']}, category {route['category'] or '(none)'}"
    trouble = f": {route['trouble']}" if route["trouble"] else ""
    return f"  route {safe(route['route'])}: {safe(ends)}, {route['phase']}{safe(trouble)}"


def _rows(moves: Sequence[Mapping[str, Any]], now: float) -> Iterator[str]:
    for move in moves:
        yield _head(move)
        yield f"{_INDENT}{_standing(move, now)}"
        if move["error"]:
            code = f" [{move['code']}]" if move["code"] else ""
            yield f"{_INDENT}{safe(cause_first(move['error']))}{code}"
            if move["remedy"]:
                yield f"{_INDENT}> {safe(move['remedy'])}"
        if move["mark"]:
            yield f"{_INDENT}> torrent-mover --clear-{_CLEARED_BY[move['mark']]} {move['infohash'][:8]}"


def _head(move: Mapping[str, Any]) -> str:
    cells, name = name_cells(sys.stdout, _NAME_CELLS), safe(move["name"])
    route = move.get("route") or ""
    through = f"  ({safe(route)})" if route not in ("", MAIN_ROUTE) else ""
    return (
        f"  {move['infohash'][:8]}  {size(move['size']):>9}  {name if cells is None else shorten(name, cells)}{through}"
    )


def _standing(move: Mapping[str, Any], now: float) -> str:
    """Where it stands, and since when or until when."""
    if move["state"] == "waiting":
        again = max((move["next_try_at"] or now) - now, 0.0)
        return f"{move['stage']}, again in {clock(again)}"
    if move["state"] in ("failed", "marked"):
        return f"{move['mark'] or move['stage']}, {at(move['updated_at'])}"
    if move["state"] == "not begun":
        return safe(move["why"]) if move["why"] else at(move["updated_at"])
    since = f"{move['stage']} for {duration(now - move['updated_at'])}" if move["updated_at"] else move["stage"]
    if move["state"] not in ("moving", "checking") or move["fraction"] is None:
        return f"{since}{_because(move)}"
    speed = f", {rate(move['rate'])}" if move["rate"] else ""
    left = f", {duration(move['eta'])} left" if move["eta"] is not None else ""
    return f"{since}, {percent(move['fraction'])}{speed}{left}"


def _because(move: Mapping[str, Any]) -> str:
    return f": {safe(move['why'])}" if move["why"] else ""


def _queue(moves: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> Iterator[str]:
    """One line each, in the order in which they will go; the first ones of a long queue."""
    for move in moves[:_QUEUED_SHOWN]:
        begun = f"  ({percent(move['fraction'])} there)" if move["fraction"] else ""
        yield f"{_head(move)}{begun}{_because(move)}"
    more = max(data["progress"]["queued"], len(moves)) - len(moves[:_QUEUED_SHOWN])
    if more:
        yield f"  and {counted(more, 'more torrent')}"


def _run(run: Mapping[str, Any], *, active: bool) -> str:
    if not run["ended_at"]:
        ended = "active" if active else "was killed; what was verified is kept"
        return f"{at(run['started_at'])}  {run['run']}  {ended}"
    took = duration(run["ended_at"] - run["started_at"])
    numbers = f"{ended_well(run['moved'], run['copied'])}, {run['failed']:,} failed, {size(run['sent'])} in {took}"
    return f"{at(run['started_at'])}  {run['run']}  {numbers}, exit {run['exit_code']}"
