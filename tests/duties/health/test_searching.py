"""Searches: order, budget, whole seasons, rest while no indexer answers, requests first, profiles that come back."""

from __future__ import annotations

import pytest

from tests.doubles.arr.house import HASH, arr_house
from tests.doubles.arr.products import RADARR
from tests.doubles.arr.server import Fault
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.arrs.media import WantedMedia
from torrent_mover.domain.arrs.requests import MediaRequest
from torrent_mover.domain.errors import ServerError, Unreachable
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.search_settings import SearchFor, SearchOrder, SearchSettings
from torrent_mover.duties.health.searching.planning import SearchNeeds, budget, plan_searches, seasons_in
from torrent_mover.duties.health.searching.records import (
    SearchReason,
    SearchRecord,
    SearchState,
    SearchTask,
    SearchWish,
)
from torrent_mover.duties.health.searching.search_journal import SearchJournal
from torrent_mover.duties.health.searching.searcher import Searcher

NOW = 1_795_000_000.0
DAY = 86400.0
BOTH = SearchSettings(search=SearchFor.BOTH)


def episode(number, *, season=1, owner=7, searched=None, aired=NOW - 30 * DAY, **more):
    more = {"monitored": True} | more
    return WantedMedia(
        number, f"Show - E{number}", searched_at=searched, owner=owner, season=season, airs_at=aired, **more
    )


def planned(settings=BOTH, records=(), **needs):
    return [(task.reason, task.media) for task in plan_searches(SearchNeeds(**needs), records, settings, NOW)]


def record(number, media, at, state=SearchState.DONE):
    return SearchRecord(number, SearchTask(SearchReason.MISSING, media, "x"), at, state)


def test_replacements_come_first_then_requests_then_today_then_missing_then_cutoff():
    wish = SearchWish(HASH, (9,), "Show.S01E09", NOW)
    missing = [
        episode(1), episode(2, owner=8, tvdb=81189), episode(3, aired=NOW - 3600, owner=9), episode(9), episode(4, owner=5),
    ]  # fmt: skip
    request = MediaRequest("1", "Show", is_series=True, tmdb=None, tvdb=81189, approved=True)
    assert planned(wishes=[wish], missing=missing, below_cutoff=[episode(20)], requests=[request]) == [
        (SearchReason.REPLACEMENT, (9,)),
        (SearchReason.REQUEST, (2,)),
        (SearchReason.TODAY, (3,)),
        (SearchReason.MISSING, (1,)),
        (SearchReason.MISSING, (4,)),
        (SearchReason.CUTOFF, (20,)),
    ]


def test_what_was_searched_for_lately_waits_whoever_asked_for_it():
    missing = [episode(1, searched=NOW - DAY), episode(2, searched=NOW - 8 * DAY, owner=8), episode(3, owner=9)]
    assert planned(missing=missing, records=[record(1, (3,), NOW - DAY)]) == [(SearchReason.MISSING, (2,))]
    assert planned(missing=missing, records=[record(1, (3,), NOW - DAY, SearchState.LOST)]) == [
        (SearchReason.MISSING, (3,)),
        (SearchReason.MISSING, (2,)),
    ]


def test_the_order_is_by_the_last_search_by_air_date_or_by_year():
    missing = [
        episode(1, owner=1, searched=NOW - 9 * DAY, aired=NOW - 10 * DAY, year=1990),
        episode(2, owner=2, searched=NOW - 8 * DAY, aired=NOW - 90 * DAY, year=2020),
        episode(3, owner=3, aired=NOW - 50 * DAY, year=2000),
    ]

    def order(wanted):
        settings = SearchSettings(search=SearchFor.MISSING, search_order=wanted)
        return [media for _, (media,) in planned(settings, missing=missing)]

    assert order(SearchOrder.OLDEST) == [3, 1, 2]
    assert order(SearchOrder.NEWEST) == [1, 3, 2]
    assert order(SearchOrder.YEAR) == [2, 3, 1]


