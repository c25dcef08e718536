"""[ARR name]: three lines are enough, wrong ones are told with the line that helps, and the former programs' variables work."""

from __future__ import annotations

import pytest

from tests.domain.test_named_sections import document_of
from tests.domain.test_settings import AROUND
from torrent_mover.bootstrap.configs import check, load_all
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.domain.paths import ArrPath, LocalPath
from torrent_mover.domain.settings.arr import (
    ArrKind,
    ArrSettings,
    HandOverMode,
    HoldUntil,
    arrs_of_environment,
    from_environment,
    wrong_in_environment,
)
from torrent_mover.domain.settings.kinds import Surroundings
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.reading import read_configuration

THREE = {"url": "http://sonarr:8989", "api_key": "0123456789abcdef"}


def read(**keys):
    configuration, problems = read_configuration(document_of(ARR_tv=keys), AROUND, SCHEMA)
    return configuration, [problem for problem in problems if problem.severity is Severity.ERROR]


def test_three_lines_are_enough_and_a_config_of_them_alone_is_valid():
    configuration, problems = read(**THREE)
    assert problems == []
    arr = configuration.named(ArrSettings)["tv"]
    assert (arr.base_url, arr.api_key.reveal()) == ("http://sonarr:8989", "0123456789abcdef")
    assert (arr.type, arr.category, arr.client, arr.pairs) == (None, "", "", ())
    assert (arr.hand_over, arr.hold, arr.hold_limit) == (HandOverMode.AUTO, HoldUntil.IMPORTED, 21600)
    assert (arr.scan_timeout, arr.timeout, arr.verify_cert) == (600, 30, True)
    assert configuration.routes == ()


