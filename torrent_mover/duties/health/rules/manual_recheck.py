"""A person has put the torrent into the category of those to be checked again."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found


def judge(case: Case) -> Judged:
    """By its category."""
    wanted = case.settings.recheck_category
    if wanted and case.picture.torrent.category == wanted:
        return found(f"a person put it into {wanted}")
    return clear()


CHECK = HealthCheck(
    FindingCode.MANUAL_RECHECK,
    judge,
    lambda _: 0.0,
    lambda settings: settings.manual_recheck_action,
)
