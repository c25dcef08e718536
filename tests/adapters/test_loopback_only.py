"""No test reaches another machine: the guard of tests/conftest.py refuses it, and fails the test."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import left_the_machine
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.debrid.services import DebridServices
from torrent_mover.adapters.debrid.session import DebridPlace
from torrent_mover.domain.debrid.account import DebridKind
from torrent_mover.domain.debrid.errors import DebridUnreachable
from torrent_mover.domain.secret import Secret


def test_another_machine_is_refused_and_noted():
    with socket.socket() as other, pytest.raises(OSError, match="tests stay on this machine"):
        other.connect(("1.1.1.1", 53))
    assert left_the_machine == ["1.1.1.1"]
    left_the_machine.clear()


def test_an_address_of_documentation_is_refused_and_is_no_fault():
    with socket.socket() as other, pytest.raises(OSError, match="tests stay on this machine"):
        other.connect(("192.0.2.1", 80))
    assert left_the_machine == []


@pytest.mark.parametrize("kind", DebridKind)
def test_no_debrid_service_is_ever_asked_by_a_test(kind, monkeypatch):
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443))]
    )
    account = DebridServices(FakeClock()).open(kind, DebridPlace("mine", "", Secret("a token")), 200 / 60, None)
    with pytest.raises(DebridUnreachable):
        account.standing()
    account.close()
    assert set(left_the_machine) == {"1.1.1.1"}
    left_the_machine.clear()


def test_this_machine_is_reached():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()[:2], timeout=5) as there,
    ):
        assert there.getpeername() == server.getsockname()
