"""What is particular to qBittorrent: logins, broken answers, writes that must not be sent twice, words of 4.x and 5.x."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.conftest import program_of
from tests.fakes.clock import FakeClock
from tests.fakes.web_ui import Answer, FakeWebUi, row, say
from tests.servers import eventually
from tests.tls import self_signed
from torrent_mover.adapters.clients.qbittorrent import QBittorrentClient, QBittorrentSettings, adding, answers
from torrent_mover.adapters.clients.qbittorrent.renaming import rename_steps, wanted_paths
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.demo.content import sample
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.domain.errors import (
    BadAnswer,
    Banned,
    Collision,
    LoginRefused,
    LookAgain,
    MoverError,
    NotWritable,
    ServerError,
    ServerTooOld,
    TorrentError,
    TorrentGone,
    Unreachable,
    UnsafeTorrent,
)
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.certificate import (
    MAX_AGE,
    Certificate,
    Evidence,
    FileFound,
    ReadBack,
    Reading,
    certify,
)
from torrent_mover.domain.torrent.sharing import NoOwnLimit, ShareLimits, WhenMet
from torrent_mover.domain.torrent.torrent import ClientFile, FilePriority, InfoHash, TorrentState
from torrent_mover.domain.torrent.warrant import Warrant, WarrantEvidence, WarrantStale, issue_warrant
from torrent_mover.ports.client import AddSpec
from torrent_mover.ports.roles import ROLES, Categories, ListsFiles

HASH = "0123456789" * 4
ID = InfoHash(HASH)
RIGHT = "right"
PASSKEY = "5ecretPa55key"


def client_of(url: str, password: str = RIGHT, *, clock=None, **options) -> QBittorrentClient:
    settings = QBittorrentSettings(url, options.pop("username", "admin"), Secret(password), **options)
    return QBittorrentClient(settings, clock or FakeClock())


@pytest.fixture
def certificate_of():
    """Makes an honest certificate for a torrent whose every reading is the row of a complete one."""

    def make(torrent: str, siblings: tuple[InfoHash, ...] = (), at: float = 1000.0):
        files = (ClientFile(0, "Show/a", 100, 1.0, wanted=True),)
        source = answers.torrent(row(torrent))
        there = answers.torrent(row(torrent, state="stalledUP"))
        evidence = Evidence(
            planned=source,
            planned_files=files,
            save_path=there.save_path,
            pieces=1,
            own_pieces=1,
            read_back=ReadBack(at=at - 9, by_client=True, pieces_good=1, pieces=1, amount_left=0),
            files=(FileFound("Show/a", 100, 100),),
            files_at=at,
            destination_first=Reading(at - 8, there, files),
            destination_last=Reading(at, there, files),
            source=Reading(at, source, files),
            siblings=siblings,
            ignored_by_rule=False,
            limited_there=False,
        )
        return certify(evidence, at)

    return make


def busy(torrent: str, **changes: object) -> dict[str, object]:
    """A row with what it tells of this moment."""
    rates = dict.fromkeys(
        ("dlspeed", "upspeed", "num_seeds", "num_leechs", "num_complete", "num_incomplete", "priority"), 0
    )
    return row(torrent, **rates, eta=8_640_000, availability=-1, last_activity=1_700_000_200, **changes)


@pytest.fixture
def web():
    with FakeWebUi() as web:
        yield web


class TestLogin:
    def test_it_happens_once_and_only_when_something_is_asked(self, web):
        client = client_of(web.url)
        assert web.asked == []
        client.info()
        client.torrents()
        client.get(ID)
        assert web.count("auth/login") == 1
        assert web.asked[0].fields == {"username": "admin", "password": "right"}

    @pytest.mark.parametrize("refusal", [Answer("Fails."), Answer("Unauthorized", 401)])
    def test_refused_credentials_are_sent_once_and_never_again(self, web, refusal):
        web.replies["auth/login"] = refusal
        client = client_of(web.url, "wrong pass", section="DESTINATION_CLIENT")
        for _ in range(3):
            with pytest.raises(LoginRefused) as caught:
                client.torrents()
        assert web.count("auth/login") == 1
        assert "[DESTINATION_CLIENT]" in caught.value.remedy
        assert "wrong pass" not in str(caught.value)

    def test_a_ban_is_told_apart_and_says_how_it_ends(self, web):
        web.replies["auth/login"] = Answer("Your IP address has been banned after too many failed attempts.", 403)
        with pytest.raises(Banned, match="Restart that qBittorrent, or wait"):
            client_of(web.url).info()

    def test_a_second_route_has_every_role_of_the_same_client_by_the_same_login(self, web):
        web.replies["torrents/categories"] = say({"films": {}})
        client = client_of(web.url)
        client.torrents()
        other = client.for_route(FakeClock())
        # It tells the files of one torrent a request: nothing is gained by asking for many.
        assert {kind for kind in ROLES if other.role(kind) is other} == set(ROLES) - {ListsFiles}
        assert other.role(Categories).categories() == ["films"]
        assert web.count("auth/login") == 1

    def test_an_expired_session_is_renewed_by_exactly_one_login(self, web):
        client = client_of(web.url)
        client.info()
        web.forget_sessions()
        assert list(client.torrents()) == []
        assert web.count("auth/login") == 2

    def test_a_login_that_is_forgotten_at_once_does_not_end_in_a_loop(self, web):
        web.replies["auth/login"] = Answer("Ok.")
        with pytest.raises(BadAnswer, match="cookies"):
            client_of(web.url).info()
        assert web.count("auth/login") == 1

    def test_the_empty_answer_of_later_versions_is_a_success(self, web):
        web.sessions.add("SID=9")
        web.replies["auth/login"] = Answer("", 204, headers={"Set-Cookie": "SID=9; path=/"})
        assert client_of(web.url).info().version == "5.1.0"

    def test_an_api_key_needs_no_login(self, web):
        client = client_of(web.url, username="", api_key=Secret("qbt_key"))
        client.info()
        client.close()
        assert web.count("auth/login") == web.count("auth/logout") == 0
        assert {asked.headers["Authorization"] for asked in web.asked} == {"Bearer qbt_key"}

    def test_a_refused_api_key_is_told(self, web):
        web.replies["app/version"] = Answer("Forbidden", 403)
        with pytest.raises(LoginRefused, match="API key"):
            client_of(web.url, api_key=Secret("qbt_key")).info()

    def test_without_a_user_name_a_web_ui_that_wants_one_says_so(self, web):
        with pytest.raises(LoginRefused, match="none is configured"):
            client_of(web.url, username="").info()

    def test_a_password_of_a_server_in_front_is_told_apart(self, web):
        web.replies["auth/login"] = Answer("", 401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        with pytest.raises(LoginRefused, match="in front of qBittorrent"):
            client_of(web.url).info()

    def test_versions_that_cannot_export_are_refused(self, web):
        web.replies |= {"app/version": Answer("v4.4.5"), "app/webapiVersion": Answer("2.8.5")}
        with pytest.raises(ServerTooOld, match=r"needs qBittorrent 4.5 or later \(found 4.4.5\)"):
            client_of(web.url).metainfo(ID)

    def test_threads_share_one_login(self, web):
        client = client_of(web.url, clock=SystemClock())
        threads = [threading.Thread(target=client.torrents, args=("move-me",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert web.count("auth/login") == 1
        assert web.count("torrents/info") == 8

    def test_closing_logs_out_and_never_raises(self, web):
        client = client_of(web.url)
        client.info()
        web.replies["auth/logout"] = Answer(status=0)
        client.close()
        assert web.count("auth/logout") == 1


class TestNoAnswer:
    def test_nothing_listens(self, closed_port):
        with pytest.raises(Unreachable, match=f"127.0.0.1:{closed_port} refuses the connection") as caught:
            client_of(f"http://127.0.0.1:{closed_port}").info()
        assert "[SOURCE_CLIENT]" in caught.value.remedy

    def test_silence_ends_at_the_timeout_and_is_not_asked_again(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            clock = FakeClock()
            with pytest.raises(Unreachable, match="did not answer within"):
                client_of(url, timeout=0.2, clock=clock).info()
            assert clock.waits == []

    def test_a_name_that_does_not_exist(self):
        with pytest.raises(Unreachable, match="cannot be resolved"):
            client_of("http://no-such-host.invalid:8080").info()

    def test_the_place_never_shows_a_password(self):
        assert client_of("https://me:hidden@box.example.org/qbt").name == "box.example.org:443/qbt"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


class TestTls:
    @pytest.fixture
    def secure(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with FakeWebUi(context) as web:
            yield web

    def test_a_self_signed_certificate_is_refused_and_the_remedy_names_the_key(self, secure):
        with pytest.raises(Unreachable, match="certificate that cannot be verified") as caught:
            client_of(secure.url).info()
        assert "verify_cert = false" in caught.value.remedy
        assert secure.asked == []

    def test_it_is_accepted_without_a_warning_where_the_config_says_so(self, secure):
        assert client_of(secure.url, verify_cert=False).info().version == "5.1.0"

    def test_no_environment_variable_switches_the_check_off(self, secure, monkeypatch):
        monkeypatch.setenv("QBITTORRENTAPI_DO_NOT_VERIFY_WEBUI_CERTIFICATE", "1")
        with pytest.raises(Unreachable, match="certificate"):
            client_of(secure.url).info()

    def test_https_to_a_plain_port_says_so(self, web):
        with pytest.raises(Unreachable, match="begin with http://"):
            client_of(web.url.replace("http:", "https:")).info()


NGINX = Answer(
    "<html><head><title>Welcome to\n nginx!</title></head></html>", 200, {"Server": "nginx/1.22"}, "text/html"
)


class TestBrokenAnswers:
    def test_a_web_page_is_not_taken_for_qbittorrent(self, web):
        web.replies["auth/login"] = NGINX
        with pytest.raises(
            BadAnswer, match=r"is not qBittorrent's Web UI: HTTP 200, .*a page called 'Welcome to nginx!'"
        ):
            client_of(web.url).info()

    def test_another_program_is_not_taken_for_qbittorrent(self, web):
        web.replies["app/webapiVersion"] = Answer("hello")
        with pytest.raises(BadAnswer, match="may be something else"):
            client_of(web.url).info()

    def test_a_redirect_is_not_followed_but_told(self, web):
        web.replies["auth/login"] = Answer("", 302, {"Location": "https://elsewhere.example/api/v2/auth/login?x=1"})
        with pytest.raises(BadAnswer, match=r"host = https://elsewhere\.example and port = 443"):
            client_of(web.url).info()
        assert len(web.asked) == 3

    @pytest.mark.parametrize(
        "broken",
        [
            Answer("<html>oops</html>", 500, content_type="text/html"),
            Answer("Bad Gateway", 502),
            Answer('[{"hash": "', content_type="application/json"),
            Answer("", content_type="application/json"),
            Answer("[]", cut=10),
            say({"an": "object"}),
            say([{"hash": HASH}]),
            say([row("all")]),
            say([row(HASH, save_path="relative")]),
            say(None),
            NGINX,
            Answer(status=0),
        ],
    )
    def test_a_broken_listing_is_an_error_and_never_an_empty_one(self, web, broken):
        web.replies["torrents/info"] = broken
        with pytest.raises(ServerError) as caught:
            client_of(web.url).torrents("move")
        assert caught.value.remedy

    @pytest.mark.parametrize(
        "broken",
        [
            Answer('{"rid":1,"full_update":true,"torrents":{"ab', content_type="application/json"),
            Answer("[]", content_type="application/json"),
            say({"full_update": True, "torrents": {}}),
            say({"rid": 1, "full_update": True, "torrents": {HASH: {"name": "half a row"}}}),
            say({"rid": 1, "full_update": True, "torrents": {"all": row(HASH)}}),
            say({"rid": 1, "full_update": True, "torrents": []}),
            Answer("oops", 500),
            NGINX,
        ],
    )
    def test_a_broken_snapshot_is_an_error_and_the_next_one_asks_for_everything(self, web, broken):
        client = client_of(web.url)
        web.replies["sync/maindata"] = say({"rid": 5, "full_update": True, "torrents": {HASH: busy(HASH)}})
        assert set(client.snapshot().torrents) == {ID}
        web.replies["sync/maindata"] = broken
        with pytest.raises(ServerError) as caught:
            client.snapshot()
        assert caught.value.remedy
        web.replies["sync/maindata"] = say({"rid": 9, "full_update": True, "torrents": {}})
        assert dict(client.snapshot().torrents) == {}
        assert [asked.fields["rid"] for asked in web.asked if asked.path == "sync/maindata"][-1] == "0"

    def test_of_very_many_that_have_changed_some_are_asked_for_at_once(self, web):
        """As after the client's own start: all rows in one answer would be much memory."""
        client = client_of(web.url)
        hashes = [f"{number:040x}" for number in range(1200)]
        web.replies["sync/maindata"] = say(
            {"rid": 5, "full_update": True, "torrents": {each: busy(each) for each in hashes}}
        )
        client.snapshot()
        web.replies["sync/maindata"] = say({"rid": 6, "torrents": {each: {"state": "error"} for each in hashes}})
        web.replies["torrents/info"] = lambda asked: say(
            [busy(each, state="error") for each in asked.fields["hashes"].split("|")]
        )
        told = client.snapshot().torrents
        assert {told[InfoHash(each)].state for each in hashes} == {TorrentState.ERROR}
        assert [len(asked.fields["hashes"].split("|")) for asked in web.asked if asked.path == "torrents/info"] == [
            500,
            500,
            200,
        ]

    def test_the_whole_list_may_take_longer_than_other_answers(self, web):
        """A busy machine needs that for tens of thousands of torrents, and who gives up begins from the start."""
        client = client_of(web.url, timeout=0.4)

        def logged_in():
            try:
                return client.info()
            except Unreachable:  # a busy machine may need longer for that, too
                return None

        eventually(logged_in)
        over = threading.Event()
        web.replies["sync/maindata"] = lambda _: (over.wait(), say({}))[1]
        try:
            with pytest.raises(Unreachable, match="did not answer within 1 s"):
                client.snapshot()
        finally:
            over.set()

    @pytest.mark.parametrize(("pieces", "private"), [(3, True), (0, None), (-1, None)])
    def test_whether_a_torrent_is_private_takes_one_question_and_a_magnet_says_nothing(self, web, pieces, private):
        web.replies["torrents/properties"] = say({"is_private": True, "pieces_num": pieces})
        assert client_of(web.url).is_private(ID) is private
        assert web.count("torrents/info") == 0

    def test_of_what_has_changed_all_is_asked_and_the_rest_stays_the_same(self, web):
        other = "f" * 40
        client = client_of(web.url)
        web.replies["sync/maindata"] = say(
            {
                "rid": 5,
                "full_update": True,
                "torrents": {HASH: busy(HASH), other: busy(other)},
                "server_state": {"connection_status": "connected", "dht_nodes": 7, "use_alt_speed_limits": False},
            }
        )
        first = client.snapshot()
        web.replies["sync/maindata"] = say({"rid": 6})
        assert client.snapshot() is first
        web.replies["sync/maindata"] = say({"rid": 7, "torrents": {HASH: {"state": "error"}}})
        web.replies["torrents/info"] = say([busy(HASH, state="error")])
        second = client.snapshot()
        assert second.torrents[ID].state is TorrentState.ERROR
        assert second.torrents[InfoHash(other)] is first.torrents[InfoHash(other)]
        web.replies["sync/maindata"] = say({"rid": 8, "torrents_removed": [HASH], "server_state": {"dht_nodes": 9}})
        third = client.snapshot()
        assert (set(third.torrents), third.condition.dht_nodes) == ({InfoHash(other)}, 9)
        assert third.condition.connected is True

    @pytest.mark.parametrize("broken", [Answer("oops", 500), Answer("[{", 200), Answer("[]", cut=9), Answer(status=0)])
    def test_a_read_is_repeated_after_a_broken_answer(self, web, broken):
        clock = FakeClock()
        web.replies["torrents/info"] = [broken, broken, say([row(HASH)])]
        assert [torrent.id for torrent in client_of(web.url, clock=clock).torrents()] == [ID]
        assert clock.waits == [0.3, 1.0]

    def test_an_answer_about_another_torrent_is_not_taken_for_this_one(self, web):
        web.replies["torrents/info"] = say([row("f" * 40)])
        assert client_of(web.url).get(ID) is None

    def test_a_404_alone_does_not_make_a_torrent_gone(self, web):
        client = client_of(web.url)
        with pytest.raises(TorrentGone):
            client.files(ID)
        web.replies["torrents/info"] = say([row(HASH)])
        with pytest.raises(BadAnswer):
            client.files(ID)

    def test_what_is_exported_must_be_a_torrent(self, web):
        web.replies["torrents/export"] = Answer("oops")
        with pytest.raises(BadAnswer, match=r"no \.torrent"):
            client_of(web.url).metainfo(ID)

    def test_a_magnet_without_metadata_has_no_metainfo_yet(self, web):
        web.replies["torrents/export"] = Answer("Conflict", 409)
        with pytest.raises(TorrentError, match="magnet"):
            client_of(web.url).metainfo(ID)

    def test_a_log_that_makes_no_sense_is_a_broken_answer(self, web):
        web.replies |= {"torrents/info": say([row(HASH, state="stoppedDL")]), "torrents/files": say([])}
        web.replies |= {"log/main": say([1]), "app/preferences": say({})}
        with pytest.raises(BadAnswer):
            client_of(web.url).recheck(ID)


