"""Lending connections: never too many, fair, woken when one comes back, and clear about who holds what."""

from __future__ import annotations

import threading

import pytest

from tests.fakes.sftp_server import FakeTransport
from tests.servers import eventually
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.domain.errors import BadAnswer, ConnectionLost, LoginRefused, Unreachable


class Taker(threading.Thread):
    """Somebody who wants a lane and notes when it came."""

    def __init__(self, pool: SessionPool, holder: str, order: list[str], *, lane: bool = True) -> None:
        super().__init__(daemon=True)
        self.pool, self.holder, self.order, self.lane = pool, holder, order, lane
        self.session = None
        self.error = None
        self.start()

    def run(self) -> None:
        try:
            self.session = self.pool.borrow(self.holder, lane=self.lane)
        except Exception as error:  # noqa: BLE001  looked at by the test
            self.error = error
        self.order.append(self.holder)


def waiting(pool: SessionPool, count: int) -> None:
    eventually(lambda: len(pool._state.waiters) == count)


def test_there_are_never_more_connections_than_allowed():
    transport = FakeTransport()
    pool = SessionPool(transport, limit=4)
    order: list[str] = []
    takers = [Taker(pool, f"torrent {number}", order) for number in range(10)]
    for _ in range(10):
        eventually(lambda: any(taker.session for taker in takers))
        assert sum(pool.holders().values()) <= 3  # one is kept for short calls
        taker = next(taker for taker in takers if taker.session)
        pool.give_back(taker.session)
        takers.remove(taker)
    assert len(order) == 10
    assert len(transport.channels) <= 3


def test_a_short_call_finds_a_connection_while_all_lanes_are_taken():
    pool = SessionPool(FakeTransport(), limit=3, wait_timeout=0.05)
    lanes = [pool.borrow("torrent", lane=True) for _ in range(2)]
    with pool.control("torrent"):
        assert pool.holders() == {"torrent": 3}
    with pytest.raises(Unreachable):
        pool.borrow("torrent", lane=True)
    for lane in lanes:
        pool.give_back(lane)
    assert pool.holders() == {}


def test_a_single_connection_serves_lanes_and_calls_in_turn():
    transport = FakeTransport()
    pool = SessionPool(transport, limit=1)
    pool.give_back(pool.borrow("a", lane=True))
    with pool.control("a"):
        pass
    assert len(transport.channels) == 1


def test_a_connection_is_used_again():
    transport = FakeTransport()
    pool = SessionPool(transport)
    first = pool.borrow("a", lane=True)
    pool.give_back(first)
    assert pool.borrow("b", lane=True) is first
    assert len(transport.channels) == 1


def test_a_broken_connection_is_hung_up_and_replaced():
    transport = FakeTransport()
    pool = SessionPool(transport)
    first = pool.borrow("a", lane=True)
    transport.channels[0].aborted = True
    pool.give_back(first)
    assert transport.channels[0].closed
    assert pool.borrow("a", lane=True) is not first


def test_a_connection_that_we_cut_ourselves_is_none_that_was_lost():
    pool = SessionPool(FakeTransport())
    session = pool.borrow("a", lane=True)
    session.abort()
    pool.give_back(session)
    assert pool.broken == 0


def test_a_connection_that_was_lost_counts_even_if_it_is_cut_afterwards():
    transport = FakeTransport()
    pool = SessionPool(transport)
    session = pool.borrow("a", lane=True)
    transport.channels[0].aborted = True
    session.abort()
    pool.give_back(session)
    assert pool.broken == 1


def test_a_connection_that_breaks_while_idle_is_replaced():
    transport = FakeTransport()
    pool = SessionPool(transport)
    first = pool.borrow("a", lane=True)
    pool.give_back(first)
    transport.channels[0].aborted = True
    assert pool.borrow("a", lane=True) is not first


def test_idle_connections_are_hung_up_after_a_while():
    now = 0.0
    transport = FakeTransport()
    pool = SessionPool(transport, idle_for=60, monotonic=lambda: now)
    one, two = pool.borrow("a", lane=True), pool.borrow("a", lane=True)
    pool.give_back(one)
    now = 100.0
    pool.give_back(two)
    assert [channel.closed for channel in transport.channels] == [True, False]


def test_a_returned_connection_wakes_who_waits():
    pool = SessionPool(FakeTransport(), limit=2)
    held = pool.borrow("a", lane=True)
    order: list[str] = []
    taker = Taker(pool, "b", order)
    waiting(pool, 1)
    pool.give_back(held)
    taker.join(60)
    assert order == ["b"]
    assert taker.session is held


