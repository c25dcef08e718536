"""A real journal of format 8 becomes one of jobs: nothing is lost, a copy is kept once, several processes may do it at once."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.tier_house import tmpfs
from tests.fakes import old_journal
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import SOURCE, OpenJobs
from tests.servers import snapshot
from torrent_mover.adapters.store.migrations import VERSION, migrate
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.errors import DiskFull, ProvisioningError
from torrent_mover.domain.move import MAIN_ROUTE, MOVE, Stage
from torrent_mover.domain.torrent.pieces import Bitfield

ROOT = Path(__file__).parents[3]
PROVEN = Bitfield(257)
PROVEN.set_range(range(old_journal.PROVEN))


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "state" / "journal.sqlite3"
    old_journal.put(made)
    return made


def rows(path, table, columns="*"):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)


def asked(path, pragma):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {pragma}").fetchone()


def change(path, *statements):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def copy_of(path):
    return path.with_name(f"{path.name}.before-v{VERSION}")


def test_a_new_journal_is_what_all_formats_in_turn_make_of_an_empty_file(tmp_path):
    new, grown = tmp_path / "new.sqlite3", tmp_path / "grown.sqlite3"
    SqliteJournal(new, FakeClock()).close()
    with contextlib.closing(sqlite3.connect(grown, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for number in range(1, VERSION + 1):
            migrate(connection, number)

    assert rows(new, "sqlite_master", "type, name, tbl_name, sql") == rows(
        grown, "sqlite_master", "type, name, tbl_name, sql"
    )
    for pragma in ("application_id", "user_version", "journal_mode", "page_size", "encoding", "auto_vacuum"):
        assert asked(new, pragma) == asked(grown, pragma), pragma
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


def test_a_new_journal_on_a_full_disk_asks_for_space_and_leaves_nothing(tmp_path):
    with tmpfs(tmp_path / "disk", "64k") as disk:
        (disk / "fill").write_bytes(bytes(60 << 10))
        with pytest.raises(DiskFull, match="no space left") as caught:
            SqliteJournal(disk / "state" / "journal.sqlite3", FakeClock())
        assert "df -h" in caught.value.remedy
        assert [each.name for each in (disk / "state").iterdir()] == []


def test_the_move_under_way_is_the_source_clients_with_its_pieces(path):
    with contextlib.closing(OpenJobs(path, FakeClock())) as jobs:
        (record,) = jobs.moves()
        assert (record.id, record.stage, record.source, record.route) == (
            old_journal.HALF_WAY,
            Stage.TRANSFERRING,
            SOURCE,
            MAIN_ROUTE,
        )
        assert Bitfield.from_bytes(jobs.pieces(old_journal.HALF_WAY), 257) == PROVEN
        assert jobs.certificate_text(old_journal.MOVED)
        assert [entry.id for entry in jobs.history()] == [old_journal.MOVED]
        assert [attempt.ended for attempt in jobs.attempts(old_journal.MOVED)] == ["done"]
        elsewhere = jobs.whole.scoped(MOVE, "other:8080", MAIN_ROUTE)
        assert (elsewhere.moves(), elsewhere.history(), elsewhere.pieces(old_journal.HALF_WAY)) == ([], [], None)


def test_every_row_is_there_afterwards(path):
    change(
        path,
        f"INSERT INTO adopted VALUES ('{old_journal.HALF_WAY}', 'Half way/two.bin')",
        f"INSERT INTO stopped VALUES ('{old_journal.HALF_WAY}')",
        f"INSERT INTO statistics VALUES ('{old_journal.MOVED}', '{{}}', 2)",
        f"INSERT INTO modes VALUES ('nas', 'Half way', '{old_journal.HALF_WAY}', 365)",
        "INSERT INTO halted VALUES (1)",
        "INSERT INTO breakers VALUES ('nas', 3, 1.0, 2.0)",
    )
    same = {
        "adopted": "torrent, path",
        "attempts": "torrent, number, started_at, ended_at, sent, ended",
        "breakers": "*",
        "certificates": "number, torrent, at, content",
        "modes": "place, path, torrent, mode",
        "notes": "number, at, torrent, level, text",
        "runs": "*",
        "statistics": "torrent, content, tries",
        "stopped": "torrent",
        "timings": "*",
    }
    before = {table: rows(path, table, columns) for table, columns in same.items()}
    history = rows(path, "history", "number, torrent, name, sent, outcome, confirmed, took, source, destination")

    SqliteJournal(path, FakeClock()).close()

    assert {table: rows(path, table, columns) for table, columns in same.items()} == before
    renamed = "number, torrent, name, sent, outcome, confirmed, took, client, destination"
    assert rows(path, "history", renamed) == history
    for table in ("adopted", "attempts", "certificates", "history", "modes", "notes", "statistics", "stopped"):
        about = [row for row in rows(path, table, "kind, client, route, torrent") if row[3] is not None]
        assert {row[:3] for row in about} == {(MOVE, SOURCE, MAIN_ROUTE)}, table
    assert rows(path, "halted", "kind, route") == [(MOVE, MAIN_ROUTE)]
    with contextlib.closing(OpenJobs(path, FakeClock())) as jobs:
        assert jobs.halted()
        jobs.forget_halted()
        assert not jobs.halted()


def test_a_move_whose_client_was_not_written_down_is_the_first_ones_that_writes_it(path):
    change(path, "UPDATE moves SET source = ''", f"INSERT INTO adopted VALUES ('{old_journal.HALF_WAY}', 'x')")
    with contextlib.closing(SqliteJournal(path, FakeClock())) as journal:
        first, second = (journal.scoped(MOVE, client, MAIN_ROUTE) for client in ("one:1", "two:2"))
        for jobs in (first, second):
            assert jobs.pieces(old_journal.HALF_WAY) == PROVEN.to_bytes()
        first.save_move(first.move(old_journal.HALF_WAY))
        assert [record.source for record in journal.moves()] == ["one:1"]
        assert (first.pieces(old_journal.HALF_WAY), first.adopted(old_journal.HALF_WAY)) == (PROVEN.to_bytes(), ["x"])
        assert (second.move(old_journal.HALF_WAY), second.pieces(old_journal.HALF_WAY)) == (None, None)
        assert second.adopted(old_journal.HALF_WAY) == []


def test_a_copy_is_kept_beside_it_once(path):
    before = rows(path, "moves")
    SqliteJournal(path, FakeClock()).close()
    copy = copy_of(path)
    assert rows(copy, "moves") == before
    assert rows(copy, "pieces", "hex(bitfield)") == [(PROVEN.to_bytes().hex().upper(),)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    kept = copy.read_bytes()

    SqliteJournal(path, FakeClock()).close()
    for each in path.parent.glob("journal.sqlite3*"):
        if each != copy:
            each.unlink()
    old_journal.put(path, source="another:1")
    SqliteJournal(path, FakeClock()).close()

    assert copy.read_bytes() == kept
    assert {each.name for each in path.parent.iterdir()} == {path.name, copy.name}


def test_without_a_copy_nothing_is_changed(path, monkeypatch):
    class Full(sqlite3.Connection):
        def backup(self, *_):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: real(*args, **more, factory=Full))
    with pytest.raises(DiskFull):
        SqliteJournal(path, FakeClock())
    monkeypatch.undo()
    assert rows(path, "moves", "id") == [(old_journal.HALF_WAY.hex,)]
    assert not copy_of(path).exists()


def test_looking_on_changes_nothing(path):
    before = snapshot(path.parent)
    with contextlib.closing(SqliteJournal.open_readonly(path)) as view:
        assert [record.id for record in view.moves()] == [old_journal.HALF_WAY]
        with pytest.raises(ProvisioningError):
            view.of(view.moves()[0]).forget_move(old_journal.HALF_WAY)
    assert snapshot(path.parent) == before


def test_processes_that_open_it_at_the_same_instant_all_find_it_whole(path):
    for _ in range(3):  # rounds
        for each in path.parent.glob("journal.sqlite3*"):
            each.unlink()
        old_journal.put(path)
        command = [sys.executable, "-m", "tests.fakes.journal_opener", str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
        with contextlib.ExitStack() as ended:
            children = [ended.enter_context(subprocess.Popen(command, **pipes)) for _ in range(4)]
            assert [child.stdout.readline() for child in children] == ["ready\n"] * 4
            for child in children:
                child.stdin.write("go\n")
                child.stdin.flush()
            answers = [child.stdout.readline() for child in children]
        assert answers == ["1 move, 0 notices\n"] * 4
        assert rows(copy_of(path), "moves", "id") == [(old_journal.HALF_WAY.hex,)]
