"""Connections that break, freeze or are cut in the middle: always an error in time, never a hang, and the next one works."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import pytest

from tests.contracts.filesystem_contract import MIB, path
from tests.servers import eventually, target_of
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.demo.process import wait_until
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.domain.errors import (
    ConnectionLost,
    LoginRefused,
    NotWritable,
    SourceUnreadable,
    Stalled,
    Unreachable,
)
from torrent_mover.domain.paths import HostPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.filesystem import ByteSpan

pytestmark = pytest.mark.servers

both = pytest.mark.parametrize("kind", [SshTransport.OPENSSH, SshTransport.PARAMIKO], ids=lambda kind: kind.value)
SPANS = [ByteSpan(path("large"), at * MIB, MIB) for at in range(64)]


@pytest.fixture
def server(tmp_path):
    with SshServer(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    with (folder / "large").open("wb") as file:
        file.truncate(64 * MIB)
    return folder


PATIENT = {"reply_timeout": 3600.0, "keepalive_interval": 3600}
"""Nothing ends by itself: what does not end a lane as a test wants it leaves the test to its own time-out."""


@pytest.fixture
def pools():
    """A maker of pools, all closed at the end."""
    made: list[SessionPool] = []

    def make(server: SshServer, kind: SshTransport, **changes) -> SessionPool:
        target = target_of(server, **{"transport": kind} | PATIENT | changes)
        made.append(SessionPool(connect(target), wait_timeout=60))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def sessions(server: SshServer) -> list[int]:
    return server.children()


def signal_all(server: SshServer, number: signal.Signals) -> None:
    for process in sessions(server):
        with contextlib.suppress(ProcessLookupError):  # one that is over by now serves nobody
            os.kill(process, number)


@both
def test_a_server_killed_while_reading_is_a_lost_connection_and_the_next_lane_works(server, data, pools, kind):
    fs = SftpFileSystem(pools(server, kind), HostPath(str(data)))
    lane = fs.reader()

    def deliver(_span, offset, _data):
        if offset >= 8 * MIB:
            signal_all(server, signal.SIGKILL)

    with pytest.raises(ConnectionLost):
        lane.read(SPANS, deliver)
    lane.close()
    assert fs.stat(path("large")).size == 64 * MIB


@both
def test_a_server_killed_while_writing_is_a_lost_connection(server, data, pools, kind):
    fs = SftpFileSystem(pools(server, kind), HostPath(str(data)))
    lane = fs.writer()
    block = memoryview(bytes(MIB))
    with pytest.raises(ConnectionLost):
        for at in range(64):
            lane.write(path("large"), at * MIB, block)
            if at == 5:
                signal_all(server, signal.SIGKILL)
        lane.flush()
    assert lane.accepted() < 64 * MIB
    lane.close()


@both
def test_an_idle_connection_that_died_is_not_lent_again(server, data, pools, kind):
    pool = pools(server, kind)
    fs = SftpFileSystem(pool, HostPath(str(data)))
    assert fs.stat(path("large")) is not None
    first = pool.borrow("x", lane=True)
    pool.give_back(first)
    signal_all(server, signal.SIGKILL)
    assert wait_until(lambda: not first.is_open(), 10)
    assert fs.stat(path("large")) is not None


@both
def test_a_server_process_that_freezes_is_noticed(server, data, pools, kind):
    def opened():
        """The time-out is for the server that freezes. On a busy machine the login alone may take as long."""
        try:
            return SftpFileSystem(pools(server, kind, reply_timeout=1.5), HostPath(str(data))).reader()
        except (Stalled, ConnectionLost, Unreachable):
            return None

    lane = eventually(opened)
    frozen = False

    def deliver(_span, offset, _data):
        nonlocal frozen
        if offset >= 8 * MIB and not frozen:
            frozen = True
            signal_all(server, signal.SIGSTOP)

    with pytest.raises((Stalled, ConnectionLost)):
        lane.read(SPANS, deliver)
    lane.close()


def test_a_dead_peer_ends_the_ssh_client_by_its_own_keepalive(server, data, pools):
    pool = pools(server, SshTransport.OPENSSH, keepalive_interval=1, keepalive_count=1)
    lane = SftpFileSystem(pool, HostPath(str(data))).reader()
    with pytest.raises(ConnectionLost, match="not responding"):
        lane.read(SPANS, lambda _s, _o, _d: signal_all(server, signal.SIGSTOP))
    lane.close()


@both
def test_an_abort_wakes_a_read_that_waits_for_a_frozen_server(server, data, pools, kind):
    lane = SftpFileSystem(pools(server, kind), HostPath(str(data))).reader()
    timer = threading.Timer(1.0, lane.abort)

    def deliver(_span, _offset, _data):
        if not timer.is_alive():
            signal_all(server, signal.SIGSTOP)
            timer.start()

    with pytest.raises(ConnectionLost, match="as asked"):
        lane.read(SPANS, deliver)
    lane.close()
    timer.join()


@both
def test_closing_the_pool_wakes_those_who_read(server, data, pools, kind):
    pool = pools(server, kind)
    lane = SftpFileSystem(pool, HostPath(str(data))).reader()
    with pytest.raises(ConnectionLost):
        lane.read(SPANS * 10, lambda _s, _o, _d: pool.close())
    lane.close()
    with pytest.raises(ConnectionLost, match="closed"):
        pool.borrow("late", lane=True)


@both
def test_a_server_that_is_gone_is_unreachable_and_back_again_works(server, data, pools, kind):
    fs = SftpFileSystem(pools(server, kind), HostPath(str(data)))
    assert fs.stat(path("large")) is not None
    server.stop()
    with pytest.raises((Unreachable, ConnectionLost)):
        fs.stat(path("large"))
    with pytest.raises(Unreachable):
        fs.stat(path("large"))
    server.start()
    assert fs.stat(path("large")) is not None


# What an ordinary account may not do: the tests may run as root, so a throw-away account without rights is let in.


@pytest.fixture(scope="module")
def unprivileged(open_folder):
    account = PasswordLogin(user="bob", uid=65534, gid=65534)
    with SshServer(open_folder / "sshd-bob", password_login=account) as server:
        yield server


@pytest.fixture
def closed(open_folder, tmp_path_factory):
    folder = open_folder / tmp_path_factory.mktemp("closed").name
    folder.mkdir()
    (folder / "secret").write_bytes(b"x")
    (folder / "secret").chmod(0o600)
    (folder / "locked").mkdir(mode=0o700)
    return folder


def test_what_an_account_may_not_do_is_told_with_the_command_that_helps(unprivileged, closed):
    pool = SessionPool(connect(target_of(unprivileged)))
    fs = SftpFileSystem(pool, HostPath(str(closed)))
    try:
        with pytest.raises(NotWritable, match="permission denied") as caught:
            fs.create(path("new"), 1)
        assert "setfacl" in caught.value.remedy
        assert str(closed) in caught.value.remedy
        for act in (
            lambda: fs.make_folders(path("folder")),
            lambda: fs.stat(path("locked/inside")),
            lambda: fs.chmod(path("secret"), 0o777),
            lambda: fs.chown(path("secret"), "bob", "nogroup"),
            lambda: fs.unlink(path("secret")),
            lambda: fs.remove_folder(path("locked")),
        ):
            with pytest.raises(NotWritable):
                act()
        lane = fs.reader()
        with pytest.raises(SourceUnreadable, match="may not be read"):
            lane.read([ByteSpan(path("secret"), 0, 1)], lambda _s, _o, _d: None)
        lane.close()
        writer = fs.writer()
        with pytest.raises(NotWritable, match="permission denied"):
            writer.write(path("secret"), 0, memoryview(b"y"))
            writer.flush()
        writer.close()
    finally:
        pool.close()
    assert (closed / "secret").read_bytes() == b"x"


def test_a_wrong_login_name_is_refused(unprivileged):
    target = target_of(unprivileged, username="nobody-of-this-name", password="x")
    with pytest.raises(LoginRefused, match="nobody-of-this-name"):
        SessionPool(connect(target)).borrow("x", lane=True)