class Switch:
    """A torrent behind the fake Web UI that orders change; what becomes of the answers to them is up to the test."""

    def __init__(
        self, web: FakeWebUi, order: str, before: str, after: str, *, heard: bool, replies: list[Answer]
    ) -> None:
        self.state = before
        self._heard, self._after, self._replies = heard, after, replies
        web.replies["torrents/info"] = lambda _: say([row(HASH, state=self.state)])
        web.replies[f"torrents/{order}"] = self._take

    def _take(self, asked):
        assert asked.fields["hashes"] == HASH
        answer = self._replies.pop(0)
        if self._heard or answer.status == 200:
            self.state = self._after
        return answer


class TestWrites:
    LOST = Answer(status=0)
    BROKEN = Answer("oops", 500)

    @pytest.mark.parametrize("lost", [LOST, BROKEN])
    def test_an_order_that_was_heard_is_not_sent_again_though_its_answer_was_lost(self, web, lost):
        Switch(web, "start", "stoppedUP", "stalledUP", heard=True, replies=[lost])
        client_of(web.url).start(ID)
        assert web.count("torrents/start") == 1

    @pytest.mark.parametrize("lost", [LOST, BROKEN])
    def test_an_order_that_was_not_heard_is_sent_again_after_looking(self, web, lost):
        Switch(web, "stop", "stalledUP", "stoppedUP", heard=False, replies=[lost, Answer()])
        client_of(web.url).stop(ID)
        orders = [asked.path for asked in web.asked if asked.path in ("torrents/stop", "torrents/info")]
        first, last = orders.index("torrents/stop"), len(orders) - 1 - orders[::-1].index("torrents/stop")
        assert web.count("torrents/stop") == 2
        assert "torrents/info" in orders[first:last]

    def test_an_order_without_effect_is_an_error(self, web):
        Switch(web, "stop", "stalledUP", "stalledUP", heard=True, replies=[Answer()])
        with pytest.raises(BadAnswer, match="did not do it"):
            client_of(web.url).stop(ID)

    def test_before_5_0_torrents_are_paused_and_resumed(self, web):
        web.replies |= {"app/version": Answer("v4.6.7"), "app/webapiVersion": Answer("2.9.3")}
        Switch(web, "pause", "stalledUP", "pausedUP", heard=True, replies=[Answer()])
        client_of(web.url).stop(ID)
        assert web.count("torrents/pause") == 1

    def test_a_refused_torrent_file_is_unsafe(self, web, tmp_path):
        wanted = sample(tmp_path, "Show", 1000)
        web.replies |= {"torrents/categories": say({}), "torrents/add": Answer("no", 415)}
        with pytest.raises(UnsafeTorrent, match="refuses"):
            client_of(web.url).add_stopped(wanted.metainfo, AddSpec(ClientPath("/data")))

    def test_a_torrent_that_is_never_listed_is_an_error(self, web, tmp_path):
        wanted = sample(tmp_path, "Show", 1000)
        web.replies["torrents/add"] = Answer("Ok.")
        with pytest.raises(BadAnswer, match="does not list it"):
            client_of(web.url).add_stopped(wanted.metainfo, AddSpec(ClientPath("/data")))

    def test_a_category_that_the_client_refuses_is_told(self, web):
        web.replies |= {
            "torrents/info": say([row(HASH)]),
            "torrents/categories": say({}),
            "torrents/createCategory": Answer("no", 409),
        }
        with pytest.raises(TorrentError, match="does not accept"):
            client_of(web.url).set_category(ID, "a//b")