def test_half_a_season_missing_is_one_search_and_less_is_one_each():
    missing = [episode(number) for number in range(1, 6)]
    assert planned(missing=missing, season_sizes={(7, 1): 10}) == [(SearchReason.MISSING, (1, 2, 3, 4, 5))]
    assert len(planned(missing=missing, season_sizes={(7, 1): 11})) == 5
    assert len(planned(missing=missing)) == 5
    assert seasons_in([*missing, episode(9, season=2)]) == {(7, 1)}


def test_specials_and_what_nobody_monitors_are_left_out_unless_wanted():
    missing = [episode(1, season=0), episode(2, owner=8, monitored=False)]
    assert planned(missing=missing) == []
    wanted = SearchSettings(search=SearchFor.MISSING, specials=True, unmonitored=True)
    assert [media for _, media in planned(wanted, missing=missing)] == [(1,), (2,)]


def test_without_search_only_replacements_and_requests_are_searched_for():
    film = WantedMedia(1, "Film", monitored=True, searched_at=None, owner=1, tmdb=550)
    request = MediaRequest("1", "Film", is_series=False, tmdb=550, tvdb=None, approved=True)
    needs = {"missing": [film, WantedMedia(2, "Other", monitored=True, searched_at=None)], "requests": [request]}
    assert planned(SearchSettings(), **needs) == [(SearchReason.REQUEST, (1,))]


def test_the_budget_is_by_the_hour_and_by_what_goes_on():
    settings = SearchSettings(searches_per_hour=3, searches_active=2)
    assert budget([], settings, NOW) == 2
    assert budget([record(1, (1,), NOW - 60), record(2, (2,), NOW - 90)], settings, NOW) == 1
    assert budget([record(1, (1,), NOW - 4000, SearchState.ACTIVE)], settings, NOW) == 1
    assert budget([record(each, (each,), NOW - 60) for each in range(9)], settings, NOW) == 0


# With an Arr


class Asked:
    """A portal that says what a test has told it."""

    name = "overseerr:5055"

    def __init__(self, *requests, error=None):
        self.requests, self.error = requests, error

    def open_requests(self):
        if self.error:
            raise self.error
        return self.requests

    def close(self):
        """Nothing is open."""


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path / "arr") as house:
        house.clock.jump(house.library.now - house.clock.now())
        yield house


@pytest.fixture
def book(house, tmp_path):
    journal = SqliteJournal(tmp_path / "journal.sqlite3", house.clock)
    yield SearchJournal(journal.documents(DUTY, "tv"))
    journal.close()


def searcher(house, book, settings=BOTH, *, acts=True, portal=None):
    return Searcher(house.manager, book, settings, house.clock, acts, portal)


def season(house, count, total):
    house.library.own(7, seasons={1: total}, tvdbId=81189)
    for number in range(1, count + 1):
        house.library.add_media(number, f"E{number}", f"e{number}.mkv")
        house.library.media[number].airs_at = NOW - 30 * DAY


def finish(house):
    """The Arr does what it was asked for."""
    for number in list(house.library.commands):
        house.library.look_at(number)
        house.library.look_at(number)


def test_a_look_asks_for_as_many_searches_as_the_budget_has_and_goes_on_an_hour_later(house, book):
    season(house, 4, 20)
    look = searcher(house, book, SearchSettings(search=SearchFor.MISSING, searches_per_hour=2, searches_active=9)).look
    assert look() == ["search (missing): Owner 7 - E1", "search (missing): Owner 7 - E2"]
    finish(house)
    assert look() == []
    assert house.library.searches == [[1], [2]]
    house.clock.advance(3601)
    assert look() == ["search (missing): Owner 7 - E3", "search (missing): Owner 7 - E4"]
    states = [each["state"] for each in searcher(house, book).rows()]
    assert states == ["active", "active", "done", "done"]


