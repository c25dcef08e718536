"""Ombi: a `ports.requests.RequestsPortal` over /api/v1/Request (Ombi 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from torrent_mover.adapters.requests.asking import PortalService
from torrent_mover.domain.arrs.requests import MediaRequest


class OmbiPortal:
    """See the port."""

    def __init__(self, service: PortalService) -> None:
        self._service = service
        self.name: Final = service.name

    def open_requests(self) -> Sequence[MediaRequest]:
        """See the port."""
        movies = [each for item in self._list("/api/v1/Request/movie") for each in _of_movie(item)]
        return [*movies, *(each for item in self._list("/api/v1/Request/tvlite") for each in _of_series(item))]

    def _list(self, path: str) -> list[dict[str, Any]]:
        told = self._service.get(path)
        if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
            raise self._service.garbled("no list of requests")
        return told

    def close(self) -> None:
        """See the port."""
        self._service.close()


def _of_movie(item: dict[str, Any]) -> Iterator[MediaRequest]:
    """One for the usual quality and one for 4K, where they are asked for."""
    title, tmdb = str(item.get("title", "")), _number(item.get("theMovieDbId"))
    for is_4k, asked, mark in (
        (False, not item.get("is4kRequest"), ""),
        (True, item.get("has4KRequest") is True, "4K"),
    ):
        if asked and not item.get(f"available{mark}") and not item.get(f"denied{mark}"):
            approved = True if item.get(f"approved{mark}") is True else None
            yield MediaRequest(
                f"movie {item.get('id')}{mark}",
                title,
                is_series=False,
                tmdb=tmdb,
                tvdb=None,
                approved=approved,
                is_4k=is_4k,
            )


def _of_series(item: dict[str, Any]) -> Iterator[MediaRequest]:
    title, tvdb, tmdb = str(item.get("title", "")), _number(item.get("tvDbId")), _number(item.get("externalProviderId"))
    for child in item.get("childRequests") or ():
        if not isinstance(child, dict) or child.get("available") or child.get("denied"):
            continue
        seasons = [each.get("seasonNumber") for each in child.get("seasonRequests") or () if isinstance(each, dict)]
        yield MediaRequest(
            f"tv {child.get('id')}",
            title,
            is_series=True,
            tmdb=tmdb,
            tvdb=tvdb,
            seasons=tuple(each for each in seasons if isinstance(each, int)),
            approved=True if child.get("approved") is True else None,
        )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
