"""The wizard in a terminal, on real servers."""

from __future__ import annotations

import json
import signal

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.test_categorize import PASSKEY, at_destination, categories
from tests.servers import eventually
from torrent_mover.demo.world import CATEGORY

pytestmark = [pytest.mark.servers, pytest.mark.logins]


@pytest.fixture
def shows(house):
    """Three torrents of one tracker, and what its other torrents are."""
    at_destination(house, "Old", "http://anime.example/announce", category="anime")
    return [at_destination(house, f"Show {number}", f"http://anime.example/{PASSKEY}/announce") for number in "abc"]


def wizard(house) -> Terminal:
    config = house.world.write_config(**house.config)
    return Terminal("--config", config, "-c", "--theme", "mono", home=house.home)


def rules(house) -> dict[str, str]:
    return json.loads((house.world.root / "tracker_rules.json").read_text())


def test_a_choice_is_written_for_all_torrents_of_the_tracker_and_the_terminal_is_restored(house, shows):
    with wizard(house) as person:
        person.expect("suggested: 1 of 1 from this tracker")
        person.expect("Nothing is chosen")  # the preview
        person.press("\r")
        person.expect("Nothing is chosen")  # the answer to that key
        person.press("y")
        person.expect("rule written to tracker_rules.json")
        person.press("\r")
        person.expect("Every torrent is decided")
        person.press("q")
        person.expect("Write this and leave")
        assert categories(house, *shows) == [CATEGORY] * 3
        person.press("w")
        person.expect(r"\x1b\[\?1049l")  # xterm: back from the alternate screen
        person.expect("3 torrents put into another category")
        assert person.end() == 0

    assert categories(house, *shows) == ["anime"] * 3
    assert rules(house) == {"anime.example": "anime"}
    assert PASSKEY not in person.shown


def test_a_terminal_that_goes_away_writes_nothing_and_leaves_nobody_behind(house, shows):
    with wizard(house) as person:
        person.expect("suggested")
        person.press("1")
        person.expect("rule written to tracker_rules.json")
        person.press("\r")
        person.expect("Every torrent is decided")
        person.send(signal.SIGHUP)
        assert person.end() == 143

    assert categories(house, *shows) == [CATEGORY] * 3
    assert not (house.world.root / "tracker_rules.json").exists()


def test_a_client_that_is_down_is_said_after_the_screen_is_gone(house, shows):
    house.destination.stop()
    with wizard(house) as person:
        person.expect(r"TM-E201")
        assert person.end() == 3
    house.destination.start()
    eventually(lambda: categories(house, *shows) == [CATEGORY] * 3)
