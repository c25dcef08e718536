"""Routes on real servers: two sources, two categories, two folders in one run; killed in the middle; one of them away."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal

import pytest

from tests.cli.schemas import fits
from tests.conftest import program_of
from tests.servers import eventually
from torrent_mover.demo.content import sample
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.world import CATEGORY
from torrent_mover.domain.errors import ExitCode

pytestmark = [pytest.mark.servers, pytest.mark.logins]

SHOWS = "shows"


@pytest.fixture(scope="session")
def _second(open_folder):
    with QBittorrentServer(open_folder / "second", program=program_of("5.1")) as server:
        yield server


@pytest.fixture
def second(_second):
    """Another client at the source's server."""
    _second.start()
    _second.clear()
    return _second


@pytest.fixture
def two(house, second):
    """The house with a second route, from another client into another folder."""
    house.config["CLIENT box2"] = {
        "host": second.host,
        "port": str(second.port),
        "username": second.username,
        "password": second.password,
        "machine": "SOURCE_SERVER",
    }
    house.config["ROUTE shows"] = {
        "from": "box2",
        "to": "DESTINATION_CLIENT",
        "category": SHOWS,
        "destination_path": str(shows_folder(house)),
    }
    shutil.rmtree(shows_folder(house), ignore_errors=True)  # tests share the house, and what they moved stays in it
    shows_folder(house).mkdir()
    return house


def shows_folder(house):
    return house.destination.data.parent / "shows"


def seed_show(second, name: str, size: int):
    made = sample(second.data, name, size, category=SHOWS)
    second.add(made.metainfo, made.content.parent, category=SHOWS)
    second.wait_for(made.info_hash)
    return made


def seeds(house, made) -> bool:
    there = house.destination.torrent(made.info_hash)
    return there is not None and there["state"] in SEEDING_STATES and there["amount_left"] == 0


def test_two_sources_two_categories_and_two_folders_move_in_one_run(two, second):
    film = two.seed("A film", {"film.bin": 300_000, "film.nfo": 5})
    show = seed_show(second, "A show", 200_000)
    film_files, show_bytes = film.files(), show.content.read_bytes()

    result = two.move().ended(ExitCode.DONE)

    two.assert_moved(film, film_files)
    assert second.torrent(show.info_hash) is None
    assert not show.content.exists()
    assert seeds(two, show)
    assert (shows_folder(two) / "A show").read_bytes() == show_bytes
    assert two.destination.torrent(show.info_hash)["category"] == SHOWS
    result.says("shows: ", "2 moved, 0 failed")
    history = json.loads(two.run("history", "--json").text)
    assert {entry["infohash"]: entry["route"] for entry in history["entries"]} == {
        film.info_hash: "main",
        show.info_hash: "shows",
    }


def test_a_run_killed_in_the_middle_of_both_routes_is_ended_by_the_next_one(two, second):
    film = two.seed("A long film", 24_000_000)
    show = seed_show(second, "A long show", 20_000_000)
    film_files, show_bytes = film.files(), show.content.read_bytes()
    two.config["General"] = {"sftp_download_limit_mbps": "40"}

    with two.start("--simple") as command:
        eventually(lambda: len(list(two.world.root.glob("destination*/**/.torrent-mover/*"))) >= 2, 60)
        command.send(signal.SIGKILL)
        command.end()
    two.config.pop("General")
    with contextlib.closing(two.journal()) as journal:
        assert {record.route for record in journal.moves()} == {"main", "shows"}

    two.move().ended(ExitCode.DONE)

    two.assert_moved(film, film_files)
    assert second.torrent(show.info_hash) is None
    assert seeds(two, show)
    assert (shows_folder(two) / "A long show").read_bytes() == show_bytes
    two.assert_no_staging()


def test_a_route_whose_client_is_away_is_named_and_the_other_one_moves(two, second):
    film = two.seed("A film", 200_000)
    files = film.files()
    second.stop()

    result = two.move().ended(ExitCode.UNREACHABLE)

    two.assert_moved(film, files)
    result.says(f"127.0.0.1:{second.port}", "1 moved, 0 failed")


def test_one_route_alone_is_chosen_by_its_name(two, second):
    film = two.seed("A film", 200_000)
    show = seed_show(second, "A show", 200_000)

    two.move("--route", "shows").ended(ExitCode.DONE)

    assert seeds(two, show)
    assert two.source.torrent(film.info_hash) is not None
    two.move("--route", "show").ended(ExitCode.USAGE).says("no route 'show'", "--route shows")


