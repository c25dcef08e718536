"""The torrent has been seeded for as long as is wanted."""

from __future__ import annotations

from torrent_mover.domain.health_rules import SeedUntil
from torrent_mover.domain.text import duration
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, found, unknown
from torrent_mover.duties.health.seeding import goals_of, seeded


def judge(case: Case) -> Judged:
    """By the client's numbers and what was counted before a move. Of several trackers, the longest stay counts."""
    torrent = case.picture.torrent
    if not torrent.complete:
        return clear("not complete")
    if case.picture.rules is None:
        return unknown("its trackers were not read")
    ratio, time = seeded(case.picture)
    goals = goals_of(case.picture.rules, case.settings)
    if not goals or any(goal.until is SeedUntil.NEVER for goal in goals):
        return clear("seed_until = never")
    if not all(goal.met(ratio, time) for goal in goals):
        return clear()
    return found(f"ratio {ratio:.2f}, seeded {duration(time)}")


CHECK = HealthCheck(
    FindingCode.SEED_GOAL,
    judge,
    lambda settings: settings.seed_goal_after,
    lambda settings: settings.seed_goal_action,
)
