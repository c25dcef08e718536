"""A download is slower than wanted."""

from __future__ import annotations

from torrent_mover.domain.text import duration, rate
from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, clear, downloading, found, unknown


def judge(case: Case) -> Judged:
    """By its rate and the time that it would need; not while something limits it."""
    activity = downloading(case)
    if isinstance(activity, Judged):
        return activity
    if case.condition.limited is None:
        return unknown("whether alternative speed limits hold is not told")
    if case.condition.limited or case.paced or case.picture.torrent.download_limit:
        return clear("its speed is limited")
    if activity.download_rate < case.settings.min_rate:
        return found(f"{rate(activity.download_rate)}, wanted {rate(case.settings.min_rate)}")
    return _by_time(case, activity.eta)


def _by_time(case: Case, eta: int | None) -> Judged:
    if eta is None:
        return unknown("the client does not say how long it will take")
    limits = [rule.max_eta for rule in case.picture.rules or () if rule.max_eta is not None]
    longest = min(limits, default=case.settings.max_eta)
    return found(f"{duration(eta)} to go, at most {duration(longest)}") if eta > longest else clear()


CHECK = HealthCheck(
    FindingCode.SLOW,
    judge,
    lambda settings: settings.slow_after,
    lambda settings: settings.slow_action,
    patient=True,
    of_complete=False,
)
