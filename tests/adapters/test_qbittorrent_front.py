"""A web server between us and qBittorrent: its login, certificate, limit and pages, as nginx, Authelia and Cloudflare have them."""

from __future__ import annotations

import base64
import ssl

import pytest

from tests.adapters.test_qbittorrent import certificate, client_of
from tests.domain.test_settings import read
from tests.fakes.clock import FakeClock
from tests.fakes.front_server import FrontServer
from tests.fakes.web_ui import Answer, FakeWebUi, say
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.demo.content import sample
from torrent_mover.domain.errors import BadAnswer, LoginRefused, ServerError, TorrentError, Unreachable
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.secret import Secret
from torrent_mover.ports.client import AddSpec

__all__ = ["certificate"]

HTML, JSON = "text/html", "application/json"
GATE = {"WWW-Authenticate": 'Basic realm="gate"'}
DIRECT = "qBittorrent's own address"


def page(status: int, title: str) -> Answer:
    return Answer(f"<html><head><title>{title}</title></head></html>", status, content_type=HTML)


@pytest.fixture
def web():
    with FakeWebUi() as web:
        yield web


def refusal(web: FakeWebUi, answer: Answer, **options) -> ServerError:
    """What is said where the login is answered so."""
    web.replies["auth/login"] = answer
    with pytest.raises(ServerError) as caught:
        client_of(web.url, **options).info()
    return caught.value


class TestItsOwnLogin:
    def test_it_gets_its_login_with_every_request_and_qbittorrent_gets_its_own(self, web):
        client = client_of(web.url, basic_auth=Secret("jane:p:ss wörd"))
        client.torrents()
        expected = "Basic " + base64.b64encode("jane:p:ss wörd".encode()).decode()
        assert {asked.headers["Authorization"] for asked in web.asked} == {expected}
        assert web.asked[0].fields == {"username": "admin", "password": "right"}

    def test_without_one_the_remedy_names_the_key(self, web):
        error = refusal(web, Answer("", 401, headers=GATE))
        assert isinstance(error, LoginRefused)
        assert "[SOURCE_CLIENT]: basic_auth = user:password" in error.remedy

    def test_a_wrong_one_is_told_apart_from_that_of_qbittorrent_and_is_sent_once(self, web):
        web.replies["auth/login"] = Answer("<html>401</html>", 401, headers=GATE, content_type=HTML)
        client = client_of(web.url, basic_auth=Secret("jane:wr0ng"))
        for _ in range(3):
            with pytest.raises(LoginRefused, match="refused the login in basic_auth") as caught:
                client.torrents()
            assert "wr0ng" not in str(caught.value)
        assert len(web.asked) == 1

    def test_it_is_hidden_in_whatever_is_told(self):
        redactor = redactor_of(read({("SOURCE_CLIENT", "basic_auth"): "jane:s3same-0pen"}))
        assert "s3same" not in redactor("sent jane:s3same-0pen, or s3same-0pen alone")

    def test_no_login_of_the_users_netrc_is_sent(self, web, tmp_path, monkeypatch):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login somebody password else\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        client_of(web.url, username="", api_key=Secret("qbt_key")).info()
        assert {asked.headers["Authorization"] for asked in web.asked} == {"Bearer qbt_key"}


class TestItsPages:
    @pytest.mark.parametrize(
        ("answer", "title"),
        [
            (page(200, "Login - Authelia"), "Login - Authelia"),
            (page(403, "Just a moment..."), "Just a moment..."),
            (page(401, "401 Authorization Required"), "401 Authorization Required"),
            (Answer('{"status":"KO"}', 401, content_type=JSON), "HTTP 401"),
            (Answer('{"error":"denied"}', 403, content_type=JSON), "HTTP 403"),
        ],
    )
    def test_a_page_to_sign_in_at_is_neither_a_wrong_password_nor_a_ban(self, web, answer, title):
        error = refusal(web, answer)
        assert type(error) is BadAnswer
        assert title in error.what
        assert DIRECT in error.remedy

    def test_to_be_sent_to_a_place_to_sign_in_is_not_advised_as_an_address(self, web):
        error = refusal(
            web, Answer("", 302, headers={"Location": "https://auth.example.org/?rd=https://qb.example.org/"})
        )
        assert "https://auth.example.org/" in error.what
        assert DIRECT in error.remedy
        assert "host = https" not in error.remedy

    def test_to_be_sent_from_http_to_https_is_advised_with_the_port(self, web):
        error = refusal(web, Answer("", 301, headers={"Location": "https://127.0.0.1/qb/api/v2/auth/login"}))
        assert "[SOURCE_CLIENT]: host = https://127.0.0.1/qb and port = 443" in error.remedy

    def test_plain_http_to_a_server_that_speaks_https(self, web):
        said = page(400, "400 The plain HTTP request was sent to HTTPS port")
        assert "begin with https://" in refusal(web, said).remedy

    @pytest.mark.parametrize(
        ("status", "words"), [(502, "running"), (503, "running"), (504, "time-out"), (429, "limit")]
    )
    def test_what_it_says_in_place_of_a_silent_qbittorrent_is_told_as_its_words(self, web, status, words):
        error = refusal(web, page(status, "nginx"))
        assert f"A web server in front of qBittorrent at {web.url.partition('//')[2]} answers {status}" in error.what
        assert words in error.remedy


