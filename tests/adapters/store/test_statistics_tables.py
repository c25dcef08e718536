"""What the journal knows of statistics that are owed, and of a client that was stopped for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.jobs import OpenJobs
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.torrent.statistics import Statistics
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.statistics import Owed

A, B = InfoHash("a" * 40), InfoHash("b" * 40)
COUNTED = Statistics(uploaded=7, downloaded=6, seeding_time=5, active_time=4, added_on=3, completed_on=-1)
MOVED = HistoryEntry(A, "A", 1, 0.0, 1.0, Outcome.MOVED, 1, 0, 1, not_carried="uploaded=7", confirmed=False)


@pytest.fixture
def journal(tmp_path):
    opened = OpenJobs(tmp_path / "state" / "journal.sqlite3", FakeClock())
    yield opened
    opened.close()


def test_they_are_owed_only_once_the_source_is_gone(journal):
    journal.add_history(MOVED)
    journal.owe_statistics(A, COUNTED)
    assert journal.owed_statistics() == []

    journal.confirm_history(A)

    assert journal.owed_statistics() == [Owed(A, COUNTED, 0)]


def test_a_move_that_ended_otherwise_owes_nothing(journal):
    journal.owe_statistics(A, COUNTED)
    for outcome in (Outcome.COPIED, Outcome.FAILED):
        journal.add_history(replace(MOVED, outcome=outcome, confirmed=True))
        assert journal.owed_statistics() == []


def test_each_stop_of_the_client_counts_for_those_that_it_was_stopped_for(journal):
    for torrent in (A, B):
        journal.add_history(replace(MOVED, id=torrent, confirmed=True))
        journal.owe_statistics(torrent, COUNTED)

    journal.save_halted([A])
    journal.save_halted([A])

    assert journal.halted()
    assert [(owed.torrent, owed.tries) for owed in journal.owed_statistics()] == [(A, 2), (B, 0)]
    journal.forget_halted()
    assert not journal.halted()


def test_the_history_tells_which_torrents_got_them(journal):
    for torrent in (A, B):
        journal.add_history(replace(MOVED, id=torrent, confirmed=True, detail="kept" if torrent == B else ""))
        journal.owe_statistics(torrent, COUNTED)

    journal.settle_statistics(A, "carried", carried=True)
    journal.settle_statistics(B, "given up", carried=False)

    assert journal.owed_statistics() == []
    told = {entry.id: (entry.detail, entry.not_carried) for entry in journal.history()}
    assert told == {A: ("carried", ""), B: ("kept; given up", "uploaded=7")}