class Scripted:
    """The client around adding.py, as the test describes it."""

    name = "box:8080"

    def __init__(self, wanted, **there) -> None:
        self.row = answers.torrent(row(wanted.info_hash, **{"state": "stoppedDL", **there}))
        self.added = there.get("listed", False)
        self.stopped: list[InfoHash] = []
        self.paths = list(wanted.files())
        self.sent: list[str] = []

    def get(self, _):
        return self.row if self.added else None

    def files(self, _):
        return [ClientFile(index, path, 1, 0, wanted=True) for index, path in enumerate(self.paths)]

    def stop(self, torrent):
        self.stopped.append(torrent)

    def order(self, send, *_):
        send(self)

    def torrents_add(self, **fields):
        self.fields = fields
        self.added = True

    def settle(self, send, done, doing, *_):
        self.sent.append(doing)
        if doing.startswith(("rename", "set the location")):
            send(self)
            assert done()

    def torrents_rename_file(self, torrent_hash, old_path, new_path):
        assert torrent_hash == self.row.id.hex
        self.paths[self.paths.index(old_path)] = new_path

    def torrents_set_location(self, location, torrent_hashes):
        assert torrent_hashes == self.row.id.hex
        self.row = replace(self.row, save_path=ClientPath(location))

    def until(self, done, _):
        return done()

    def make_category(self, category):
        """Has them all."""


