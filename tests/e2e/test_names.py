"""Names in the config that nothing has, told by every command with those that there are."""

from __future__ import annotations

import json
import signal

import pytest

pytestmark = pytest.mark.servers

TELLS = "No such category at the source: 'move-mee'; there are move-me (2), keep-me (1)"


@pytest.fixture
def misspelt(house):
    for number, category in enumerate(("move-me", "move-me", "keep-me")):
        house.seed(f"Film {number}", 30_000, seed=number, category=category)
    house.config = {"SETTINGS": {"category_to_move": "move-mee"}}
    return house


@pytest.mark.parametrize("command", ["doctor", "--dry-run", "--simple"])
def test_a_category_that_does_not_exist_is_a_problem_of_the_config(misspelt, command):
    result = misspelt.run(command)
    assert result.code in (2, 4)
    assert TELLS in " ".join(result.text.split()), result.text
    assert "category_to_move = move-me" in result.text


def test_a_program_gets_the_plan_and_the_exit_code(misspelt):
    result = misspelt.run("--dry-run", "--json").ended(2)
    assert json.loads(result.out)["moves"] == []


def test_a_run_that_stays_waits_for_it(misspelt):
    with misspelt.start("--watch", "10s", "--simple") as command:
        command.wait_for("No such category at the source")
        made = misspelt.seed("Film 4", 30_000, seed=4, category="move-mee")
        command.wait_for(f"{made.info_hash[:8]} done: ")
        command.send(signal.SIGTERM)
        command.end().ended(143)


def test_a_rule_for_a_tracker_that_no_torrent_has_is_told_with_the_trackers_that_there_are(house):
    house.seed("Film", 30_000, trackers=("http://one.test:1/announce",))
    (house.world.root / "tracker_rules.json").write_text('{"two.test": "tv"}')
    house.run("--dry-run").ended(0).says("the tracker of these rules: two.test", "The trackers are one.test (1)")
    assert json.loads(house.run("--dry-run", "--json").ended(0).out)["rules_without_torrent"] == ["two.test"]
