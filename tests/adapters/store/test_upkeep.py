"""The journal's upkeep: copies are whole, damage is found, what is old goes, what is unfinished stays, wrecks yield rows."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import old_journal
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import SOURCE, OpenJobs
from tests.servers import snapshot
from torrent_mover.adapters.store import upkeep
from torrent_mover.adapters.store.migrations import VERSION
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.errors import BackupExists, ConfigError, JournalDamaged, NoJournal, NothingRecovered
from torrent_mover.domain.move import HistoryEntry, MoveRecord, Outcome, Stage
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt

ROOT = Path(__file__).parents[3]
NOW = 1_000_000_000.0
DAY = 86_400.0
MOVES = 300


def torrent(number):
    return InfoHash(f"{number:040x}")


def record(number, **changes):
    plain = {"stage": Stage.TRANSFERRING, "started_at": NOW + number, "updated_at": NOW}
    return MoveRecord(torrent(number), f"Torrent {number} {'x' * 200}", number, **{**plain, **changes})


def ended(number, at, **changes):
    return HistoryEntry(torrent(number), f"T {number}", 5, at - 9, at, Outcome.MOVED, 5, 0, 1, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def filled(path):
    """A journal of many moves, so that a page that is lost costs some of them."""
    with contextlib.closing(OpenJobs(path, FakeClock())) as jobs:
        for number in range(MOVES):
            jobs.save_move(record(number))
        jobs.save_pieces(torrent(0), b"\xff" * 100)
        jobs.add_history(ended(MOVES, NOW))
    return path


def wreck(path, page=4096):
    """Overwrite two pages that hold records of moves, one early and one late, as a disk does that dies."""
    data = bytearray(path.read_bytes())
    held = [at for at in range(page, len(data), page) if data[at : at + page].count(b"Torrent ") > 3]
    assert len(held) > 10
    for at in (held[len(held) // 3], held[-len(held) // 3]):
        data[at : at + page] = random.Random(at).randbytes(page)  # noqa: S311 - any noise
    path.write_bytes(data)


# -- backup ------------------------------------------------------------------------------------------------------------


def test_a_copy_that_is_made_while_another_process_writes_is_whole(path, tmp_path):
    command = [sys.executable, "-m", "tests.fakes.journal_writer", str(path), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        lines = [child.stdout.readline() for _ in range(20)]
        known = {int(line.split()[1]) for line in lines if line.startswith("pieces")}
        for number in range(5):
            copy = tmp_path / f"copy {number}"
            assert upkeep.backup(path, copy) == copy.stat().st_size
            found = upkeep.inspect(copy)
            assert (found.findings, found.version) == ((), VERSION)
            assert found.rows["jobs"] >= min(len(known), 7)
        child.kill()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_exists_is_not_overwritten(filled, tmp_path):
    there = tmp_path / "mine"
    there.write_text("precious")
    with pytest.raises(BackupExists):
        upkeep.backup(filled, there)
    assert there.read_text() == "precious"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine", "state"]


@pytest.mark.parametrize(
    "act",
    [
        lambda path: upkeep.backup(path, path.with_name("x")),
        upkeep.inspect,
        lambda path: upkeep.purge(path, NOW, dry_run=False),
        upkeep.vacuum,
        lambda path: upkeep.recover(path, NOW, in_place=True),
    ],
)
def test_without_a_journal_nothing_is_made(path, act):
    with pytest.raises(NoJournal):
        act(path)
    assert not path.parent.exists()


# -- check -------------------------------------------------------------------------------------------------------------


def test_a_sound_journal_is_found_sound_and_left_as_it_is(filled):
    before = filled.read_bytes()
    found = upkeep.inspect(filled)
    assert (found.findings, found.version, found.rows["jobs"], found.rows["history"]) == ((), VERSION, MOVES, 1)
    assert filled.read_bytes() == before


def test_a_journal_of_an_earlier_version_is_sound(path):
    old_journal.put(path)
    found = upkeep.inspect(path)
    assert (found.findings, found.version, found.rows["moves"]) == ((), 8, 1)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DROP TABLE adopted", "table adopted is missing"),
        ("CREATE TABLE theirs (x)", "table theirs is none of ours"),
        ("ALTER TABLE breakers ADD COLUMN x", f"table breakers is not as format {VERSION} makes it"),
        ("INSERT INTO pieces (job, bitfield) VALUES (9999, x'00')", "belongs to a row of jobs that is not there"),
        ("UPDATE jobs SET stage = 'dancing' WHERE id = 7", "the record of a move makes no sense"),
    ],
)
def test_what_is_wrong_with_it_is_named(filled, statement, finding):
    with contextlib.closing(sqlite3.connect(filled)) as connection:
        connection.execute(statement)
        connection.commit()
    assert any(finding in each for each in upkeep.inspect(filled).findings)


def test_damage_is_found(filled):
    wreck(filled)
    assert upkeep.inspect(filled).findings
    filled.write_bytes(b"no database at all")
    assert upkeep.inspect(filled).findings


def test_a_newer_version_is_refused(filled):
    with contextlib.closing(sqlite3.connect(filled)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = filled.read_bytes()
    for act in (upkeep.inspect, upkeep.vacuum, lambda path: upkeep.purge(path, NOW, dry_run=True)):
        with pytest.raises(ConfigError, match="newer torrent-mover"):
            act(filled)
    assert filled.read_bytes() == before


# -- purge -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def aged(path):
    """Old and new entries, and old ones of a move that goes on or whose removal is not confirmed."""
    with contextlib.closing(OpenJobs(path, FakeClock())) as jobs:
        old, new = NOW - 400 * DAY, NOW - 10 * DAY
        for number, at in ((1, old), (2, new), (3, old), (4, old)):
            jobs.add_history(ended(number, at, confirmed=number != 4))
            jobs.add_attempt(Attempt(torrent(number), 1, at - 5, at, 5, "done"))
            jobs.add_note(at, torrent(number), "INFO", f"about {number}")
        jobs.add_note(old, None, "INFO", "about a run")
        jobs.save_move(record(3))
        jobs.begin_run("still on", old)
    return path


def left(path):
    with contextlib.closing(OpenJobs(path, FakeClock())) as jobs:
        return (
            {int(each.id.hex, 16) for each in jobs.history()},
            {number for number in range(5) if jobs.attempts(torrent(number))},
            {number for number in range(5) if jobs.notes(torrent(number))},
            [run.id for run in jobs.runs()],
            len(jobs.moves()),
        )


def test_what_is_old_goes_and_what_has_not_ended_stays(aged):
    gone = upkeep.purge(aged, NOW - 365 * DAY, dry_run=False)
    assert gone == {"history": 1, "certificates": 0, "attempts": 1, "notes": 2, "runs": 0}
    assert left(aged) == ({2, 3, 4}, {2, 3, 4}, {2, 3, 4}, ["still on"], 1)
    assert not any(upkeep.purge(aged, NOW - 365 * DAY, dry_run=False).values())


def test_a_dry_run_counts_the_same_and_changes_nothing(aged):
    before = snapshot(aged.parent)
    counted = upkeep.purge(aged, NOW - 365 * DAY, dry_run=True)
    assert snapshot(aged.parent) == before
    assert counted == upkeep.purge(aged, NOW - 365 * DAY, dry_run=False)


def test_room_that_was_purged_is_given_back(filled):
    with contextlib.closing(OpenJobs(filled, FakeClock())) as jobs:
        for number in range(MOVES):
            jobs.forget_move(torrent(number))
    before, after = upkeep.vacuum(filled)
    assert after < before / 2
    assert upkeep.inspect(filled).findings == ()


def test_a_damaged_journal_is_neither_purged_nor_vacuumed(filled):
    wreck(filled)
    before = filled.read_bytes()
    for act in (upkeep.vacuum, lambda path: upkeep.purge(path, NOW, dry_run=False)):
        with pytest.raises(JournalDamaged, match="is damaged") as damaged:
            act(filled)
        assert "torrent-mover journal recover" in damaged.value.remedy
    assert filled.read_bytes() == before


# -- recover -----------------------------------------------------------------------------------------------------------


def test_of_a_wreck_all_rows_that_can_be_read_are_rescued_and_it_is_kept_beside(filled):
    wreck(filled)
    damaged = filled.read_bytes()
    rescue = upkeep.recover(filled, NOW, in_place=True)
    assert rescue.file == filled
    assert rescue.damaged.read_bytes() == damaged
    assert MOVES / 4 < rescue.rows["jobs"] < MOVES
    assert upkeep.inspect(filled).findings == ()
    with contextlib.closing(OpenJobs(filled, FakeClock())) as jobs:
        assert jobs.notices == ()
        found = jobs.moves()
        assert len(found) == rescue.rows["jobs"]
        assert {each.source for each in found} == {SOURCE}
        jobs.save_move(record(MOVES + 1))
    assert {each.name for each in filled.parent.iterdir()} == {filled.name, rescue.damaged.name}


def test_what_was_set_aside_by_a_run_is_rescued_into_a_file_of_its_own(filled):
    wreck(filled)
    with contextlib.closing(SqliteJournal(filled, FakeClock())) as journal:
        assert journal.moves() == []
    (aside,) = filled.parent.glob("*.damaged-*")
    before = filled.read_bytes()
    rescue = upkeep.recover(aside, NOW, in_place=False)
    assert rescue.file == aside.with_name(f"{aside.name}.recovered")
    assert rescue.damaged == aside
    assert upkeep.inspect(rescue.file).rows["jobs"] > MOVES / 4
    assert filled.read_bytes() == before
    with pytest.raises(BackupExists):
        upkeep.recover(aside, NOW, in_place=False)


def test_what_only_the_log_of_the_database_has_is_rescued_too(path):
    """A killed run leaves its last writes in the -wal file."""
    jobs = OpenJobs(path, FakeClock())
    jobs.save_move(record(1))
    wal = path.with_name(f"{path.name}-wal")
    kept, log = path.read_bytes(), wal.read_bytes()
    jobs.close()
    path.write_bytes(kept)
    wal.write_bytes(log)
    rescue = upkeep.recover(path, NOW, in_place=True)
    assert rescue.rows["jobs"] == 1
    assert rescue.damaged.with_name(f"{rescue.damaged.name}-wal").read_bytes() == log
    assert not wal.exists()


def test_records_that_make_no_sense_are_left_behind(filled):
    with contextlib.closing(sqlite3.connect(filled)) as connection:
        connection.execute("UPDATE jobs SET stage = 'dancing' WHERE id < 11")
        connection.commit()
    rescue = upkeep.recover(filled, NOW, in_place=True)
    assert rescue.rows["jobs"] == MOVES - 10
    assert upkeep.inspect(filled).findings == ()


def test_a_wreck_of_an_earlier_version_is_brought_up_to_date(path):
    old_journal.put(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rescue = upkeep.recover(path, NOW, in_place=True)
    assert (rescue.rows["jobs"], rescue.rows["pieces"], rescue.rows["history"]) == (1, 1, 1)
    assert upkeep.inspect(path).version == VERSION


def test_where_nothing_can_be_read_nothing_is_changed(path):
    path.parent.mkdir()
    path.write_bytes(random.Random(1).randbytes(50_000))  # noqa: S311 - any noise
    before = snapshot(path.parent)
    with pytest.raises(NothingRecovered):
        upkeep.recover(path, NOW, in_place=True)
    assert snapshot(path.parent) == before


# -- records of a duty -------------------------------------------------------------------------------------------------


def documents(path, act):
    """Do something with the records of a duty."""
    with contextlib.closing(SqliteJournal(path, FakeClock())) as journal:
        return act(journal.documents("debrid", "rd"))


@pytest.fixture
def two_thousand(path):
    """A journal with many records of a duty, and a copy of it; the first record has changed since, and the last one went."""
    texts = {f"{number:04d}": {"text": f"old Torrent {number} {'x' * 100}"} for number in range(2000)}
    documents(path, lambda own: own.put_many("entries", texts))
    copy = path.with_name("journal.sqlite3.debrid-rd-1")
    upkeep.backup(path, copy)
    documents(path, lambda own: (own.put("entries", "0000", {"text": "new"}), own.delete("entries", "1999")))
    return path, copy


def test_records_that_the_damage_has_reached_come_from_the_newest_sound_copy(two_thousand):
    path, copy = two_thousand
    wreck(path)
    rotten = path.with_name("journal.sqlite3.debrid-rd-2")
    rotten.write_bytes(b"x" * 5000)
    rescue = upkeep.recover(path, NOW, in_place=True, spare=upkeep.Spare("debrid", (rotten, copy)))
    found = documents(path, lambda own: dict(own.items("entries")))
    assert (rescue.copy, rescue.refilled > 0) == (copy, True)
    assert set(found) >= {f"{number:04d}" for number in range(1999)}
    assert found["0000"] == {"text": "new"}, "what was read wins"
    assert upkeep.inspect(path).findings == ()


def test_copies_that_this_version_cannot_use_are_passed_over(two_thousand):
    path, copy = two_thousand
    wreck(path)
    before = path.with_name("journal.sqlite3.backup-older")
    old_journal.put(before)
    after = path.with_name("journal.sqlite3.backup-newer")
    upkeep.backup(copy, after)
    with contextlib.closing(sqlite3.connect(after)) as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    away = path.with_name("journal.sqlite3.backup-removed")
    rescue = upkeep.recover(path, NOW, in_place=True, spare=upkeep.Spare("debrid", (before, after, away, copy)))
    assert (rescue.copy, rescue.refilled > 0) == (copy, True)
    assert len(documents(path, lambda own: dict(own.items("entries")))) >= 1999


def test_a_journal_from_before_duties_had_records_is_not_filled_with_those_of_a_copy(two_thousand):
    path, copy = two_thousand
    path.unlink()
    old_journal.put(path)
    rescue = upkeep.recover(path, NOW, in_place=True, spare=upkeep.Spare("debrid", (copy,)))
    assert (rescue.copy, rescue.refilled) == (None, 0)


def test_where_all_records_can_be_read_no_copy_brings_back_what_was_removed(two_thousand):
    path, copy = two_thousand
    rescue = upkeep.recover(path, NOW, in_place=True, spare=upkeep.Spare("debrid", (copy,)))
    assert (rescue.copy, rescue.refilled) == (None, 0)
    assert documents(path, lambda own: own.get("entries", "1999")) is None


def test_where_nothing_can_be_read_a_copy_has_the_duty_begin_again(two_thousand):
    path, copy = two_thousand
    path.write_bytes(random.Random(1).randbytes(50_000))  # noqa: S311 - any noise
    rescue = upkeep.recover(path, NOW, in_place=True, spare=upkeep.Spare("debrid", (copy,)))
    assert (rescue.refilled, rescue.copy) == (2000, copy)
    assert documents(path, lambda own: own.get("entries", "0000"))["text"].startswith("old Torrent 0")


def test_room_is_given_back_where_there_is_any(two_thousand):
    path, _ = two_thousand
    full = path.stat().st_size
    documents(path, lambda own: own.delete_many("entries", [f"{number:04d}" for number in range(1990)]))
    assert (upkeep.give_back(path), upkeep.give_back(path)) == (True, False)
    assert path.stat().st_size < full / 2
