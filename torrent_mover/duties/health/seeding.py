"""How long a torrent has been seeded, and how long it must be: goals and hit-and-run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torrent_mover.domain.health_rules import HealthRule, HitAndRun, SeedUntil
from torrent_mover.domain.text import duration
from torrent_mover.duties.health.model import Picture
from torrent_mover.duties.health.settings import HealthSettings


@dataclass(frozen=True, slots=True)
class SeedGoal:
    """When one of its trackers, or the loop, has enough of a torrent. None: that part is not asked for."""

    until: SeedUntil
    ratio: float | None
    time: float | None

    def met(self, ratio: float, time: float) -> bool:
        """Whether it is reached."""
        by_ratio = self.ratio is not None and ratio >= self.ratio
        by_time = self.time is not None and time >= self.time
        if self.until is SeedUntil.NEVER:
            return False
        if self.until is SeedUntil.RATIO:
            return by_ratio
        if self.until is SeedUntil.TIME:
            return by_time
        return (by_ratio and by_time) if self.until is SeedUntil.BOTH else (by_ratio or by_time)


def seeded(picture: Picture) -> tuple[float, float]:
    """Ratio and seconds, with what was counted before a move."""
    torrent, before = picture.torrent, picture.counted
    uploaded = torrent.uploaded + before.uploaded
    time = float(torrent.seeding_time + before.seeding_time)
    # After a move the client has downloaded nothing; what is there then counts as brought.
    brought = max(torrent.downloaded, torrent.size - torrent.amount_left)
    counted = uploaded / brought if brought > 0 else 0.0
    return max(torrent.ratio if not before.uploaded else 0.0, counted), time


def goals_of(rules: Iterable[HealthRule], settings: HealthSettings) -> Sequence[SeedGoal]:
    """One for each tracker rule, its gaps filled by the loop's keys; the loop's alone where no rule says anything."""
    goals = [
        SeedGoal(
            rule.seed_until if rule.seed_until is not None else settings.seed_until,
            rule.seed_ratio if rule.seed_ratio is not None else settings.seed_ratio,
            rule.seed_time if rule.seed_time is not None else settings.seed_time,
        )
        for rule in rules
    ]
    return goals or [SeedGoal(settings.seed_until, settings.seed_ratio, settings.seed_time)]


def hit_and_run(picture: Picture, rule: HitAndRun) -> str:
    """Why taking the torrent out would be a hit-and-run by this rule; blank: it would not."""
    torrent = picture.torrent
    taken = max(torrent.progress, min(torrent.downloaded / torrent.total_size, 1.0) if torrent.total_size > 0 else 0.0)
    if taken < rule.begins or (taken <= 0 and rule.begins <= 0):
        return ""
    ratio, time = seeded(picture)
    partial = torrent.amount_left > 0 or torrent.size < torrent.total_size
    if partial and rule.partial_ratio is not None:
        return "" if ratio >= rule.partial_ratio else f"hit-and-run: ratio {ratio:.2f} of {rule.partial_ratio:g}"
    wanted = None if rule.time is None else rule.time + rule.margin
    if SeedGoal(rule.mode, rule.ratio, wanted).met(ratio, time):
        return ""
    parts = []
    if rule.ratio is not None and rule.mode is not SeedUntil.TIME:
        parts.append(f"ratio {ratio:.2f} of {rule.ratio:g}")
    if wanted is not None and rule.mode is not SeedUntil.RATIO:
        parts.append(f"{duration(time)} of {duration(wanted)}")
    return f"hit-and-run: {', '.join(parts)}"
