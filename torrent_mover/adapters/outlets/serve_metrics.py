"""Metrics of a process that runs all duties: its loops, what its tiers are at, and how downloads are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from torrent_mover.adapters.outlets.metrics import family
from torrent_mover.domain.report.health import HealthLoopView, HealthSnapshot
from torrent_mover.domain.report.serving import ServeReport
from torrent_mover.domain.report.tiers import TierSnapshot, TierView

_STATES: Final = ("looking", "waiting", "restarting", "parked", "paused", "stuck", "ended")
Samples = Sequence[tuple[dict[str, str], float]]


def serve_exposition(report: ServeReport) -> str:
    """The loops, in the text exposition format."""
    return "".join(_loops(report))


def _loops(report: ServeReport) -> Iterator[str]:
    version: Samples = [({"version": report.version}, 1)]
    yield family("serve_info", "gauge", "The version of the process.", version)
    yield family("serve_healthy", "gauge", "1 while every loop is well.", [({}, int(report.ok))])
    states = [
        ({"loop": loop.name, "state": each}, int(loop.state == each)) for loop in report.loops for each in _STATES
    ]
    yield family("loop_state", "gauge", "1 for the state that a loop is in.", states)
    beats = [({"loop": loop.name}, loop.beat_at) for loop in report.loops]
    yield family("loop_beat_time_seconds", "gauge", "When a loop last gave a sign.", beats)
    restarts = [({"loop": loop.name}, loop.restarts) for loop in report.loops]
    yield family("loop_restarts", "gauge", "How often a loop was begun again of late.", restarts)


def tiers_exposition(snapshot: TierSnapshot) -> str:
    """The tiers, in the text exposition format. Bytes."""
    return "".join(_tiers(snapshot.tiers))


def _tiers(tiers: Sequence[TierView]) -> Iterator[str]:
    counts = [
        ({"tier": tier.name, "what": what}, number)
        for tier in tiers
        for what, number in (("queued", len(tier.queue)), ("under_way", len(tier.works)), ("leaving", tier.leaving))
    ]
    yield family("tier_torrents", "gauge", "Torrents of a tier that wait, are worked on, or are to leave.", counts)
    left = [({"tier": tier.name}, tier.left) for tier in tiers]
    yield family("tier_left_copies", "gauge", "Copies whose torrents have left the client.", left)
    left_bytes = [({"tier": tier.name}, tier.left_bytes) for tier in tiers]
    yield family("tier_left_bytes", "gauge", "Bytes of these.", left_bytes)
    alarms = [({"tier": tier.name}, len(tier.alarms)) for tier in tiers]
    yield family("tier_alarms", "gauge", "What needs somebody.", alarms)
    disks = [(tier.name, disk) for tier in tiers for disk in tier.disks]
    free = [({"tier": name, "disk": disk.path}, disk.free) for name, disk in disks if disk.free is not None]
    yield family("tier_disk_free_bytes", "gauge", "Free bytes of a disk.", free)
    low = [({"tier": name, "disk": disk.path}, disk.low) for name, disk in disks if disk.low is not None]
    yield family("tier_disk_low_bytes", "gauge", "Free bytes below which torrents leave a disk.", low)


def health_exposition(snapshot: HealthSnapshot) -> str:
    """The health of downloads, in the text exposition format."""
    return "".join(_health(snapshot.loops))


def _health(loops: Sequence[HealthLoopView]) -> Iterator[str]:
    judged = [({"loop": loop.name}, loop.torrents) for loop in loops]
    yield family("health_torrents", "gauge", "Torrents that a loop judges.", judged)
    counts = Counter(
        (loop.name, finding.code, finding.due)
        for loop in loops
        for patient in loop.patients
        for finding in patient.findings
    )
    findings = [
        ({"loop": loop, "code": code, "due": str(due).lower()}, count) for (loop, code, due), count in counts.items()
    ]
    yield family("health_findings", "gauge", "What is wrong with torrents; due: something is to be done.", findings)
    blind = [({"loop": loop.name}, int(bool(loop.blind))) for loop in loops]
    yield family("health_blind", "gauge", "1 while the picture of a loop may not be true: its clocks stand.", blind)
    removed = [({"loop": loop.name}, loop.today) for loop in loops]
    words = "Torrents that a loop took out of its client, or whose releases it had blocked, in 24 hours: what its caps count."
    yield family("health_taken_out", "gauge", words, removed)
