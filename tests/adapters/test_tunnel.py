"""A Web UI that is reached through the SSH connection of its machine alone, by both transports; and tunnels made by hand."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.adapters.test_qbittorrent import certificate
from tests.adapters.test_ssh_login import both, by_key, by_password, ssh_children, with_password
from tests.domain.test_settings import problems_of, read
from tests.fakes.clock import FakeClock
from tests.fakes.web_ui import FakeWebUi
from tests.servers import eventually
from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.ssh.connect import connect
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.tunnel import Tunnel
from torrent_mover.demo.ports import free_port
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.errors import HostKeyUnknown, LoginRefused, TunnelRefused, Unreachable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret

__all__ = ["by_password", "certificate"]

pytestmark = pytest.mark.servers


@pytest.fixture
def web():
    with FakeWebUi() as web:
        yield web


@contextmanager
def tunnel_of(target):
    pool = SessionPool(connect(target), wait_timeout=60)
    tunnel = Tunnel(pool)
    try:
        yield tunnel
    finally:
        tunnel.close()
        pool.close()


@contextmanager
def client_through(tunnel, url, *, login=("admin", "right"), clock=None, **options):
    settings = QBittorrentSettings(url, login[0], Secret(login[1]), through=tunnel.through, timeout=20, **options)
    client = QBittorrentClient(settings, clock or SystemClock(), tunnel.dial)
    try:
        yield client
    finally:
        client.close()


def logins(server: SshServer) -> int:
    return server.log.read_text(errors="replace").count("Accepted publickey for")


def test_requests_make_no_connection_of_their_own(web):
    """Whatever name stands in the address, and whatever proxy in the environment: all goes where the stream leads."""
    dialled = []

    def dial(host, port):
        dialled.append((host, port))
        return socket.create_connection(("127.0.0.1", web.port))

    settings = QBittorrentSettings("http://nowhere.invalid:8080", "admin", Secret("right"))
    client = QBittorrentClient(settings, FakeClock(), dial)
    client.torrents()
    client.close()
    assert set(dialled) == {("nowhere.invalid", 8080)}
    assert web.asked[0].headers["Host"] == "nowhere.invalid:8080"


@both
def test_many_requests_take_one_login(web, ssh_server, kind):
    before = logins(ssh_server)
    with tunnel_of(by_key(ssh_server, kind)) as tunnel, client_through(tunnel, web.url) as client:
        for _ in range(5):
            client.torrents()
        assert client.name == f"127.0.0.1:{web.port} through 127.0.0.1:{ssh_server.port}"
    assert web.count("torrents/info") == 5
    assert logins(ssh_server) == before + 1


@both
def test_it_carries_https(ssh_server, certificate, kind):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with (
        FakeWebUi(context) as web,
        tunnel_of(by_key(ssh_server, kind)) as tunnel,
        client_through(tunnel, web.url, ca_file=str(certificate)) as client,
    ):
        assert client.info().version == "5.1.0"


@both
def test_a_port_where_nothing_listens_is_told_as_seen_from_there(ssh_server, kind, closed_port):
    words = f"127.0.0.1:{ssh_server.port} accepts the login, but does not reach"
    with (
        tunnel_of(by_key(ssh_server, kind)) as tunnel,
        client_through(tunnel, f"http://127.0.0.1:{closed_port}") as client,
        pytest.raises(Unreachable, match=words) as caught,
    ):
        client.info()
    assert "connect failed" in caught.value.what
    assert "host and port are those that the server itself sees" in caught.value.remedy


@both
def test_a_server_that_forwards_nothing_is_told_with_the_line_that_helps(web, tmp_path, kind):
    with (
        SshServer(tmp_path / "sshd", lines=["AllowTcpForwarding no"]) as server,
        tunnel_of(by_key(server, kind)) as tunnel,
        client_through(tunnel, web.url) as client,
        pytest.raises(TunnelRefused, match="prohibited") as caught,
    ):
        client.info()
    assert "AllowTcpForwarding" in caught.value.remedy
    assert web.asked == []


@both
def test_a_lost_connection_is_made_anew(web, tmp_path, kind):
    with (
        SshServer(tmp_path / "sshd") as server,
        tunnel_of(by_key(server, kind)) as tunnel,
        client_through(tunnel, web.url) as client,
    ):
        client.torrents()
        for process in server.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert eventually(lambda: client.torrents() is not None)
        server.stop()
        with pytest.raises(Unreachable):
            client.torrents()
        server.start()
        client.torrents()


@both
def test_a_password_opens_it_and_a_wrong_one_is_tried_once(web, by_password, kind):
    with (
        tunnel_of(with_password(by_password, kind, by_password.password)) as tunnel,
        client_through(tunnel, web.url) as client,
    ):
        assert client.info().version == "5.1.0"
    before = by_password.log.read_text(errors="replace").count("Failed password")
    with tunnel_of(with_password(by_password, kind, "wrong")) as tunnel, client_through(tunnel, web.url) as client:
        for _ in range(3):
            with pytest.raises(LoginRefused):
                client.info()
    assert by_password.log.read_text(errors="replace").count("Failed password") == before + 1


@both
def test_an_unknown_host_key_is_refused_as_ever(web, ssh_server, tmp_path, kind):
    target = by_key(ssh_server, kind, known_hosts=LocalPath(str(tmp_path / "none")))
    with tunnel_of(target) as tunnel, client_through(tunnel, web.url) as client, pytest.raises(HostKeyUnknown):
        client.info()
    assert web.asked == []


def test_nobody_else_of_this_machine_can_use_it_and_nothing_of_it_stays(web, ssh_server, short):
    before = listeners()
    with tunnel_of(by_key(ssh_server, by_kind("openssh"))) as tunnel, client_through(tunnel, web.url) as client:
        client.torrents()
        folders = list(short.iterdir())
        assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700]
        assert listeners() == before
    assert list(short.iterdir()) == []
    assert ssh_children() == []


def test_a_temporary_folder_with_a_long_path_is_no_hindrance(web, ssh_server, tmp_path, monkeypatch):
    deep = tmp_path / ("a-long-name-" * 8)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with tunnel_of(by_key(ssh_server, by_kind("openssh"))) as tunnel, client_through(tunnel, web.url) as client:
        client.torrents()


@pytest.fixture
def short(monkeypatch):
    """A temporary folder of our own, with a path that is short enough for a socket."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with tempfile.TemporaryDirectory(prefix="tm", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def by_kind(name):
    return next(kind for kind in both.args[1] if kind.value == name)


