"""What fits on the disks of the downloads: in the order of the client's queue, after what is promised to moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.health.model import HealthLook, HealthMemory, Picture
from torrent_mover.duties.health.settings import HealthSettings

PERSON_COUNTS: Final = 6 * 3600.0
"""Seconds: what a person has started after we stopped it is not stopped again so soon."""

_SPARE: Final = 0.1
_LAST: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Room:
    """`fits`: of downloads that go on. `resumes`: of those that we stopped, whether there is room again."""

    fits: Mapping[InfoHash, bool]
    resumes: Mapping[InfoHash, bool]


def share_out(look: HealthLook, memory: HealthMemory, settings: HealthSettings) -> Room:
    """Share the free space out. Torrents whose disk or size is unknown have no answer."""
    free: dict[str, int] = {}
    fits: dict[InfoHash, bool] = {}
    resumes: dict[InfoHash, bool] = {}
    downloads = [each for each in look.known_closely if _downloads(each)]
    for each in sorted(downloads, key=_place):
        disk = each.disk
        if disk is None:
            continue
        left = free.setdefault(disk.name, disk.free - disk.reserved - settings.min_free)
        started = memory.started_by_person.get(each.id)
        if started is not None and look.at - started < PERSON_COUNTS:
            fits[each.id] = True
        else:
            fits[each.id] = each.torrent.amount_left <= left
        if fits[each.id]:
            free[disk.name] = left - each.torrent.amount_left
    for each in sorted((each for each in look.known_closely if _waits(each)), key=_place):
        disk = each.disk
        if disk is None:
            continue
        left = free.setdefault(disk.name, disk.free - disk.reserved - settings.min_free)
        resumes[each.id] = each.torrent.amount_left + int(settings.min_free * _SPARE) <= left
        if resumes[each.id]:
            free[disk.name] = left - each.torrent.amount_left
    return Room(fits, resumes)


def _downloads(picture: Picture) -> bool:
    return picture.torrent.state is TorrentState.DOWNLOADING and picture.torrent.amount_left > 0 and not picture.magnet


def _waits(picture: Picture) -> bool:
    return picture.stopped_by_us is not None and picture.torrent.state is TorrentState.STOPPED_INCOMPLETE


def _place(picture: Picture) -> tuple[int, int, str]:
    place = picture.activity.queue_place if picture.activity else None
    return (place if place is not None and place > 0 else _LAST, picture.torrent.added_on, picture.id.hex)