def test_the_torrent_that_holds_least_comes_first():
    pool = SessionPool(FakeTransport(), limit=4)
    greedy = [pool.borrow("greedy", lane=True) for _ in range(3)]
    order: list[str] = []
    takers = [Taker(pool, "greedy", order)]
    waiting(pool, 1)
    takers.append(Taker(pool, "modest", order))
    waiting(pool, 2)
    pool.give_back(greedy.pop())
    eventually(lambda: order == ["modest"])
    pool.give_back(greedy.pop())
    eventually(lambda: order == ["modest", "greedy"])
    for taker in takers:
        taker.join(60)


def test_waiting_too_long_names_who_holds_what():
    pool = SessionPool(FakeTransport(), limit=3, wait_timeout=0.05)
    pool.borrow("Debian 12", lane=True)
    pool.borrow("Ubuntu", lane=True)
    with pytest.raises(Unreachable, match=r"free for Fedora.*Debian 12 \(lane.*Ubuntu \(lane") as caught:
        pool.borrow("Fedora", lane=True)
    assert "max_concurrent_ssh_sessions" in caught.value.remedy
    assert "pool_wait_timeout" in caught.value.remedy


def test_a_failed_connection_frees_its_place():
    transport = FakeTransport()
    pool = SessionPool(transport, limit=2)
    transport.errors = [Unreachable("down"), Unreachable("down")]
    for _ in range(2):
        with pytest.raises(Unreachable, match="down"):
            pool.borrow("a", lane=True)
    assert pool.holders() == {}
    assert pool.borrow("a", lane=True) is not None


def test_a_server_that_refuses_one_login_too_many_goes_on_with_those_it_has():
    transport, now = FakeTransport(), [0.0]
    pool = SessionPool(transport, monotonic=lambda: now[0])
    held = pool.borrow("a", lane=True)
    transport.errors.append(LoginRefused("Too many logins."))
    with pytest.raises(LoginRefused):
        pool.borrow("a", lane=True)
    pool.give_back(held)
    assert pool.borrow("b", lane=True) is held
    now[0] += 31
    assert pool.borrow("c", lane=True) is not held


@pytest.mark.parametrize(
    "error", [LoginRefused("Too many logins."), Unreachable("Maximum connections."), BadAnswer("ended")]
)
def test_who_has_none_waits_for_a_turn_where_a_server_allows_no_more_at_a_time(error):
    """As ProFTPD 1.3.8 with MaxClients hangs up, as pam_limits' maxlogins does, and as a provider's own wrapper may."""
    transport = FakeTransport()
    pool = SessionPool(transport, limit=8, wait_timeout=60)
    lanes = [pool.borrow(name, lane=True) for name in ("a", "b")]
    transport.errors.append(error)
    order: list[str] = []
    taker = Taker(pool, "c", order)
    waiting(pool, 1)
    assert transport.errors == []
    assert sum(pool.holders().values()) == 2
    for lane in lanes:
        pool.give_back(lane)
    eventually(lambda: taker.session)
    assert taker.session in lanes
    assert len(transport.channels) == 2


def test_one_that_came_back_meanwhile_is_taken_where_a_further_one_is_refused():
    transport = FakeTransport()
    pool = SessionPool(transport, limit=8, wait_timeout=60)
    held = pool.borrow("a", lane=False)
    transport.errors.append(Unreachable("Maximum connections."))
    transport.opening = lambda: pool.give_back(held)
    assert pool.borrow("b", lane=False) is held


def test_what_was_allowed_is_soon_asked_again():
    transport, now = FakeTransport(), [0.0]
    pool = SessionPool(transport, limit=8, wait_timeout=60, monotonic=lambda: now[0])
    pool.borrow("a", lane=True)
    transport.errors.append(Unreachable("kex_exchange_identification: Connection reset by peer"))
    with pytest.raises(Unreachable):
        pool.borrow("a", lane=True)
    assert pool.lanes == 1
    now[0] += 31
    assert pool.lanes == 7
    assert pool.borrow("b", lane=False) is not None


def test_a_refused_login_is_told_to_everybody_and_tried_once():
    transport = FakeTransport()
    pool = SessionPool(transport, limit=8)
    inside = threading.Event()
    go_on = threading.Event()
    tries = 0

    def opening():
        nonlocal tries
        tries += 1
        inside.set()
        assert go_on.wait(60)
        raise LoginRefused("no")

    transport.opening = opening
    order: list[str] = []
    takers = [Taker(pool, f"torrent {number}", order) for number in range(5)]
    assert inside.wait(60)
    go_on.set()
    for taker in takers:
        taker.join(60)
        assert isinstance(taker.error, LoginRefused)
    assert tries == 1
    assert pool.holders() == {}


def test_closing_wakes_who_waits_and_hangs_everything_up():
    transport = FakeTransport()
    pool = SessionPool(transport, limit=2)
    held = pool.borrow("a", lane=True)
    order: list[str] = []
    taker = Taker(pool, "b", order)
    waiting(pool, 1)
    pool.close()
    taker.join(60)
    assert isinstance(taker.error, ConnectionLost)
    pool.give_back(held)
    assert all(channel.closed for channel in transport.channels)
