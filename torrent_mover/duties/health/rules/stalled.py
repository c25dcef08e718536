"""A download that was never complete gets no byte."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, downloading, found, unknown


def judge(case: Case) -> Judged:
    """By counted bytes alone: the client's rate falls slowly after the last one."""
    activity = downloading(case)
    if isinstance(activity, Judged):
        return activity
    if case.moved_bytes is None:
        return unknown("this is the first look at it")
    return clear("it gets bytes") if case.moved_bytes else found(f"no byte, at {case.picture.torrent.progress:.0%}")


CHECK = HealthCheck(
    FindingCode.STALLED,
    judge,
    lambda settings: settings.stalled_after,
    lambda settings: settings.stalled_action,
    patient=True,
    wiped=True,
    of_complete=False,
)
