"""Routes, clients and machines with a name: INI, TOML and the environment, and what is said about routes that cannot be meant."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.bootstrap.configs import check, examine, examine_all, load, load_all, load_own_places
from torrent_mover.commands.check_config import execute
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.settings.clients import ClientType, LabelStyle
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.duties.moving.settings import Order, TransferMode

HOME = {"HOME": "/home/me"}

CLASSIC = """\
[SOURCE_CLIENT]
host = http://box.lan
port = 8080
username = me
password = a
[DESTINATION_CLIENT]
host = http://nas.lan
port = 8080
username = me
password = b
[SOURCE_SERVER]
host = box.lan
username = me
[DESTINATION_PATHS]
destination_path = /srv/media
[SETTINGS]
category_to_move = done
"""

BOX2 = """\
[CLIENT box2]
url = https://box2.lan/qbt
username = me
password = c
machine = box2
path_map = /downloads = /home/me/dl
[MACHINE box2]
host = box2.lan
port = 2222
username = you
key_file =
"""

FILMS = """\
[ROUTE films]
from = box2
to = DESTINATION_CLIENT
category = films
destination_path = /srv/films
order = smallest
delete_after_transfer = no
"""


@pytest.fixture
def config(tmp_path):
    """Writes a private config file and returns its path."""

    def write(*texts, name="config.ini"):
        path = tmp_path / name
        path.write_text("".join(texts))
        path.chmod(0o600)
        return path

    return write


def the_error(path, environ=None):
    errors = [problem for problem in check(path, environ or HOME) if problem.severity is Severity.ERROR]
    assert len(errors) == 1, [str(error) for error in errors]
    return errors[0]


def line_of(path, text, nth=1):
    numbers = [number for number, line in enumerate(path.read_text().splitlines(), 1) if line == text]
    return numbers[nth - 1]


# What the sections mean


def test_a_classic_file_is_the_route_main_and_nothing_else(config):
    configuration, problems = load_all(config(CLASSIC), HOME)
    assert problems == ()
    assert [route.route for route in configuration.routes] == ["main"]
    assert configuration.routes[0] == load(config(CLASSIC), HOME)[0]
    assert list(configuration.clients) == ["SOURCE_CLIENT", "DESTINATION_CLIENT"]
    assert list(configuration.machines) == ["SOURCE_SERVER"]
    assert configuration.state_dir == configuration.routes[0].state_dir
    assert configuration.rules_file == configuration.routes[0].rules_file
    assert configuration.general == configuration.routes[0].general


def test_main_stays_the_same_whatever_routes_there_are_beside_it(config):
    alone, _ = load(config(CLASSIC), HOME)
    beside, problems = load_all(config(CLASSIC, BOX2, FILMS, name="other.ini"), HOME)
    assert problems == ()
    assert beside.routes[0] == alone
    assert [route.route for route in beside.routes] == ["main", "films"]


def test_a_route_takes_its_own_keys_then_those_of_its_clients_then_those_without_a_name(config):
    text = CLASSIC + "chown_group = media\norder = largest\n[General]\nrsync_timeout = 2m\n"
    configuration, problems = load_all(config(text, BOX2, FILMS), HOME)
    films = configuration.routes[1]
    assert problems == ()
    assert films.source_client.url == "https://box2.lan:443/qbt"
    assert (films.source_server.host, films.source_server.port) == ("box2.lan", 2222)
    assert films.source_map.to_host(ClientPath("/downloads/x")) == HostPath("/home/me/dl/x")
    assert films.destination_client == configuration.routes[0].destination_client
    assert films.destination_server is None
    assert films.local_destination == LocalPath("/srv/films")
    assert films.moving.category_to_move == "films"
    assert films.moving.order is Order.SMALLEST
    assert films.moving.chown_group == "media"
    assert not films.source_client.delete_after_transfer
    assert configuration.routes[0].source_client.delete_after_transfer
    assert films.general.rsync_timeout == 120
    assert (films.source_client_name, films.destination_client_name) == ("box2", "DESTINATION_CLIENT")
    assert (films.source_machine_name, films.destination_machine_name) == ("box2", "")
    assert films.moving.source_client_section == "CLIENT box2"
    assert films.moving.destination_client_section == "DESTINATION_CLIENT"
    assert films.moving.source_server_section == "MACHINE box2"


def test_a_client_with_a_name_says_where_its_torrent_files_lie_for_the_routes_that_lead_from_it(config):
    box = BOX2.replace("path_map =", "torrent_folder = /downloads/session\npath_map =")
    classic, films = load_all(config(CLASSIC, box, FILMS), HOME)[0].routes
    assert films.source_client.torrent_folder == ClientPath("/downloads/session")
    assert classic.source_client.torrent_folder is None


@pytest.mark.parametrize("named", ["", "delete_after_transfer = no\n"])
@pytest.mark.parametrize("own", ["", "delete_after_transfer =\n", "delete_after_transfer = no\n"])
def test_a_blank_key_of_a_route_means_the_default_and_a_missing_one_what_its_client_says(config, named, own):
    box = BOX2.replace("password = c\n", f"password = c\n{named}")
    films = FILMS.replace("delete_after_transfer = no\n", own)
    route = load_all(config(CLASSIC, box, films), HOME)[0].routes[1]
    assert route.source_client.delete_after_transfer is (("no" not in own) if own else not named)


def test_a_file_of_routes_alone_has_no_route_main(config):
    nas = "[CLIENT nas]\nurl = http://nas.lan:8080\nusername =\n"
    path = config(BOX2, nas, FILMS.replace("DESTINATION_CLIENT", "nas"), "transfer_mode = rsync\n")
    configuration, problems = load_all(path, HOME)
    assert problems == ()
    assert [route.route for route in configuration.routes] == ["films"]
    assert load(path, HOME)[0] == configuration.routes[0]
    assert configuration.routes[0].moving.transfer_mode is TransferMode.RSYNC
    assert list(configuration.clients) == ["box2", "nas"]
    assert configuration.clients["box2"].machine == "box2"
    assert configuration.clients["box2"].type is ClientType.QBITTORRENT
    assert configuration.clients["box2"].path_map == ((ClientPath("/downloads"), HostPath("/home/me/dl")),)


def test_sections_without_a_name_may_only_hold_what_routes_leave_out(config):
    shared = "[DESTINATION_PATHS]\ndestination_path = /srv/all\n[SETTINGS]\norder = largest\ncategory_to_move = all\n"
    nas = "[CLIENT nas]\nurl = http://nas.lan:8080\nusername =\n"
    films = FILMS.replace("DESTINATION_CLIENT", "nas").replace("destination_path = /srv/films\norder = smallest\n", "")
    films = films.replace("category = films\n", "")
    configuration, problems = load_all(config(shared, BOX2, nas, films), HOME)
    assert problems == ()
    assert [route.route for route in configuration.routes] == ["films"]
    assert configuration.routes[0].local_destination == LocalPath("/srv/all")
    assert configuration.routes[0].moving.order is Order.LARGEST
    assert configuration.routes[0].moving.category_to_move == "all"


def test_an_upload_takes_the_machine_of_its_destination(config):
    nas = "[CLIENT nas]\nurl = http://nas.lan:8080\nusername =\nmachine = NAS\npath_map = /data = /mnt/data\n"
    machine = "[MACHINE nas]\nhost = nas.lan\nusername = me\n"
    films = FILMS.replace("DESTINATION_CLIENT", "nas") + "transfer_mode = sftp_upload\n"
    configuration, problems = load_all(config(BOX2, nas, machine, films), HOME)
    route = configuration.routes[0]
    assert problems == ()
    assert route.destination_server is not None
    assert route.destination_server.host == "nas.lan"
    assert route.remote_destination == HostPath("/srv/films")
    assert route.remote_destination_map.to_host(ClientPath("/data/x")) == HostPath("/mnt/data/x")
    assert route.destination_machine_name == "nas"
    assert configuration.clients["nas"].machine == "nas"


def test_a_route_that_is_switched_off_is_left_out(config):
    configuration, _ = load_all(config(CLASSIC, BOX2, FILMS, "enabled = no\n"), HOME)
    assert [route.route for route in configuration.routes] == ["main"]


def test_a_file_without_a_route_cannot_be_moved_with_and_says_so(config):
    nas = "[CLIENT nas]\nurl = http://nas.lan:8080\nusername =\n"
    path = config(BOX2, nas, FILMS.replace("DESTINATION_CLIENT", "nas"), "enabled = no\n")
    assert load_all(path, HOME)[0].routes == ()
    settings, problems = examine(path, HOME)
    assert settings is None
    assert "no route" in problems[-1].what


def test_a_file_of_routes_says_where_its_journal_and_rules_lie(config, tmp_path):
    path = config(BOX2, FILMS, "[General]\nstate_dir = state\n[SETTINGS]\nrules_file = rules.json\n")
    places = load_own_places(path, HOME)
    assert places.state_dir == LocalPath(str(tmp_path / "state"))
    assert places.rules_file == LocalPath(str(tmp_path / "rules.json"))
    assert places.clients is None


@pytest.mark.parametrize("heading", ["[route films]", "[ROUTE\tfilms]", "[ROUTE  films ]", '[ROUTE "films"]'])
def test_a_heading_may_be_written_in_other_ways(config, heading):
    configuration, problems = load_all(config(CLASSIC, BOX2, FILMS.replace("[ROUTE films]", heading)), HOME)
    assert problems == ()
    assert configuration.routes[1].route == "films"


def test_client_and_machine_without_a_name_serve_a_route_too(config):
    films = FILMS.replace("box2", "source_client").replace("smallest", "largest")
    configuration, problems = load_all(config(CLASSIC, films), HOME)
    assert problems == ()
    assert configuration.routes[1].source_server == configuration.routes[0].source_server
    assert configuration.routes[1].source_client_name == "SOURCE_CLIENT"


def test_a_password_that_is_fetched_is_fetched_once_for_all_routes(config, tmp_path):
    (tmp_path / "pw").write_text("first\n")
    box = BOX2.replace("password = c", "password_file = pw")
    series = FILMS.replace("films", "series")
    configuration, _ = load_all(config(CLASSIC, box, FILMS, series), HOME)
    passwords = [route.source_client.password for route in configuration.routes[1:]]
    assert passwords[0].reveal() == "first"
    (tmp_path / "pw").unlink()
    assert passwords[1].reveal() == "first"
    assert configuration.clients["box2"].password.reveal() == "first"


def test_no_secret_of_any_section_is_told(config):
    box = BOX2.replace("password = c", "password = pw-of-the-box\nbasic_auth = jane:pw-in-front")
    redactor = redactor_of(load_all(config(CLASSIC, box, FILMS), HOME)[0])
    assert "pw-" not in redactor("pw-of-the-box, jane:pw-in-front, pw-in-front")


# TOML


TOML = """\
[CLIENT.box2]
url = "https://box2.lan/qbt"
username = "me"
password = "c"
machine = "box2"
path_map = { "/downloads" = "/home/me/dl" }

