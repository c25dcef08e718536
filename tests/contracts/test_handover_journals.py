"""What is written down of hand-overs is there again, as it was: in memory for tests, and in the journal's file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.handovers import MemoryHandovers
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep
from torrent_mover.domain.arrs.path_pairs import ArrPair, DeliveredData
from torrent_mover.domain.paths import ROOT, ArrPath, ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash

ONE, TWO = InfoHash("ab" * 20), InfoHash("cd" * 20)
DATA = DeliveredData(
    LocalPath("/hdd/tv/Show"), RelativePath(("S1", "Ünï \udcff.mkv")), 1 << 40, ClientPath("/data/Show")
)
RECORD = ArrHandover(ONE, "tv", "Show \x1b[1m", "tv", DATA, 1000.0)


class HandoverJournalContract:
    def test_a_new_journal_knows_nothing(self, journal):
        assert list(journal.handovers()) == []
        assert journal.handover(ONE, "tv") is None
        assert list(journal.arr_pairs("tv")) == []

    def test_a_record_comes_back_as_it_was_at_every_step(self, journal):
        found = RECORD.found_at(ArrPath("/tv/Show"))
        steps = [
            RECORD,
            found,
            found.posting(1001.0, 7, refreshes=True),
            found.posting(1001.0, 7, refreshes=False).scanning(8, 1002.0).polled(1003.5),
            found.came_to_nothing("it is \x00 odd \udcfe", 1004.0),
            found.imported("imported 10 of 10"),
            replace(RECORD, data=replace(DATA, largest=ROOT, client_path=None)),
        ]
        for record in steps:
            journal.save_handover(record)
            assert journal.handover(ONE, "tv") == record
            assert list(journal.handovers()) == [record]

    def test_each_arr_has_its_own_and_what_was_told_first_comes_first(self, journal):
        later = replace(RECORD, arr="tv4k", told_at=2000.0)
        first = replace(RECORD, torrent=TWO, told_at=500.0, step=HandoverStep.REFUSED)
        for record in (later, RECORD, first):
            journal.save_handover(record)
        assert list(journal.handovers()) == [first, RECORD, later]
        assert list(journal.handovers("tv")) == [first, RECORD]
        assert list(journal.handovers("films")) == []

    def test_what_is_forgotten_is_gone_and_a_missing_one_is_fine(self, journal):
        journal.save_handover(RECORD)
        journal.forget_handover(ONE, "films")
        assert journal.handover(ONE, "tv") == RECORD
        journal.forget_handover(ONE, "tv")
        journal.forget_handover(ONE, "tv")
        assert journal.handover(ONE, "tv") is None

    def test_pairs_are_kept_by_arr_and_by_our_folder(self, journal):
        one = ArrPair(ArrPath("/tv"), LocalPath("/hdd/tv"))
        other = ArrPair(ArrPath("/films \udcff"), LocalPath("/hdd/films \udcff"))
        for pair in (one, other):
            journal.save_arr_pair("tv", pair)
        assert set(journal.arr_pairs("tv")) == {one, other}
        better = ArrPair(ArrPath("/data/tv"), LocalPath("/hdd/tv"))
        journal.save_arr_pair("tv", better)
        assert set(journal.arr_pairs("tv")) == {better, other}
        assert list(journal.arr_pairs("films")) == []


class TestMemoryHandovers(HandoverJournalContract):
    @pytest.fixture
    def journal(self):
        return MemoryHandovers()


class TestSqliteHandovers(HandoverJournalContract):
    @pytest.fixture
    def journal(self, tmp_path):
        journal = SqliteJournal(tmp_path / "journal.db", FakeClock())
        yield journal
        journal.close()

    def test_another_process_reads_what_was_written(self, journal, tmp_path):
        journal.save_handover(RECORD)
        view = SqliteJournal.open_readonly(tmp_path / "journal.db")
        assert list(view.handovers()) == [RECORD]
        view.close()

    def test_a_secret_in_the_words_of_an_arr_is_not_kept(self, journal):
        journal.save_handover(replace(RECORD, trouble="no: http://x/announce?passkey=S3CRETS3CRET"))
        assert "S3CRET" not in journal.handover(ONE, "tv").trouble