class TestAdding:
    @pytest.fixture
    def wanted(self, tmp_path):
        return sample(tmp_path, "Show", 1000)

    SPEC = AddSpec(ClientPath("/data"), category="movies", tags=("a",), skip_checking=True)

    def test_everything_is_said_that_could_move_start_or_remove_it(self, wanted):
        client = Scripted(wanted)
        assert adding.add_stopped(client, wanted.metainfo, self.SPEC).hex == wanted.info_hash
        fields = client.fields
        assert fields["torrent_files"] == wanted.metainfo
        assert fields["is_stopped"] is True
        assert fields["use_auto_torrent_management"] is False
        assert fields["use_download_path"] is False
        assert fields["content_layout"] == "Original"
        assert fields["is_skip_checking"] is True
        limits = ("ratio_limit", "seeding_time_limit", "inactive_seeding_time_limit")
        assert [fields[limit] for limit in limits] == [-1, -1, -1]

    def test_one_that_starts_by_itself_is_stopped_at_once_and_told(self, wanted):
        client = Scripted(wanted, state="downloading")
        with pytest.raises(BadAnswer, match="stopped again"):
            adding.add_stopped(client, wanted.metainfo, self.SPEC)
        assert [torrent.hex for torrent in client.stopped] == [wanted.info_hash]

    def test_one_that_the_client_puts_elsewhere_is_told(self, wanted):
        with pytest.raises(Collision, match="/elsewhere"):
            adding.add_stopped(Scripted(wanted, save_path="/elsewhere/"), wanted.metainfo, self.SPEC)

    def test_one_that_is_managed_automatically_is_told(self, wanted):
        with pytest.raises(Collision, match="managed automatically"):
            adding.add_stopped(Scripted(wanted, auto_tmm=True), wanted.metainfo, self.SPEC)

    def test_an_error_of_the_client_is_told(self, wanted):
        with pytest.raises(NotWritable, match="reports an error"):
            adding.add_stopped(Scripted(wanted, state="error"), wanted.metainfo, self.SPEC)

    def test_endless_reading_of_resume_data_is_told(self, wanted):
        with pytest.raises(NotWritable, match="resume data"):
            adding.add_stopped(Scripted(wanted, state="checkingResumeData"), wanted.metainfo, self.SPEC)

    def test_limits_that_could_fire_are_lifted(self, wanted):
        client = Scripted(wanted, ratio_limit=-2)
        adding.add_stopped(client, wanted.metainfo, self.SPEC)
        assert client.sent == ["lift the share limits of Show"]

    def test_another_layout_than_the_metainfos_is_an_error(self, wanted):
        client = Scripted(wanted)
        client.paths = ["Sanitised"]
        with pytest.raises(Collision, match="'Sanitised' instead of 'Show'"):
            adding.add_stopped(client, wanted.metainfo, self.SPEC)

    def test_renames_happen_where_nothing_lies_and_only_then_it_gets_its_location(self, wanted):
        client = Scripted(wanted, save_path=f"/data/.torrent-mover/layout-{wanted.info_hash}")
        adding.add_stopped(client, wanted.metainfo, AddSpec(ClientPath("/data"), renames=((0, "New/Show"),)))
        assert client.fields["save_path"].startswith("/data/.torrent-mover/layout-")
        assert client.sent == ["rename 'Show' to 'New/Show'", "set the location of Show to /data"]

    def test_an_earlier_attempt_with_other_names_is_not_renamed_over_its_data(self, wanted):
        client = Scripted(wanted, listed=True)
        with pytest.raises(Collision, match="'Show' instead of 'New'"):
            adding.add_stopped(client, wanted.metainfo, AddSpec(ClientPath("/data"), renames=((0, "New"),)))
        assert client.sent == []

    def test_a_rename_of_a_file_that_is_not_there_is_refused(self, wanted):
        spec = AddSpec(ClientPath("/data"), renames=((7, "x"),))
        with pytest.raises(UnsafeTorrent, match="no file 7"):
            adding.add_stopped(Scripted(wanted), wanted.metainfo, spec)


