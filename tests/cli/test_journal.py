"""journal: each action for people and for programs, its exit codes, and what it refuses while a run is active."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.cli.schemas import SCHEMAS, fits
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.move import HistoryEntry, MoveRecord, Outcome, Stage
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.roots import RootMark
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal
from torrent_mover.engine.preflight import mount

ONE, OTHER = InfoHash("a" * 40), InfoHash("b" * 40)


@pytest.fixture
def kept(desk):
    """A journal with a move that goes on, and one that ended long ago."""
    with contextlib.closing(desk.open()) as jobs:
        jobs.save_move(MoveRecord(ONE, "Film", 5, Stage.TRANSFERRING, 1.0, 2.0))
        jobs.add_history(HistoryEntry(OTHER, "Old", 5, 1.0, 2.0, Outcome.MOVED, 5, 0, 1))
        jobs.add_note(2.0, OTHER, "INFO", "moved")
    return desk


def test_a_copy_lies_where_it_is_asked_for_and_else_beside_the_journal(kept, tmp_path):
    told = kept.run("journal", "backup", tmp_path / "copy")
    assert (told.code, told.err) == (0, "")
    assert f"Copied to {tmp_path / 'copy'}" in told.out
    data = fits("journal", kept.run("journal", "backup", "--json").data)
    (beside,) = kept.journal.parent.glob("journal.sqlite3.backup-*Z")
    assert (data["file"], data["size"]) == (str(beside), beside.stat().st_size)
    again = kept.run("journal", "backup", tmp_path / "copy")
    assert (again.code, again.out) == (2, "")
    assert "TM-E115" in again.err


def test_check_says_whether_it_is_sound(kept):
    told = kept.run("journal", "check")
    assert told.code == 0
    assert "is sound: format" in told.out
    data = fits("journal", kept.run("journal", "check", "--json").data)
    assert (data["sound"], data["findings"], data["rows"]["jobs"]) == (True, [], 1)

    kept.journal.write_bytes(kept.journal.read_bytes()[:5000])
    told = kept.run("journal", "check", "--json")
    assert told.code == 4
    data = fits("journal", told.data)
    assert not data["sound"]
    assert data["findings"]
    assert "torrent-mover journal recover" in kept.run("journal", "check").out


def test_purge_counts_first_and_then_deletes_and_never_what_goes_on(kept):
    data = fits("journal", kept.run("journal", "purge", "--dry-run", "--json").data)
    assert (data["rows"]["history"], data["rows"]["notes"], data["dry_run"]) == (1, 1, True)
    assert kept.run("history", "--json").data["entries"]
    told = kept.run("journal", "purge", "--older", "30d")
    assert told.code == 0
    assert "Purged 2 rows (history 1, notes 1)" in told.out
    assert kept.run("history", "--json").data["entries"] == []
    assert [move["infohash"] for move in kept.run("status", "--json").data["moves"]] == [ONE.hex]


def test_vacuum_says_what_it_gave_back(kept):
    data = fits("journal", kept.run("journal", "vacuum", "--json").data)
    assert data["size"] <= data["size_before"]


def test_recover_leaves_a_sound_journal_and_rescues_a_damaged_one(kept):
    told = kept.run("journal", "recover")
    assert (told.code, "is sound: nothing was changed" in told.out) == (0, True)
    with kept.journal.open("r+b") as file:
        file.truncate(kept.journal.stat().st_size - 4096)
    told = kept.run("journal", "recover", "--json")
    assert told.code == 0
    data = fits("journal", told.data)
    assert data["damaged"].startswith(f"{kept.journal}.damaged-")
    assert kept.run("journal", "check").code == 0
    assert [move["infohash"] for move in kept.run("status", "--json").data["moves"]] == [ONE.hex]


def test_a_disk_is_forgotten_of_all_destinations_or_of_one_folder_which_may_be_a_tiers(kept, tmp_path):
    def remembered():
        with contextlib.closing(SqliteJournal.open_readonly(kept.journal)) as journal:
            tier = KeptTierJournal(journal.documents(DUTY, "ssd"))
            destinations = journal.documents(mount.DUTY, mount.SECTION).items(mount.TABLE)
            return {place for place, _ in destinations} | {str(mark.path) for mark in tier.roots()}

    ssd, hdd, nas = (f"{tmp_path}/{name}" for name in ("ssd", "hdd", "nas"))
    with contextlib.closing(SqliteJournal(kept.journal, FakeClock())) as journal:
        tier = KeptTierJournal(journal.documents(DUTY, "ssd"))
        for place in (ssd, hdd):
            tier.save_root(RootMark(LocalPath(place), "a" * 32, 5, mounted=True))
        journal.documents(mount.DUTY, mount.SECTION).put(mount.TABLE, nas, {"at": nas})

    assert kept.run("journal", "forget-mounts", tmp_path / "elsewhere").code == 2
    assert remembered() == {ssd, hdd, nas}
    assert fits("journal", kept.run("journal", "forget-mounts", hdd, "--json").data)["folders"] == [hdd]
    assert remembered() == {ssd, nas}
    assert "Forgotten for 1 folder:" in kept.run("journal", "forget-mounts").out
    assert remembered() == {ssd}, "a disk of a tier that is away for the moment would be taken for a new one"


@pytest.mark.parametrize(("action", "code"), [("check", 0), ("backup", 0), ("purge", 0), ("vacuum", 5), ("recover", 5)])
def test_what_may_be_done_while_a_run_is_active(kept, action, code):
    lock = RunLock(kept.journal.parent / "run.lock")
    lock.acquire()
    told = kept.run("journal", action)
    lock.release()
    assert told.code == code
    assert ("Another run is active" in told.err) == (code == 5)


@pytest.mark.parametrize("action", ["vacuum", "recover"])
def test_what_is_asked_once_and_refused_is_told_with_q_as_well(kept, action):
    with RunLock(kept.journal.parent / "run.lock"):
        told = kept.run("-q", "journal", action)

    assert told.code == 5
    assert "Another run is active" in told.err
    assert "Nothing was" in told.err


@pytest.mark.parametrize("action", ["backup", "check", "purge", "recover", "vacuum"])
def test_where_no_run_was_made_there_is_nothing_to_look_after(desk, action):
    told = desk.run("journal", action)
    assert told.code == 2
    assert "TM-E116" in told.err
    assert not desk.journal.parent.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["journal"],
        ["journal", "burn"],
        ["journal", "check", "file"],
        ["journal", "check", "--dry-run"],
        ["journal", "backup", "--older", "3d"],
        ["journal", "purge", "--older", "soon"],
    ],
)
def test_what_makes_no_sense_is_refused(kept, arguments):
    before = kept.journal.read_bytes()
    assert kept.run(*arguments).code == 2
    assert kept.journal.read_bytes() == before


def test_the_schema_refuses_what_it_does_not_know():
    assert json.loads((SCHEMAS / "journal.json").read_text())["additionalProperties"] is False
