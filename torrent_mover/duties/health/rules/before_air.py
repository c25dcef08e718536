"""The torrent pretends to be what is not out yet."""

from __future__ import annotations

from typing import Final

from torrent_mover.duties.health.model import FindingCode, Judged
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, arr_name, clear, found, grabbed_media, unknown

DAY: Final = 86400.0


def judge(case: Case) -> Judged:
    """By the Arr's dates, for all that it was grabbed for."""
    media, arr = grabbed_media(case), arr_name(case)
    if isinstance(media, Judged):
        return media
    dates = [each.airs_at for each in media]
    known = [date for date in dates if date is not None]
    if len(known) < len(dates):
        return unknown(f"{arr} does not say when it airs")
    days = (min(known) - case.at) / DAY
    return found(f"{arr} says that it airs in {days:.1f} days") if days > 0 else clear()


CHECK = HealthCheck(
    FindingCode.BEFORE_AIR,
    judge,
    lambda settings: settings.before_air_after,
    lambda settings: settings.before_air_action,
    of_arr=True,
)