class Listed(FakeWebUi):
    """Has one torrent, until it is deleted; its log says then what the test wants."""

    def __init__(self, *complaints: dict[str, object], heard: bool = True) -> None:
        super().__init__()
        self.rows = [row(HASH)]
        self._log = [{"id": 0, "timestamp": 1, "type": 1, "message": "started"}]
        self._complaints, self._heard = complaints, heard
        self.replies |= {
            "torrents/info": lambda _: say(self.rows),
            "torrents/delete": self._delete,
            "log/main": lambda asked: say([e for e in self._log if e["id"] > int(asked.fields["last_known_id"])]),
        }

    def _delete(self, _):
        if self._heard:
            self.rows = []
            self._log += [{"id": 1 + at, "timestamp": 2, **entry} for at, entry in enumerate(self._complaints)]
        return Answer()


class TestRemoving:
    def remove(self, web, certificate):
        """Remove it; returns what the client has to say about its data."""
        client = client_of(web.url, clock=FakeClock(monotonic=certificate.issued_at))
        client.remove(certificate)
        return client.complaint(certificate)

    def test_it_deletes_by_one_full_hash_and_sees_that_it_is_gone(self, certificate_of):
        with Listed() as web:
            self.remove(web, certificate_of(HASH))
            deleted = [asked for asked in web.asked if asked.path == "torrents/delete"]
        assert [asked.fields for asked in deleted] == [{"hashes": HASH, "deleteFiles": "True"}]

    @pytest.mark.parametrize("kind", [Certificate, Warrant])
    def test_what_grows_too_old_while_others_keep_the_session_deletes_nothing(self, certificate_of, kind):
        right = certificate_of(HASH)
        clock = FakeClock(monotonic=right.issued_at)
        if kind is Warrant:
            there, at = replace(right.evidence.planned, state=TorrentState.STOPPED_COMPLETE), right.issued_at
            right = issue_warrant(
                WarrantEvidence("qbit", there, at, at, "stalled", same_verdict=True, leased=True, written=True)
            )

        class Late(QBittorrentClient):
            def order(self, send, torrent=None):
                clock.advance(MAX_AGE + 61)
                super().order(send, torrent)

        with Listed() as web:
            client = Late(QBittorrentSettings(web.url, "admin", Secret(RIGHT)), clock)
            with pytest.raises((LookAgain, WarrantStale)):
                client.remove(right) if kind is Certificate else client.retire(right)
            assert not web.count("torrents/delete")

    def test_the_data_of_siblings_stays(self, certificate_of):
        with Listed() as web:
            self.remove(web, certificate_of(HASH, siblings=(InfoHash("e" * 40),)))
            deleted = [asked for asked in web.asked if asked.path == "torrents/delete"]
        assert [asked.fields["deleteFiles"] for asked in deleted] == ["False"]

    def test_why_data_could_not_be_deleted_is_told_without_any_url(self, certificate_of):
        text = f'Failed to remove torrent content. Torrent: "Show". Error: "denied" http://t/?k={PASSKEY}'
        with Listed({"type": 4, "message": text}) as web:
            said = self.remove(web, certificate_of(HASH))
        assert "denied" in said
        assert PASSKEY not in said

    @pytest.mark.parametrize(
        "entry",
        [
            {"type": 4, "message": 'Removed torrent but failed. Torrent: "Show". Error: "Directory not empty"'},
            {"type": 4, "message": 'Torrent: "Another". Error: "denied"'},
            {"type": 1, "message": 'Removed torrent and deleted its content. Torrent: "Show"'},
        ],
    )
    def test_other_words_in_the_log_are_no_complaint(self, certificate_of, entry):
        with Listed(entry) as web:
            assert self.remove(web, certificate_of(HASH)) == ""
            assert web.rows == []

    def test_what_the_log_said_before_the_removal_is_no_complaint(self, certificate_of):
        with Listed() as web:
            web._log.append({"id": 1, "timestamp": 1, "type": 4, "message": 'Torrent: "Show". Error: "denied"'})
            assert self.remove(web, certificate_of(HASH)) == ""

    def test_a_removal_waits_for_nothing_but_the_list(self, certificate_of):
        clock = FakeClock(monotonic=(certificate := certificate_of(HASH)).issued_at)
        with Listed() as web:
            client_of(web.url, clock=clock).remove(certificate)
        assert clock.waits == []

    def test_a_torrent_that_stays_listed_is_an_error(self, certificate_of):
        with Listed(heard=False) as web, pytest.raises(BadAnswer, match="remove"):
            self.remove(web, certificate_of(HASH))