def listeners() -> set[str]:
    """TCP ports of this process's children and its own that listen: inodes of listening sockets among our open files."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {f"socket:[{words[9]}]" for words in lines if words[3] == "0A"}
    found = set()
    for process in (os.getpid(), *ssh_children()):
        for entry in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                found.add(str(entry.readlink()))
    return found & listening


class TestTunnelsMadeByHand:
    @pytest.fixture
    def forwarded(self, qbittorrent, ssh_server):
        """The user's own ssh -L on another port than the Web UI's: that port."""
        port = free_port()
        argv = ["ssh", "-N", "-p", str(ssh_server.port), "-i", str(ssh_server.key_file), "-l", ssh_server.user]
        argv += ["-o", f"UserKnownHostsFile={ssh_server.known_hosts}", "-o", "ExitOnForwardFailure=yes"]
        argv += ["-L", f"127.0.0.1:{port}:127.0.0.1:{qbittorrent.port}", ssh_server.host]
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            eventually(lambda: answers(port))
            yield port
            process.terminate()

    def test_one_on_another_port_is_not_called_a_wrong_password(self, qbittorrent, forwarded):
        client = QBittorrentClient(
            QBittorrentSettings(f"http://127.0.0.1:{forwarded}", qbittorrent.username, Secret(qbittorrent.password)),
            SystemClock(),
        )
        with pytest.raises(LoginRefused, match="refuses the address, not the login") as caught:
            client.info()
        assert "tunnel = yes" in caught.value.remedy
        assert "ssh -L 8080:127.0.0.1:8080" in caught.value.remedy

    def test_with_our_own_tunnel_it_works(self, qbittorrent, ssh_server):
        url = f"http://127.0.0.1:{qbittorrent.port}"
        login = (qbittorrent.username, qbittorrent.password)
        with (
            tunnel_of(by_key(ssh_server, by_kind("openssh"))) as tunnel,
            client_through(tunnel, url, login=login) as client,
        ):
            assert client.torrents() == []


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


class TestTheSetting:
    def test_the_destination_server_is_read_for_it_in_every_mode(self):
        more = {("DESTINATION_SERVER", "host"): "nas.lan", ("DESTINATION_SERVER", "username"): "me"}
        assert read(more).destination_server is None
        settings = read({("DESTINATION_CLIENT", "tunnel"): "yes"} | more)
        assert settings.destination_server is not None
        assert settings.destination_server.host == "nas.lan"

    def test_without_that_section_it_is_asked_for(self):
        told = [str(problem) for problem in problems_of({("DESTINATION_CLIENT", "tunnel"): "yes"})]
        assert any("but transfer_mode, tunnel = yes or an ssh:// address needs it" in line for line in told)

    def test_it_needs_a_connection_beside_the_one_for_data(self):
        more = {("SOURCE_CLIENT", "tunnel"): "yes", ("SOURCE_SERVER", "max_concurrent_ssh_sessions"): "1"}
        (problem,) = problems_of(more)
        assert (problem.section, problem.key) == ("SOURCE_SERVER", "max_concurrent_ssh_sessions")

    def test_a_proxy_beside_it_is_a_contradiction(self):
        (problem,) = problems_of({("SOURCE_CLIENT", "tunnel"): "yes", ("SOURCE_CLIENT", "proxy"): "http://p.lan:1"})
        assert problem.key == "proxy"
