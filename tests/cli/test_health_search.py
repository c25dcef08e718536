"""torrent-mover health --search: searches now, within the budget, and lists them; in report mode it only says."""

from __future__ import annotations

import json

import pytest

from tests.cli.schemas import fits
from tests.doubles.arr.house import arr_house
from torrent_mover.cli import main
from torrent_mover.domain.errors import ExitCode


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path / "arr") as house:
        for number in (1, 2, 3):
            house.library.add_media(number, f"E{number}", f"e{number}.mkv")
        yield house


def config_of(house, folder, **health):
    keys = {"client": "qbit", "arr": "tv", "mode": "act", "search": "missing", "searches_per_hour": "2"} | health
    file = folder / "config.ini"
    file.write_text(
        "[CLIENT qbit]\nhost = http://127.0.0.1\nport = 9\nusername = x\npassword = y\n"
        f"[ARR tv]\nurl = {house.double.url}\napi_key = {house.double.key}\n"
        f"[General]\nstate_dir = {folder / 'state'}\nlog_dir = {folder / 'log'}\n"
        + "[HEALTH tv]\n"
        + "".join(f"{key} = {value}\n" for key, value in keys.items() if value)
    )
    file.chmod(0o600)
    return str(file)


def test_it_searches_within_the_budget_and_lists_what_it_asked_for(house, tmp_path, capsys):
    config = config_of(house, tmp_path)
    assert main(["--config", config, "health", "--search"]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "search (missing): E1\nsearch (missing): E2\n" in out
    assert main(["--config", config, "health", "--search", "--json"]) == ExitCode.DONE
    rows = fits("health", json.loads(capsys.readouterr().out))["rows"]
    assert [(row["title"], row["reason"]) for row in rows] == [("E2", "missing"), ("E1", "missing")]
    assert len(house.library.commands) == 2


def test_in_report_mode_it_says_what_it_would_search_for(house, tmp_path, capsys):
    assert main(["--config", config_of(house, tmp_path, mode="report"), "health", "--search"]) == ExitCode.DONE
    assert "would search (missing): E1" in capsys.readouterr().out
    assert house.library.commands == {}


def test_a_loop_without_an_arr_has_nobody_to_search(house, tmp_path, capsys):
    config = config_of(house, tmp_path, arr="", search="off")
    assert main(["--config", config, "health", "--search"]) == ExitCode.USAGE
    assert "names no Arr" in capsys.readouterr().err
