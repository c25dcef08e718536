"""What every debrid account must do for us, whatever its service."""

from __future__ import annotations

import hashlib

import pytest

from tests.doubles.debrid_house import FILES, HASH, NAME, OTHER, removal_of
from torrent_mover.domain.debrid.account import (
    Capability,
    Depth,
    LinkVerdict,
    ListCursor,
    Rank,
    RemoteId,
    RemoteLink,
    RemoteStatus,
)
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import (
    AccountExpired,
    AskedWrongly,
    DebridGarbled,
    DebridParked,
    DebridPaused,
    DebridRefused,
    DebridUnreachable,
    SlotsFull,
    TokenRefused,
)
from torrent_mover.domain.debrid.magnets import Magnet, TorrentFile
from torrent_mover.domain.torrent.bencode import encode
from torrent_mover.domain.torrent.torrent import InfoHash

READS = {
    "standing": lambda account, _: account.standing(),
    "page": lambda account, _: account.page(ListCursor()),
    "info": lambda account, own: account.info(own),
    "add": lambda account, _: account.add(Magnet(InfoHash(OTHER))),
}
INFO = {b"length": 1001, b"name": b"Film.mkv", b"piece length": 16384, b"pieces": b"x" * 20}


class DebridContract:
    """Subclass it, and supply the fixture `house` (tests/doubles/debrid_house.py)."""

    def test_an_account_in_good_standing_says_so(self, house):
        standing = house.account.standing()
        assert (standing.good, standing.trouble, standing.parked_until) == (True, "", None)
        assert standing.premium_seconds == pytest.approx(63 * 86400, abs=90)
        assert standing.free_slots is None or standing.free_slots > 0

    def test_an_expired_account_is_answered_and_not_good(self, house):
        house.world.premium_until = house.clock.now() - 5
        standing = house.account.standing()
        assert (standing.good, standing.premium_seconds) == (False, 0)
        assert "premium" in standing.trouble

    def test_a_wrong_token_is_answered_as_a_standing_and_stops_everything_else(self, house):
        own = house.hold()
        house.refuse_token()
        assert house.account.standing().good is False
        with pytest.raises((TokenRefused, AccountExpired)):
            house.account.page(ListCursor())
        with pytest.raises((TokenRefused, AccountExpired)):
            house.account.info(own)

    def test_the_list_has_every_entry_newest_first(self, house):
        first, second = house.hold(HASH), house.hold(OTHER)
        page = house.account.page(ListCursor())
        assert [row.id for row in page.rows] == [second, first]
        assert {row.status for row in page.rows} == {RemoteStatus.DOWNLOADED}
        assert page.next is None
        assert page.total in (2, None)

    def test_an_empty_account_has_an_empty_list(self, house):
        page = house.account.page(ListCursor())
        assert (page.rows, page.next) == ((), None)

    def test_one_entry_has_its_hash_files_and_links(self, house):
        own = house.hold()
        entry = house.account.info(own)
        assert entry.id == own
        assert entry.hash == InfoHash(HASH)
        assert [(file.path, file.size) for file in entry.selected] == list(FILES)
        assert len(entry.links) == len(FILES)
        assert len({link.key or link.text for link in entry.links}) == len(FILES)
        assert all(link.account == NAME for link in entry.links)

    def test_times_are_unix_seconds(self, house):
        own = house.hold()
        entry = house.account.info(own)
        assert entry.added is None or entry.added == pytest.approx(house.clock.now() - 30 * 86400, abs=90)

    def test_an_entry_that_is_not_there_is_none(self, house):
        house.hold()
        assert house.account.info(RemoteId(NAME, "99999")) is None

    def test_a_magnet_is_added_by_its_hash_alone(self, house):
        house.world.have(HASH, *FILES, cached=True)
        own = house.account.add(Magnet(InfoHash(HASH)))
        assert own.account == NAME
        assert house.account.info(own).hash == InfoHash(HASH)

    def test_a_torrent_file_is_added_by_its_bytes(self, house):
        assert Capability.ADD_FILE in house.account.capabilities.can
        data = encode({b"info": INFO})
        digits = hashlib.sha1(encode(INFO), usedforsecurity=False).hexdigest()
        own = house.account.add(TorrentFile(InfoHash(digits), data))
        assert house.world.find(own.text).torrent.hash == digits

    def test_what_is_not_cached_is_under_way_and_then_there(self, house):
        house.world.have(HASH, *FILES, cached=False, download=300.0)
        own = house.account.add(Magnet(InfoHash(HASH)))
        if Capability.SELECT in house.account.capabilities.can:
            house.account.select(own, [1, 2, 3])
        house.clock.advance(60)
        entry = house.account.info(own)
        assert entry.status.working
        assert 0 <= entry.progress < 1
        house.clock.advance(600)
        entry = house.account.info(own)
        assert (entry.status, entry.progress) == (RemoteStatus.DOWNLOADED, 1.0)

    def test_failed_entries_are_told_as_failed(self, house):
        bad = {RemoteStatus.ERROR, RemoteStatus.DEAD, RemoteStatus.MAGNET_ERROR, RemoteStatus.VIRUS}
        for digits, fate in ((HASH, "error"), (OTHER, "dead")):
            house.world.have(digits, *FILES, fate=fate)
            house.world.hold(digits)
        assert all(row.status in bad for row in house.account.page(ListCursor()).rows)

    def test_what_is_active_is_listed_alone_or_said_to_be_lacking(self, house):
        house.hold(OTHER)
        house.world.have(HASH, *FILES, cached=False, download=300.0)
        house.world.select(house.world.add(HASH), {1, 2, 3})
        house.clock.advance(30)
        if Capability.ACTIVE_LIST in house.account.capabilities.can:
            assert [row.hash for row in house.account.active()] == [InfoHash(HASH)]
        else:
            with pytest.raises(AskedWrongly):
                house.account.active()

    def test_selecting_is_done_or_said_to_be_lacking(self, house):
        house.world.have(HASH, *FILES)
        own = house.account.add(Magnet(InfoHash(HASH)))
        if Capability.SELECT not in house.account.capabilities.can:
            with pytest.raises(AskedWrongly):
                house.account.select(own, [1, 2])
            return
        house.account.select(own, [1, 2])
        house.account.select(own, [1, 2])  # the second time it is so already
        assert house.world.find(own.text).selected == {1, 2}
        assert [file.number for file in house.account.info(own).selected] == [1, 2]

    def test_a_living_link_is_alive_with_its_name_and_size(self, house):
        entry = house.account.info(house.hold())
        for link, (path, size) in zip(entry.links, FILES, strict=True):
            answer = house.account.check(link, Depth.PROOF)
            assert answer.verdict is LinkVerdict.ALIVE
            assert answer.name in (path.rpartition("/")[2], None)
            assert answer.size in (size, None)
        assert house.world.downloads == {}

    def test_a_dead_link_is_dead_by_proof_alone(self, house):
        entry = house.account.info(house.hold())
        house.kill_link(entry.links[0])
        assert house.account.check(entry.links[0], Depth.PROOF).verdict is LinkVerdict.DEAD
        if Capability.LINK_CHECK in house.account.capabilities.can:
            assert house.account.check(entry.links[0], Depth.GLANCE).verdict is LinkVerdict.UNKNOWN
        else:
            with pytest.raises(AskedWrongly):
                house.account.check(entry.links[0], Depth.GLANCE)

    def test_deleting_takes_one_entry_and_says_whether_it_was_there(self, house):
        own, other = house.hold(HASH), house.hold(OTHER)
        assert house.account.delete(removal_of(own)).was_there
        assert house.account.info(own) is None
        assert [row.id for row in house.account.page(ListCursor()).rows] == [other]
        assert not house.account.delete(removal_of(own)).was_there

    def test_an_id_or_link_of_another_account_is_never_sent(self, house):
        stranger = RemoteId("another", house.hold().text)
        before = house.count()
        for act in (
            lambda: house.account.info(stranger),
            lambda: house.account.delete(removal_of(stranger)),
            lambda: house.account.check(RemoteLink("another", "https://example.com/d/1"), Depth.PROOF),
            lambda: house.account.info(RemoteId(NAME, "../user")),
            lambda: house.account.info(RemoteId(NAME, "")),
        ):
            with pytest.raises(AskedWrongly):
                act()
        assert house.count() == before

    @pytest.mark.parametrize("call", READS)
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (AnswerClass.PAUSE, DebridPaused),
            (AnswerClass.AGAIN, DebridUnreachable),
        ],
    )
    def test_a_refusal_for_now_is_raised_whatever_was_asked(self, house, call, answer, error):
        own = house.hold()
        house.say(answer)
        with pytest.raises(error) as raised:
            READS[call](house.account, own)
        assert raised.value.answer is answer
        assert house.count() == 1

    @pytest.mark.parametrize("call", ["page", "info", "add"])
    def test_an_account_that_is_stopped_raises(self, house, call):
        own = house.hold()
        house.say(AnswerClass.STOP)
        with pytest.raises(AccountExpired):
            READS[call](house.account, own)
        assert house.account.standing().good is False

    @pytest.mark.parametrize(("answer", "error"), [(AnswerClass.FULL, SlotsFull), (AnswerClass.REFUSED, DebridRefused)])
    def test_an_add_that_is_refused_says_whether_for_good(self, house, answer, error):
        house.say(answer, adding=True)
        with pytest.raises(error) as raised:
            house.account.add(Magnet(InfoHash(HASH)))
        assert raised.value.answer is answer
        assert not house.world.entries

    def test_used_up_traffic_stops_adds_and_checks_until_it_is_there_again(self, house):
        if not house.can_say(AnswerClass.PARK):
            assert Capability.TRAFFIC not in house.account.capabilities.can
            return
        entry = house.account.info(house.hold())
        house.say(AnswerClass.PARK, adding=True)
        with pytest.raises(DebridParked) as raised:
            house.account.add(Magnet(InfoHash(OTHER)))
        house.quiet()
        before = house.count()
        with pytest.raises(DebridParked):
            house.account.add(Magnet(InfoHash(OTHER)))
        with pytest.raises(DebridParked):
            house.account.check(entry.links[0], Depth.PROOF)
        assert house.count() == before
        assert house.account.standing().parked_until == raised.value.until
        house.clock.advance(raised.value.until - house.clock.now() + 1)
        assert house.account.add(Magnet(InfoHash(OTHER)))

    def test_ranks_ask_the_same_account(self, house):
        own = house.hold()
        assert house.account.ranked(Rank.BY_HAND).info(own) == house.account.ranked(Rank.LINK_CHECK).info(own)