[MACHINE.box2]
host = "box2.lan"
username = "you"
port = 2222

["CLIENT nas"]
url = "http://nas.lan:8080"
username = ""

[ROUTE."films"]
from = "box2"
to = "nas"
category = "films"
destination_path = "/srv/films"
order = "smallest"
delete_after_transfer = false
"""


def test_toml_has_the_same_sections_by_table_or_by_quoted_name(config):
    nas = "[CLIENT nas]\nurl = http://nas.lan:8080\nusername =\n"
    ini = config(BOX2, nas, FILMS.replace("DESTINATION_CLIENT", "nas"))
    toml = config(TOML, name="config.toml")
    assert load_all(toml, HOME) == load_all(ini, HOME)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (TOML.replace('category = "films"', 'categori = "films"'), 'categori = "films"'),
        (TOML.replace('to = "nas"', 'to = "nass"'), 'to = "nass"'),
        (TOML.replace('"smallest"', '"fastest"'), 'order = "fastest"'),
    ],
)
def test_what_is_wrong_in_a_named_table_has_its_line(config, text, at):
    path = config(text + '[DESTINATION_PATHS]\n[SETTINGS]\ncategory_to_move = "x"\n', name="config.toml")
    assert line_of(path, at) in [problem.line for problem in check(path, HOME)]


def test_tables_of_one_word_may_stand_in_one_table(config):
    nas, other = (
        'nas = { url = "http://nas.lan:8080", username = "" }',
        'nas.url = "http://nas.lan:8080"\nnas.username = ""',
    )
    without = TOML.replace('["CLIENT nas"]\nurl = "http://nas.lan:8080"\nusername = ""\n', "")
    for written in (nas, other):
        text = f"[CLIENT]\n{written}\n{without}"
        assert (
            load_all(config(text, name="a.toml"), HOME)[0].routes
            == load_all(config(TOML, name="b.toml"), HOME)[0].routes
        )


# The environment


def test_the_environment_replaces_values_of_named_sections_the_longest_name_counts(config):
    other = FILMS.replace("[ROUTE films]", "[ROUTE films_4k]").replace("category = films", "category = 4k")
    environ = {
        **HOME,
        "TORRENT_MOVER__ROUTE_FILMS__ORDER": "largest",
        "TORRENT_MOVER__ROUTE_FILMS_4K__ORDER": "oldest",
        "TORRENT_MOVER__CLIENT_BOX2__PASSWORD": "from-env",
        "torrent_mover__machine_box2__port": "22",
    }
    configuration, problems = load_all(config(CLASSIC, BOX2, FILMS, other), environ)
    _, films, films_4k = configuration.routes
    assert problems == ()
    assert (films.moving.order, films_4k.moving.order) == (Order.LARGEST, Order.OLDEST)
    assert films.source_client.password.reveal() == "from-env"
    assert films.source_server.port == 22


def test_the_environment_alone_may_make_a_section(config):
    environ = {
        **HOME,
        "TORRENT_MOVER__CLIENT_BOX_3__URL": "http://box3.lan:1",
        "TORRENT_MOVER__CLIENT_BOX_3__USERNAME": "",
        "TORRENT_MOVER__CLIENT_BOX_3__MACHINE": "SOURCE_SERVER",
        "TORRENT_MOVER__ROUTE_X__FROM": "box_3",
        "TORRENT_MOVER__ROUTE_X__TO": "DESTINATION_CLIENT",
        "TORRENT_MOVER__ROUTE_X__CATEGORY": "x",
    }
    configuration, problems = load_all(config(CLASSIC), environ)
    assert problems == ()
    assert configuration.routes[1].route == "x"
    assert configuration.routes[1].source_client.url == "http://box3.lan:1"


def test_a_wrong_value_of_the_environment_names_its_variable(config):
    path = config(CLASSIC, BOX2, FILMS)
    error = the_error(path, {**HOME, "TORRENT_MOVER__ROUTE_FILMS__FROM": "box3"})
    assert (error.file, error.key) == ("$TORRENT_MOVER__ROUTE_FILMS__FROM", "from")


# What is wrong


def test_a_problem_is_told_where_its_value_stands_once_for_all_routes(config):
    series = FILMS.replace("films", "series")
    path = config(CLASSIC.replace("[SETTINGS]\n", "[SETTINGS]\norder = fastest\n"), BOX2, FILMS, series)
    error = the_error(path)
    assert (error.line, error.section, error.key) == (line_of(path, "order = fastest"), "SETTINGS", "order")


@pytest.mark.parametrize(
    ("old", "new", "section", "key", "says"),
    [
        ("order = smallest", "order = fastest", "ROUTE films", "order", "oldest, smallest"),
        ("from = box2", "from = box3", "ROUTE films", "from", "there is no [CLIENT box3]"),
        ("machine = box2", "machine = box", "CLIENT box2", "machine", "there is no [MACHINE box]"),
        ("port = 2222", "port = x", "MACHINE box2", "port", "1 to 65535"),
        ("category = films", "categroy = films", "ROUTE films", "categroy", "no such key"),
        ("order = smallest", "rsync_timeout = 5m", "ROUTE films", "rsync_timeout", "wrong section"),
        ("order = smallest", "source_client_section = x", "ROUTE films", "source_client_section", "wrong section"),
        ("key_file =", "machine = x", "MACHINE box2", "machine", "wrong section"),
        ("machine = box2\n", "", "CLIENT box2", "machine", "it is missing, but the route films brings data from there"),
        ("password = c\n", "", "CLIENT box2", "password", "missing"),
        ("to = DESTINATION_CLIENT\n", "", "ROUTE films", "to", "missing"),
        ("password = c", "password = c\nhost = box2.lan", "CLIENT box2", "host", "another name of the same setting"),
        ("url = https://", "url = scgi://", "CLIENT box2", "url", "an SCGI address has no path"),
        ("[ROUTE films]", "[ROUTS films]", "ROUTS films", "", "no such section"),
        ("[ROUTE films]", "[ROUTE main]", "ROUTE main", "", "main is the route of the sections without a name"),
        ("[CLIENT box2]", "[CLIENT source_client]", "CLIENT source_client", "", "that of the section [SOURCE_CLIENT]"),
        ("category = films", "category = ../x", "ROUTE films", "category", "no empty, . or .. part"),
    ],
)
def test_a_value_of_a_named_section_is_told_with_its_section_and_key(config, old, new, section, key, says):
    text = CLASSIC + BOX2 + FILMS
    errors = [each for each in check(config(text.replace(old, new)), HOME) if each.severity is Severity.ERROR]
    told = [each for each in errors if (each.section, each.key) == (section, key) and says in each.what]
    assert len(told) == 1, [str(each) for each in errors]
    assert told[0].remedy
    assert told[0].line


def test_an_unknown_client_names_the_nearest(config):
    error = the_error(config(CLASSIC, BOX2, FILMS.replace("from = box2", "from = bxo2")))
    assert error.remedy == "Did you mean box2?"
    assert "DESTINATION_CLIENT" in error.what


def test_a_route_from_a_client_to_itself_names_both_lines(config):
    path = config(CLASSIC, BOX2, FILMS.replace("to = DESTINATION_CLIENT", "to = BOX2"))
    error = the_error(path)
    assert (error.key, error.line) == ("to", line_of(path, "to = BOX2"))
    assert f"{path}:{line_of(path, 'from = box2')}" in error.what


def test_a_route_between_two_names_of_one_client_is_found(config):
    same = "[CLIENT nas]\nhost = https://BOX2.lan/qbt\nport = 443\nusername =\n"
    path = config(CLASSIC, BOX2, same, FILMS.replace("DESTINATION_CLIENT", "nas"))
    assert "nas is the same client as box2" in the_error(path).what


def test_two_clients_behind_two_tunnels_are_two_though_their_address_is_one(config):
    tunnels = BOX2.replace("https://box2.lan/qbt", "http://127.0.0.1:8080").replace(
        "machine =", "tunnel = yes\nmachine ="
    )
    other = tunnels.replace("box2", "nas")
    path = config(CLASSIC, tunnels, other, FILMS.replace("DESTINATION_CLIENT", "nas"))
    assert check(path, HOME) == ()


def test_two_routes_with_the_same_client_and_category_name_both_lines(config):
    path = config(
        CLASSIC, BOX2, FILMS, FILMS.replace("[ROUTE films]", "[ROUTE more]").replace("category", "category_to_move")
    )
    error = the_error(path)
    assert (error.section, error.key) == ("ROUTE more", "category_to_move")
    assert error.line == line_of(path, "category_to_move = films")
    assert f"the route films ({path}:{line_of(path, 'category = films')}) moves too" in error.what
    assert "Both would bring the same torrents to DESTINATION_CLIENT." in error.what


def test_the_same_category_is_found_though_the_client_has_two_names(config):
    again = BOX2.replace("[CLIENT box2]", "[CLIENT again]").partition("[MACHINE")[0]
    path = config(
        CLASSIC, BOX2, again, FILMS, FILMS.replace("[ROUTE films]\nfrom = box2", "[ROUTE more]\nfrom = again")
    )
    assert "box2 and again are the same client" in the_error(path).what


def test_a_category_that_a_route_has_from_the_settings_is_told_where_it_stands(config):
    path = config(CLASSIC, FILMS.replace("from = box2", "from = SOURCE_CLIENT").replace("category = films\n", ""))
    error = the_error(path)
    assert (error.section, error.key, error.line) == (
        "SETTINGS",
        "category_to_move",
        line_of(path, "category_to_move = done"),
    )
    assert "the route main" in error.what
    assert error.remedy == "Add a category of its own under [ROUTE films], or set enabled = no there."


@pytest.mark.parametrize(
    ("back", "says"),
    [
        ("[ROUTE back]\nfrom = nas\nto = box2\ncategory = films\n", "in a circle"),
        ("[ROUTE on]\nfrom = nas\nto = box3\ncategory = films\n", "move on from there at once"),
        (
            "[ROUTE on]\nfrom = nas\nto = box3\ncategory = review-failed\nmanual_review_category = bad\n",
            "move on from there at once",
        ),
        ("[ROUTE on]\nfrom = nas\nto = box3\ncategory = by-rule\n", "move on from there at once"),
        ("[ROUTE before]\nfrom = box3\nto = box2\ncategory = films\n", "move on from there at once"),
        ("[ROUTE on]\nfrom = nas\nto = box3\ncategory = another\n", ""),
        ("[ROUTE on]\nfrom = nas\nto = box3\ncategory = Ignore\n", ""),
        ("[ROUTE on]\nfrom = nas\nto = box3\ncategory = films\nenabled = no\n", ""),
    ],
)
def test_chains_and_circles_of_routes_are_told_with_both_places(config, tmp_path, back, says):
    (tmp_path / "tracker_rules.json").write_text(json.dumps({"tracker.org": "by-rule", "other.org": "Ignore"}))
    nas, box3 = (BOX2.replace("box2", name) for name in ("nas", "box3"))
    films = FILMS.replace("DESTINATION_CLIENT", "nas")
    path = config(BOX2, nas, box3, films, back, "destination_path = /srv/x\n")
    problems = check(path, HOME)
    if not says:
        assert [problem for problem in problems if problem.severity is Severity.ERROR] == []
        return
    error = the_error(path)
    assert says in error.what
    places = {line_of(path, "category = films"), line_of(path, back.splitlines()[3], 2 if "films" in back else 1)}
    assert error.line in places
    assert any(f"{path}:{line}" in error.what for line in places - {error.line})


def test_two_sections_of_one_name_are_told_with_both_lines(config):
    path = config(CLASSIC, BOX2, FILMS, FILMS.replace("[ROUTE films]", "[ROUTE  Films]"))
    error = the_error(path)
    assert error.line == line_of(path, "[ROUTE  Films]")
    assert f"{path}:{line_of(path, '[ROUTE films]')}" in error.what


def test_a_client_that_nothing_uses_is_a_notice(config):
    path = config(CLASSIC, BOX2)
    told = [(problem.severity, problem.section) for problem in check(path, HOME)]
    assert told == [(Severity.NOTICE, "CLIENT box2")]


# Types of clients


RTORRENT = "[CLIENT r]\ntype = rtorrent\nurl = {}\n"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("/run/rtorrent.sock", "scgi+unix:///run/rtorrent.sock"),
        ("scgi+unix:///run/rtorrent.sock", "scgi+unix:///run/rtorrent.sock"),
        ("scgi://127.0.0.1:5000", "scgi://127.0.0.1:5000"),
        ("box.lan:5000", "scgi://box.lan:5000"),
        ("box.lan\nport = 5000", "scgi://box.lan:5000"),
        ("https://box.lan/RPC2", "https://box.lan:443/RPC2"),
    ],
)
def test_rtorrent_has_an_address_of_its_own_kind_and_needs_no_login(config, written, url):
    configuration, problems = load_all(config(CLASSIC, RTORRENT.format(written)), HOME)
    client = configuration.clients["r"]
    assert [problem.severity for problem in problems] == [Severity.NOTICE]  # nothing uses it
    assert (client.type, client.url) == (ClientType.RTORRENT, url)
    assert (client.label_field, client.label_style, client.timeout) == ("custom1", LabelStyle.RUTORRENT, 30)


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (RTORRENT.format("scgi://box.lan"), "url", "has a port"),
        (RTORRENT.format("run/rtorrent.sock"), "port", "missing"),
        (RTORRENT.format("/run/../x"), "url", ".."),
        (RTORRENT.format("/run/x") + "api_key = x\n", "api_key", "type = qbittorrent alone"),
        (RTORRENT.format("/run/x") + "label_style = other\n", "label_style", "rutorrent, flood, raw"),
        (BOX2.replace("https://box2.lan/qbt", "/run/x"), "url", "an SCGI address"),
        (BOX2.replace("[MACHINE", "label_field = custom2\n[MACHINE"), "label_field", "type = rtorrent alone"),
    ],
)
def test_a_key_or_an_address_of_another_type_is_told(config, text, key, says):
    error = the_error(config(CLASSIC, text))
    assert error.key == key
    assert says in error.what


# The pages about routes and rTorrent


def examples(name="routes.md"):
    page = Path(__file__).parents[2] / "docs" / name
    return re.findall(r"^```ini\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "number", "routes"),
    [
        ("routes.md", 0, ["from-box1", "from-box2"]),
        ("routes.md", 1, ["main", "series"]),
        ("rtorrent.md", 0, ["main"]),
        ("rtorrent.md", 1, ["home"]),
    ],
)
def test_the_examples_of_the_pages_work_as_they_stand(config, tmp_path, page, number, routes):
    text = examples(page)[number].replace("example.com", "lan")
    for name in re.findall(r"~/(\S+)", text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    configuration, problems = load_all(config(text), {"HOME": str(tmp_path)})
    assert problems == ()
    assert [route.route for route in configuration.routes] == routes


# A socket on the SSH server


def test_a_socket_of_the_ssh_server_is_a_tunnel_and_needs_the_server(config):
    usual = "host = http://nas.lan\nport = 8080\nusername = me\npassword = b\n"
    error = the_error(config(CLASSIC.replace(usual, "type = rtorrent\nhost = ssh:///run/rpc.socket\n")))
    assert "an ssh:// address needs it" in error.what


@pytest.mark.parametrize("host", ["ssh://box/run/rpc.socket", "ssh://", "ssh:/run/rpc.socket"])
def test_a_socket_of_the_ssh_server_has_no_host(config, host):
    error = the_error(config(CLASSIC, f"[CLIENT spare]\ntype = rtorrent\nurl = {host}\n"))
    assert error.key in ("url", "port")


# --check-config


class Arguments:
    duties = ()

    def __init__(self, config):
        self.config = str(config)


def test_check_config_prints_each_route_on_a_line(config, capsys):
    path = config(CLASSIC, BOX2, FILMS)
    assert execute(Arguments(path)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "route main: category done, from SOURCE_CLIENT to DESTINATION_CLIENT, into /srv/media by sftp;"
        " the source is removed once the move is proven.",
        "route films: category films, from box2 to DESTINATION_CLIENT, into /srv/films by sftp; the source keeps its copy.",
        f"{path}: no error.",
    ]


def test_check_config_with_an_error_prints_no_route(config, capsys):
    assert execute(Arguments(config(CLASSIC, FILMS))) == 2
    out = capsys.readouterr().out
    assert "route main" not in out
    assert "1 error." in out


# Any order, any lines


_PARTS = [part for part in (CLASSIC + BOX2 + FILMS).split("[") if part]


@given(st.permutations(_PARTS))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
def test_the_order_of_the_sections_does_not_matter(tmp_path, parts):
    def read(name, text):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return load_all(path, HOME)[0]

    one = read("a.ini", "".join(f"[{part}" for part in _PARTS))
    other = read("b.ini", "".join(f"[{part}" for part in parts))
    assert other.routes == one.routes
    assert (other.clients, other.machines) == (one.clients, one.machines)


_LINES = (CLASSIC + BOX2 + FILMS + FILMS.replace("films", "back")).splitlines()


@given(st.lists(st.sampled_from(_LINES), max_size=40))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_shuffled_lines_are_read_or_refused_with_remedies(tmp_path, lines):
    path = tmp_path / "config.ini"
    path.write_text("\n".join(lines))
    configuration, problems = examine_all(path, HOME)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert (configuration is None) == bool(errors)
    assert all(str(problem).isprintable() for problem in problems)
