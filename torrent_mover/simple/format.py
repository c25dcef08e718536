"""How plain lines look: time, level, priority for the journal of systemd, and the line of statistics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.narrate import Line, at_rest
from torrent_mover.domain.report.snapshot import MoveStatus, Snapshot
from torrent_mover.domain.text import duration, part, percent, rate, safe

_ALWAYS_SHOWN: Final = ("transferring", "queued")
_PRIORITIES: Final = {Level.DEBUG: 7, Level.INFO: 6, Level.WARN: 4, Level.ERROR: 3}

_COUNTED: Final = (
    (MoveStatus.RETRYING, "retrying"),
    (MoveStatus.PAUSED, "paused"),
    (MoveStatus.QUEUED, "queued"),
    (MoveStatus.DONE, "done"),
    (MoveStatus.FAILED, "failed"),
)


def plain_line(line: Line, at: float) -> str:
    """`2026-11-20 03:00:01 INFO  a1b2c3d4 start: ...`, local time of `at` (Unix seconds)."""
    local = datetime.fromtimestamp(at, UTC).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} {line.level.value:<5} {line.full}"


def journald_line(line: Line) -> str:
    """`<6>a1b2c3d4 start: ...`: systemd's journal adds the time itself and reads the priority (sd-daemon(3))."""
    return f"<{_PRIORITIES[line.level]}>{line.full}"


def stats_text(snapshot: Snapshot) -> str:
    """`stats: 2.8/214.6 GiB, 1 %, in 48.1 MiB/s, out 31.4 MiB/s, ETA 1h12m (3 transferring, 9 queued)`, or why nothing moves."""
    if rest := at_rest(snapshot):
        return safe(f"stats: {rest} ({_counts(snapshot)})")
    parts = [part(snapshot.done_bytes, snapshot.total_bytes), percent(snapshot.fraction)]
    if snapshot.incoming.used:
        parts.append(f"in {rate(snapshot.incoming.now)}")
    if snapshot.outgoing.used:
        parts.append(f"out {rate(snapshot.outgoing.now)}")
    parts.append(f"ETA {duration(snapshot.eta) if snapshot.eta is not None else 'unknown'}")
    return f"stats: {', '.join(parts)} ({_counts(snapshot)})"


def _counts(snapshot: Snapshot) -> str:
    under_way = [(snapshot.transferring, "transferring"), (snapshot.checking, "checking")]
    counts = [*under_way, *((snapshot.count(standing), word) for standing, word in _COUNTED)]
    return ", ".join(f"{count} {word}" for count, word in counts if count or word in _ALWAYS_SHOWN)
