"""The Arr has grabbed again what we had it block."""

from __future__ import annotations

from torrent_mover.domain.arrs.import_proof import newest_grab
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By its history and our journal."""
    arr = case.picture.arr
    if arr is None:
        return unknown("it has no Arr")
    if arr.events is None:
        return unknown(f"{arr.name} was not asked, or does not answer")
    if arr.blocked_by_us is None:
        return clear("never blocked by us")
    grabs = newest_grab(arr.events)
    again = [grab for grab in grabs.values() if grab.at > arr.blocked_by_us]
    return found(f"{arr.name} grabbed it again after our block") if again else clear()


CHECK = HealthCheck(
    FindingCode.REGRAB_LOOP,
    judge,
    lambda settings: settings.regrab_loop_after,
    lambda settings: settings.regrab_loop_action,
    of_arr=True,
)
