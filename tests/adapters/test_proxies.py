"""Which way requests go: what is near never passes a proxy of the environment, and a proxy's faults are called so."""

from __future__ import annotations

import base64
import socket

import pytest

from tests.adapters.test_qbittorrent import client_of
from tests.adapters.test_telling import of_apprise
from tests.domain.test_settings import problems_of, read
from tests.fakes.proxy import RecordingProxy
from tests.fakes.web_ui import FakeWebUi
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.outlets.notify import apprise
from torrent_mover.adapters.proxies import is_near, proxy_for
from torrent_mover.domain.errors import LoginRefused, MissingProgram, MoverError, Unreachable
from torrent_mover.domain.report.notices import Notice
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.general import NotifyOn

FAR = "http://box.invalid"  # a name that never resolves (RFC 6761): only a proxy could reach it
VARIABLES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def web():
    with FakeWebUi() as web:
        yield web


@pytest.fixture
def proxy(web):
    with RecordingProxy(web.port) as proxy:
        yield proxy


def fault(url: str, **options):
    with pytest.raises((LoginRefused, Unreachable)) as caught:
        client_of(url, **options).info()
    return caught.value


class TestTheEnvironment:
    @pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
    def test_a_client_of_this_machine_is_asked_directly_and_its_password_passes_nobody(
        self, web, proxy, monkeypatch, name
    ):
        monkeypatch.setenv(name, proxy.url)
        client_of(web.url).torrents()
        assert proxy.passed == []
        assert web.count("auth/login") == 1

    def test_a_dead_proxy_is_no_hindrance_to_a_client_of_this_machine(self, web, monkeypatch, closed_port):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
        assert client_of(web.url).info().version == "5.1.0"

    def test_a_public_address_is_reached_through_it(self, proxy, monkeypatch):
        monkeypatch.setenv("http_proxy", proxy.url)
        assert client_of(FAR).info().version == "5.1.0"
        assert proxy.passed[0].startswith(f"POST {FAR}/api/v2/auth/login")

    @pytest.mark.parametrize("exception", ["box.invalid", ".invalid", "nas.lan, box.invalid:80", "*"])
    def test_what_no_proxy_names_is_reached_directly(self, monkeypatch, exception):
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", exception)
        assert proxy_for(f"{FAR}:80", "", "") is None

    def test_a_network_of_no_proxy_counts(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "10.0.0.9:3128")
        monkeypatch.setenv("no_proxy", "8.8.0.0/16")
        assert proxy_for("https://8.8.8.8", "", "") is None
        far = proxy_for("https://8.4.4.8", "", "")
        assert far is not None
        assert (far.url, far.named_by) == ("http://10.0.0.9:3128", "https_proxy in the environment")

    def test_the_setting_goes_before_it(self, proxy, monkeypatch, closed_port):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
        assert client_of(FAR, proxy=Secret(proxy.url)).info().version == "5.1.0"
        assert proxy_for(FAR, "off", "") is None

    @of_apprise
    def test_notifications_go_by_the_same_rule(self, proxy, monkeypatch):
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        with FakeWebUi() as receiver:
            tell = apprise(f"json://127.0.0.1:{receiver.port}/here json://box.invalid/there")
            with pytest.raises(MoverError):  # the proxy passes nothing on
                tell(Notice(NotifyOn.END, "2 moved", "all of it"), {})
        assert [asked.path for asked in receiver.asked] == ["/here"]
        assert [line.partition("\n")[0] for line in proxy.passed] == [f"POST {FAR}/there"]