class TestItsLimitOfSize:
    def test_a_torrent_file_that_is_too_large_for_it_is_a_matter_of_that_torrent_and_told_at_once(self, web, tmp_path):
        """Were it the server's, three large torrents would have the server left alone."""
        wanted, clock = sample(tmp_path, "Show", 1000), FakeClock()
        web.replies |= {"torrents/categories": say({}), "torrents/add": page(413, "413 Request Entity Too Large")}
        with pytest.raises(TorrentError, match=r"rejects a \.torrent of") as caught:
            client_of(web.url, clock=clock).add_stopped(wanted.metainfo, AddSpec(ClientPath("/data")))
        assert "client_max_body_size" in caught.value.remedy
        assert clock.waits == []
        assert web.count("torrents/add") == 1


class TestItsCertificate:
    @pytest.fixture
    def secure(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with FakeWebUi(context) as web:
            yield web

    def test_one_that_is_named_is_trusted(self, secure, certificate, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
        monkeypatch.setenv("QBITTORRENTAPI_DO_NOT_VERIFY_WEBUI_CERTIFICATE", "1")
        assert client_of(secure.url, ca_file=str(certificate)).info().version == "5.1.0"

    @pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_one_that_the_environment_names_is_trusted_too(self, secure, certificate, monkeypatch, variable):
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.setenv(variable, str(certificate))
        assert client_of(secure.url).info().version == "5.1.0"

    def test_another_one_is_not_and_why_is_told(self, secure):
        with pytest.raises(Unreachable, match="cannot be verified: self-signed certificate") as caught:
            client_of(secure.url).info()
        assert "ca_file" in caught.value.remedy
        assert secure.asked == []

    def test_one_of_another_name_is_not_mended_by_trusting_it(self, secure, certificate):
        with pytest.raises(Unreachable, match="mismatch") as caught:
            client_of(secure.url.replace("127.0.0.1", "localhost"), ca_file=str(certificate)).info()
        assert "host = a name in that certificate" in caught.value.remedy

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_a_file_without_certificates_is_told_before_anything_is_sent(self, secure, tmp_path, content):
        file = tmp_path / "trusted.pem"
        if content:
            file.write_text(content)
        with pytest.raises(Unreachable, match="certificates to trust cannot be read") as caught:
            client_of(secure.url, ca_file=str(file)).info()
        assert "ca_file" in caught.value.remedy
        assert secure.asked == []


@pytest.mark.servers
class TestRealServersBehindIt:
    LOGIN = "jane:gate pass"

    @pytest.fixture
    def front(self, qbittorrent):
        with FrontServer(qbittorrent.port, path="/jane/qbittorrent", login=self.LOGIN, largest=100_000) as front:
            yield front

    def test_everything_goes_through_it_but_a_torrent_file_that_is_too_large(self, front, qbittorrent):
        client = client_of(front.url, qbittorrent.password, clock=SystemClock(), basic_auth=Secret(self.LOGIN))
        spec = AddSpec(ClientPath(str(qbittorrent.data)), category="films")
        small = sample(qbittorrent.data, "Show", 40_000)
        large = sample(qbittorrent.data, "Film", 40_000, trackers=("http://127.0.0.1:9/" + "x" * 100_000,))

        assert client.info().version == qbittorrent.version
        torrent = client.add_stopped(small.metainfo, spec)
        with pytest.raises(TorrentError, match="413"):
            client.add_stopped(large.metainfo, spec)

        assert [each.id for each in client.torrents("films")] == [torrent]
        client.close()

    def test_its_login_is_asked_for_by_the_name_of_the_key(self, front, qbittorrent):
        with pytest.raises(LoginRefused, match="asks for its own password") as caught:
            client_of(front.url, qbittorrent.password).info()
        assert "basic_auth" in caught.value.remedy

    def test_where_no_login_is_asked_none_is_needed(self, qbittorrent):
        try:
            qbittorrent.api.post("app/setPreferences", json='{"bypass_local_auth": true}')
            assert client_of(qbittorrent.url, username="").info().version == qbittorrent.version
        finally:
            qbittorrent.api.post("app/setPreferences", json='{"bypass_local_auth": false}')