class TestRenaming:
    @given(some.permutations(["a", "b", "c/d", "e"]), some.permutations(["a", "b", "c/d", "x/y"]))
    def test_the_steps_lead_to_the_layout_and_no_path_is_ever_taken_twice(self, present, wanted):
        places = list(present)
        for old, new in rename_steps(present, wanted, "mark"):
            assert new not in places
            places[places.index(old)] = new
        assert places == list(wanted)

    @given(some.lists(some.sampled_from("abc"), min_size=4, max_size=4), some.permutations("abcd"))
    def test_files_with_one_path_are_told_apart_though_a_client_renames_the_first(self, present, wanted):
        places = list(present)
        for old, new in rename_steps(present, wanted, "mark"):
            assert new not in places
            places[places.index(old)] = new
        assert places == list(wanted)

    def test_nothing_to_do_is_no_step(self):
        assert rename_steps(["a", "b"], ["a", "b"], "mark") == []

    def test_two_files_cannot_get_one_path(self):
        with pytest.raises(ValueError, match="same path"):
            rename_steps(["a", "b"], ["c", "c"], "mark")

    def test_what_is_not_renamed_keeps_its_path(self):
        assert wanted_paths(["a", "b"], [(1, "c")]) == ("a", "c")


class TestWords:
    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("uploading", TorrentState.SEEDING),
            ("stalledUP", TorrentState.SEEDING),
            ("queuedUP", TorrentState.SEEDING),
            ("forcedUP", TorrentState.SEEDING),
            ("pausedUP", TorrentState.STOPPED_COMPLETE),
            ("stoppedUP", TorrentState.STOPPED_COMPLETE),
            ("pausedDL", TorrentState.STOPPED_INCOMPLETE),
            ("stoppedDL", TorrentState.STOPPED_INCOMPLETE),
            ("stalledDL", TorrentState.DOWNLOADING),
            ("metaDL", TorrentState.DOWNLOADING),
            ("checkingUP", TorrentState.CHECKING),
            ("checkingDL", TorrentState.CHECKING),
            ("checkingResumeData", TorrentState.CHECKING),
            ("moving", TorrentState.MOVING),
            ("missingFiles", TorrentState.MISSING_FILES),
            ("error", TorrentState.ERROR),
            ("unknown", TorrentState.UNKNOWN),
            ("invented in 2031", TorrentState.UNKNOWN),
        ],
    )
    def test_states(self, word, state):
        torrent = answers.torrent(row(HASH, state=word))
        assert (torrent.state, torrent.client_state) == (state, word)

    def test_limits_are_seconds_and_bytes(self):
        raw = row(
            HASH, ratio_limit=1.5, seeding_time_limit=90, inactive_seeding_time_limit=-2, up_limit=-1, dl_limit=1024
        )
        torrent = answers.torrent(raw)
        assert torrent.limits == ShareLimits(1.5, 5400, NoOwnLimit.AS_CLIENT)
        assert (torrent.upload_limit, torrent.download_limit) == (0, 1024)

    def test_before_4_6_there_is_no_inactive_limit(self):
        raw = row(HASH)
        del raw["inactive_seeding_time_limit"]
        assert answers.torrent(raw).limits.inactive_seeding_time is NoOwnLimit.NEVER

    @pytest.mark.parametrize(
        ("word", "met"),
        [
            ("Default", WhenMet.AS_CLIENT),
            ("Stop", WhenMet.STOP),
            ("Remove", WhenMet.REMOVE),
            ("RemoveWithContent", WhenMet.REMOVE_WITH_DATA),
            ("EnableSuperSeeding", WhenMet.SUPER_SEED),
            ("invented in 2031", WhenMet.UNKNOWN),
        ],
    )
    def test_what_happens_at_a_limit(self, word, met):
        assert answers.torrent(row(HASH, share_limit_action=word)).limits.when_met is met
        assert met is WhenMet.UNKNOWN or answers.action_word(met) in (word, "")

    def test_every_priority_is_one_that_the_interface_takes(self):
        for number in (0, 1, 6, 7):
            assert answers.priority_number(answers.priority(number)) == number
        assert answers.priority(4) is FilePriority.NORMAL
        assert {answers.priority_number(each) for each in FilePriority} == {0, 1, 6, 7}

    def test_paths_lose_their_slash_and_a_relative_content_path_counts_as_unknown(self):
        torrent = answers.torrent(row(HASH, save_path="/data/", content_path="Show", tags="a, b"))
        assert torrent.save_path == ClientPath("/data")
        assert torrent.content_path is None
        assert torrent.tags == ("a", "b")

    def test_files_that_are_not_selected_are_not_wanted(self):
        raw = {"index": 3, "name": "a/b", "size": 5, "progress": 0.5, "priority": 0}
        assert answers.file(raw) == ClientFile(3, "a/b", 5, 0.5, wanted=False, priority=FilePriority.SKIP)

    def test_only_pieces_that_are_there_count(self):
        assert answers.pieces([2, 1, 0, 2]).missing == (1, 2)


