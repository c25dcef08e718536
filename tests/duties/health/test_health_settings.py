"""The settings of [HEALTH name], and the health part of the tracker rules: what is read, and what is refused."""

from __future__ import annotations

import json
import re

import pytest

from tests.duties.health.pictures import DAY, SETTINGS
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.bootstrap.configs import load_all
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.health_rules import HealthRule, HitAndRun, SeedUntil, parse_health_rule
from torrent_mover.duties.health.model import HealthAction
from torrent_mover.duties.health.settings import HealthSettings

CLIENT = "[CLIENT qbit]\nhost = http://127.0.0.1\nport = 8080\nusername =\n"


def read(tmp_path, *lines: str, general: str = "") -> HealthSettings:
    path = tmp_path / "config.ini"
    path.write_text("\n".join([f"[General]\n{general}", CLIENT, "[HEALTH tv]", "client = qbit", *lines, ""]))
    path.chmod(0o600)
    configuration, _ = load_all(path)
    return configuration.named(HealthSettings)["tv"]


def test_all_that_is_written_is_read(tmp_path):
    found = read(
        tmp_path,
        "categories = tv, tv-4k",
        "stalled_after = 12h",
        "stalled_action = keep",
        "patience = 0:2 80:5",
        "progress_counts = 512K",
        "unregistered_texts = gone | not here",
        "exclude_files = \\.exe$\n  ^sample",
        "seed_until = both",
        "seed_ratio = 2",
        "seed_time = 14d",
        general="internet_probe = 127.0.0.1:443\nrestart_limit = 2",
    )
    assert found.categories == ("tv", "tv-4k")
    assert (found.stalled_after, found.stalled_action) == (DAY / 2, HealthAction.KEEP)
    assert [found.factor(part) for part in (0.0, 0.5, 0.8, 1.0)] == [2, 2, 5, 5]
    assert found.progress_counts == 512 * 1024
    assert found.unregistered_texts == ("gone", "not here")
    assert found.exclude_files == (r"\.exe$", "^sample")
    assert (found.seed_until, found.seed_ratio, found.seed_time) == (SeedUntil.BOTH, 2, 14 * DAY)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("stalled_action = recheck", "stalled_action"),
        ("lost_data_action = replace", "lost_data_action"),
        ("patience = 50", "percent:factor"),
        ("patience = 150:2", "0 to 100"),
        ("progress_counts = 4MB/s", "0: 512K"),
        ("exclude_files = (", "regular expression"),
        ("seed_until = ratio", "seed_ratio"),
        ("seed_until = either", "seed_until"),
        ("failed_category = recheck", "failed_category too"),
        ("categories = failed", "people use"),
        ("outage_share = 0", "stop the loop"),
        ("every = 1s", "every"),
        ("arr = sonarr", "there is no [ARR sonarr]"),
        ("stalled_afer = 1h", "stalled_after"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, line, words):
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, line)
    assert words in "\n".join([str(raised.value), *raised.value.problems])


ARRS = "".join(f"[ARR {name}]\nurl = http://127.0.0.1:{port}\napi_key = 1\n" for name, port in (("tv", 1), ("uhd", 2)))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("categories = tv, films", "categories = TV", "the category 'tv'"),
        ("", "categories = tv", "all torrents"),
        ("categories = tv", "", "some torrents"),
        ("arr = tv", "arr = tv", "the same torrents"),
        ("categories = tv", "categories = films", None),
        ("arr = tv", "arr = uhd", None),
        ("arr = tv", "categories = films", None),
        ("categories = tv", "client = other\ncategories = tv", None),
    ],
)
def test_two_loops_with_the_same_torrents_are_refused_with_both_lines(tmp_path, first, second, words):
    path = tmp_path / "config.ini"
    second = second if "client =" in second else f"client = qbit\n{second}"
    other = CLIENT.replace("qbit", "other").replace("8080", "8081")
    path.write_text(f"{CLIENT}{other}{ARRS}[HEALTH a]\nclient = qbit\n{first}\n[HEALTH b]\n{second}\n")
    path.chmod(0o600)
    if words is None:
        assert list(load_all(path)[0].named(HealthSettings)) == ["a", "b"]
        return
    with pytest.raises(ConfigError) as raised:
        load_all(path)
    (problem,) = (each for each in raised.value.problems if " error: " in each)
    assert re.search(rf"config.ini:\d+: error: \[HEALTH b\] .*: \[HEALTH a\] at {path}:\d+ ", problem)
    assert f"looks after {words} of the same client too" in problem


def test_the_defaults_take_nothing_out_by_themselves():
    assert SETTINGS.mode.value == "report"
    assert HealthAction.RETIRE not in {getattr(SETTINGS, name) for name in HealthSettings.__slots__}


RULE = {
    "hnr": {"mode": "either", "ratio": 1, "time": "3d", "from": 0.1, "partial_ratio": 1, "margin": "6h"},
    "seed_until": "both",
    "seed_ratio": 2,
    "seed_time": "14d",
    "max_eta": "1d",
    "upload_limit": "5MB",
    "super_seed": False,
    "tags": ["t"],
    "priority": 10,
    "add": True,
    "remove": False,
}


def test_the_health_part_of_a_rule_is_read_and_stays_when_its_category_is_changed(tmp_path):
    path = tmp_path / "tracker_rules.json"
    path.write_text(json.dumps({"t.org": {"category": "tv", "health": RULE}}))
    (rule,) = RulesFile(path).read()
    assert rule.health == HealthRule(
        HitAndRun(SeedUntil.EITHER, 1.0, 3 * DAY, 0.1, 1.0, 6 * 3600.0),
        SeedUntil.BOTH,
        2.0,
        14 * DAY,
        DAY,
        5 << 20,
        super_seed=False,
        tags=("t",),
        priority=10,
        add=True,
        remove=False,
    )
    RulesFile(path).add("t.org", "films")
    (changed,) = RulesFile(path).read()
    assert (changed.category, changed.health) == ("films", rule.health)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "braces"),
        ({"hnr": {}}, "ratio"),
        ({"hnr": {"ratio": 1, "mode": "both"}}, "time"),
        ({"hnr": {"ratio": -1}}, "0 or more"),
        ({"hnr": {"ratio": 1, "from": 2}}, "from 0 to 1"),
        ({"seed_until": "ratio"}, "seed_ratio"),
        ({"seed_until": "often"}, "one of"),
        ({"max_eta": True}, "time"),
        ({"upload_limit": 5}, "rate"),
        ({"tags": "t"}, "list"),
        ({"add": 1}, "true or false"),
        ({"nonsense": 1}, "not known"),
    ],
)
def test_a_wrong_health_part_is_refused(said, words):
    with pytest.raises(ValueError, match=words):
        parse_health_rule(said)
