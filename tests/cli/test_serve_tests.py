"""What the API's tests of servers say: a client, an Arr, a program for requests; and what they say of one that is not there."""

from __future__ import annotations

import pytest

from tests.doubles.arr.house import arr_house
from tests.doubles.arr.server import KEY
from tests.doubles.requests.server import KEY as REQUESTS_KEY
from tests.doubles.requests.server import RequestsDouble
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.commands.serve_tests import server_tests
from torrent_mover.domain.errors import MoverError, UsageError

CONFIG = """[General]
state_dir = {folder}/state
[CLIENT box]
host = http://127.0.0.1
port = 9
username =
[ARR tv]
url = {arr}
api_key = {key}
[HEALTH series]
client = box
arr = tv
categories = tv
requests_type = overseerr
requests_url = {requests}
requests_key = {requests_key}
[HEALTH films]
client = box
categories = films
"""


@pytest.fixture
def ask(tmp_path):
    """Asks as the API does: the product, or what it refuses with."""
    answers = {"/api/v1/request": []}
    with arr_house(tmp_path) as arr, RequestsDouble(answers) as requests:
        places = {"arr": arr.double.url, "key": KEY, "requests": requests.url, "requests_key": REQUESTS_KEY}
        path = tmp_path / "config.ini"
        path.write_text(CONFIG.format(folder=tmp_path, **places))
        path.chmod(0o600)
        tests = server_tests(lambda: load_all(str(path))[0])

        def by(kind: str, name: str) -> str:
            return tests[kind](name)

        by.requests = requests
        yield by


def test_each_server_says_who_it_is(ask):
    assert ask("arr", "TV").startswith("Sonarr ")
    assert ask("requests", "series").endswith(", 0 open requests")


@pytest.mark.parametrize(
    ("kind", "name", "there"),
    [
        ("client", "nas", "no such client; there are: box"),
        ("arr", "films", "no such Arr; there are: tv"),
        ("requests", "films", "with requests_url; there are: series"),
    ],
)
def test_one_that_is_not_in_the_config_is_refused_with_those_that_are(ask, kind, name, there):
    with pytest.raises(UsageError, match=there.replace("[", r"\[")):
        ask(kind, name)


def test_one_that_does_not_answer_or_refuses_the_key_is_told_as_everywhere(ask):
    ask.requests.fault = 401
    with pytest.raises(MoverError, match="refuses the key"):
        ask("requests", "series")
    with pytest.raises(MoverError) as told:
        ask("client", "box")
    assert told.value.remedy


def test_without_a_config_there_is_nothing_to_ask():
    for kind, ask in server_tests(lambda: None).items():
        with pytest.raises(UsageError, match="there are: none"):
            ask(kind)
