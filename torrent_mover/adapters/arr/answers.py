"""Reads the JSON of the Arrs into words of ours. What is not there is None; words that we do not know stay as they are.

Nulls are never sent by an Arr: a key that is absent is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from torrent_mover.adapters.arr.products import COMMANDS, STATES, ArrProduct
from torrent_mover.domain.arrs.media import (
    ArrAlarm,
    ArrClient,
    ArrCommand,
    CommandStatus,
    EventKind,
    MediaEvent,
    MediaFacts,
    MediaFile,
    QueueItem,
    QueueState,
    RejectedFile,
    RemoteMapping,
    Revision,
    WantedMedia,
)
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.torrent.torrent import InfoHash

Item = Mapping[str, Any]

_TORRENT_PROTOCOL: Final = "torrent"
_RESULTS: Final = {"successful": True, "unsuccessful": False}


class Malformed(ValueError):
    """A field that must be there is not, or is of another type."""


def path_of(text: object) -> ArrPath | None:
    """A path as the Arr sees it; None where there is none, or where it is one of Windows, which we cannot follow."""
    if not isinstance(text, str) or not text.startswith("/"):
        return None
    try:
        return ArrPath(text)
    except ValueError:
        return None


def torrent_of(text: object) -> InfoHash | None:
    """The infohash of a downloadId, which the Arrs write in capitals; None for one of Usenet, or none."""
    if not isinstance(text, str):
        return None
    try:
        return InfoHash(text)
    except ValueError:
        return None


def moment_of(text: object) -> float | None:
    """Unix seconds of `2026-11-30T06:15:06Z` (ISO 8601, also with fractions); None where there is none. UTC without a zone."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"no date: {text!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def number_of(item: Item, key: str) -> int:
    """A whole number that must be there."""
    value = item.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(f"no {key}")
    return value


def _word(item: Item, key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _objects(value: object) -> Iterator[Item]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _media(item: Item, product: ArrProduct) -> int | None:
    value = item.get(product.media)
    return value if isinstance(value, int) and value > 0 else None


def event_of(item: Item, product: ArrProduct) -> MediaEvent:
    """One record of the history."""
    word = _word(item, "eventType")
    at = moment_of(item.get("date"))
    if at is None:
        raise Malformed("no date")
    told = item.get("data")
    data: Item = told if isinstance(told, dict) else {}
    file = data.get("fileId")  # a number as text
    return MediaEvent(
        number_of(item, "id"),
        product.events.get(word, EventKind.OTHER),
        word,
        at,
        _media(item, product),
        torrent_of(item.get("downloadId")),
        path_of(data.get("droppedPath")),
        int(file) if isinstance(file, str) and file.isdecimal() else None,
        _score(item),
        _quality(item),
        _revision(item),
        data.get("releaseSource") == "InteractiveSearch",
    )


def _score(item: Item) -> int | None:
    score = item.get("customFormatScore")
    return score if isinstance(score, int) else None


def _quality(item: Item) -> str:
    quality = _object(_object(item, "quality"), "quality")
    return _word(quality, "name")


def _revision(item: Item) -> Revision | None:
    """Sonarr's and Radarr's own order compares `real`, then `version`; `isRepack` says only by what word."""
    told = _object(_object(item, "quality"), "revision")
    real, version = told.get("real", 0), told.get("version")
    return (real, version) if isinstance(real, int) and isinstance(version, int) else None


def _object(item: Item, key: str) -> Item:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def queue_item_of(item: Item, product: ArrProduct) -> QueueItem:
    """One line of the queue."""
    word = _word(item, "trackedDownloadState") or _word(item, "status")
    messages = [
        str(message)
        for each in _objects(item.get("statusMessages"))
        for message in (each.get("messages") or ())
        if isinstance(message, str)
    ]
    return QueueItem(
        number_of(item, "id"),
        STATES.get(word, QueueState.OTHER),
        word,
        _word(item, "title"),
        torrent_of(item.get("downloadId")),
        _media(item, product),
        _word(item, "downloadClient"),
        tuple(messages),
        path_of(item.get("outputPath")),
    )


def client_of(item: Item, product: ArrProduct) -> ArrClient | None:
    """One download client; None for one that is not for torrents."""
    if _word(item, "protocol") != _TORRENT_PROTOCOL:
        return None
    fields = {_word(each, "name"): each.get("value") for each in _objects(item.get("fields"))}
    category = next((value for name in product.category_fields if isinstance(value := fields.get(name), str)), "")
    port = fields.get("port")
    return ArrClient(
        _word(item, "name"),
        _word(item, "implementation"),
        str(fields.get("host") or ""),
        port if isinstance(port, int) else None,
        category,
        item.get("enable") is True,
        item.get("removeCompletedDownloads") is True,
        item.get("removeFailedDownloads") is True,
    )


def mapping_of(item: Item) -> RemoteMapping | None:
    """One remote path mapping; None for one whose own side is a path of Windows."""
    local = path_of(item.get("localPath"))
    if local is None:
        return None
    remote = _word(item, "remotePath")
    return RemoteMapping(_word(item, "host"), remote.rstrip("/") or "/", local)


def command_of(item: Item, product: ArrProduct) -> ArrCommand:
    """A command, with what a scan or a search was about. A status that we do not know is LOST: nothing is concluded from it."""
    word = _word(item, "status")
    told = item.get("body")
    body: Item = told if isinstance(told, dict) else {}
    return ArrCommand(
        number_of(item, "id"),
        _word(item, "name"),
        COMMANDS.get(word, CommandStatus.LOST),
        word,
        _RESULTS.get(_word(item, "result")),
        path_of(body.get("path")),
        torrent_of(body.get("downloadClientId")),
        _word(item, "exception").partition("\n")[0].strip(),
        tuple(each for each in body.get(product.search_ids) or () if isinstance(each, int)),
    )


def rejected_of(item: Item) -> RejectedFile:
    """A file of /manualimport with the reasons against it."""
    reasons = tuple(_word(each, "reason") for each in _objects(item.get("rejections")))
    last = _word(item, "path").rpartition("/")[2]  # Lidarr and Readarr have no relativePath
    return RejectedFile(_word(item, "relativePath") or last or _word(item, "name"), reasons)


def wanted_of(item: Item, product: ArrProduct) -> WantedMedia:
    """Something that is missing, or below its cutoff. Ids of other sites are those of the series, not of an episode."""
    number, told = number_of(item, "id"), item.get(product.owner)
    whole: Item = told if isinstance(told, dict) else item if product.owner == "movie" else {}
    owner = number if product.owner == "movie" else _count(item.get(product.owner_id))
    season = item.get("seasonNumber")
    title = " - ".join(
        part for part in (_word(whole, "title") if whole is not item else "", _word(item, "title")) if part
    )
    released = (
        item.get("airDateUtc"),
        item.get("releaseDate"),
        item.get("digitalRelease"),
        item.get("physicalRelease"),
    )
    return WantedMedia(
        number,
        title,
        item.get("monitored") is True,
        moment_of(item.get("lastSearchTime")),
        owner or 0,
        season if isinstance(season, int) else None,
        next((at for each in released if (at := moment_of(each)) is not None), None),
        _count(whole.get("year")),
        _count(whole.get("tmdbId")),
        _count(whole.get("tvdbId")),
    )


def season_sizes_of(item: Item) -> dict[int, int]:
    """Episodes of each season of a series."""
    found = {}
    for each in _objects(item.get("seasons")):
        statistics = each.get("statistics")
        if isinstance(number := each.get("seasonNumber"), int) and isinstance(statistics, dict):
            found[number] = number_of(statistics, "totalEpisodeCount")
    return found


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def alarm_of(item: Item) -> ArrAlarm:
    """A line of the health page."""
    return ArrAlarm(_word(item, "source"), _word(item, "type") == "error", _word(item, "message"))


def seen_in(result: Item) -> dict[str, int | None]:
    """Names of a folder -> size of a file, None for a folder."""
    found: dict[str, int | None] = {_word(each, "name"): None for each in _objects(result.get("directories"))}
    for each in _objects(result.get("files")):
        found[_word(each, "name")] = number_of(each, "size")
    return found


def media_facts_of(item: Item) -> MediaFacts:
    """An episode or a movie, with its file."""
    dates = (moment_of(item.get(key)) for key in ("airDateUtc", "inCinemas", "digitalRelease", "physicalRelease"))
    monitored, series = item.get("monitored"), _object(item, "series")
    file = _object(item, "episodeFile") or _object(item, "movieFile")
    return MediaFacts(
        number_of(item, "id"),
        exists=True,
        title=_word(item, "title"),
        airs_at=min((date for date in dates if date is not None), default=None),
        monitored=monitored and series.get("monitored") is not False if isinstance(monitored, bool) else None,
        file=number_of(file, "id") if item.get("hasFile") is True and file else None,
        score=_score(file),
        quality=_quality(file),
        profile=_count(item.get("qualityProfileId")) or _count(series.get("qualityProfileId")),
        revision=_revision(file),
    )


def quality_ranks_of(item: Item) -> dict[str, int]:
    """Names of qualities -> their place in a profile, the worst first. Those of one group have the same place."""
    found = {}
    for place, each in enumerate(_objects(item.get("items"))):
        for one in (each, *_objects(each.get("items"))):
            if name := _word(_object(one, "quality"), "name"):
                found[name] = place
    return found


def media_file_of(item: Item, parts: Iterable[Item], history: Iterable[Item]) -> MediaFile | None:
    """A file of the library, with what it holds and the torrents that its history names; None for a path of Windows."""
    path = path_of(item.get("path"))
    if path is None:
        return None
    number = number_of(item, "id")
    held = [part for part in parts if part.get("episodeFileId", number) == number]
    torrents = (
        torrent_of(event.get("downloadId"))
        for event in history
        if isinstance(data := event.get("data"), dict) and str(data.get("fileId")) == str(number)
    )
    return MediaFile(
        number,
        path,
        tuple(number_of(part, "id") for part in held),
        tuple(number_of(part, "id") for part in held if part.get("monitored") is True),
        frozenset(torrent for torrent in torrents if torrent is not None),
    )
