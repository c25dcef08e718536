"""Jobs of several kinds, clients and routes in one journal: an infohash in two of them is two jobs. Several processes write."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.journal_writer import MOVES, bitfield_for
from torrent_mover.adapters.store import upkeep
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.errors import JournalDamaged
from torrent_mover.domain.move import MAIN_ROUTE, MOVE, HistoryEntry, MoveRecord, Outcome, Stage
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Attempt, ChangedMode

A, B = InfoHash("a" * 40), InfoHash("b" * 40)
ROOT = Path(__file__).parents[3]
COUNTED = Statistics(uploaded=7, downloaded=6, seeding_time=5, active_time=4, added_on=3, completed_on=-1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def journal(path):
    with contextlib.closing(SqliteJournal(path, FakeClock())) as opened:
        yield opened


OTHERS = [(MOVE, "box:1", "films"), (MOVE, "box:2", MAIN_ROUTE), ("tier", "box:1", MAIN_ROUTE)]


def record(torrent=A, **changes):
    plain = MoveRecord(torrent, "A torrent", 1000, Stage.TRANSFERRING, started_at=1.5, updated_at=2.5)
    return dataclasses.replace(plain, **changes)


def entry(torrent=A, **changes):
    plain = HistoryEntry(torrent, "A torrent", 1000, 1.5, 9.5, Outcome.MOVED, sent=900, reused=100, pieces=4)
    return dataclasses.replace(plain, **changes)


def fill(jobs, text):
    """Write something of each sort about A."""
    jobs.save_move(record(name=text))
    jobs.save_pieces(A, text.encode())
    jobs.save_adopted(A, [text])
    jobs.add_attempt(Attempt(A, 1, 1.0, 2.0, 3, text))
    jobs.add_history(entry(detail=text, confirmed=False))
    jobs.save_stopped(A)
    jobs.owe_statistics(A, COUNTED)
    jobs.save_mode(ChangedMode(A, text, "folder", 0o555))
    jobs.add_note(1.0, A, "INFO", text)


def seen(jobs):
    """What is known of A."""
    found = jobs.move(A)
    return {
        "move": found and (found.name, found.source, found.route),
        "moves": [each.name for each in jobs.moves()],
        "pieces": jobs.pieces(A),
        "adopted": jobs.adopted(A),
        "attempts": [(each.ended, each.source, each.route) for each in jobs.attempts(A)],
        "history": [(each.detail, each.confirmed, each.source, each.route) for each in jobs.history()],
        "stopped": jobs.stopped(),
        "owed": [each.torrent for each in jobs.owed_statistics()],
        "notes": [text for _, _, text in jobs.notes(A)],
        "halted": jobs.halted(),
    }


NOTHING = {
    "move": None, "moves": [], "pieces": None, "adopted": [], "attempts": [], "history": [], "stopped": [], "owed": [],
    "notes": [], "halted": False,
}  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_the_same_infohash_of_two_scopes_is_two_jobs(journal, other):
    mine, theirs = journal.scoped(MOVE, "box:1", MAIN_ROUTE), journal.scoped(*other)
    fill(mine, "mine")
    assert seen(theirs) == NOTHING

    fill(theirs, "theirs")
    mine.confirm_history(A)
    mine.save_halted([A])
    mine.save_pieces(A, b"\xff")
    assert seen(mine) == {
        "move": ("mine", "box:1", MAIN_ROUTE),
        "moves": ["mine"],
        "pieces": b"\xff",
        "adopted": ["mine"],
        "attempts": [("mine", "box:1", MAIN_ROUTE)],
        "history": [("mine", True, "box:1", MAIN_ROUTE)],
        "stopped": [A],
        "owed": [A],
        "notes": ["mine"],
        "halted": True,
    }

    before = seen(theirs)
    assert (before["pieces"], before["owed"], before["halted"]) == (b"theirs", [], False)
    mine.settle_statistics(A, "carried", carried=True)
    mine.forget_pieces(A)
    mine.forget_stopped(A)
    mine.forget_halted()
    mine.forget_move(A)
    assert seen(theirs) == before


def test_the_whole_journal_shows_the_moves_of_all_sources_and_routes(journal):
    for client, route in (("box:1", MAIN_ROUTE), ("box:2", MAIN_ROUTE), ("box:1", "films")):
        fill(journal.scoped(MOVE, client, route), f"{client} {route}")
    fill(journal.scoped("tier", "box:1", MAIN_ROUTE), "a tier's")
    wanted = {("box:1", "main"), ("box:2", "main"), ("box:1", "films")}
    assert {(each.source, each.route) for each in journal.moves()} == wanted
    assert {(each.source, each.route) for each in journal.history()} == wanted
    assert {(each.source, each.route) for each in journal.attempts(A)} == wanted
    assert len(journal.notes(A)) == 3
    assert journal.known("aa") == [A]


def test_the_scope_of_a_record_is_where_it_was_read(journal):
    fill(journal.scoped(MOVE, "box:1", "films"), "x")
    (found,) = journal.moves()
    journal.of(found).save_move(dataclasses.replace(found, error="E"))
    assert [(each.source, each.route, each.error) for each in journal.moves()] == [("box:1", "films", "E")]


def test_breakers_runs_and_timings_are_everybodys(journal):
    mine, theirs = journal.scoped(MOVE, "box:1", MAIN_ROUTE), journal.scoped(MOVE, "box:2", "films")
    mine.save_breaker("nas", Breaker(2))
    mine.begin_run("r", 1.0)
    assert theirs.breaker("nas") == journal.breaker("nas") == Breaker(2)
    assert [run.id for run in theirs.runs()] == ["r"]


def test_folders_that_another_source_left_open_on_the_same_route_are_closed_and_those_of_other_routes_left(journal):
    fill(journal.scoped(MOVE, "box:2", MAIN_ROUTE), "left by box:2")
    fill(journal.scoped(MOVE, "box:1", "films"), "left by films")
    assert [each.place for each in journal.scoped(MOVE, "box:1", MAIN_ROUTE).modes()] == ["left by box:2"]
    assert len(journal.modes()) == 2


def test_a_damaged_file_is_not_put_away_under_a_process_that_has_it_open(path):
    """It would go on writing into a file that nobody reads any more."""
    command = [sys.executable, "-m", "tests.fakes.journal_writer", str(path), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout.readline() == "opening\n"
        assert [child.stdout.readline() for _ in range(2)] == ["move 0\n", "pieces 0\n"]
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as connection:
            connection.execute(
                "INSERT INTO jobs SELECT NULL, kind, 'x:1', infohash, route, name, size, 'dancing', 1, 1, 0, 0, "
                "'', '', '', NULL FROM jobs LIMIT 1"
            )
            connection.commit()
        for act in (lambda: SqliteJournal(path, FakeClock()), lambda: upkeep.recover(path, 1.0, in_place=True)):
            with pytest.raises(JournalDamaged, match="another process has it open") as refused:
                act()
            assert "fuser" in refused.value.remedy
        assert child.poll() is None
        assert not list(path.parent.glob("*damaged*"))
        child.kill()
    with contextlib.closing(SqliteJournal(path, FakeClock())) as journal:
        assert "set aside" in journal.notices[0]


def test_processes_that_meet_the_same_damage_put_it_away_once(path):
    command = [sys.executable, "-m", "tests.fakes.journal_opener", str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    for number in range(3):  # rounds
        SqliteJournal(path, FakeClock()).close()
        path.write_bytes(path.read_bytes()[: 3 * 4096])
        with contextlib.ExitStack() as ended:
            children = [ended.enter_context(subprocess.Popen(command, **pipes)) for _ in range(3)]
            for child in children:
                assert child.stdout.readline() == "ready\n"
                child.stdin.write("go\n")
                child.stdin.flush()
            answers = sorted(child.stdout.readline() for child in children)
        assert answers == ["0 move, 0 notices\n", "0 move, 0 notices\n", "0 move, 1 notices\n"]
        assert len(list(path.parent.glob("*.damaged-*"))) == number + 1


def test_a_second_process_writes_and_reads_while_the_first_one_does(journal, path):
    """Each write of both is there in the end, and none of them had to be given up."""
    jobs = journal.scoped(MOVE, "here:1", "hooks")
    command = [sys.executable, "-m", "tests.fakes.journal_writer", str(path), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout.readline() == "opening\n"
        told = []
        for number in range(60):
            jobs.save_move(record(InfoHash(f"{number:040x}"), name=f"here {number}"))
            told.append(child.stdout.readline())
        child.kill()
        told += child.stdout.readlines()
    assert [each.name for each in jobs.moves()] == [f"here {number}" for number in range(60)]
    last = max(int(line.split()[1]) for line in told if line.startswith("pieces") and line.endswith("\n"))
    assert last > MOVES
    (theirs,) = [each for each in journal.moves() if each.route == MAIN_ROUTE and each.id.hex == f"{last % MOVES:040x}"]
    assert theirs.size >= last
    known = journal.of(theirs).pieces(theirs.id)
    assert known == bitfield_for(int.from_bytes(known[:8], "big"))
