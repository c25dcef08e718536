"""A look at an Arr says what in its settings is dangerous, with what to do, and sends nothing but questions."""

from __future__ import annotations

import pytest

from tests.doubles.arr.house import arr_house
from tests.doubles.arr.server import Fault
from torrent_mover.domain.arrs.errors import NotAnArr
from torrent_mover.engine.arrs.desk import ArrWishes
from torrent_mover.engine.arrs.examination import examine


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path) as house:
        yield house


def test_a_sound_arr_needs_nothing(house):
    seen = examine(house.manager, ArrWishes())
    assert (seen.name, seen.info.product, seen.categories) == ("tv", "Sonarr", {"tv"})
    assert (seen.advice, seen.alarms) == ((), ())
    assert {method for method, *_ in house.double.requests} == {"GET"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"removes_completed": True}, "Switch Remove Completed off in Settings > Download Clients > qbit"),
        ({"removes_failed": True}, "Switch Remove Failed off in Settings > Download Clients > qbit"),
        ({"handles_completed": False}, "Switch Completed Download Handling on"),
        ({"category": ""}, "has no torrent client with a category"),
        (
            {"mappings": [{"id": 1, "host": "elsewhere", "remotePath": "/data/", "localPath": "/tv/"}]},
            "a remote path mapping for elsewhere, and no client with that host",
        ),
    ],
)
def test_each_danger_is_told_with_what_to_do(house, change, words):
    for name, value in change.items():
        setattr(house.library, name, value)
    (advice,) = examine(house.manager, ArrWishes()).advice
    assert words in advice


def test_a_category_that_the_arr_does_not_use_is_told(house):
    (advice,) = examine(house.manager, ArrWishes("films")).advice
    assert "no torrent client with the category films" in advice
    assert "hand_over = scan in [ARR tv]" in advice


def test_its_own_alarms_are_passed_on(house):
    house.library.alarms = [
        {"id": 1, "source": "DownloadClientStatusCheck", "type": "error", "message": "All clients are away"},
        {"id": 2, "source": "UpdateCheck", "type": "warning", "message": "New update"},
    ]
    assert examine(house.manager, ArrWishes()).alarms == ("All clients are away",)


def test_one_that_is_no_arr_is_an_error(house):
    house.double.faults["*"] = Fault.HTML
    with pytest.raises(NotAnArr):
        examine(house.manager, ArrWishes())
