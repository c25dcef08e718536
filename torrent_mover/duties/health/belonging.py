"""Whose a torrent is: which ones a loop judges, and why not the others."""

from __future__ import annotations

from torrent_mover.domain.text import duration
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.model import HealthHold, HealthLook, HealthMemory, Picture
from torrent_mover.duties.health.settings import HealthSettings

_STOPPED = (TorrentState.STOPPED_INCOMPLETE, TorrentState.STOPPED_COMPLETE)


def is_ours(picture: Picture, look: HealthLook, memory: HealthMemory, settings: HealthSettings) -> bool:
    """Whether a torrent is one of this loop's: by its category; in that of a person's word, by what was known before."""
    category = picture.torrent.category
    if category and category in (settings.failed_category, settings.recheck_category):
        grabbed = picture.arr is not None and bool(picture.arr.events)
        return look.categories is None or grabbed or picture.id in memory.judged
    return look.categories is None or category.casefold() in look.categories


def not_ours(look: HealthLook) -> str:
    """Why a torrent that no verdict is about is left alone."""
    if look.unknown_owner:
        return f"{look.unknown_owner} does not answer, so whether it is this loop's is not known"
    return "it is of another category"


def skipped(picture: Picture, settings: HealthSettings, hold: HealthHold | None, now: float) -> str:  # noqa: PLR0911  one reason a line
    """Why one of the loop's torrents is not judged now; blank: it is. A person's word comes before its age."""
    torrent = picture.torrent
    if picture.leased:
        return f"{picture.leased} works on it"
    if hold is not None:
        return "held" if hold.until is None else f"held for {duration(max(hold.until - now, 0.0))} more"
    protected = [tag for tag in torrent.tags if tag in settings.protected_tags]
    if protected:
        return f"tag {protected[0]}"
    if picture.ignored:
        return "its tracker has the rule Ignore"
    told = torrent.category in filter(None, (settings.failed_category, settings.recheck_category))
    if torrent.state is TorrentState.CHECKING:
        return "it is being checked"
    if torrent.state is TorrentState.MOVING:
        return "its files are being moved"
    if told:
        return ""
    if now - torrent.added_on < settings.min_age:
        return f"younger than {duration(settings.min_age)}"
    if torrent.force_start:
        return "a person forced it to start"
    if torrent.state is TorrentState.STOPPED_INCOMPLETE and picture.stopped_by_us is None and not picture.ever_complete:
        return "a person stopped it"
    return ""