def test_what_goes_on_counts_until_the_arr_says_it_has_ended(house, book):
    season(house, 3, 20)
    house.library.command_polls = 1000
    look = searcher(house, book, SearchSettings(search=SearchFor.MISSING, searches_active=1)).look
    assert look() == ["search (missing): Owner 7 - E1"]
    assert look() == []
    house.library.command_polls = 0
    finish(house)
    assert look() == ["search (missing): Owner 7 - E2"]


def test_what_the_list_of_the_arr_has_no_more_makes_room_for_the_next_one(house, book):
    """An Arr lists what has ended for some minutes, and a loop may look less often."""
    season(house, 2, 20)
    look = searcher(house, book, SearchSettings(search=SearchFor.MISSING, searches_active=1)).look
    assert look() == ["search (missing): Owner 7 - E1"]
    finish(house)
    house.library.pass_time(1000)
    house.clock.advance(1000)
    assert house.manager.commands() == []
    assert look() == ["search (missing): Owner 7 - E2"]


def test_a_season_is_asked_for_as_a_whole(house, book):
    season(house, 6, 10)
    assert searcher(house, book).look() == ["search (missing): Owner 7 season 1"]
    finish(house)
    assert (house.library.season_searches, house.library.searches) == ([(7, 1)], [])


def test_searches_rest_while_no_indexer_answers_and_it_is_told_once(house, book):
    season(house, 1, 20)
    house.library.alarms = [{"id": 1, "source": "IndexerStatusCheck", "type": "error", "message": "All are down"}]
    one = searcher(house, book)
    assert one.look() == ["searches rest: tv says: All are down"]
    assert one.look() == []
    house.library.alarms[0]["type"] = "warning"
    assert one.look() == ["search (missing): Owner 7 - E1"]


class Cut:
    """The Arr, whose answer to a search is lost."""

    def __init__(self, manager):
        self._manager = manager

    def search(self, media):
        self._manager.search(media)
        raise Unreachable("The connection ended.")

    def __getattr__(self, name):
        return getattr(self._manager, name)


def test_a_replacement_is_searched_for_once_whatever_kills_us(house, book):
    one = searcher(house, book, SearchSettings())
    one.wish(HASH, [3, 1], "Show.S01E01")
    one.wish(HASH, [1, 3], "Show.S01E01")
    one.manager = Cut(house.manager)
    with pytest.raises(ServerError):
        one.look()
    assert [each.state for each in book.searches()] == [SearchState.ASKED]
    finish(house)  # it has done it by the time that we look again
    assert searcher(house, book, SearchSettings()).look() == []
    assert searcher(house, book, SearchSettings()).look() == []
    assert (house.library.searches, book.wishes()) == ([[1, 3]], [])


def test_a_search_that_never_reached_the_arr_is_asked_for_again(house, book):
    one = searcher(house, book, SearchSettings())
    one.wish(HASH, [1], "Show.S01E01")
    house.double.faults["/command"] = Fault.BAD_GATEWAY
    with pytest.raises(ServerError):
        one.look()
    house.double.faults.clear()
    assert searcher(house, book, SearchSettings()).look() == ["search (replacement): Show.S01E01"]


def test_what_people_asked_for_goes_first_and_their_program_being_away_keeps_nothing(house, book):
    season(house, 2, 20)
    house.library.own(8, seasons={1: 20}, tvdbId=5)
    house.library.add_media(3, "E3", "e3.mkv")
    house.library.media[3].owner = 8
    request = MediaRequest("1", "Other", is_series=True, tmdb=None, tvdb=5, approved=True)
    one = searcher(house, book, SearchSettings(search=SearchFor.MISSING, searches_active=1), portal=Asked(request))
    assert one.look() == ["search (request): Owner 8 - E3"]
    finish(house)
    away = Asked(error=Unreachable("Overseerr is away."))
    one = searcher(house, book, SearchSettings(search=SearchFor.MISSING, searches_active=1), portal=away)
    assert one.look() == [
        f"requests are not looked at: Overseerr is away. [{Unreachable.code}]",
        "search (missing): Owner 7 - E1",
    ]


