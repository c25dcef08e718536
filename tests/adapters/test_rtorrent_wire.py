"""The ways to an rTorrent: socket, TCP, a web server in front, an SSH server; and what is said where one of them is closed."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager, suppress

import pytest

from tests.adapters.test_qbittorrent import certificate
from tests.adapters.test_ssh_login import both, by_key
from tests.adapters.test_tunnel import tunnel_of
from tests.conftest import rtorrent_program
from tests.fakes.proxy import RecordingProxy
from tests.nginx import Nginx
from tests.servers import eventually
from torrent_mover.adapters.clients.rtorrent import RTorrentClient, RTorrentSettings
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.demo.content import sample
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.ssh_server import SshServer
from torrent_mover.domain.errors import (
    BadAnswer,
    CommandsRefused,
    ConfigError,
    LoginRefused,
    TorrentError,
    Unreachable,
)
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.ports.client import AddSpec, RecheckVerdict

__all__ = ["certificate"]

pytestmark = pytest.mark.servers


@contextmanager
def client_of(url, streams=None, **settings):
    client = RTorrentClient(RTorrentSettings(url, **({"timeout": 10} | settings)), SystemClock(), streams)
    try:
        yield client
    finally:
        client.close()


def a_life(client, server) -> None:
    """Add, check, start, stop, and read all that there is: whatever the way."""
    wanted = sample(server.data, "Ünï 'x' 😀", {"a.bin": 40_000, "b/ü.bin": 70_001}, piece_length=16 * 1024)
    torrent = client.add_stopped(wanted.metainfo, AddSpec(save_path=ClientPath(str(server.data)), category="ü"))
    ticket = client.recheck(torrent)
    eventually(lambda: ticket.poll().verdict is RecheckVerdict.GOOD)
    client.start(torrent)
    there = client.get(torrent)
    assert (there.state, there.category, there.name) == (TorrentState.SEEDING, "ü", "Ünï 'x' 😀")
    assert client.metainfo(torrent) == wanted.metainfo
    assert [file.path for file in client.files(torrent)] == ["Ünï 'x' 😀/a.bin", "Ünï 'x' 😀/b/ü.bin"]
    client.stop(torrent)
    assert client.get(torrent).state is TorrentState.STOPPED_COMPLETE


@pytest.fixture(scope="module", params=["0.9.8", "0.16"])
def by_tcp(request, open_folder):
    server = RTorrentServer(open_folder / f"rt-{request.param}", program=rtorrent_program(request.param), tcp=True)
    with server:
        yield server


@pytest.fixture
def silent():
    """A listener that takes connections and says nothing: its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def answering():
    """Starts listeners that answer each connection with the same bytes, and hang up."""
    servers = []

    def start(answer: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1 << 16)
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def answer_of(value: str, length: int | None = None) -> bytes:
    document = (
        f"<?xml version='1.0'?><methodResponse><params><param><value>{value}</value></param></params></methodResponse>"
    )
    return b"Status: 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length or len(document), document.encode())


