"""status, history and log: what the journal knows, for people and for programs, whether or not a run is active."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import time
from dataclasses import replace
from datetime import datetime

import pytest

from tests.cli.schemas import fits
from tests.fakes.snapshots import a_move, a_snapshot
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.outlets.run_state import FILE_NAME, as_data
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.move import HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt, RunRecord

ONE, TWO, THREE, FOUR, FIVE = (InfoHash(digit * 40) for digit in "abcde")
HOSTILE = "Big [/red]\x1b]0;owned\x07 \u202eBuck"


def record(torrent, stage=Stage.TRANSFERRING, **more):
    now = time.time()
    return MoveRecord(torrent, f"Name of {torrent.short}", 5_000_000, stage, now - 600, now - 60, **more)


def entry(torrent, name="Sintel", ended_at=1_790_000_100.0, **more):
    outcome = more.pop("outcome", Outcome.MOVED)
    return HistoryEntry(torrent, name, 2_000, ended_at - 100, ended_at, outcome, 1_500, 500, 7, **more)


@contextlib.contextmanager
def filled(desk):
    journal = desk.open()
    try:
        yield journal
    finally:
        journal.close()


@pytest.fixture
def active(desk):
    with RunLock(desk.folder / "state" / "run.lock"):
        yield


@pytest.mark.parametrize("command", ["status", "history"])
def test_before_the_first_run_nothing_is_known_and_nothing_is_made(desk, command):
    told = desk.run(command)

    assert told.code == 0
    assert "No run has been made" in told.out
    assert not desk.journal.exists()
    assert not (desk.folder / "home").exists()


def test_before_the_first_run_the_status_is_still_data(desk):
    data = desk.run("status", "--json").data

    assert (data["schema"], data["active"], data["moves"], data["runs"]) == (1, None, [], [])
    assert desk.run("history", "--json").data == {"schema": 1, "entries": []}


@pytest.mark.usefixtures("active")
def test_the_status_says_since_when_a_torrent_moves(desk):
    with filled(desk) as journal:
        journal.begin_run("cafe0001", time.time() - 600)
        journal.save_move(record(ONE))
        told = desk.run("status")

    assert "A run is active: process" in told.out
    assert "Moving:" in told.out
    assert "transferring for 1m" in told.out
    assert "cafe0001  active" in told.out


@pytest.mark.usefixtures("active")
def test_the_status_says_when_and_why_a_torrent_is_tried_again(desk):
    with filled(desk) as journal:
        again = time.time() + 300
        journal.save_move(record(ONE, error="The connection broke.", error_code="TM-E213", next_try_at=again))
    told = desk.run("status")
    data = desk.run("status", "--json").data

    assert "Waiting for the next try:" in told.out
    assert "again in 4:5" in told.out
    assert "The connection broke. [TM-E213]" in told.out
    assert data["moves"][0]["state"] == "waiting"
    assert data["moves"][0]["next_try_at"] == again


def test_the_status_shows_the_remedy_of_what_failed_and_how_to_clear_a_mark(desk):
    with filled(desk) as journal:
        journal.save_move(record(ONE, error="No room.", error_code="TM-E122", remedy="df -h /library"))
        journal.save_move(record(TWO, Stage.REPAIRING, mark=Mark.RECHECK_FAILED, error="Bad.", error_code="TM-E305"))
        journal.save_move(record(THREE, mark=Mark.CORRUPT, error="Bad there.", error_code="TM-E216"))
        journal.save_move(record(FOUR))
    told = desk.run("status")

    assert "No run is active." in told.out
    assert "> df -h /library" in told.out
    assert f"> torrent-mover --clear-recheck-failure {TWO.short}" in told.out
    assert f"> torrent-mover --clear-corruption {THREE.short}" in told.out
    states = {move["infohash"]: move["state"] for move in desk.run("status", "--json").data["moves"]}
    assert states == {ONE.hex: "failed", TWO.hex: "marked", THREE.hex: "marked", FOUR.hex: "left off"}


def test_the_status_says_that_a_killed_run_which_stays_has_failed_with_a_torrent(desk):
    with filled(desk) as journal:
        later = time.time() + 600
        journal.save_move(record(ONE, error="No room.", error_code="TM-E122", next_try_at=later))
    assert [move["state"] for move in desk.run("status", "--json").data["moves"]] == ["failed"]


def test_the_status_says_why_a_torrent_was_planned_and_not_begun(desk):
    with filled(desk) as journal:
        journal.save_move(record(ONE, Stage.RESERVED))
        journal.save_move(record(TWO, Stage.PLANNED))
        journal.add_note(time.time(), ONE, "WARN", "not moved: needs 1.4 MiB")
    told = desk.run("status")

    assert "Planned but not started; the next run tries again:" in told.out
    assert "not moved: needs 1.4 MiB" in told.out
    assert {move["state"] for move in desk.run("status", "--json").data["moves"]} == {"not begun"}


def test_the_way_to_clear_a_mark_that_the_status_shows_clears_it(desk):
    with filled(desk) as journal:
        journal.save_move(record(TWO, mark=Mark.RECHECK_FAILED, error="Bad.", error_code="TM-E305"))
    shown = next(line for line in desk.run("status").out.splitlines() if "--clear" in line)

    assert desk.run(*shown.split()[2:]).code == 0
    assert desk.run("status", "--json").data["moves"][0]["mark"] is None


def test_the_status_shows_servers_that_are_left_alone(desk):
    with filled(desk) as journal:
        now = time.time()
        journal.save_breaker("nas.example.org", Breaker(3, now, now + 900))
        journal.save_breaker("fine.example.org", Breaker())
    told = desk.run("status")
    data = desk.run("status", "--json").data

    assert "nas.example.org: open for 14:5" in told.out
    assert "fine.example.org" not in told.out
    assert {each["server"]: each["state"] for each in data["breakers"]} == {
        "nas.example.org": "open",
        "fine.example.org": "closed",
    }


def test_the_status_tells_the_last_runs_and_one_that_was_killed(desk):
    with filled(desk) as journal:
        journal.begin_run("cafe0001", 1_790_000_000.0)
        journal.begin_run("cafe0002", 1_790_001_000.0)
        journal.end_run(RunRecord("cafe0002", 1_790_001_000.0, 1_790_001_060.0, 2, 1, 3_000_000, 1))
    told = desk.run("status")

    assert "cafe0001  was killed" in told.out
    assert "cafe0002  2 moved, 1 failed, 2.9 MiB in 1m00s, exit 1" in told.out
    assert [run["exit_code"] for run in desk.run("status", "--json").data["runs"]] == [1, None]


def published(desk, *moves, run="cafe0001"):
    """What the run that goes on says of itself."""
    data = as_data(a_snapshot(run=run, moves=moves))
    (desk.folder / "state" / FILE_NAME).write_text(json.dumps({**data, "at": time.time()}))


@pytest.mark.usefixtures("active")
def test_the_status_shows_what_waits_for_its_turn_and_how_far_the_others_are(desk):
    with filled(desk) as journal:
        journal.begin_run("cafe0001", time.time() - 600)
        journal.save_move(record(ONE))
        journal.save_move(record(TWO, error="An error of the last run."))
    published(
        desk,
        a_move(id=THREE, name=HOSTILE, standing=MoveStatus.QUEUED, fraction=0.0, why="waits for seedbox"),
        a_move(id=ONE, standing=MoveStatus.ACTIVE, fraction=0.42, rate=2 * 1024**2, eta=90.0),
        a_move(id=TWO, standing=MoveStatus.QUEUED, fraction=0.5),
        a_move(id=FIVE, name="Checked", stage=Stage.CHECKING, fraction=0.97, rate=0.0, eta=None, waits=True),
        a_move(id=FOUR, standing=MoveStatus.DONE),
    )
    told = desk.run("status")
    data = desk.run("status", "--json").data

    assert re.search(r"transferring for 1m[0-5]\ds, 42 %, 2\.0 MiB/s, 1m30s left", told.out)
    assert "1 transferring, 1 checking, 1 done, 0 failed, 2 queued" in told.out
    assert "Brought; checked and watched at the destination:" in told.out
    assert "waits for seedbox" in told.out
    assert "(50 % there)" in told.out
    assert "Failed" not in told.out
    assert not {"\x1b", "\u202e"} & set(told.out)
    states = {move["infohash"]: move["state"] for move in data["moves"]}
    assert states == {ONE.hex: "moving", TWO.hex: "queued", THREE.hex: "queued", FIVE.hex: "checking"}
    progress = data["progress"]
    assert [progress[each] for each in ("transferring", "checking", "queued")] == [1, 1, 2]
    fits("status", data)


@pytest.mark.usefixtures("active")
def test_what_the_run_that_goes_on_says_nothing_of_is_not_called_moving(desk):
    now = time.time()
    with filled(desk) as journal:
        journal.begin_run("cafe0001", now - 600)
        journal.save_move(record(ONE, error="It cannot be reached.", next_try_at=now - 60))
        journal.save_move(record(TWO))
        journal.save_move(record(THREE, stage=Stage.PLANNED))
        journal.save_move(replace(record(FIVE), updated_at=now + 100))
    published(desk)

    data = desk.run("status", "--json").data

    states = {move["infohash"]: move["state"] for move in data["moves"]}
    assert states == {ONE.hex: "waiting", TWO.hex: "left off", THREE.hex: "not begun", FIVE.hex: "moving"}


@pytest.mark.usefixtures("active")
def test_a_long_queue_is_counted(desk):
    with filled(desk) as journal:
        journal.begin_run("cafe0001", time.time())
    published(desk, *(a_move(id=InfoHash(f"{number:040x}"), standing=MoveStatus.QUEUED) for number in range(700)))

    assert "and 680 more torrents" in desk.run("status").out


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize("left", ["of another run", "broken", "of a run that has ended"])
def test_what_a_killed_run_left_behind_is_not_taken_for_the_one_that_goes_on(desk, left):
    with filled(desk) as journal:
        journal.begin_run("cafe0001", time.time())
        if left == "of a run that has ended":
            journal.end_run(RunRecord("cafe0001", 1.0, 2.0, 0, 0, 0, 0))
    published(desk, a_move(id=ONE, standing=MoveStatus.QUEUED), run="dead" if left == "of another run" else "cafe0001")
    if left == "broken":
        (desk.folder / "state" / FILE_NAME).write_text('{"schema": 1')
    data = desk.run("status", "--json").data

    assert (data["moves"], data["progress"]) == ([], None)


def test_what_the_source_keeps_does_not_count_as_moved(desk):
    with filled(desk) as journal:
        journal.begin_run("cafe0001", 1_790_000_000.0)
        journal.add_history(entry(ONE, run="cafe0001", outcome=Outcome.COPIED))
        journal.end_run(RunRecord("cafe0001", 1_790_000_000.0, 1_790_000_060.0, 0, 0, 3_000_000, 0))

    assert "cafe0001  1 copied, kept at the source, 0 failed" in desk.run("status").out
    assert desk.run("status", "--json").data["runs"][0]["copied"] == 1


def test_the_history_is_newest_first_in_each_form(desk):
    with filled(desk) as journal:
        journal.add_history(entry(ONE, "Sintel", repaired=3))
        journal.add_history(entry(TWO, "Tears of Steel", 1_790_000_500.0, confirmed=False))

    lines = desk.run("history").out.splitlines()
    data = desk.run("history", "--json").data
    rows = list(csv.DictReader(io.StringIO(desk.run("history", "--csv").out)))

    assert ["Tears of Steel" in lines[0], "not confirmed" in lines[0]] == [True, True]
    assert ["Sintel" in lines[1], "3 repaired" in lines[1]] == [True, True]
    assert data["schema"] == 1
    assert [each["name"] for each in data["entries"]] == ["Tears of Steel", "Sintel"]
    assert data["entries"][1]["size"] == 2_000
    assert data["entries"][1]["ended_at"] == 1_790_000_100.0
    assert tuple(rows[0]) == tuple(data["entries"][0])
    assert rows[1]["sent"] == "1500"
    assert len(desk.run("history", "--last", 1).out.splitlines()) == 1


def test_a_hostile_name_cannot_act_on_the_terminal_or_in_a_spreadsheet(desk):
    with filled(desk) as journal:
        journal.add_history(entry(ONE, HOSTILE))
        journal.add_history(entry(TWO, '=HYPERLINK("http://example.org")'))
        journal.save_move(MoveRecord(THREE, HOSTILE, 1, Stage.ADDED, 1.0, 1.0))
    for arguments in (["status"], ["history"], ["history", "--csv"], ["log", "aaaa"], ["status", "--json"]):
        told = desk.run(*arguments)
        assert told.code == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(told.out), arguments

    assert desk.run("history", "--json").data["entries"][1]["name"] == HOSTILE
    cells = [row["name"] for row in csv.DictReader(io.StringIO(desk.run("history", "--csv").out))]
    assert cells[0].startswith("'=")


def test_the_log_of_a_torrent_is_found_by_a_unique_beginning(desk):
    with filled(desk) as journal:
        journal.save_move(record(ONE, error="It broke.", remedy="Mend it."))
        journal.add_note(1_790_000_000.0, ONE, "INFO", "start: it")
        journal.add_note(1_790_000_001.0, TWO, "INFO", "start: the other")
        journal.add_attempt(Attempt(ONE, 1, 1.0, 2.0, 300, "It broke."))
    told = desk.run("log", "AAAA")
    data = desk.run("log", "aaaa", "--json").data

    assert "start: it" in told.out
    assert "the other" not in told.out
    assert "It broke. Mend it." in told.out
    assert (data["schema"], data["infohash"], data["lines"][0]["text"]) == (1, ONE.hex, "start: it")
    assert data["attempts"][0]["sent"] == 300


@pytest.mark.parametrize("beginning", ["ee", "", "*", "a[a]", "zz", "a" * 80])
def test_a_beginning_that_fits_nothing_is_refused_with_what_to_look_at(desk, beginning):
    with filled(desk) as journal:
        journal.save_move(record(ONE))
    told = desk.run("log", beginning)

    assert told.code == 2
    assert "torrent-mover status" in told.err


def test_a_beginning_that_fits_several_is_refused_with_their_hashes(desk):
    other = InfoHash("ab" + "0" * 38)
    with filled(desk) as journal:
        journal.save_move(record(ONE))
        journal.add_history(entry(other))
    told = desk.run("log", "a")

    assert told.code == 2
    assert ONE.hex[:12] in told.err
    assert other.hex[:12] in told.err


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize("command", ["status", "history", "log"])
def test_looking_on_runs_beside_a_run_and_writes_nothing(desk, command):
    with filled(desk) as journal:
        journal.save_move(record(ONE))
    before = desk.journal.read_bytes()
    arguments = [command, "aaaa"] if command == "log" else [command]

    assert desk.run(*arguments).code == 0
    assert desk.journal.read_bytes() == before


def test_the_journal_of_a_newer_version_is_left_alone(desk):
    import sqlite3

    with filled(desk):
        pass
    with contextlib.closing(sqlite3.connect(desk.journal)) as connection:
        connection.execute("PRAGMA user_version = 99")
    told = desk.run("status")

    assert told.code == 2
    assert "newer torrent-mover" in told.err


INCOMPLETE = """
[SOURCE_CLIENT]
host = http://127.0.0.1
[SOURCE_SERVER]
key_file = {folder}/no/such/key
port = many
[General]
state_dir = {folder}/state
"""


@pytest.mark.parametrize("arguments", [["status"], ["history"], ["log", "aaaa"], ["--list-rules"]])
def test_who_only_looks_on_needs_no_key_file_and_no_server(desk, arguments):
    with filled(desk) as journal:
        journal.save_move(record(ONE))
        journal.add_history(entry(TWO))
    desk.config.write_text(INCOMPLETE.format(folder=desk.folder))

    told = desk.run(*arguments)
    assert (told.code, told.err) == (0, "")
    assert told.out


def test_a_state_dir_that_cannot_be_read_is_still_told(desk):
    desk.config.write_text("[General]\nstate_dir = ../no\x01where\n")
    told = desk.run("history")

    assert told.code == 2
    assert "state_dir" in told.err


def test_the_history_has_failures_too_and_cuts_no_name_in_a_pipe(desk):
    long = "A.Very.Long.Name." * 10
    with filled(desk) as journal:
        journal.add_history(entry(ONE, name=long))
        journal.save_move(record(TWO, error="No room is left.", error_code="TM-E122", remedy="df -h"))
        journal.save_move(record(THREE))

    told, data = desk.run("history"), fits("history", desk.run("history", "--json").data)
    assert [each["outcome"] for each in data["entries"]] == ["failed", "moved"]
    assert "failed: No room is left. df -h" in told.out
    assert long in told.out
    assert THREE.short not in told.out
    assert len(fits("history", desk.run("history", "--json", "--last", "1").data)["entries"]) == 1


def test_status_tells_all_times_in_one_zone_and_says_which(desk, monkeypatch):
    monkeypatch.setenv("TZ", "Etc/GMT-5")
    time.tzset()
    try:
        with RunLock(desk.folder / "state" / "run.lock"):
            with filled(desk) as journal:
                journal.begin_run("cafe0001", time.time())
            monkeypatch.setenv("TZ", "UTC")
            time.tzset()
            told = desk.run("status")
    finally:
        monkeypatch.undo()
        time.tzset()

    (since,) = re.findall(r"since (\S+ \S+)\.", told.out)
    assert abs(datetime.fromisoformat(f"{since}+00:00").timestamp() - time.time()) < 600
    assert told.out.count("UTC+00:00") == 1
