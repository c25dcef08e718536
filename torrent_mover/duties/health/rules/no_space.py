"""What the torrent still downloads does not fit on its disk."""

from __future__ import annotations

from torrent_mover.domain.text import size
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown


def judge(case: Case) -> Judged:
    """By what was measured, in the order of the client's queue."""
    fits = case.picture.fits
    if fits is None:
        return unknown("the free space is not known")
    disk = case.picture.disk
    return (
        clear()
        if fits or disk is None
        else found(f"{size(case.picture.torrent.amount_left)} to come, {size(disk.free)} free")
    )


CHECK = HealthCheck(
    FindingCode.NO_SPACE,
    judge,
    lambda settings: settings.no_space_after,
    lambda settings: settings.no_space_action,
    of_complete=False,
)
