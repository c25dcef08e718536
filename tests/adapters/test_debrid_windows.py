"""Processes with one token share one window and its pauses; a server that does not answer is left alone by all of them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, closing

import pytest

from tests.doubles.debrid_house import place_of
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.fakes.clock import FakeClock
from tests.servers import snapshot
from torrent_mover.adapters.debrid.services import DebridServices
from torrent_mover.adapters.debrid.windows import SharedWindow
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.debrid.breaking import FAILURES, DebridBreaker
from torrent_mover.domain.debrid.account import DebridKind, ListCursor, Rank, RemoteId
from torrent_mover.domain.debrid.errors import DebridPaused, DebridUnreachable
from torrent_mover.domain.errors import NotWritable

NOTHING = {"error": "service_unavailable", "error_code": 25}


class Processes:
    """As many as are asked for, each with a limiter of its own, on one double and one folder."""

    def __init__(self, folder, double, stack):
        self.folder, self.double, self.stack = folder, double, stack
        self.clock = double.world.clock

    def __call__(self, *, breaker=lambda _: None, counts=True):
        services = DebridServices(self.clock, windows=self.folder, counts=counts, breaker=breaker)
        return self.stack.enter_context(
            closing(services.open(DebridKind.REALDEBRID, place_of(self.double), 200 / 60, None))
        )


@pytest.fixture
def processes(tmp_path):
    with ExitStack() as stack:
        yield Processes(tmp_path, stack.enter_context(RealDebridDouble(DebridWorld(FakeClock()))), stack)


def test_two_processes_with_one_token_fill_no_minute_together(processes):
    ours = [processes() for _ in range(3)]
    began = processes.clock.now()
    while processes.clock.now() - began < 200:
        for each in ours:
            each.active()
            each.info(_entry(each))

    assert len(processes.double.asked) > 400
    assert processes.double.fullest <= 210
    lists = [asked.at for asked in processes.double.calls("GET torrents") if asked.path == "torrents"]
    assert max(sum(at <= other < at + 60 for other in lists) for at in lists) <= 70


def _entry(account):
    return RemoteId(account.name, "NOTHERE")


def test_a_pause_that_one_process_was_told_is_kept_by_the_others(processes):
    one, other = processes(), processes()
    processes.double.fault("*", 429, {"error": "slow_down", "error_code": 5}, headers={"Retry-After": "600"}, nth=1)
    with pytest.raises(DebridPaused):
        one.page(ListCursor())

    with pytest.raises(DebridPaused) as raised:
        other.page(ListCursor())
    asked = len(processes.double.asked)
    processes.clock.advance(700)
    other.page(ListCursor())

    assert (raised.value.sent, asked) == (False, 1)


def test_a_dry_run_heeds_the_others_and_writes_nothing(processes):
    looks = processes(counts=False)
    looks.standing()
    nothing = snapshot(processes.folder)
    one = processes()
    processes.double.fault("*", 429, {"error": "slow_down", "error_code": 5}, headers={"Retry-After": "600"}, nth=1)
    with pytest.raises(DebridPaused):
        one.standing()
    kept = snapshot(processes.folder)
    with pytest.raises(DebridPaused) as raised:
        looks.standing()

    assert nothing == {}
    assert not raised.value.sent
    assert snapshot(processes.folder) == kept
    assert processes.double.token.encode() not in b"".join(path.read_bytes() for path in processes.folder.iterdir())


def test_a_window_survives_a_clock_that_was_set_back_and_a_file_that_was_cut(tmp_path):
    clock, path = FakeClock(), tmp_path / "window"
    window = SharedWindow(path, 2, 60.0, clock)
    taken = [window.take(lambda: 0.0) for _ in range(3)]
    window.close(clock.now() + 500)
    clock.jump(-86_400)
    back = window.take(lambda: 0.0), window.closed_until()
    path.write_bytes(b"cut")

    assert taken == [0.0, 0.0, pytest.approx(60.0)]
    assert back == (0.0, 0.0)
    assert window.take(lambda: 0.0) == 0.0


def test_a_window_is_shared_by_true_processes(tmp_path):
    code = (
        "import sys; from pathlib import Path; from torrent_mover.adapters.clock import SystemClock; import threading;"
        "from torrent_mover.adapters.debrid.windows import SharedWindow;"
        "window = SharedWindow(Path(sys.argv[1]), 50, 3600.0, SystemClock(threading.Event()));"
        "print(sum(window.take(lambda: 0.0) == 0 for _ in range(40)))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "window")], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert sum(int(each.communicate(timeout=60)[0]) for each in running) == 50


def test_a_window_that_cannot_be_kept_lets_nothing_out(tmp_path):
    (tmp_path / "file").write_text("")
    window = SharedWindow(tmp_path / "file" / "window", 2, 60.0, FakeClock())
    with pytest.raises(NotWritable):
        window.take(lambda: 0.0)


# -- the breaker -------------------------------------------------------------------------------------------------------


@pytest.fixture
def breaking(processes, tmp_path):
    """A process whose breaker is kept in a journal; what it said."""
    said: list[str] = []
    with closing(SqliteJournal(tmp_path / "journal.sqlite3", processes.clock)) as journal:
        yield (
            lambda: processes(
                breaker=lambda server: DebridBreaker(journal, processes.clock, 900.0, server, said.append)
            ),
            said,
        )


def fail(account, clock, times):
    for _ in range(times):
        with pytest.raises(DebridUnreachable):
            account.active()
        clock.advance(30)


def test_five_requests_in_a_row_without_an_answer_open_the_breaker_of_the_server(processes, breaking):
    made, said = breaking
    account, clock = made(), processes.clock
    account.active()
    processes.double.fault("GET torrents", 503, NOTHING)
    fail(account, clock, FAILURES)
    processes.double.faults.clear()
    asked = len(processes.double.asked)
    fail(account, clock, 1)
    with pytest.raises(DebridUnreachable, match="left alone for") as raised:
        made().standing()

    assert asked == len(processes.double.asked), "nothing is sent, by another process either"
    assert len(said) == 1
    assert "debrid check" in raised.value.remedy
    account.ranked(Rank.BY_HAND).standing()
    assert len(processes.double.asked) > asked, "who asks by hand is let through"


def test_after_its_pause_one_answer_closes_the_breaker_and_one_failure_opens_it_again(processes, breaking):
    made, said = breaking
    account, clock = made(), processes.clock
    account.active()
    processes.double.fault("GET torrents", 503, NOTHING)
    fail(account, clock, FAILURES)
    clock.advance(1000)
    fail(account, clock, 1)
    opened_twice = len(said)
    clock.advance(1000)
    processes.double.faults.clear()
    account.active()
    processes.double.fault("GET torrents", 503, NOTHING)
    fail(account, clock, FAILURES - 1)
    processes.double.faults.clear()
    account.active()

    assert (opened_twice, len(said)) == (2, 2)
