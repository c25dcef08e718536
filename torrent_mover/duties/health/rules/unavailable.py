"""Nobody in the swarm has all of the torrent."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, downloading, found, unknown


def judge(case: Case) -> Judged:
    """By what connected peers have: without a peer nothing is known."""
    activity = downloading(case)
    if isinstance(activity, Judged):
        return activity
    if activity.availability is None or activity.peers + activity.seeds == 0:
        return unknown("no peer is connected")
    if activity.swarm_seeds is None:
        return unknown("how many seeds the swarm has is not told")
    if activity.availability >= 1 or activity.swarm_seeds > 0 or activity.seeds > 0:
        return clear()
    return found(f"{activity.availability:.2f} copies among its peers, and no seed")


CHECK = HealthCheck(
    FindingCode.UNAVAILABLE,
    judge,
    lambda settings: settings.unavailable_after,
    lambda settings: settings.unavailable_action,
    patient=True,
    wiped=True,
    of_complete=False,
)