def test_a_fallback_profile_is_written_down_first_and_put_back_by_the_next_process(house, book):
    season(house, 1, 20)
    settings = SearchSettings(search=SearchFor.MISSING, fallback_profiles=(("HD", "SD"),), fallback_for=3 * DAY)
    assert searcher(house, book, settings).look() == ["search (missing): Owner 7 - E1"]
    finish(house)
    house.clock.advance(8 * DAY)
    house.library.pass_time(8 * DAY)
    house.double.faults["/series/editor"] = Fault.BAD_GATEWAY
    with pytest.raises(ServerError):
        searcher(house, book, settings).look()
    assert [(each.owner, each.old, each.fallback) for each in book.profiles()] == [(7, 1, 2)]
    house.double.faults.clear()
    house.clock.advance(3 * DAY + 1)
    searcher(house, book, SearchSettings()).look()  # it was never changed: nothing to put back
    assert (house.manager.profile_of(7), book.profiles()) == (1, [])

    assert "quality profile SD for a while: Owner 7 - E1" in searcher(house, book, settings).look()
    assert house.manager.profile_of(7) == 2
    house.clock.advance(3 * DAY + 1)
    assert searcher(house, book, SearchSettings()).look() == ["quality profile is put back: Owner 7 - E1"]
    assert (house.manager.profile_of(7), book.profiles()) == (1, [])


def test_a_profile_that_a_person_has_changed_meanwhile_stays(house, book):
    test_a_fallback_profile_is_written_down_first_and_put_back_by_the_next_process(house, book)
    house.library.profiles["UHD"] = 3
    settings = SearchSettings(search=SearchFor.MISSING, fallback_profiles=(("HD", "SD"),))
    finish(house)
    house.clock.advance(8 * DAY)
    searcher(house, book, settings).look()
    assert house.manager.profile_of(7) == 2
    house.manager.set_profile(7, 3)
    house.clock.advance(2 * DAY)
    searcher(house, book, SearchSettings()).look()
    assert (house.manager.profile_of(7), book.profiles()) == (3, [])


def test_feeds_and_clients_are_looked_at_as_often_as_is_set(house, book):
    settings = SearchSettings(rss_every=900.0, refresh_every=60.0)
    assert searcher(house, book, settings).look() == ["rss is asked for", "refresh is asked for"]
    house.clock.advance(61)
    assert searcher(house, book, settings).look() == ["refresh is asked for"]
    finish(house)
    assert house.library.feeds_synced == 1


def test_in_report_mode_it_only_says_what_it_would_search_for(house, book):
    season(house, 8, 30)
    settings = SearchSettings(search=SearchFor.MISSING, searches_per_hour=2, rss_every=60.0)
    said = searcher(house, book, settings, acts=False).look()
    assert said == [
        "would search (missing): Owner 7 - E1",
        "would search (missing): Owner 7 - E2",
        "would search later: 6 others",
    ]
    assert [method for method, *_ in house.double.requests if method != "GET"] == []
    assert (book.searches(), book.last("rss")) == ([], 0.0)


def test_a_movie_is_known_by_its_own_number(tmp_path):
    with arr_house(tmp_path, RADARR) as house:
        house.clock.jump(house.library.now - house.clock.now())
        house.library.own(5, tmdbId=550, year=1999)
        house.library.add_media(5, "Film", "film.mkv")
        journal = SqliteJournal(tmp_path / "journal.sqlite3", house.clock)
        one = searcher(house, SearchJournal(journal.documents(DUTY, "films")))
        one.wish(InfoHash("cd" * 20), [5], "Film.2020")
        assert one.look() == ["search (replacement): Film.2020"]
        finish(house)
        assert house.library.searches == [[5]]
        journal.close()
