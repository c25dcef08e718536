"""Snapshots and moves for tests, complete and plausible; each takes the fields that matter to the test as changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.snapshot import (
    HostHealth,
    MoveStatus,
    MoveView,
    Phase,
    ServerHealth,
    Snapshot,
    Step,
    Wire,
)
from torrent_mover.domain.torrent.torrent import InfoHash

GIB = 1024**3
MIB = 1024**2

AT = 1_795_143_663.0  # Unix seconds


def a_hash(number: int = 1) -> InfoHash:
    """An infohash that shows its number in its first eight digits."""
    return InfoHash(f"{number:08x}" + "0" * 32)


def a_wire(**changes: Any) -> Wire:
    """A direction in use at some 48 MiB/s."""
    plain = Wire(
        used=True,
        now=48.1 * MIB,
        average=49.5 * MIB,
        peak=81.2 * MIB,
        samples=tuple(48.1 * MIB for _ in range(120)),
        limit=None,
    )
    return replace(plain, **changes)


def a_server(**changes: Any) -> ServerHealth:
    """A healthy source."""
    plain = ServerHealth(
        name="seedbox",
        role="source",
        product="qBittorrent 5.1.0",
        connections=2,
        connections_limit=8,
        reconnects=0,
        breaker="closed",
        breaker_open_for=None,
        free=None,
        total=None,
    )
    return replace(plain, **changes)


def a_move(**changes: Any) -> MoveView:
    """A torrent whose bytes come in."""
    plain = MoveView(
        id=a_hash(1),
        name="Big Buck Bunny 2008 2160p",
        size=58 * GIB,
        files=14,
        standing=MoveStatus.ACTIVE,
        stage=Stage.TRANSFERRING,
        step=Step.PULL,
        steps=(),
        fraction=0.14,
        reused_fraction=0.0,
        rate=15.9 * MIB,
        eta=865.0,
        doing="pulling",
        attempt=1,
        attempts=5,
        retry_in=None,
        stalled_for=0.0,
        watchdog_in=None,
        repair="",
        why="",
        trouble=None,
        category="move-me",
        target_category="movies",
        trackers=("example.org",),
        ratio=1.84,
        added_on=1_790_000_000,
        started_at=AT - 300,
    )
    return replace(plain, **changes)


def a_snapshot(**changes: Any) -> Snapshot:
    """A run in full swing: one active move, one that waits."""
    plain = Snapshot(
        at=AT,
        run="0193f7a2",
        version="4.0.0",
        phase=Phase.RUNNING,
        mode="sftp",
        source="seedbox",
        destination="nas",
        test_run=False,
        started_at=AT - 4407,
        checks=(),
        moves=(
            a_move(),
            a_move(
                id=a_hash(2), name="Sintel", standing=MoveStatus.QUEUED, stage=Stage.PLANNED, step=None, fraction=0.0
            ),
        ),
        not_moved=(),
        fraction=0.437,
        eta=2480.0,
        done_bytes=int(93.8 * GIB),
        total_bytes=int(214.6 * GIB),
        extended="",
        incoming=a_wire(),
        outgoing=a_wire(used=False, now=0.0, average=0.0, peak=0.0, samples=()),
        servers=(a_server(), a_server(name="nas", role="destination", free=1800 * GIB, total=4000 * GIB)),
        host=HostHealth(cpu=12.0, resident=90 * MIB, disk_rate=48.0 * MIB),
        cache_used=0,
        cache_limit=0,
        next_scan_in=None,
        troubles=0,
        exit_code=None,
    )
    return replace(plain, **changes)