class DebridWireContract:
    """The same for an account over HTTP: what travels, and what nonsense is taken for."""

    @pytest.mark.parametrize("call", READS)
    @pytest.mark.parametrize(
        "fault",
        [
            {
                "status": 200,
                "text": "<!DOCTYPE html><html>Just a moment</html>",
                "headers": {"Content-Type": "text/html"},
            },
            {"status": 503, "text": "<html>Bad gateway</html>", "headers": {"Content-Type": "text/html"}},
            {"status": 403, "text": "<html>Access denied</html>", "headers": {"Content-Type": "text/html"}},
            {"status": 302, "text": "", "headers": {"Location": "http://127.0.0.1:1/elsewhere"}},
            {"status": 200, "text": '{"status": "success", "data": [{"id"'},
            {"status": 200, "text": ""},
            {"status": 200, "data": "a text"},
            {"cut": True},
        ],
        ids=["html", "html 503", "html 403", "redirect", "no json", "nothing", "other shape", "cut"],
    )
    def test_nonsense_is_never_a_verdict(self, house, call, fault):
        own = house.hold()
        house.double.fault("*", **fault)
        with pytest.raises((DebridGarbled, DebridUnreachable)) as raised:
            READS[call](house.account, own)
        assert raised.value.answer is AnswerClass.AGAIN

    def test_a_server_that_is_away_and_one_that_ends_the_connection_are_unreachable(self, house):
        house.double.fault("*", drop=True)
        with pytest.raises(DebridUnreachable):
            house.account.standing()

    def test_every_request_is_told_with_its_class(self, house):
        house.account.standing()
        house.say(AnswerClass.AGAIN)
        with pytest.raises(DebridUnreachable):
            house.account.page(ListCursor())
        assert len(house.heard) == len(house.double.asked)
        assert {each.account for each in house.heard} == {NAME}
        assert house.heard[0].answer is AnswerClass.GOOD
        assert house.heard[-1].answer is AnswerClass.AGAIN

    def test_the_token_is_in_the_bearer_header_of_each_request_and_nowhere_else(self, house):
        own = house.hold()
        entry = house.account.info(own)
        house.account.page(ListCursor())
        house.account.check(entry.links[0], Depth.PROOF)
        house.account.add(Magnet(InfoHash(OTHER)))
        house.account.delete(removal_of(own))
        token = house.double.token
        for asked in house.double.asked:
            assert asked.headers["authorization"] == f"Bearer {token}"
            assert asked.headers["user-agent"].startswith("torrent-mover/")
            assert token not in f"{asked.path}{asked.query}{asked.body!r}"

    def test_an_error_never_tells_the_token_even_if_the_service_does(self, house):
        house.double.fault("*", **house.double.echo(f"who is {house.double.token}?"))
        with pytest.raises(Exception, match=r"•••|gave") as raised:
            house.account.page(ListCursor())
        assert house.double.token not in repr(raised.value) + str(raised.value)
        assert house.double.token not in repr(vars(house.account))

    def test_a_magnet_travels_by_its_hash_alone(self, house):
        house.account.add(Magnet(InfoHash(HASH)))
        sent = b"".join(asked.body for asked in house.double.asked)
        assert HASH.encode() in sent
        assert b"dn=" not in sent
        assert b"tr=" not in sent


class ReadOnlyContract:
    """The same account where nothing may be changed: the fixture `reading` is a house with `read_only`."""

    def test_nothing_that_changes_anything_is_sent(self, reading):
        own = reading.hold()
        entry = reading.account.info(own)
        before = len(reading.double.asked)
        for act in (
            lambda: reading.account.add(Magnet(InfoHash(OTHER))),
            lambda: reading.account.delete(removal_of(own)),
        ):
            with pytest.raises(AskedWrongly):
                act()
        assert len(reading.double.asked) == before
        assert entry.files
