"""When a recheck's answer counts: every order of stale rows, queues, restarts and lost requests, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.web_ui import FakeWebUi, row, say
from torrent_mover.adapters.clients.qbittorrent import QBittorrentSettings, answers
from torrent_mover.adapters.clients.qbittorrent.client import _Rechecking
from torrent_mover.adapters.clients.qbittorrent.logbook import LogBook
from torrent_mover.adapters.clients.qbittorrent.recheck import Ticket, TorrentLook
from torrent_mover.adapters.clients.qbittorrent.session import WebSession
from torrent_mover.domain.errors import BadAnswer
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.torrent import ClientFile, PieceStates
from torrent_mover.ports.client import RecheckVerdict

HASH = "0123456789" * 4
QUEUED, CHECKING, GOOD = RecheckVerdict.QUEUED, RecheckVerdict.CHECKING, RecheckVerdict.GOOD
BAD, FAILED = RecheckVerdict.BAD, RecheckVerdict.FAILED


def look(
    state: str, *files: float, left: int | None = None, pieces: tuple[bool, ...] = (), progress: float = 0
) -> TorrentLook:
    """Files by how much of each is good; the last one has no bytes."""
    missing = round(sum(100 * (1 - good) for good in files)) if left is None else left
    torrent = answers.torrent(row(HASH, state=state, amount_left=missing, progress=progress))
    listed = [ClientFile(index, f"f{index}", 100, good, wanted=True) for index, good in enumerate(files)]
    empty = ClientFile(len(files), "empty", 0, 1.0, wanted=True)
    found = TorrentLook(torrent, (*listed, empty))
    return replace(found, pieces=PieceStates(pieces or (True, True))) if found.looks_complete else found


COMPLETE = look("stoppedUP", 1, 1)
RESET = look("stoppedUP", 0, 0, left=0)  # the row is stale, the files are not
NOTHING = look("stoppedDL", 0, 0)
PARTLY = look("stoppedDL", 1, 0.5)


class Scripted:
    """Shows `now`; what the test assigns to `then` becomes the view as soon as a recheck is asked for."""

    def __init__(self, now: TorrentLook, then: TorrentLook | None = None, lag: float = 1.5) -> None:
        self.now, self.then = now, then or now
        self.asked = self.stopped = 0
        self.waiting = False
        self.started = 1
        self._lag = lag

    def look(self, _row=None):
        return self.now

    def others_wait(self):
        return self.waiting

    def stop(self):
        self.stopped += 1
        self.now = COMPLETE

    def ask(self):
        self.asked += 1
        self.now = self.then

    def lag(self):
        return self._lag

    def mark(self):
        return self.started

    def same_process(self, mark):
        return mark == self.started

    def reason(self, mark):
        return "file_mmap error: No such device" if mark == self.started else ""


@pytest.fixture
def clock():
    return FakeClock()


def after(clock: FakeClock, ticket: Ticket, seconds: float) -> RecheckVerdict:
    clock.advance(seconds)
    return ticket.poll().verdict


def test_success_from_before_never_counts(clock):
    client = Scripted(COMPLETE)
    ticket = Ticket(client, clock)
    assert {after(clock, ticket, 0.5) for _ in range(30)} == {QUEUED}


def test_success_counts_after_the_reset_was_seen_and_two_looks_agree(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    assert ticket.poll().verdict is CHECKING
    client.now = COMPLETE
    assert after(clock, ticket, 0.5) is CHECKING
    assert after(clock, ticket, 1.9) is CHECKING
    assert after(clock, ticket, 0.1) is GOOD


def test_two_looks_that_differ_start_the_wait_anew(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.now = COMPLETE
    assert after(clock, ticket, 1) is CHECKING
    client.now = look("checkingUP", 1, 1, progress=0.9)
    assert after(clock, ticket, 2) is CHECKING
    client.now = COMPLETE
    assert after(clock, ticket, 2) is CHECKING
    assert after(clock, ticket, 2) is GOOD


@pytest.mark.parametrize(("result", "verdict"), [(COMPLETE, GOOD), (PARTLY, BAD)])
def test_files_that_are_reset_below_a_row_from_before_are_no_result_however_long_that_lasts(clock, result, verdict):
    """On a machine that has no time for it, the client looks at its session seldom, and answers all the same."""
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    assert {after(clock, ticket, 3) for _ in range(20)} == {CHECKING}
    client.now = result
    assert after(clock, ticket, 1) is CHECKING
    assert after(clock, ticket, 5) is verdict


def test_one_bad_piece_is_bad_whatever_row_and_files_say(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.now = look("stoppedUP", 1, 1, pieces=(True, False))
    assert after(clock, ticket, 2) is CHECKING
    assert after(clock, ticket, 5) is BAD


def test_bytes_left_are_bad_although_files_and_pieces_round_up(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.now = look("stoppedDL", 1, 1, left=10)
    assert after(clock, ticket, 2) is CHECKING
    assert after(clock, ticket, 5) is BAD


def test_what_was_incomplete_and_is_complete_was_checked(clock):
    client = Scripted(NOTHING)
    ticket = Ticket(client, clock)
    assert ticket.poll().verdict is QUEUED
    client.now = COMPLETE
    assert after(clock, ticket, 1) is CHECKING
    assert after(clock, ticket, 2) is GOOD


def test_a_bad_result_must_stand_for_a_while_for_rows_are_late(clock):
    client = Scripted(PARTLY, look("stoppedDL", 0, 0, left=50))
    ticket = Ticket(client, clock)
    assert ticket.poll().verdict is CHECKING
    client.now = look("checkingDL", 0, 0, progress=0.1)
    assert after(clock, ticket, 4) is CHECKING
    client.now = PARTLY
    assert after(clock, ticket, 1) is CHECKING
    assert after(clock, ticket, 5) is BAD


def test_a_client_that_refreshes_its_rows_seldom_is_given_more_time(clock):
    client = Scripted(COMPLETE, RESET, lag=10.0)
    ticket = Ticket(client, clock)
    ticket.poll()
    assert after(clock, ticket, 9) is CHECKING
    client.now = COMPLETE
    assert after(clock, ticket, 1) is CHECKING
    assert after(clock, ticket, 9) is CHECKING
    assert after(clock, ticket, 2) is GOOD


def test_nothing_before_and_nothing_after_is_bad_once_no_check_is_under_way(clock):
    client = Scripted(NOTHING)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.waiting = True
    assert after(clock, ticket, 60) is QUEUED
    client.waiting = False
    assert after(clock, ticket, 0.1) is BAD


def test_a_torrent_in_the_queue_is_queued_and_one_that_is_read_is_checking(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.now = look("checkingUP", 0, 0)
    assert after(clock, ticket, 60) is QUEUED
    client.now = look("checkingUP", 0, 0, progress=0.25)
    progress = ticket.poll()
    assert (progress.verdict, progress.fraction, progress.client_state) == (CHECKING, 0.25, "checkingUP")


@pytest.mark.parametrize("busy", ["checkingResumeData", "checkingUP", "moving"])
def test_nothing_is_asked_for_while_the_client_is_busy_with_the_torrent(clock, busy):
    client = Scripted(look(busy, 1, 1), RESET)
    ticket = Ticket(client, clock)
    assert {after(clock, ticket, 5) for _ in range(5)} == {QUEUED}
    assert client.asked == 0
    client.now = COMPLETE
    assert ticket.poll().verdict is CHECKING
    assert client.asked == 1


def test_a_running_torrent_is_stopped_first(clock):
    client = Scripted(look("stalledUP", 1, 1), RESET)
    Ticket(client, clock).poll()
    assert (client.stopped, client.asked) == (1, 1)


def test_a_client_that_was_restarted_is_asked_again_and_its_old_success_does_not_count(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.started, client.now = 2, COMPLETE
    assert after(clock, ticket, 1) is CHECKING
    assert after(clock, ticket, 3) is QUEUED
    assert after(clock, ticket, 1) is CHECKING
    assert client.asked == 2


def test_one_that_reads_resume_data_again_has_restarted(clock):
    client = Scripted(COMPLETE, RESET)
    ticket = Ticket(client, clock)
    ticket.poll()
    client.now = look("checkingResumeData", 0, 0)
    assert after(clock, ticket, 1) is QUEUED
    client.now = COMPLETE
    ticket.poll()
    assert client.asked == 2


def test_a_request_that_got_lost_is_repeated_and_at_last_given_up(clock):
    client = Scripted(COMPLETE)
    ticket = Ticket(client, clock)
    verdicts = [after(clock, ticket, 7) for _ in range(15)]
    assert client.asked == 3
    assert set(verdicts[:-1]) <= {QUEUED, FAILED}
    assert verdicts[-1] is FAILED


def test_an_error_is_reported_once_it_stands(clock):
    client = Scripted(COMPLETE, look("error", 0, 0))
    ticket = Ticket(client, clock)
    assert ticket.poll().verdict is QUEUED
    assert after(clock, ticket, 4) is QUEUED
    assert after(clock, ticket, 1) is FAILED


class TestLogBook:
    @pytest.fixture
    def web(self):
        with FakeWebUi() as web:
            self.entries = []
            web.replies["log/main"] = lambda asked: say(
                [entry for entry in self.entries if entry["id"] > int(asked.fields["last_known_id"])]
            )
            yield web

    def book(self, web):
        return LogBook(WebSession(QBittorrentSettings(web.url, "admin", Secret("x")), FakeClock()))

    def say(self, number, time, text, kind=1):
        self.entries.append({"id": number, "timestamp": time, "type": kind, "message": text})

    def test_the_same_process_keeps_its_entries(self, web):
        book = self.book(web)
        self.say(0, 10, "started")
        mark = book.mark()
        self.say(1, 11, "more")
        assert book.same_process(mark)
        assert book.mark().number == 1

    def test_another_process_counts_from_zero_again(self, web):
        book = self.book(web)
        self.say(0, 10, "started")
        self.say(1, 11, "more")
        mark = book.mark()
        self.entries.clear()
        self.say(0, 20, "started")
        assert not book.same_process(mark)
        self.say(1, 21, "more")
        assert not book.same_process(mark)
        assert book.mark().time == 21

    def test_an_empty_log_is_the_same_process_while_it_stays_empty(self, web):
        book = self.book(web)
        assert book.mark() is None
        assert book.same_process(None)
        self.say(0, 10, "started")
        assert not book.same_process(None)

    def test_the_log_is_read_forward(self, web):
        book = self.book(web)
        self.say(0, 10, "started")
        self.say(1, 10, "more")
        book.mark()
        book.mark()
        known = [asked.fields["last_known_id"] for asked in web.asked if asked.path == "log/main"]
        assert known == ["-1", "0"]


class TestRows:
    """What a listing for many has told spares questions, and never proves anything by itself."""

    class Client:
        """One torrent, as it is shown; counts the questions."""

        name = "fake:8080"

        def __init__(self, shown: TorrentLook) -> None:
            self.shown = shown
            self.listed = 0
            self.pieced = 0

        def present(self, _torrent):
            return self.shown.torrent

        def files(self, _torrent):
            self.listed += 1
            return self.shown.files

        def pieces(self, _torrent):
            self.pieced += 1
            return self.shown.pieces

    def asking(self, client) -> _Rechecking:
        return _Rechecking(client, None, None, client.shown.torrent.id)

    def test_a_check_that_shows_nothing_new_is_not_asked_for_its_files_each_time(self):
        client = self.Client(look("checkingDL", 0, 0))
        asking = self.asking(client)
        for _ in range(6):
            asking.look(client.shown.torrent)
        assert client.listed == 1
        asking.look(client.shown.torrent)
        assert client.listed == 2

    def test_an_answer_without_any_file_does_not_look_like_a_check_that_began(self):
        client = self.Client(COMPLETE)
        with FakeWebUi() as web:
            session = WebSession(QBittorrentSettings(web.url, "admin", Secret("adminadmin")), FakeClock())
            asking = _Rechecking(client, session, None, client.shown.torrent.id)
            asking.look()
            client.shown = replace(COMPLETE, files=())
            with pytest.raises(BadAnswer):
                asking.look()

    def test_a_row_that_has_changed_is_looked_into(self):
        client = self.Client(look("checkingDL", 0, 0))
        asking = self.asking(client)
        asking.look(client.shown.torrent)
        asking.look(look("checkingDL", 0, 0, progress=0.5).torrent)
        assert client.listed == 2

    def test_a_row_that_looks_complete_is_always_proven_by_files_and_pieces(self):
        client = self.Client(COMPLETE)
        asking = self.asking(client)
        for _ in range(3):
            assert asking.look(client.shown.torrent).proves_complete
        assert (client.listed, client.pieced) == (3, 3)


@pytest.mark.parametrize(("state", "stopped"), [("missingFiles", 1), ("error", 1), ("stalledUP", 1), ("stoppedUP", 0)])
def test_what_is_not_stopped_is_stopped_before_the_check_is_asked_for(clock, state, stopped):
    client = Scripted(look(state, 0, 0))
    Ticket(client, clock).poll()
    assert (client.stopped, client.asked) == (stopped, 1)