def test_a_dry_run_plans_each_route_and_changes_nothing(two, second):
    film = two.seed("A film", 200_000)
    show = seed_show(second, "A show", 100_000)
    two.world.write_config(**two.config)
    before = two.picture()

    text = two.run("--dry-run").ended(ExitCode.DONE)
    data = json.loads(two.run("--dry-run", "--json").ended(ExitCode.DONE).text)

    text.says("Route main: SOURCE_CLIENT -> DESTINATION_CLIENT", "Route shows: box2 -> DESTINATION_CLIENT")
    fits("dry-run", data)
    assert {move["infohash"]: move["route"] for move in data["moves"]} == {
        film.info_hash: "main",
        show.info_hash: "shows",
    }
    assert data["size"] == 300_000
    assert two.picture() == before


def test_named_torrents_move_at_once_whatever_their_category(two, second):
    other = two.seed("Not yet", 100_000, category="keep-me")
    stays = two.seed("A film", 100_000)
    show = seed_show(second, "A show", 100_000)

    two.run("move", "--simple", other.info_hash, show.info_hash[:8]).ended(ExitCode.DONE)

    assert seeds(two, other)
    assert seeds(two, show)
    assert two.source.torrent(other.info_hash) is None
    assert two.source.torrent(stays.info_hash) is not None
    two.run("move", "0" * 40).ended(ExitCode.USAGE).says("No source client has a torrent")
    two.run("move", "film").ended(ExitCode.USAGE).says("no infohash")


def test_two_routes_that_would_take_the_same_torrents_are_refused_with_both_lines(two):
    two.config["ROUTE again"] = {
        "from": "SOURCE_CLIENT",
        "to": "DESTINATION_CLIENT",
        "category": two.world.config()["SETTINGS"]["category_to_move"],
        "destination_path": str(shows_folder(two)),
    }

    two.move().ended(ExitCode.USAGE).says("what the route main (")


def test_doctor_and_permissions_ask_about_each_route(two, second):
    two.seed("A film", 100_000)
    seed_show(second, "A show", 100_000)

    told = two.run("doctor", "--json").ended(ExitCode.DONE)
    answers = fits("doctor", json.loads(told.text))["checks"]
    plans = {each["route"]: each["result"] for each in answers if each["name"] == "plan"}
    assert {route: text.split(",")[0] for route, text in plans.items()} == {
        "main": "1 torrent to move",
        "shows": "1 torrent to move",
    }
    assert [each["route"] for each in answers if each["name"] == "config"] == ["main"]
    two.run("doctor").ended(ExitCode.DONE).says("Route main", "Route shows", "all is well")
    two.run("--test-permissions").ended(ExitCode.DONE).says(
        "route main, transfer_mode", "route shows, transfer_mode", str(shows_folder(two))
    )


def test_doctor_says_which_route_is_in_trouble_and_the_other_is_asked_all_the_same(two, second):
    second.stop()
    result = two.run("doctor").ended(ExitCode.UNREACHABLE)

    result.says("Route main", "Route shows", "shows: source client")
    two.run("--route", "main", "doctor").ended(ExitCode.DONE).says("all is well")


def test_categorize_sorts_what_each_route_brings(two):
    tracker = ("http://films.example/announce",)
    made = {
        category: sample(two.destination.data, f"Of {category}", 50_000, category=category, trackers=tracker)
        for category in (CATEGORY, SHOWS)
    }
    for category, torrent in made.items():
        two.destination.add(torrent.metainfo, torrent.content.parent, category=category)
        two.destination.wait_for(torrent.info_hash)
    (two.world.root / "tracker_rules.json").write_text(json.dumps({"films.example": "sorted"}))

    def categories():
        return {category: two.destination.torrent(each.info_hash)["category"] for category, each in made.items()}

    two.run("--categorize", "--apply", "--route", "shows").ended(ExitCode.DONE)
    assert categories() == {CATEGORY: CATEGORY, SHOWS: "sorted"}

    two.run("--categorize", "--apply").ended(ExitCode.DONE)
    assert categories() == {CATEGORY: "sorted", SHOWS: "sorted"}


def test_routes_with_other_numbers_of_lanes_share_the_few_connections_of_their_server(two, second):
    two.config["SOURCE_SERVER"] = {"max_concurrent_ssh_sessions": "3"}
    two.config["SETTINGS"] = {"max_concurrent_downloads": "2"}
    two.config["ROUTE shows"]["max_concurrent_downloads"] = "1"
    two.config["General"] = {"pool_wait_timeout": "2"}
    films = [two.seed(f"Film {number}", 2_000_000) for number in range(3)]
    shows = [seed_show(second, f"Show {number}", 2_000_000) for number in range(3)]
    files = [each.files() for each in films]

    two.move().ended(ExitCode.DONE).says("6 moved, 0 failed")

    for film, content in zip(films, files, strict=True):
        two.assert_moved(film, content)
    assert all(seeds(two, show) for show in shows)