class TestWhatIsNear:
    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "127.1", "10.1.2.3", "172.16.0.1", "172.31.9.9", "192.168.1.1", "169.254.1.1", "100.64.0.1"),
            *("100.127.255.254", "::1", "[::1]", "fe80::1", "fe80::1%eth0", "fd00::1", "fc00::1", "fec0::1"),
            *("::ffff:192.168.0.1", "localhost", "nas", "NAS.", "nas.local", "box.home.arpa", "2130706433"),
        ],
    )
    def test_is_this_machine_and_private_networks(self, host):
        assert is_near(host)

    @pytest.mark.parametrize(
        "host", ["8.8.8.8", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1", "box.invalid"]
    )
    def test_is_not_what_is_public_or_unknown(self, host):
        assert not is_near(host)

    @pytest.mark.parametrize(
        ("addresses", "near"), [(["10.0.0.4"], True), (["10.0.0.4", "8.8.8.8"], False), (["fd00::4", "10.0.0.4"], True)]
    )
    def test_a_name_is_near_where_all_its_addresses_are(self, monkeypatch, addresses, near):
        answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
        assert is_near("seedbox.example.org") is near


class TestItsFaults:
    def test_a_dead_one_of_the_environment_is_named_with_its_variable(self, monkeypatch, closed_port):
        place = f"127.0.0.1:{closed_port}"
        monkeypatch.setenv("HTTP_PROXY", f"http://{place}")
        error = fault(FAR)
        assert f"The proxy {place} (http_proxy in the environment)" in error.what
        assert "connection refused" in error.what
        assert "[SOURCE_CLIENT]: proxy = off" in error.remedy
        assert "Start qBittorrent" not in str(error)

    @pytest.mark.parametrize("url", [FAR, "https://box.invalid"])
    def test_a_dead_one_of_the_setting_is_named_with_its_key(self, url, closed_port):
        place = f"127.0.0.1:{closed_port}"
        error = fault(url, proxy=Secret(f"http://jane:s3same@{place}"))
        assert f"The proxy {place} (proxy in [SOURCE_CLIENT])" in error.what
        assert "s3same" not in str(error)

    @pytest.mark.parametrize("url", [FAR, "https://box.invalid"])
    def test_its_login_is_told_apart_from_that_of_qbittorrent(self, url):
        with RecordingProxy(refusal=407) as proxy:
            error = fault(url, proxy=Secret(proxy.url))
        assert isinstance(error, LoginRefused)
        assert f"The proxy {proxy.place}" in error.what
        assert "proxy = http://user:password@host:port" in error.remedy

    @pytest.mark.parametrize("url", [FAR, "https://box.invalid"])
    @pytest.mark.parametrize("status", [502, 504])
    def test_it_does_not_lead_there(self, url, status):
        with RecordingProxy(refusal=status) as proxy:
            error = fault(url, proxy=Secret(proxy.url))
        assert f"The proxy {proxy.place} (proxy in [SOURCE_CLIENT]) does not connect to qBittorrent" in error.what
        assert str(status) in error.what

    def test_one_that_needs_a_package_says_which(self, monkeypatch):
        monkeypatch.setattr("torrent_mover.adapters.clients.qbittorrent.session.find_spec", lambda _: None)
        with pytest.raises(MissingProgram, match=r"torrent-mover\[socks\]"):
            client_of(FAR, proxy=Secret("socks5://127.0.0.1:9")).info()

    def test_it_gets_its_own_login(self, proxy):
        client_of(FAR, proxy=Secret(proxy.url.replace("://", "://jane:s3same@"))).info()
        assert set(proxy.logins) == {"Basic " + base64.b64encode(b"jane:s3same").decode()}


class TestTheSetting:
    @pytest.mark.parametrize(
        "text",
        ["http://10.0.0.1:3128", "https://me:pw@p.lan:443", "socks5://127.0.0.1:1080", "socks5h://[::1]:1", "off"],
    )
    def test_is_the_url_of_a_proxy_or_off(self, text):
        settings = read({("SOURCE_CLIENT", "proxy"): text})
        assert settings.source_client.proxy == Secret(text)

    @pytest.mark.parametrize("text", ["10.0.0.1:3128", "ftp://10.0.0.1:1", "http://10.0.0.1", "http://10.0.0.1:1/path"])
    def test_is_refused_where_it_is_neither_and_never_shown(self, text):
        (problem,) = problems_of({("DESTINATION_CLIENT", "proxy"): text})
        assert (problem.section, problem.key) == ("DESTINATION_CLIENT", "proxy")
        assert text not in str(problem)

    def test_its_login_is_hidden_in_whatever_is_told(self):
        redactor = redactor_of(read({("SOURCE_CLIENT", "proxy"): "http://jane:s3same%2Fme@10.0.0.1:1"}))
        assert "s3same" not in redactor("jane:s3same%2Fme and s3same/me")