@pytest.mark.servers
class TestRealServers:
    @pytest.fixture
    def client(self, qbittorrent):
        client = client_of(qbittorrent.url, qbittorrent.password, clock=SystemClock())
        yield client
        client.close()

    def test_a_wrong_password_never_leads_to_a_ban(self, qbittorrent):
        wrong = client_of(qbittorrent.url, "wrong")
        for _ in range(10):
            with pytest.raises(LoginRefused):
                wrong.torrents()
        assert client_of(qbittorrent.url, qbittorrent.password).info().version == qbittorrent.version

    @pytest.mark.parametrize("series", ["4.5", "5.1"])
    def test_a_ban_is_recognised_and_ends_with_a_restart(self, tmp_path, series):
        with QBittorrentServer(tmp_path, program=program_of(series)) as server:
            for _ in range(5):
                with pytest.raises(LoginRefused):
                    client_of(server.url, "wrong").info()
            client = client_of(server.url, server.password)
            with pytest.raises(Banned):
                client.info()
            server.restart()
            assert client.info().version == server.version

    @pytest.mark.parametrize("series", ["4.5", "5.1"])
    def test_a_session_that_expires_is_renewed(self, tmp_path, series):
        settings = {"Preferences/WebUI\\SessionTimeout": "1"}
        with QBittorrentServer(tmp_path, program=program_of(series), settings=settings) as server:
            clock = SystemClock()
            client = client_of(server.url, server.password, clock=clock)
            assert list(client.torrents()) == []
            clock.wait(2.5)
            assert list(client.torrents()) == []

    def test_a_restart_in_the_middle_goes_unnoticed(self, qbittorrent, client):
        client.info()
        qbittorrent.restart()
        assert list(client.torrents()) == []

    def test_limits_of_an_earlier_attempt_are_lifted(self, qbittorrent, client):
        wanted = sample(qbittorrent.data, "Show", 40_000)
        qbittorrent.add(wanted.metainfo, stopped=True, ratioLimit="1.5", seedingTimeLimit="60")
        torrent = client.add_stopped(wanted.metainfo, AddSpec(ClientPath(str(qbittorrent.data))))
        there = client.get(torrent)
        assert there.limits == ShareLimits()

    def test_automatic_management_goes_off_before_a_category_changes_so_nothing_moves(self, qbittorrent, client):
        home = qbittorrent.data / "old"
        wanted = sample(home, "Show", 40_000)
        for category in ("old", "new"):
            qbittorrent.api.post(
                "torrents/createCategory", category=category, savePath=str(qbittorrent.data / category)
            )
        torrent = InfoHash(qbittorrent.add(wanted.metainfo, home, category="old", autoTMM="true"))
        qbittorrent.wait_for(torrent.hex)
        assert client.get(torrent).auto_managed
        client.set_category(torrent, "new")
        there = client.get(torrent)
        assert (there.category, there.save_path, there.auto_managed) == ("new", ClientPath(str(home)), False)
        assert wanted.content.is_file()

    def test_subcategories_do_not_belong_to_a_category(self, qbittorrent, client):
        qbittorrent.api.post("app/setPreferences", json='{"use_subcategories": true}')
        for number, category in enumerate(("tv", "tv/hd")):
            wanted = sample(qbittorrent.data, f"T{number}", 40_000, seed=number)
            client.add_stopped(wanted.metainfo, AddSpec(ClientPath(str(qbittorrent.data)), category=category))
        assert [torrent.name for torrent in client.torrents("tv")] == ["T0"]

    def test_no_passkey_is_ever_logged_or_raised(self, qbittorrent, client, caplog):
        caplog.set_level(logging.DEBUG)
        wanted = sample(qbittorrent.data, "Show", 40_000, trackers=(f"http://127.0.0.1:9/announce?passkey={PASSKEY}",))
        torrent = client.add_stopped(wanted.metainfo, AddSpec(ClientPath(str(qbittorrent.data))))
        assert PASSKEY in client.trackers(torrent)[0].url
        client.recheck(torrent)
        said = [caplog.text]
        elsewhere = AddSpec(ClientPath("/elsewhere"))
        for call in (
            lambda: client.add_stopped(wanted.metainfo, elsewhere),
            lambda: client.trackers(InfoHash("f" * 40)),
            lambda: client_of(qbittorrent.url, "wrong").trackers(torrent),
        ):
            with pytest.raises(MoverError) as caught:
                call()
            said.append(f"{caught.value!r} {caught.value}")
        assert PASSKEY not in "".join(said)
        assert qbittorrent.password not in "".join(said)

    def test_several_threads_may_ask_at_once(self, qbittorrent, client):
        wanted = sample(qbittorrent.data, "Show", 40_000)
        torrent = client.add_stopped(wanted.metainfo, AddSpec(ClientPath(str(qbittorrent.data))))
        answered = []

        def ask() -> None:
            answered.extend(
                client.get(torrent).id == client.get(torrent).id and client.files(torrent) for _ in range(20)
            )

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answered) == 120

    def test_a_stopped_server_is_unreachable_and_comes_back(self, qbittorrent, client):
        client.info()
        qbittorrent.stop()
        with pytest.raises(Unreachable):
            client.torrents()
        qbittorrent.start()
        assert list(client.torrents()) == []

    def test_a_torrent_that_vanishes_is_gone(self, qbittorrent, client):
        wanted = sample(qbittorrent.data, "Show", 40_000)
        torrent = client.add_stopped(wanted.metainfo, AddSpec(ClientPath(str(qbittorrent.data))))
        qbittorrent.remove(torrent.hex)
        eventually(lambda: client.get(torrent) is None)
        with pytest.raises(TorrentGone):
            client.files(torrent)