class TestTcp:
    def test_a_torrent_lives_through_a_port(self, by_tcp):
        by_tcp.clear()
        with client_of(by_tcp.url) as client:
            assert client.name == f"127.0.0.1:{by_tcp.port}"
            a_life(client, by_tcp)

    def test_a_port_where_nothing_listens_is_told(self, closed_port):
        with (
            client_of(f"127.0.0.1:{closed_port}") as client,
            pytest.raises(Unreachable, match="nothing listens") as told,
        ):
            client.torrents()
        assert "network.scgi.open_port" in told.value.remedy

    def test_one_that_never_answers_is_left_in_time(self, silent):
        with (
            client_of(f"127.0.0.1:{silent}", timeout=0.3) as client,
            pytest.raises(Unreachable, match="did not answer"),
        ):
            client.torrents()

    def test_a_web_server_on_an_scgi_address_is_recognised(self, answering):
        with (
            client_of(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as client,
            pytest.raises(BadAnswer, match="HTTP/1") as told,
        ):
            client.torrents()
        assert "https://host/RPC2" in told.value.remedy

    @pytest.mark.parametrize(
        "answer",
        [
            answer_of("<i4>1</i4>", 10_000),
            answer_of("<i4>1</wrong>"),
            answer_of("<array/>"),
            b"Status: 200 OK\r\n\r\n",
            b"",
        ],
        ids=["cut off", "broken XML", "no value", "empty", "nothing"],
    )
    def test_an_answer_that_is_none_is_an_error_and_never_an_empty_list(self, answering, answer):
        with client_of(answering(answer)) as client, pytest.raises((BadAnswer, Unreachable)):
            client.torrents()


class TestSocket:
    def test_a_socket_that_is_not_there_is_told_with_the_line_of_the_configuration(self, tmp_path):
        with client_of(str(tmp_path / "none")) as client, pytest.raises(Unreachable, match="no such socket") as told:
            client.torrents()
        assert "network.scgi.open_local" in told.value.remedy

    def test_a_socket_that_a_killed_rtorrent_left_is_told(self, tmp_path):
        with closing(socket.socket(socket.AF_UNIX)) as left:
            left.bind(str(tmp_path / "left"))
        with client_of(str(tmp_path / "left")) as client, pytest.raises(Unreachable, match="nothing listens"):
            client.torrents()

    def test_after_a_restart_it_goes_on(self, rtorrent):
        with client_of(rtorrent.url) as client:
            assert client.torrents() == []
            rtorrent.kill()
            with pytest.raises(Unreachable):
                client.torrents()
            rtorrent.start()
            assert client.torrents() == []

    def test_a_torrent_file_above_half_a_mebibyte_is_taken(self, rtorrent):
        """It takes requests of 512 KiB until it is told otherwise, and forgets that when it ends."""
        wanted = sample(rtorrent.data, "Many pieces", {"a.bin": 1}, piece_length=16 * 1024)
        big = wanted.metainfo[:-1] + b"7:padding700000:" + bytes(700_000) + b"e"
        with client_of(rtorrent.url) as client:
            client.info()
            rtorrent.kill()
            rtorrent.start()
            torrent = client.add_stopped(big, AddSpec(save_path=ClientPath(str(rtorrent.data))))
            assert client.get(torrent) is not None


class TestWeb:
    @pytest.fixture
    def nginx(self, rtorrent, tmp_path):
        with Nginx(tmp_path, rtorrent.socket) as server:
            yield server

    def test_a_torrent_lives_through_a_web_server_with_a_password(self, rtorrent, nginx):
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with client_of(f"{nginx.url}/RPC2", **login) as client:
            assert client.name == f"127.0.0.1:{nginx.port}/RPC2"
            a_life(client, rtorrent)

    @pytest.mark.parametrize("password", ["wrong", None])
    def test_a_login_that_is_refused_is_tried_once(self, nginx, password):
        login = {"username": nginx.username, "password": Secret(password)} if password else {}
        with client_of(f"{nginx.url}/RPC2", **login) as client:
            for _ in range(3):
                with pytest.raises(LoginRefused) as told:
                    client.torrents()
        assert ("wrong user name or password" in told.value.what) is bool(password)
        assert "wrong" not in str(told.value).replace("wrong user name", "")
        assert eventually(nginx.requests) == 1

    def test_another_path_is_told_apart(self, nginx):
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with client_of(f"{nginx.url}/other", **login) as client, pytest.raises(BadAnswer, match="404") as told:
            client.torrents()
        assert "/RPC2" in told.value.remedy

    def test_a_page_is_told_apart(self, nginx):
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with client_of(f"{nginx.url}/page", **login) as client, pytest.raises(BadAnswer, match="'ruTorrent'"):
            client.torrents()

    def test_a_torrent_file_that_the_web_server_finds_too_large_is_about_that_torrent(self, rtorrent, nginx):
        wanted = sample(rtorrent.data, "Large", {"a.bin": 1}, piece_length=16 * 1024)
        big = wanted.metainfo[:-1] + b"7:padding1500000:" + bytes(1_500_000) + b"e"
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with client_of(f"{nginx.url}/RPC2", **login) as client:
            with pytest.raises(TorrentError, match="413") as told:
                client.add_stopped(big, AddSpec(save_path=ClientPath(str(rtorrent.data))))
            assert "client_max_body_size" in told.value.remedy
            assert client.torrents() == []

    def test_a_silent_rtorrent_behind_it_is_told_apart(self, rtorrent, nginx):
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with client_of(f"{nginx.url}/RPC2", **login) as client:
            rtorrent.kill()
            with pytest.raises(BadAnswer, match="502"):
                client.torrents()
            rtorrent.start()

    def test_it_carries_https_and_trusts_no_certificate_that_it_was_not_told_of(self, rtorrent, tmp_path, certificate):
        with Nginx(tmp_path, rtorrent.socket, certificate) as nginx:
            login = {"username": nginx.username, "password": Secret(nginx.password)}
            with client_of(f"{nginx.url}/RPC2", ca_file=str(certificate), **login) as client:
                assert client.info().version == rtorrent.version
            with client_of(f"{nginx.url}/RPC2", verify_cert=False, **login) as client:
                assert client.torrents() == []
            with (
                client_of(f"{nginx.url}/RPC2", **login) as client,
                pytest.raises(Unreachable, match="certificate") as told,
            ):
                client.torrents()
            assert "ca_file" in told.value.remedy

    def test_a_proxy_is_used_where_one_is_set_and_blamed_where_it_fails(self, nginx, closed_port):
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with RecordingProxy(nginx.port) as proxy:
            with client_of(f"{nginx.url}/RPC2", proxy=Secret(proxy.url), **login) as client:
                assert client.torrents() == []
            assert any(line.startswith(f"POST {nginx.url}/RPC2") for line in proxy.passed)
        with (
            client_of(f"{nginx.url}/RPC2", proxy=Secret(f"http://127.0.0.1:{closed_port}"), **login) as client,
            pytest.raises(Unreachable, match="proxy") as told,
        ):
            client.torrents()
        assert "proxy = off" in told.value.remedy

    def test_an_untrusted_connection_is_refused_with_the_reason(self, rtorrent, nginx):
        """0.9.8 does not know the mark. 0.16 answers too little then, and yet would erase torrents."""
        login = {"username": nginx.username, "password": Secret(nginx.password)}
        with client_of(f"{nginx.url}/untrusted", **login) as client:
            if rtorrent.version == "0.9.8":
                assert client.torrents() == []
                return
            for ask in (client.info, client.torrents):
                with pytest.raises(CommandsRefused, match="untrusted") as told:
                    ask()
        assert "UNTRUSTED_CONNECTION" in told.value.remedy


class TestThroughSsh:
    @both
    def test_a_torrent_lives_through_a_socket_of_the_ssh_server(self, rtorrent, ssh_server, kind):
        with (
            tunnel_of(by_key(ssh_server, kind)) as tunnel,
            client_of(f"ssh://{rtorrent.socket}", tunnel, through=tunnel.through) as client,
        ):
            assert client.name == f"{rtorrent.socket} through 127.0.0.1:{ssh_server.port}"
            a_life(client, rtorrent)

    @both
    def test_a_port_of_the_ssh_server_is_reached_too(self, by_tcp, ssh_server, kind):
        with tunnel_of(by_key(ssh_server, kind)) as tunnel, client_of(by_tcp.url, tunnel) as client:
            assert client.info().version == by_tcp.version

    @both
    def test_a_socket_that_is_not_there_is_told_as_seen_from_there(self, ssh_server, kind, tmp_path):
        with (
            tunnel_of(by_key(ssh_server, kind)) as tunnel,
            client_of(f"ssh://{tmp_path}/none", tunnel) as client,
            pytest.raises(Unreachable, match="does not reach the socket") as told,
        ):
            client.torrents()
        assert "ls -l" in told.value.remedy

    @both
    def test_a_server_that_leads_to_no_socket_is_told_with_the_line_that_helps(self, rtorrent, tmp_path, kind):
        with (
            SshServer(tmp_path / "sshd", lines=["AllowStreamLocalForwarding no"]) as server,
            tunnel_of(by_key(server, kind)) as tunnel,
            client_of(f"ssh://{rtorrent.socket}", tunnel) as client,
            pytest.raises(Unreachable, match="does not reach the socket") as told,
        ):
            client.torrents()
        assert "AllowStreamLocalForwarding" in told.value.remedy

    def test_without_a_server_it_is_a_matter_of_the_configuration(self):
        with pytest.raises(ConfigError, match="SSH server"):
            RTorrentClient(RTorrentSettings("ssh:///run/rtorrent.sock"), SystemClock())
