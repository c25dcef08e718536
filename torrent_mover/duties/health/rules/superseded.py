"""The library has something better than the torrent."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged, MediaView
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, arr_name, clear, found, grabbed_media, unknown


def judge(case: Case) -> Judged:
    """By the Arr's own order of qualities; within one of them by the Arr's own scores, or by a later revision of no lower score.

    An Arr that does not prefer PROPERs and REPACKs goes by the scores alone: what neither of both ways takes for better is not.
    """
    media, arr = grabbed_media(case), arr_name(case)
    if isinstance(media, Judged):
        return media
    better = [_is_better(each) for each in media]
    if False in better:
        return clear()
    if None in better:
        return unknown(f"{arr} does not tell qualities or scores")
    first = media[0]
    if first.ahead:
        return found("the library has a better quality")
    if first.revised:
        return found("the library has a later revision of that quality (PROPER, REPACK)")
    return found(f"score {first.score}, the library has {first.file_score}")


def _is_better(media: MediaView) -> bool | None:
    """Whether the file in the library is; None: not told."""
    if media.ahead:
        return media.ahead > 0
    revised = media.revised or 0
    if media.ahead == 0 and revised < 0:
        return False
    if media.ahead is None or media.score is None or media.file_score is None:
        return None
    return media.file_score >= media.score if revised else media.file_score > media.score


CHECK = HealthCheck(
    FindingCode.SUPERSEDED,
    judge,
    lambda settings: settings.superseded_after,
    lambda settings: settings.superseded_action,
    of_arr=True,
)
