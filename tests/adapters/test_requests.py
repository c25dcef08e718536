"""Overseerr, Seerr and Ombi: what counts as asked for, and what is no true answer."""

from __future__ import annotations

import pytest

from tests.doubles.requests.server import KEY, ombi, overseerr, overseerr_request
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.health.searching import portal_of
from torrent_mover.domain.arrs.errors import RequestsGarbled, RequestsKeyRefused, RequestsUnreachable
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import WEB_HOST, Surroundings
from torrent_mover.duties.health.search_settings import RequestsKind, SearchSettings

AROUND = Surroundings(config_dir="/", home="/", state_home="/")


def portal(double, kind=RequestsKind.OVERSEERR, **more):
    url = WEB_HOST.read(double.url, AROUND)
    settings = SearchSettings(requests_type=kind, requests_url=url, requests_key=Secret(KEY), **more)
    return portal_of("tv", settings, SystemClock())


def asked_for(double, kind=RequestsKind.OVERSEERR, **more):
    made = portal(double, kind, **more)
    try:
        return made.open_requests()
    finally:
        made.close()
        assert double.violations == []


@pytest.mark.parametrize("kind", [RequestsKind.OVERSEERR, RequestsKind.SEERR])
def test_overseerr_lists_what_is_approved_and_not_there_over_all_pages(kind):
    requests = [
        overseerr_request(1, tvdb=81189, tmdb=1396, seasons=(1, 2)),
        overseerr_request(2, tmdb=550),
        overseerr_request(3, tmdb=551, media_status=5),
        overseerr_request(4, tmdb=552, status=3),
        overseerr_request(5, tmdb=553, status=1),
        overseerr_request(6, tmdb=554, is4k=True),
    ]
    with overseerr(*requests) as double:
        found = asked_for(double, kind)
        assert [(each.key, each.is_series, each.tmdb, each.tvdb, each.seasons) for each in found] == [
            ("1", True, 1396, 81189, (1, 2)),
            ("2", False, 550, None, ()),
        ]
        assert [each.key for each in asked_for(double, kind, requests_approved=False)] == ["1", "2", "5"]
        assert [each.key for each in asked_for(double, kind, requests_4k=True)] == ["6"]


def test_ombi_lists_movies_and_each_person_s_seasons():
    movies = [
        {"id": 1, "theMovieDbId": 550, "title": "Film", "approved": True, "available": False, "denied": None},
        {"id": 2, "theMovieDbId": 551, "title": "There", "approved": True, "available": True},
        {"id": 3, "theMovieDbId": 552, "title": "No", "approved": False, "denied": True},
        {"id": 4, "theMovieDbId": 553, "title": "4K", "is4kRequest": True, "has4KRequest": True, "approved4K": True},
    ]
    child = {"id": 8, "approved": True, "available": False, "seasonRequests": [{"seasonNumber": 2, "episodes": []}]}
    series = [{"id": 7, "tvDbId": 81189, "title": "Show", "childRequests": [child, {"id": 9, "available": True}]}]
    with ombi(movies=movies, series=series) as double:
        found = asked_for(double, RequestsKind.OMBI)
        assert [(each.key, each.title, each.tmdb, each.tvdb, each.seasons) for each in found] == [
            ("movie 1", "Film", 550, None, ()),
            ("tv 8", "Show", None, 81189, (2,)),
        ]
        assert [each.key for each in asked_for(double, RequestsKind.OMBI, requests_4k=True)] == ["movie 44K"]


def test_what_is_no_true_answer_is_never_read_as_empty():
    with overseerr() as double:
        double.page = True
        with pytest.raises(RequestsGarbled, match="login page"):
            asked_for(double)
        double.page, double.fault = False, 502
        with pytest.raises(RequestsUnreachable):
            asked_for(double)
        double.fault = 401
        with pytest.raises(RequestsKeyRefused, match="refuses the key"):
            asked_for(double)
        double.fault = 500
        with pytest.raises(RequestsGarbled, match="it answers 500"):
            asked_for(double)
        double.fault = 0
        made = portal(double)
    with pytest.raises(RequestsUnreachable):
        made.open_requests()
    made.close()
