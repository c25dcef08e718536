"""A tracker of the torrent is gone for good, and another one works."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By texts."""
    trackers = case.picture.trackers
    if trackers is None:
        return unknown("its trackers were not read")
    texts = [text.casefold() for text in case.settings.dead_texts]
    dead = [
        tracker
        for tracker in trackers
        if not tracker.working and any(text in tracker.message.casefold() for text in texts)
    ]
    if not dead or not any(tracker.working for tracker in trackers):
        return clear()
    return found(f"{len(dead)} of {len(trackers)} trackers gone: {dead[0].message}", *(each.url for each in dead))


CHECK = HealthCheck(
    FindingCode.DEAD_TRACKER,
    judge,
    lambda settings: settings.dead_tracker_after,
    lambda settings: settings.dead_tracker_action,
)
