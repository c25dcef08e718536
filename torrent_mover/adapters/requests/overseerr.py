"""Overseerr, Jellyseerr and Seerr: a `ports.requests.RequestsPortal` over /api/v1 (Overseerr 1.33)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from torrent_mover.adapters.requests.asking import PortalService
from torrent_mover.domain.arrs.requests import MediaRequest

_A_PAGE: Final = 100
_PENDING, _APPROVED, _DECLINED = 1, 2, 3
"""Status of a request."""

_THERE: Final = 5
"""Status of media: available."""


class OverseerrPortal:
    """See the port."""

    def __init__(self, service: PortalService) -> None:
        self._service = service
        self.name: Final = service.name

    def open_requests(self) -> Sequence[MediaRequest]:
        """See the port."""
        return [request for item in self._items() if (request := self._request(item)) is not None]

    def _items(self) -> Iterator[dict[str, Any]]:
        skip = 0
        while True:
            told = self._service.get(
                "/api/v1/request", {"take": str(_A_PAGE), "skip": str(skip), "sort": "added", "filter": "all"}
            )
            results = told.get("results") if isinstance(told, dict) else None
            page = told.get("pageInfo") if isinstance(told, dict) else None
            if not isinstance(results, list) or not isinstance(page, dict):
                raise self._service.garbled("a page without results")
            yield from (each for each in results if isinstance(each, dict))
            skip += len(results)
            if not results or skip >= int(page.get("results") or 0):
                return

    def _request(self, item: dict[str, Any]) -> MediaRequest | None:
        media, status = item.get("media"), item.get("status")
        if not isinstance(media, dict) or status == _DECLINED:
            return None
        is_4k = item.get("is4k") is True
        if media.get("status4k" if is_4k else "status") == _THERE:
            return None
        tmdb, tvdb = media.get("tmdbId"), media.get("tvdbId")
        seasons = [each.get("seasonNumber") for each in item.get("seasons") or () if isinstance(each, dict)]
        is_series = item.get("type") == "tv"
        return MediaRequest(
            str(item.get("id")),
            f"{'series' if is_series else 'movie'} {tvdb or tmdb}",
            is_series,
            tmdb if isinstance(tmdb, int) else None,
            tvdb if isinstance(tvdb, int) else None,
            tuple(each for each in seasons if isinstance(each, int)),
            {_APPROVED: True, _PENDING: None}.get(status) if isinstance(status, int) else None,
            is_4k,
        )

    def close(self) -> None:
        """See the port."""
        self._service.close()