def test_every_key_is_read():
    configuration, problems = read(
        **THREE,
        type="Lidarr",
        category="music",
        client="qbit",
        path_map="\n/music = /hdd/music\n/tv = /hdd/tv",
        hand_over="scan",
        hold="off",
        hold_limit="1h",
        scan_timeout="5m",
        timeout="10s",
        verify_cert="no",
        basic_auth="jane:pw",
    )
    assert problems == []
    arr = configuration.named(ArrSettings)["tv"]
    assert arr.path_map == (
        (ArrPath("/music"), LocalPath("/hdd/music")),
        (ArrPath("/tv"), LocalPath("/hdd/tv")),
    )
    assert (arr.type, arr.category, arr.client) == (ArrKind.LIDARR, "music", "qbit")
    assert (arr.hand_over, arr.hold, arr.hold_limit) == (HandOverMode.SCAN, HoldUntil.OFF, 3600)
    assert (arr.scan_timeout, arr.timeout, arr.verify_cert) == (300, 10, False)
    assert arr.basic_auth.reveal() == "jane:pw"
    assert "pw" not in repr(arr)


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ({"url": "http://sonarr:8989"}, "api_key", "it is missing"),
        ({"api_key": "x"}, "url", "missing"),
        ({**THREE, "type": "sonar"}, "type", "sonarr, radarr"),
        ({**THREE, "path_map": "/tv"}, "path_map", "/as/the/arr/sees = /as/we/see"),
        ({**THREE, "api_key_command": "pass show arr"}, "api_key_command", "api_key is set too"),
        ({**THREE, "apikey": "x"}, "apikey", "api_key"),
        ({**THREE, "basic_auth": "jane"}, "basic_auth", "user:password"),
        ({**THREE, "url": "ftp://sonarr"}, "url", "http:// and https://"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(keys, key, words):
    _, problems = read(**keys)
    assert [problem.key for problem in problems] == [key]
    assert words in str(problems[0])


def test_a_key_of_a_command_is_fetched_when_it_is_needed(tmp_path):
    config = tmp_path / "config.ini"
    config.write_text("[ARR tv]\nurl = http://sonarr:8989\napi_key_command = echo key-of-a-command\n")
    configuration, _ = load_all(config, {"HOME": str(tmp_path)})
    arr = configuration.named(ArrSettings)["tv"]
    assert not arr.api_key.is_literal
    assert arr.api_key.reveal() == "key-of-a-command"
    assert arr.key_place == "what api_key_command (echo) prints"


def test_a_key_in_a_file_is_fetched_too(tmp_path):
    (tmp_path / "key").write_text("key-of-a-file\n")
    config = tmp_path / "config.toml"
    config.write_text('[ARR.tv]\nurl = "http://sonarr:8989"\napi_key_file = "key"\n')
    configuration, _ = load_all(config, {"HOME": str(tmp_path)})
    assert configuration.named(ArrSettings)["tv"].api_key.reveal() == "key-of-a-file"


# The variables of the programs that it replaces


def arrs_of(tmp_path, environ, text=""):
    config = tmp_path / "config.ini"
    config.write_text(text or "[CLIENT box]\nurl = http://127.0.0.1:8080\nusername =\n")
    configuration, _ = load_all(config, {"HOME": str(tmp_path), **environ})
    return configuration.named(ArrSettings)


def test_an_api_key_in_the_environment_makes_an_arr_with_the_former_defaults(tmp_path):
    arrs = arrs_of(tmp_path, {"SONARR_API_KEY": "k1", "RADARR_API_KEY": "k2", "RADARR_URL": "http://nas:1/radarr"})
    assert {name: (arr.base_url, arr.category, arr.api_key.reveal()) for name, arr in arrs.items()} == {
        "sonarr": ("http://sonarr:8989", "sonarr", "k1"),
        "radarr": ("http://nas:1/radarr", "radarr", "k2"),
    }
    assert {arr.hand_over for arr in arrs.values()} == {HandOverMode.AUTO}


def test_a_tag_is_the_category_and_a_switch_tells_them_nothing(tmp_path):
    arrs = arrs_of(tmp_path, {"SONARR_API_KEY": "k", "SONARR_TAG": "TV", "NOTIFY_ARR_ENABLED": "false"})
    assert (arrs["sonarr"].category, arrs["sonarr"].hand_over) == ("TV", HandOverMode.OFF)


def test_without_a_key_there_is_no_arr():
    assert from_environment({"SONARR_URL": "http://x:1", "RADARR_TAG": "films", "RADARR_API_KEY": " "}) == ()
    assert from_environment({}) == ()


def test_a_duty_without_a_config_reads_the_same_variables():
    around = Surroundings(config_dir="/", home="/", state_home="/")
    made = arrs_of_environment(
        {"SONARR_API_KEY": "abc", "SONARR_TAG": "TV", "RADARR_URL": "http://r:1", "RADARR_API_KEY": "def"}, around
    )
    assert [(name, arr.base_url, arr.api_key.reveal(), arr.category) for name, arr in made.items()] == [
        ("sonarr", "http://sonarr:8989", "abc", "TV"),
        ("radarr", "http://r:1", "def", "radarr"),
    ]
    assert "abc" not in repr(made)
    off = arrs_of_environment({"SONARR_API_KEY": "abc", "NOTIFY_ARR_ENABLED": "off"}, around)
    assert off["sonarr"].hand_over is HandOverMode.OFF
    assert wrong_in_environment({"NOTIFY_ARR_ENABLED": "off"}) is None


def test_a_word_that_is_neither_true_nor_false_is_told_of_a_config_too(tmp_path):
    file = tmp_path / "config.ini"
    file.write_text("[ARR tv]\nurl = http://tv:1\napi_key = a\n")
    problems = check(file, {"NOTIFY_ARR_ENABLED": "perhaps"})
    assert [(each.file, each.what) for each in problems][:1] == [
        ("$NOTIFY_ARR_ENABLED", "'perhaps' is neither true nor false.")
    ]


def test_a_section_of_the_file_is_overridden_only_by_what_is_set(tmp_path):
    text = "[ARR sonarr]\nurl = http://nas:8989\napi_key = old\ncategory = shows\n"
    arr = arrs_of(tmp_path, {"SONARR_API_KEY": "new"}, text)["sonarr"]
    assert (arr.base_url, arr.category, arr.api_key.reveal()) == ("http://nas:8989", "shows", "new")


def test_our_own_names_work_too(tmp_path):
    environ = {"TORRENT_MOVER__ARR_TV__URL": "http://s:1", "TORRENT_MOVER__ARR_TV__API_KEY": "k"}
    assert arrs_of(tmp_path, environ)["tv"].base_url == "http://s:1"
