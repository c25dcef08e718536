"""No Arr wants any more what the torrent was grabbed for."""

from __future__ import annotations

from torrent_mover.duties.health.model import FindingCode, Judged, unwanted_by
from torrent_mover.duties.health.rules.rule import Case, HealthCheck, arr_name, clear, found, grabbed_media, unknown


def judge(case: Case) -> Judged:
    """By what its Arr says of all its media, and every other Arr of the config that has grabbed it too."""
    media, view, name = grabbed_media(case), case.picture.arr, arr_name(case)
    if view is None or isinstance(media, Judged):
        return media if isinstance(media, Judged) else unknown("it has no Arr")
    if any(unwanted_by(each) is None for each in media):
        return unknown(f"{name} does not say whether it wants it")
    if not view.unwanted:
        return clear()
    if view.wanted_elsewhere is None:
        return unknown("whether another Arr wants it is not known")
    if view.wanted_elsewhere:
        return clear(f"{view.wanted_elsewhere} wants it")
    gone = all(not each.exists for each in media)
    return found(f"{name} has it no more" if gone else f"{name} does not monitor it")


CHECK = HealthCheck(
    FindingCode.ORPHANED,
    judge,
    lambda settings: settings.orphaned_after,
    lambda settings: settings.orphaned_action,
    of_arr=True,
)
