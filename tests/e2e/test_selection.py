"""Which torrents a run takes, in which order, and how tracker rules decide about them."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.house import told
from torrent_mover.demo.content import sample
from torrent_mover.demo.world import CATEGORY

pytestmark = pytest.mark.servers

TRACKER = "http://{}/0123456789abcdef/announce"


def seed_all(house, **sizes: int):
    """Single files, oldest first: qBittorrent counts the time of adding in seconds, so the order is told by size."""
    made = {}
    for number, (name, size) in enumerate(sizes.items()):
        made[name] = sample(house.source.data, name, size, category=CATEGORY, seed=number)
        house.source.add(made[name].metainfo, category=CATEGORY)
    for one in made.values():
        house.source.wait_for(one.info_hash)
    return made


def planned(house, *arguments) -> list[str]:
    """Names that a dry run would move, in its order."""
    return [move["name"] for move in json.loads(house.run("--dry-run", "--json", *arguments).ended(0).out)["moves"]]


def test_order_threshold_and_seeding_time_choose_what_moves(house):
    made = seed_all(house, middle=200_000, small=100_000, large=300_000)

    house.config = {"SETTINGS": {"order": "smallest"}}
    assert planned(house) == ["small", "middle", "large"]

    house.config = {"SETTINGS": {"order": "largest"}}
    assert planned(house) == ["large", "middle", "small"]

    house.config = {"SETTINGS": {"min_seed_time": "1h"}}
    dry = house.run("--dry-run").ended(0)
    dry.says("Nothing to move", "3 torrents would stay", "has seeded")

    house.config = {"SETTINGS": {"size_threshold_gb": "1"}}
    assert planned(house) == []

    house.source.api.post("torrents/addTags", hashes=made["large"].info_hash, tags="move-first")
    house.config = {"SETTINGS": {"order": "priority"}}
    assert planned(house)[0] == "large"


def test_a_threshold_moves_only_as_much_as_is_too_much_one_job_at_a_time(house):
    made = seed_all(house, one=400_000, two=400_000, three=400_000)
    files = {name: one.files() for name, one in made.items()}
    house.config = {"SETTINGS": {"size_threshold_gb": "0.0005"}}
    chosen = planned(house)
    assert len(chosen) == 2

    result = house.move("--parallel-jobs", "1").ended(0)

    for name, one in made.items():
        if name in chosen:
            house.assert_moved(one, files[name])
        else:
            house.assert_at_source(one, files[name])
    assert planned(house) == []
    in_order = [re.search(r" (start|done): ", line)[1] for line in result.lines(r" (start|done): ")]
    assert in_order == [
        "start",
        "start",
        "done",
        "done",
    ]  # the second one begins while the first is only checked and watched


def test_rules_are_listed_added_and_deleted(house):
    house.run("-l").ended(0).says("There are no rules", "--add-rule")

    house.run("-a", "Tracker.Example", "films").ended(0).says("films")
    house.run("--add-rule", "private.example", "Ignore").ended(0)
    listed = house.run("--list-rules").ended(0)
    assert sorted(line.split() for line in listed.out.splitlines()) == [
        ["private.example", "Ignore"],
        ["tracker.example", "films"],
    ]

    house.run("-d", "private.example").ended(0)
    house.run("-d", "private.example").ended(2).says("no rule", "tracker.example")
    assert "private" not in house.run("-l").out
    house.run("-a", "not a domain", "films").ended(2).says("not a domain")
    house.run("-a", "ok.example", "../../evil").ended(2)
    assert "evil" not in house.run("-l").out


def test_a_rule_chooses_the_category_and_ignore_keeps_a_torrent_untouched(house):
    ignored = house.seed("Ignored", 100_000, trackers=(TRACKER.format("a.private.example"),))
    sorted_in = house.seed("Sorted", 100_000, seed=2, trackers=(TRACKER.format("tracker.example:8080"),))
    files = sorted_in.files()
    house.run("-a", "private.example", "Ignore").ended(0)
    house.run("-a", "tracker.example", "films").ended(0)
    before = told(house.source)["torrents"][ignored.info_hash]
    content = ignored.files()

    dry = house.run("--dry-run").ended(0)
    result = house.move().ended(0)

    dry.says("-> films", "Ignore")
    house.assert_moved(sorted_in, files)
    assert house.destination.torrent(sorted_in.info_hash)["category"] == "films"
    after = told(house.source)["torrents"][ignored.info_hash]
    for live in ("tracker", "trackers_count"):
        before.pop(live, None)
        after.pop(live, None)
    assert after == before
    assert ignored.files() == content
    house.assert_nothing_landed(ignored)
    result.says("1 not moved")
    assert "0123456789abcdef" not in dry.text + result.text


def test_a_broken_rules_file_stops_the_run_before_anything_moves(house):
    made = house.seed("Show", 100_000)
    (house.world.root / "tracker_rules.json").write_text('{"private.example": "Ignore",')

    for arguments in (["--simple"], ["--dry-run"], ["-l"]):
        house.run(*arguments).ended(2).says("tracker_rules.json")

    house.assert_at_source(made, made.files())
