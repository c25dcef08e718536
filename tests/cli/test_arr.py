"""torrent-mover arr: one look at all Arrs, one torrent explained, and handed over by hand; exit codes; data for programs."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.cli.schemas import fits
from tests.doubles.arr.house import EPISODES, HASH, PACK, arr_house
from tests.doubles.arr.server import Fault
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.cli import main
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep
from torrent_mover.domain.arrs.path_pairs import DeliveredData
from torrent_mover.domain.errors import ExitCode


@pytest.fixture
def house(tmp_path):
    with arr_house(tmp_path / "arr") as house:
        yield house


@pytest.fixture
def config(house, tmp_path, monkeypatch):
    """A config of one Arr alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    file = tmp_path / "config.ini"
    file.write_text(
        f"[ARR tv]\nurl = {house.double.url}\napi_key = {house.double.key}\npath_map = /downloads = {house.data}\n"
        f"scan_timeout = 20s\n[General]\nstate_dir = {tmp_path / 'state'}\nlog_dir = {tmp_path / 'log'}\n"
    )
    file.chmod(0o600)
    return file


@contextlib.contextmanager
def journal(tmp_path):
    book = SqliteJournal(tmp_path / "state" / "journal.sqlite3", SystemClock())
    try:
        yield book
    finally:
        book.close()


def told(house, tmp_path, count=2, **changes) -> ArrHandover:
    """A pack that the Arr was told of."""
    data = DeliveredData(house.pack(count), *house.largest(count))
    record = ArrHandover(HASH, "tv", PACK, "tv", data, SystemClock().now(), **changes)
    with journal(tmp_path) as book:
        book.save_handover(record)
    return record


def arr(config, *arguments) -> int:
    return main(["--config", str(config), "arr", *arguments])


def test_one_line_says_what_it_is_whose_torrents_it_wants_which_path_and_what_waits(house, config, tmp_path, capsys):
    told(house, tmp_path)
    house.library.removes_completed = True
    assert arr(config) == ExitCode.DONE
    out = capsys.readouterr().out
    (line, *rest) = out.splitlines()
    assert line == (f"tv  Sonarr {house.double.version}  category tv  {house.data} -> /downloads (path_map)  1 waiting")
    assert any("Switch Remove Completed off" in each for each in rest)
    assert rest[-1] == f"  {HASH.short}  tv  {PACK}  waiting"


def test_looking_changes_nothing(house, config, tmp_path):
    assert arr(config) == ExitCode.DONE
    assert not (tmp_path / "state").exists()
    told(house, tmp_path)
    arr(config)
    arr(config, "--explain", HASH.hex)
    with journal(tmp_path) as book:
        assert book.handover(HASH, "tv").step is HandoverStep.WAITING
    assert [method for method, *_ in house.double.requests if method != "GET"] == []


def test_data_for_programs_fits_the_schema_in_each_form(house, config, tmp_path, capsys):
    told(house, tmp_path)
    arr(config, "--json")
    overview = fits("arr", json.loads(capsys.readouterr().out))
    assert [(each["name"], each["waiting"]) for each in overview["arrs"]] == [("tv", 1)]
    assert [(row["id"], row["hash"]) for row in overview["rows"]] == [(f"tv:{HASH.hex}", HASH.hex)]
    arr(config, "--explain", HASH.hex[:8], "--json")
    (row,) = fits("arr", json.loads(capsys.readouterr().out))["rows"]
    assert (row["proven"], row["path"], row["handover"]["step"]) == (False, f"/downloads/{PACK}", "waiting")
    assert arr(config, "--scan", HASH.hex, "--json") == ExitCode.DONE
    (row,) = fits("arr", json.loads(capsys.readouterr().out))["rows"]
    assert (row["step"], row["proof"]) == ("imported", "imported 2 of 2")


def test_an_arr_that_refuses_its_key_or_is_down_is_said_and_ends_with_3(house, config, tmp_path, capsys):
    told(house, tmp_path)
    config.write_text(config.read_text().replace(house.double.key, "0" * 32))
    assert arr(config) == ExitCode.UNREACHABLE
    assert "TM-E202 " in (out := capsys.readouterr().out)
    assert "Kept: 1 hand-overs wait." in out
    config.write_text(config.read_text().replace("0" * 32, house.double.key))
    house.double.faults["*"] = Fault.BAD_GATEWAY
    assert arr(config, "--json") == ExitCode.UNREACHABLE
    (told_of,) = fits("arr", json.loads(capsys.readouterr().out))["arrs"]
    assert told_of["error"]["code"] == "TM-E250"


def test_an_import_that_was_refused_ends_with_1_and_is_explained_in_the_arrs_words(house, config, tmp_path, capsys):
    house.library.refuses = {EPISODES[1]: "Sample"}
    told(house, tmp_path)
    assert arr(config, "--scan", HASH.hex) == ExitCode.SOME_FAILED
    assert "tv has imported 1 of 2" in capsys.readouterr().out
    assert arr(config) == ExitCode.SOME_FAILED
    capsys.readouterr()
    assert arr(config, "--explain", HASH.hex) == ExitCode.DONE
    out = capsys.readouterr().out
    assert f"{EPISODES[1]}: Sample" in next(line for line in out.splitlines() if "why not" in line)
    assert "proof       imported 1 of 2" in out
    assert "handover    waiting, 1 tries came to nothing" in out


def test_by_hand_an_arr_that_is_away_ends_with_3_and_what_it_was_told_of_waits(house, config, tmp_path):
    told(house, tmp_path)
    house.double.faults["*"] = Fault.BAD_GATEWAY
    assert arr(config, "--scan", HASH.hex) == ExitCode.UNREACHABLE
    with journal(tmp_path) as book:
        assert book.handover(HASH, "tv").step is HandoverStep.WAITING


def test_a_config_without_arrs_and_a_hash_that_nobody_has_are_told_with_the_line_that_helps(config, capsys):
    assert arr(config, "--explain", "abcdef") == ExitCode.USAGE
    assert "Give all 40 characters" in capsys.readouterr().err
    assert arr(config, "--scan", "cd" * 20) == ExitCode.USAGE
    assert "No client of the config has" in capsys.readouterr().err
    tier = "[TIER t]\nclient = box\nssd = /ssd\ntargets = *:/hdd\n"
    config.write_text(f"[CLIENT box]\nurl = http://127.0.0.1:9\nusername =\n{tier}")
    assert arr(config) == ExitCode.USAGE
    assert "[ARR tv], url =" in capsys.readouterr().err
