"""What a run that goes on publishes for others to look at: a small file in the state folder, written by it, read by status."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local.whole_file import write_whole
from torrent_mover.domain.report.events import Event, QueuePlanned, RoundEnded
from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, NotMoved, Phase, RouteView, Snapshot

SCHEMA_VERSION: Final = 1
FILE_NAME: Final = "run.json"
ROWS_AT_MOST: Final = 500
"""Moves that the file names; of more, it has the number."""

_EVERY: Final = 3.0  # seconds between two looks at whether something changed
_ORDER: Final = (MoveStatus.ACTIVE, MoveStatus.RETRYING, MoveStatus.PAUSED, MoveStatus.QUEUED, MoveStatus.SKIPPED)
_MOST_BYTES: Final = 4_000_000
_log = logging.getLogger(__name__)


class RunState:
    """A `ports.notifier.Notifier`: keeps `path` up to date, mode 0600, always a whole file; takes it away at the end.

    Nothing is written while nothing changes, so that idle disks may sleep. That it cannot be written hurts nobody but who
    looks on: it goes to the log, once.
    """

    def __init__(self, path: Path, snapshot: Callable[[], Snapshot], every: float = _EVERY) -> None:
        self._path = path
        self._snapshot = snapshot
        self._every = every
        self._ended = threading.Event()
        self._wake = threading.Event()
        self._written: dict[str, object] = {}
        self._told = False
        self._thread = threading.Thread(target=self._keep, name="run-state", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """See ports.notifier.Notifier."""
        if isinstance(event, QueuePlanned):
            self._wake.set()

    def close(self) -> None:
        """The run is over: what it was doing is nobody's business any more."""
        self._ended.set()
        self._wake.set()
        self._thread.join(self._every)
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(self._every)
            self._wake.clear()
            if not self._ended.is_set():
                self._look()

    def _look(self) -> None:
        try:
            snapshot = self._snapshot()
            data = as_data(snapshot)
            if data != self._written:
                write_whole(self._path, json.dumps({**data, "at": snapshot.at}), 0o600, durable=False)
                self._written = data
        except Exception as error:  # noqa: BLE001  whoever looks on must never reach the run
            if not self._told:
                _log.warning("the state of the run cannot be published for torrent-mover status: %s", error)
            self._told = True


def as_data(snapshot: Snapshot) -> dict[str, object]:
    """What is published of a run. Bytes/s, seconds; moves that are over are left to the journal."""
    rows = sorted((move for move in snapshot.moves if move.standing in _ORDER), key=_rank)
    return {
        "schema": SCHEMA_VERSION,
        "run": snapshot.run,
        "phase": snapshot.phase.value,
        "test_run": snapshot.test_run,
        "fraction": None if snapshot.phase is Phase.WATCHING else round(snapshot.fraction, 4),
        "next_look_at": _whole(snapshot.next_scan_at),
        "last_round": _round(snapshot.last_round),
        "eta": _whole(snapshot.eta),
        "rate": round(max(snapshot.incoming.now, snapshot.outgoing.now)),
        "transferring": snapshot.transferring,
        "checking": snapshot.checking,
        "counts": {standing.value: snapshot.count(standing) for standing in MoveStatus},
        "routes": [_route(route) for route in snapshot.routes],
        "moves": [_row(move) for move in rows[:ROWS_AT_MOST]],
        "not_moved": [_left(one) for one in snapshot.not_moved[:ROWS_AT_MOST]],
    }


def _rank(move: MoveView) -> tuple[int, bool]:
    return _ORDER.index(move.standing), move.waits


def _row(move: MoveView) -> dict[str, object]:
    return {
        "infohash": move.id.hex,
        "name": move.name,
        "size": move.size,
        "standing": move.standing.value,
        "waits": move.waits,
        "stage": move.stage.value,
        "fraction": round(move.fraction, 4),
        "rate": round(move.rate),
        "eta": _whole(move.eta),
        "why": move.why,
        "route": move.route,
    }


def _route(route: RouteView) -> dict[str, object]:
    return {
        "route": route.name,
        "source": route.source,
        "destination": route.destination,
        "mode": route.mode,
        "category": route.category,
        "phase": route.phase.value,
        "trouble": route.trouble or None,
    }


def _left(one: NotMoved) -> dict[str, object]:
    return {"infohash": one.id.hex, "name": one.name, "size": one.size, "reason": one.reason, "route": one.route}


def _round(ended: RoundEnded | None) -> dict[str, object] | None:
    if ended is None:
        return None
    return {"at": ended.at, "moved": ended.moved, "copied": ended.copied, "failed": ended.failed}


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def published(path: Path) -> dict[str, object] | None:
    """What the last run has published there, if it can be read and is of this version. Somebody's broken file is none."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("schema") == SCHEMA_VERSION else None
