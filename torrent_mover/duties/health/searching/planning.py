"""What is searched for next: replacements first, then requests, what aired today, what is missing, what could be better."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from torrent_mover.domain.arrs.media import WantedMedia
from torrent_mover.domain.arrs.requests import MediaRequest
from torrent_mover.duties.health.search_settings import SearchFor, SearchOrder, SearchSettings
from torrent_mover.duties.health.searching.records import (
    SearchReason,
    SearchRecord,
    SearchState,
    SearchTask,
    SearchWish,
)

_HOUR: Final = 3600.0
_DAY: Final = 86400.0
_SEVERAL: Final = 2
_UNDER_WAY: Final = (SearchState.ASKED, SearchState.ACTIVE)

INDEXERS: Final = "IndexerStatusCheck"
"""The line of an Arr's health page by which it says that no indexer answers."""


@dataclass(frozen=True, slots=True)
class SearchNeeds:
    """All that could be searched for, as it was read. `season_sizes`: (series, season) -> its episodes, where asked."""

    wishes: Sequence[SearchWish] = ()
    missing: Sequence[WantedMedia] = ()
    below_cutoff: Sequence[WantedMedia] = ()
    requests: Sequence[MediaRequest] = ()
    season_sizes: Mapping[tuple[int, int], int] = field(default_factory=dict)


def budget(records: Iterable[SearchRecord], settings: SearchSettings, now: float) -> int:
    """How many searches may begin now: by the hour, and by those that go on."""
    known = list(records)
    lately = sum(now - _HOUR < record.at <= now for record in known)
    active = sum(record.state in _UNDER_WAY for record in known)
    return max(min(settings.searches_per_hour - lately, settings.searches_active - active), 0)


def plan_searches(
    needs: SearchNeeds, records: Sequence[SearchRecord], settings: SearchSettings, now: float
) -> tuple[SearchTask, ...]:
    """All that is due, the first first; whoever acts takes as many as the budget allows. Nothing is in it twice."""
    asked = _asked(records)
    under_way = {media for record in records if record.state in _UNDER_WAY for media in record.task.media}
    taken: set[int] = set(under_way)
    tasks: list[SearchTask] = []
    for wish in sorted(needs.wishes, key=lambda wish: wish.at):
        tasks.append(SearchTask(SearchReason.REPLACEMENT, wish.media, wish.why, torrent=wish.torrent, wish=wish.key))
        taken.update(wish.media)
    due = [each for each in needs.missing if _may(each, settings) and _is_due(each, asked, settings, now)]
    requested = [each for each in due if any(wants(request, each) for request in needs.requests)]
    stages: list[tuple[SearchReason, Sequence[WantedMedia]]] = [(SearchReason.REQUEST, requested)]
    if settings.search in (SearchFor.MISSING, SearchFor.BOTH):
        today = [each for each in due if each.airs_at is not None and now - _DAY < each.airs_at <= now]
        stages += [(SearchReason.TODAY, today), (SearchReason.MISSING, due)]
    if settings.search in (SearchFor.CUTOFF, SearchFor.BOTH):
        better = [each for each in needs.below_cutoff if _may(each, settings) and _is_due(each, asked, settings, now)]
        stages.append((SearchReason.CUTOFF, better))
    for reason, found in stages:
        left = [each for each in _ordered(found, asked, settings) if each.media not in taken]
        for task in _grouped(reason, left, needs):
            if not taken.intersection(task.media):
                taken.update(task.media)
                tasks.append(task)
    return tuple(tasks)


def wants(request: MediaRequest, media: WantedMedia) -> bool:
    """Whether a request is about this. Specials are wanted only where a request names season 0."""
    if request.is_series != (media.season is not None):
        return False
    if not request.is_series:
        return request.tmdb is not None and request.tmdb == media.tmdb
    same = (request.tvdb is not None and request.tvdb == media.tvdb) or (
        request.tvdb is None and request.tmdb is not None and request.tmdb == media.tmdb
    )
    return same and (media.season in request.seasons if request.seasons else media.season != 0)


def seasons_in(missing: Iterable[WantedMedia]) -> frozenset[tuple[int, int]]:
    """Seasons of which several episodes are missing: their size decides whether they are searched for as a whole."""
    count: dict[tuple[int, int], int] = {}
    for each in missing:
        if each.season is not None and each.owner:
            count[each.owner, each.season] = count.get((each.owner, each.season), 0) + 1
    return frozenset(season for season, number in count.items() if number >= _SEVERAL)


def _asked(records: Iterable[SearchRecord]) -> dict[int, float]:
    """When we last had each of them searched for."""
    asked: dict[int, float] = {}
    for record in records:
        if record.state is not SearchState.LOST:
            for media in record.task.media:
                asked[media] = max(record.at, asked.get(media, 0.0))
    return asked


def _may(media: WantedMedia, settings: SearchSettings) -> bool:
    return (media.monitored or settings.unmonitored) and (media.season != 0 or settings.specials)


def _last(media: WantedMedia, asked: Mapping[int, float]) -> float:
    return max(media.searched_at or 0.0, asked.get(media.media, 0.0))


def _is_due(media: WantedMedia, asked: Mapping[int, float], settings: SearchSettings, now: float) -> bool:
    last = _last(media, asked)
    return not last or now - last >= settings.search_again_after or last > now


def _ordered(found: Collection[WantedMedia], asked: Mapping[int, float], settings: SearchSettings) -> list[WantedMedia]:
    def key(media: WantedMedia) -> tuple[float, ...]:
        last, airs = _last(media, asked), media.airs_at or 0.0
        if settings.search_order is SearchOrder.NEWEST:
            return (-airs, last, media.media)
        if settings.search_order is SearchOrder.YEAR:
            return (-(media.year or 0), last, airs, media.media)
        return (last, airs, media.media)

    return sorted(found, key=key)


def _grouped(reason: SearchReason, ordered: Sequence[WantedMedia], needs: SearchNeeds) -> Iterator[SearchTask]:
    """One task each; a whole season as one where half of it is missing. What is better is searched for one by one."""
    missing: dict[tuple[int, int], list[WantedMedia]] = {}
    for each in needs.missing:
        if each.season is not None:
            missing.setdefault((each.owner, each.season), []).append(each)
    told: set[tuple[int, int]] = set()
    for each in ordered:
        season = (each.owner, each.season) if each.season is not None else None
        if season is not None and season in told:
            continue
        lacking = missing.get(season, []) if season is not None and reason is not SearchReason.CUTOFF else []
        size = needs.season_sizes.get(season, 0) if season is not None else 0
        if season is not None and len(lacking) >= _SEVERAL and size and 2 * len(lacking) >= size:
            told.add(season)
            title = f"{each.title.partition(' - ')[0]} season {season[1]}"
            yield SearchTask(reason, tuple(one.media for one in lacking), title, each.owner, season)
        else:
            yield SearchTask(reason, (each.media,), each.title, each.owner)
