"""A person has put the torrent into the category of failed ones."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found


def judge(case: Case) -> Judged:
    """By its category."""
    wanted = case.settings.failed_category
    if wanted and case.picture.torrent.category == wanted:
        return found(f"a person put it into {wanted}")
    return clear()


CHECK = HealthCheck(
    FindingCode.MANUAL_FAILED,
    judge,
    lambda _: 0.0,
    lambda settings: settings.manual_failed_action,
)
